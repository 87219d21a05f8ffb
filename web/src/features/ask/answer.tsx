import { latency, percent } from "../../lib/format";
import type { Key } from "../../lib/text";
import { t } from "../../lib/text";
import { Icon } from "../../ui/icon";
import { Markdown } from "../../ui/markdown";
import { Notice } from "../../ui/state";
import { placeOf, placesOfMarks, type Source, sourcesOf } from "./answer-text";
import type { Answer, Citation } from "./conversation";

type AnswerProps = { answer: Answer; open: Citation | undefined; onOpen: (citation: Citation) => void };

/** What became of a question. */
export function AnswerView({ answer, open, onOpen }: AnswerProps) {
  if (answer.outcome === "declined") return <Declined {...{ answer, open, onOpen }} />;
  if (answer.stopped) return <Notice>{t("answer.stopped")}</Notice>;
  if (answer.outcome === "failed") return <Notice kind="bad">{t("answer.failed")}</Notice>;
  if (answer.outcome === "escalated") return <Notice>{answer.text}</Notice>;
  const sources = sourcesOf(answer.citations);
  const places = placesOfMarks(answer);
  return (
    <div className="stack">
      {answer.notice && <p className="quiet small">{answer.notice}</p>}
      <Markdown
        text={answer.text}
        cite={(number, index) => {
          const place = places[index];
          const citation =
            place?.source === number ? place : sources.find((source) => source.number === number)?.citations[0];
          return citation ? <Mark citation={citation} open={open} onOpen={onOpen} /> : `[${number}]`;
        }}
      />
      {answer.redacted && <Notice kind="warn">{t("answer.redacted")}</Notice>}
      {sources.length > 0 && <Sources sources={sources} open={open} onOpen={onOpen} label={t("answer.sources")} />}
      <Grounds answer={answer} />
    </div>
  );
}

function Mark({ citation, open, onOpen }: { citation: Citation } & Omit<AnswerProps, "answer">) {
  return (
    <button
      type="button"
      className="cite"
      aria-label={t("answer.source", { number: String(citation.source), title: citation.document_title })}
      aria-pressed={open === citation}
      onClick={() => onOpen(citation)}
    >
      {citation.source}
    </button>
  );
}

type SourcesProps = {
  sources: Source[];
  open: Citation | undefined;
  onOpen: (citation: Citation) => void;
  label: string;
};

function Sources({ sources, open, onOpen, label }: SourcesProps) {
  return (
    <section aria-label={label}>
      <h3 className="quiet small">{label}</h3>
      <ol className="sources">
        {sources.map(({ number, citations }) => {
          const [first] = citations;
          if (!first) return null;
          return (
            <li key={number}>
              <button
                type="button"
                className="source"
                aria-pressed={open?.chunk_id === first.chunk_id && open.source === number}
                onClick={() => onOpen(first)}
              >
                <span className="cite" aria-hidden="true">
                  {number}
                </span>
                <span className="grow">
                  <span className="cut where" dir="auto">
                    {placeOf(first)}
                    {first.page ? (
                      <span className="quiet">, {t("answer.page", { page: String(first.page) })}</span>
                    ) : null}
                  </span>
                  <span className="quote" dir="auto">
                    {first.quote.trim()}
                  </span>
                </span>
              </button>
            </li>
          );
        })}
      </ol>
    </section>
  );
}

function Declined({ answer, open, onOpen }: AnswerProps) {
  const closest = sourcesOf(answer.closest);
  const reason = answer.reason ? (`decline.${answer.reason}` as Key) : undefined;
  return (
    <div className="stack declined">
      <div className="notice">
        <Icon name="quote" />
        <div className="grow">
          <h3>{t("decline.title")}</h3>
          <p>{answer.text}</p>
          {reason && <p className="quiet small">{t(reason)}</p>}
        </div>
      </div>
      {closest.length > 0 && <Sources sources={closest} open={open} onOpen={onOpen} label={t("decline.closest")} />}
      <Grounds answer={answer} />
    </div>
  );
}

/** How sure the answer is, in words and on demand in numbers, and what was searched. */
function Grounds({ answer }: { answer: Answer }) {
  const level = answer.outcome === "answered" ? answer.confidence_level : null;
  const { searched } = answer;
  return (
    <details className="grounds">
      <summary>
        {level && <span className={`confidence ${level}`}>{t(`confidence.${level}` as Key)}</span>}
        <span className="quiet">{t("answer.searched", { count: searched.documents })}</span>
      </summary>
      <dl className="facts small">
        {answer.confidence != null && (
          <>
            <dt>{t("answer.confidence")}</dt>
            <dd>{t("answer.confidenceNumber", { percent: percent(answer.confidence) })}</dd>
          </>
        )}
        <dt>{t("answer.scope")}</dt>
        <dd>
          {t("answer.scopeBases", { count: searched.knowledge_bases })} ·{" "}
          {t("answer.scopePassages", { count: searched.passages })}
        </dd>
        <dt>{t("answer.writtenBy")}</dt>
        <dd>{answer.usage.model ?? t("answer.extractive")}</dd>
        <dt>{t("answer.took")}</dt>
        <dd>{latency(answer.latency.total_us)}</dd>
      </dl>
    </details>
  );
}
