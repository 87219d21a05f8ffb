import { api, read, type Schemas } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { itemsOf, usePages } from "../../api/pages";
import { ago } from "../../lib/format";
import { Link, useSearch } from "../../lib/router";
import { type Key, t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Select } from "../../ui/field";
import { MoreButton } from "../../ui/more";
import { Page } from "../../ui/page";
import { Empty, Loaded } from "../../ui/state";
import "../../ui/styles/insights.css";

type Question = Schemas["QuestionResponse"];

const ORIGINS: Question["origin"][] = ["slack", "session", "api", "chat_completions", "mcp", "terminal"];
const OUTCOMES: Schemas["Outcome"][] = ["answered", "declined", "escalated", "failed"];
/** How an outcome is coloured, where it is more than news. */
const TONES = { answered: "good", declined: "warn", escalated: "", stopped: "", failed: "bad" } as const;

/** What was asked, wherever it was, for those who may read what others asked. */
export function Questions() {
  const { id, path, at } = useOrganization();
  const [search, setSearch] = useSearch();
  const origin = ORIGINS.find((one) => one === search.get("origin"));
  const outcome = OUTCOMES.find((one) => one === search.get("outcome"));
  const questions = usePages([id, "questions", origin, outcome], (next) =>
    read(
      api.GET("/api/v1/organizations/{organization_id}/questions", {
        params: { path, query: { ...(origin ? { origin } : {}), ...(outcome ? { outcome } : {}), limit: 50, ...next } },
      }),
    ),
  );
  return (
    <Page
      narrow
      title={t("asked.title")}
      lead={
        <>
          <Link to={at("/insights")}>{t("nav.insights")}</Link> · {t("asked.lead")}
        </>
      }
      actions={
        <>
          <Select
            hideLabel
            label={t("asked.where")}
            value={origin ?? ""}
            onChange={(event) => setSearch({ origin: event.target.value || undefined })}
          >
            <option value="">{t("asked.everywhere")}</option>
            {ORIGINS.map((one) => (
              <option key={one} value={one}>
                {t(`origin.${one}` as Key)}
              </option>
            ))}
          </Select>
          <Select
            hideLabel
            label={t("asked.outcome")}
            value={outcome ?? ""}
            onChange={(event) => setSearch({ outcome: event.target.value || undefined })}
          >
            <option value="">{t("asked.anyOutcome")}</option>
            {OUTCOMES.map((one) => (
              <option key={one} value={one}>
                {t(`outcome.${one}`)}
              </option>
            ))}
          </Select>
        </>
      }
    >
      <Loaded query={questions}>
        {(data) => {
          const items = itemsOf(data);
          if (items.length === 0)
            return (
              <Empty
                icon="ask"
                title={t("asked.none")}
                action={
                  (origin || outcome) && (
                    <Button onClick={() => setSearch({ origin: undefined, outcome: undefined })}>
                      {t("document.clear")}
                    </Button>
                  )
                }
              >
                {t("asked.noneHow")}
              </Empty>
            );
          return (
            <>
              <ul className="plain-list asked-list" aria-label={t("asked.title")}>
                {items.map((question) => (
                  <Row key={question.id} question={question} />
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

function Row({ question }: { question: Question }) {
  const { at } = useOrganization();
  // Nothing broke where whoever asked wanted no more of it.
  const outcome = question.answer?.stopped ? "stopped" : question.answer?.outcome;
  const address = at(`/questions/${question.id}`);
  return (
    <li className="card row between">
      <div className="grow stack tight">
        <Link to={address}>
          <strong>{question.text}</strong>
        </Link>
        <span className="quiet small">
          {ago(question.created_at)} · {t(`origin.${question.origin}` as Key)}
          {outcome && (
            <>
              {" "}
              <span className={`tag ${TONES[outcome]}`}>{t(`outcome.${outcome}`)}</span>
            </>
          )}
        </span>
      </div>
      {question.origin === "slack" && question.answer && (
        <Link className="button small" to={`${address}?why=1`} aria-label={t("seen.of", { question: question.text })}>
          {t("seen.title")}
        </Link>
      )}
    </li>
  );
}
