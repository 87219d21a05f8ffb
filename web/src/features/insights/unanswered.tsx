import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { itemsOf, usePages } from "../../api/pages";
import { ago } from "../../lib/format";
import { Link, useSearch } from "../../lib/router";
import { type Key, t } from "../../lib/text";
import { MoreButton } from "../../ui/more";
import { Page, Tabs } from "../../ui/page";
import { Empty, Loaded } from "../../ui/state";
import { cluster, type Group } from "./cluster";

/** What nobody could answer lately, or what did not help: what to add knowledge for. */
export function Unanswered() {
  const { id, path, at } = useOrganization();
  const [search] = useSearch();
  const isRated = search.get("kind") === "rated";
  const filter = isRated ? ({ rating: "down" } as const) : ({ outcome: "declined" } as const);
  const questions = usePages([id, "unanswered", isRated], (next) =>
    read(
      api.GET("/api/v1/organizations/{organization_id}/questions", {
        params: { path, query: { ...filter, limit: 100, ...next } },
      }),
    ),
  );
  return (
    <Page narrow title={t("unanswered.title")} lead={t("unanswered.lead")}>
      <Tabs
        label={t("unanswered.title")}
        current={isRated ? "rated" : "declined"}
        tabs={[
          { id: "declined", to: at("/unanswered"), name: t("unanswered.declined") },
          { id: "rated", to: at("/unanswered?kind=rated"), name: t("unanswered.rated") },
        ]}
      />
      <Loaded query={questions}>
        {(data) => {
          const groups = cluster(itemsOf(data));
          if (groups.length === 0)
            return (
              <Empty icon="check" title={t("unanswered.none")}>
                {t("unanswered.noneHow")}
              </Empty>
            );
          return (
            <>
              <ul className="plain-list">
                {groups.map((group) => (
                  <GroupView key={group.first.id} group={group} />
                ))}
              </ul>
              <MoreButton query={questions} />
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}

function GroupView({ group: { first, others } }: { group: Group }) {
  const { at, can } = useOrganization();
  const reason = first.answer?.reason;
  return (
    <li className="card row between">
      <div className="grow stack tight">
        <Link to={at(`/questions/${first.id}`)}>
          <strong>{first.text}</strong>
        </Link>
        <span className="quiet small">
          {ago(first.created_at)}
          {reason && ` · ${t(`decline.${reason}` as Key)}`}
          {first.feedback?.comment && ` · “${first.feedback.comment}”`}
        </span>
        {others.length > 0 && (
          <details className="small">
            <summary className="quiet">{t("unanswered.alike", { count: others.length })}</summary>
            <ul>
              {others.map((question) => (
                <li key={question.id}>
                  <Link to={at(`/questions/${question.id}`)}>{question.text}</Link>
                </li>
              ))}
            </ul>
          </details>
        )}
      </div>
      {can("document:create") && (
        <Link className="button small" to={at(`/knowledge?answer=${encodeURIComponent(first.text)}`)}>
          {t("decline.add")}
        </Link>
      )}
    </li>
  );
}
