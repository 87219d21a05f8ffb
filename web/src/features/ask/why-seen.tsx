import { useQuery } from "@tanstack/react-query";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { number } from "../../lib/format";
import { Link } from "../../lib/router";
import { type Key, t } from "../../lib/text";
import { Icon } from "../../ui/icon";
import { Loaded } from "../../ui/state";
import { readersInWords, reasonInWords, type Seen } from "./seen";

/** For whose eyes a question was answered on a channel, and why they may see what the answer rests on. */
export function WhySeen({ question }: { question: string }) {
  const { id, path } = useOrganization();
  const seen = useQuery({
    queryKey: [id, "question-audience", question],
    queryFn: () =>
      read(
        api.GET("/api/v1/organizations/{organization_id}/questions/{question_id}/audience", {
          params: { path: { ...path, question_id: question } },
        }),
      ),
  });
  return (
    <section className="card stack seen" aria-labelledby="seen" id="seen-panel">
      <h2 id="seen">{t("seen.title")}</h2>
      <Loaded query={seen} rows={3}>
        {(data) => (
          <>
            <p>{readersInWords(data.readers)}</p>
            <Counts readers={data.readers} />
            <Sources seen={data} />
          </>
        )}
      </Loaded>
    </section>
  );
}

function Counts({ readers }: { readers: Seen["readers"] }) {
  if (readers.kind !== "place" || readers.people === 0) return null;
  const counts = [
    ["seen.people", readers.people],
    ["seen.members", readers.members],
    ["seen.colleagues", readers.colleagues],
    ["seen.strangers", readers.outsiders],
  ] as const;
  return (
    <dl className="counts">
      {counts.map(([name, count]) => (
        <div key={name}>
          <dt>{t(name)}</dt>
          <dd>{number(count)}</dd>
        </div>
      ))}
    </dl>
  );
}

function Sources({ seen: { readers, sources } }: { seen: Seen }) {
  const { at, can } = useOrganization();
  if (sources.length === 0) return <p className="quiet">{t("seen.nothing")}</p>;
  return (
    <section className="stack tight" aria-labelledby="seen-sources">
      <h3 id="seen-sources">{t("seen.sources")}</h3>
      <ul className="reasons">
        {sources.map((source) => (
          <li key={source.document_id} className={source.holds ? undefined : "ended"}>
            <Icon name={source.holds ? "check" : "alert"} />
            <div className="grow">
              {can("document:read") ? (
                <Link to={at(`/documents/${source.document_id}`)}>{source.document_title}</Link>
              ) : (
                <strong>{source.document_title}</strong>
              )}{" "}
              <span className="tag">{t(`audience.${source.audience.kind}` as Key)}</span>
              <p className="quiet small">{reasonInWords(readers, source)}</p>
            </div>
          </li>
        ))}
      </ul>
      <p className="quiet small">{t("seen.now")}</p>
    </section>
  );
}
