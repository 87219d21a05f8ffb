import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import { ago } from "../../lib/format";
import { Link, navigate, type Params } from "../../lib/router";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Icon, type IconName } from "../../ui/icon";
import { useLeaving } from "../../ui/leaving";
import { Page } from "../../ui/page";
import { Loaded } from "../../ui/state";
import "../../ui/styles/slack.css";
import { toast } from "../../ui/toast";
import { ConnectionPage } from "./connection";
import { type Connection, useConnections, useInstall, useRefresh } from "./data";
import { Standing } from "./standing";

export function Slack({ params }: { params: Params }) {
  return params.connection ? (
    <ConnectionPage key={params.connection} id={params.connection} tab={params.tab ?? "channels"} />
  ) : (
    <Workspaces />
  );
}

/** The connected workspaces, and the ways to connect one more. */
function Workspaces() {
  const { at, can } = useOrganization();
  const connections = useConnections();
  const leaving = useLeaving();
  return (
    <Page
      title={t("nav.slack")}
      lead={t("slack.lead")}
      actions={
        can("knowledge_base:create") && (
          <Link className="button" to={at("/slack/imports")}>
            <Icon name="upload" />
            {t("slackImport.open")}
          </Link>
        )
      }
    >
      <Loaded query={connections} rows={2} height="5.5rem">
        {({ items, has_server_slack_app }) => {
          const slack = items.filter((connection) => connection.kind === "slack" && !leaving.has(connection.id));
          return (
            <>
              {slack.length > 0 && (
                <ul className="workspaces">
                  {slack.map((connection) => (
                    <Workspace key={connection.id} connection={connection} />
                  ))}
                </ul>
              )}
              <Ways hasServersApp={has_server_slack_app} isFirst={slack.length === 0} />
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}

function Workspace({ connection }: { connection: Connection }) {
  const { at } = useOrganization();
  const heard = connection.health.last_event_at;
  const reason = connection.status === "active" ? undefined : connection.status_reason;
  return (
    <li>
      <Link className="card workspace" to={at(`/slack/${connection.id}`)}>
        <Icon name="hash" />
        <span className="grow">
          <strong>{connection.display_name}</strong>
          <span className="quiet small">
            {reason ??
              (connection.status === "pending"
                ? t("slack.goOn")
                : heard
                  ? t("slack.heard", { when: ago(heard) })
                  : t("slack.notHeard"))}
          </span>
        </span>
        <Standing connection={connection} />
      </Link>
    </li>
  );
}

/** How a workspace is connected: through the server's app, if it has one, or through one's own. */
function Ways({ hasServersApp, isFirst }: { hasServersApp: boolean; isFirst: boolean }) {
  const { path, at, cannot } = useOrganization();
  const refresh = useRefresh();
  const install = useInstall();
  const prepare = useMutation({
    mutationFn: () =>
      read(
        api.POST("/api/v1/organizations/{organization_id}/channel-connections/slack/apps", {
          params: { path },
          body: { display_name: t("slack.newName"), socket_mode: !isReachable() },
        }),
      ),
    onSuccess: async (connection) => {
      navigate(at(`/slack/${connection.id}`));
      await refresh();
    },
    onError: (error) => toast(sentence(error)),
  });
  const refused = cannot("channel_connection:create");
  return (
    <section className="stack" aria-labelledby="connect">
      <h2 id="connect">{isFirst ? t("slack.first") : t("slack.another")}</h2>
      {isFirst && <p className="quiet narrow-column">{t("slack.firstHow")}</p>}
      <ul className="ways">
        {hasServersApp && (
          <Way icon="link" title={t("slack.serversApp")} text={t("slack.serversAppHow")}>
            <Button
              kind="primary"
              busy={install.isPending}
              disabledBecause={refused}
              onClick={() => install.mutate(undefined)}
            >
              {t("slack.connect")}
            </Button>
          </Way>
        )}
        <Way icon="key" title={t("slack.ownApp")} text={t("slack.ownAppHow")}>
          <Button
            kind={hasServersApp ? "default" : "primary"}
            busy={prepare.isPending}
            disabledBecause={refused}
            onClick={() => prepare.mutate()}
          >
            {t("slack.bringOwn")}
          </Button>
        </Way>
      </ul>
    </section>
  );
}

function Way({ icon, title, text, children }: { icon: IconName; title: string; text: string; children: ReactNode }) {
  return (
    <li className="card stack">
      <Icon name={icon} />
      <div>
        <h3>{title}</h3>
        <p className="quiet">{text}</p>
      </div>
      {children}
    </li>
  );
}

/** Whether Slack, which calls over https only, is likely to reach this address. */
function isReachable(): boolean {
  return location.protocol === "https:" && location.hostname.includes(".");
}
