import { duration } from "../../lib/format";
import { t } from "../../lib/text";
import { Progress } from "../../ui/page";
import { type Channels, isUnderWay } from "./data";
import { reading } from "./progress";

/** How far the history has been read, and how long it will take as far as that can be told. */
export function ReadingCard({ list }: { list: Channels }) {
  const now = reading(list.items);
  if (now.followed === 0)
    return (
      <section className="card" aria-label={t("reading.title")}>
        <p>{t("reading.choose")}</p>
      </section>
    );
  const isReading = now.complete + now.stuck < now.followed;
  const left =
    now.seconds === undefined
      ? t("reading.unknown")
      : now.isAtLeast
        ? t("reading.atLeast", { time: duration(now.seconds) })
        : t("work.left", { time: duration(now.seconds) });
  return (
    <section className="card stack tight" aria-label={t("reading.title")}>
      <div className="row between">
        <div role="status">
          <h2>
            {isReading
              ? t("reading.now", { done: now.complete, count: now.followed })
              : isUnderWay(list)
                ? t("reading.finding")
                : now.stuck > 0
                  ? t("reading.stuck", { count: now.stuck })
                  : t("reading.done", { count: now.followed })}
          </h2>
        </div>
        <span className="quiet numbers">{t("channel.messages", { count: now.messages })}</span>
      </div>
      {isReading && (
        <>
          <Progress label={t("reading.title")} value={now.share} />
          <p className="quiet small">
            {left}. {t("reading.how")}
          </p>
        </>
      )}
      {(list.messages_without_document > 0 || list.documents_in_work > 0) && (
        <p className="quiet small working">
          {[
            list.messages_without_document > 0 && t("reading.pending", { count: list.messages_without_document }),
            list.documents_in_work > 0 && t("work.waiting", { count: list.documents_in_work }),
          ]
            .filter(Boolean)
            .join(" · ")}
        </p>
      )}
    </section>
  );
}
