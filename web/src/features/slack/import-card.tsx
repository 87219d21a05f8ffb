import { useQuery } from "@tanstack/react-query";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import { ago, duration } from "../../lib/format";
import { Link } from "../../lib/router";
import { type Key, t } from "../../lib/text";
import { Progress } from "../../ui/page";
import { Loaded, Notice } from "../../ui/state";
import type { Import } from "./imports";

const TONES = { waiting: "", running: "warn", done: "good", failed: "bad" } as const;

/** An import: how far it is, what it brought, what could not be read and why. */
export function ImportCard({ id, known }: { id: string; known?: Import }) {
  const organization = useOrganization();
  const status = useQuery({
    queryKey: [organization.id, "slack-import", id],
    queryFn: () =>
      read(
        api.GET("/api/v1/organizations/{organization_id}/slack-imports/{slack_import_id}", {
          params: { path: { ...organization.path, slack_import_id: id } },
        }),
      ),
    refetchInterval: ({ state }) => {
      const found = state.data;
      const isOver = found?.state === "done" || found?.state === "failed";
      return isOver && found?.messages_without_document === 0 ? false : 1_500;
    },
    // What is over is known from the list.
    enabled: known?.state !== "failed",
    ...(known ? { placeholderData: { ...known, messages_without_document: 0 } } : {}),
  });
  // Alone, it stands right below the page's title.
  const Heading = known ? "h3" : "h2";
  return (
    <Loaded query={status} rows={1} height="7rem">
      {(found) => (
        <article className="card stack tight">
          <div className="row between">
            <Heading className="import-title grow cut">
              <Link to={organization.at(`/slack/imports/${id}`)}>{found.file_name || t("slackImport.unnamed")}</Link>
            </Heading>
            <span className={`tag ${TONES[found.state]}`} role="status">
              {t(`slackImport.state.${found.state}` as Key)}
            </span>
          </div>
          <p className="quiet small">
            {[found.workspace, ago(found.created_at)].filter(Boolean).join(" · ")} ·{" "}
            <Link to={organization.at(`/knowledge/${found.knowledge_base_id}`)}>{t("document.inBase")}</Link>
          </p>
          {found.error && <Notice kind="bad">{sentence(new Error(found.error))}</Notice>}
          {(found.state === "waiting" || found.state === "running") && (
            <>
              <Progress
                label={t("slackImport.title")}
                value={found.days > 0 ? found.days_done / found.days : undefined}
              />
              <p className="quiet small">
                {[
                  found.days > 0 && t("slackImport.days", { done: found.days_done, count: found.days }),
                  found.remaining_seconds != null && t("work.left", { time: duration(found.remaining_seconds) }),
                ]
                  .filter(Boolean)
                  .join(" · ") || t("slackImport.begins")}
              </p>
            </>
          )}
          {found.state !== "waiting" && found.days > 0 && <Result found={found} />}
          {found.messages_without_document > 0 && (
            <p className="quiet small working">{t("reading.pending", { count: found.messages_without_document })}</p>
          )}
        </article>
      )}
    </Loaded>
  );
}

function Result({ found }: { found: Import }) {
  const leftOut = Object.entries(found.left_out);
  return (
    <>
      <p>
        {[
          t("channel.messages", { count: found.messages }),
          found.state === "done" &&
            found.messages_new < found.messages &&
            t("slackImport.new", { count: found.messages_new }),
          t("channel.count", { count: found.channels }),
          t("slackImport.users", { count: found.users }),
        ]
          .filter(Boolean)
          .join(" · ")}
      </p>
      {leftOut.length > 0 && (
        <p className="quiet small">
          {t("slackImport.leftOut")}{" "}
          {leftOut.map(([reason, count]) => t(`slackImport.left.${reason}` as Key, { count })).join(", ")}
        </p>
      )}
      {found.problem_count > 0 && (
        <details>
          <summary>{t("slackImport.problems", { count: found.problem_count })}</summary>
          <ul className="problems">
            {found.problems.map((problem) => (
              <li key={problem.file}>
                <code>{problem.file}</code> <span className="quiet">{problem.reason}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
