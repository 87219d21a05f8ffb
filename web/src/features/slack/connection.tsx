import { type ReactNode, useEffect } from "react";
import { useOrganization } from "../../api/organization";
import { Link, useSearch } from "../../lib/router";
import { t } from "../../lib/text";
import { Page, Tabs } from "../../ui/page";
import { Loaded, Notice } from "../../ui/state";
import { toast } from "../../ui/toast";
import { ChannelsTab } from "./channels";
import { ConnectionSettings } from "./connection-settings";
import { type Connection, useConnection } from "./data";
import { Health } from "./health";
import { Reconnect } from "./reconnect";
import { SetUp } from "./set-up";
import { Standing } from "./standing";

/** One workspace: its channels, how it is doing, what was chosen for it. */
export function ConnectionPage({ id, tab }: { id: string; tab: string }) {
  const connection = useConnection(id);
  if (connection.data) return <View connection={connection.data} tab={tab} />;
  return (
    <div className="page">
      <Loaded query={connection} rows={5}>
        {() => null}
      </Loaded>
    </div>
  );
}

function View({ connection, tab }: { connection: Connection; tab: string }) {
  const { at } = useOrganization();
  const [search, setSearch] = useSearch();
  const isNew = search.has("connected");
  useEffect(() => {
    if (!isNew) return;
    toast(t("slack.connected", { name: connection.display_name }));
    setSearch({ connected: undefined });
  });
  const here = at(`/slack/${connection.id}`);
  const lead = (
    <>
      <Link to={at("/slack")}>{t("nav.slack")}</Link>
      {connection.url && (
        <>
          {" · "}
          <a href={connection.url} target="_blank" rel="noreferrer noopener">
            {new URL(connection.url).hostname}
          </a>
        </>
      )}
    </>
  );
  if (connection.status === "pending")
    return (
      <Page title={t("setUp.title")} lead={lead} actions={<Standing connection={connection} />}>
        <SetUp connection={connection} />
      </Page>
    );
  return (
    <Page title={connection.display_name} lead={lead} actions={<Standing connection={connection} />}>
      <Trouble connection={connection} />
      <Tabs
        label={connection.display_name}
        current={tab}
        tabs={[
          { id: "channels", to: here, name: t("slack.channels") },
          { id: "health", to: `${here}/health`, name: t("slack.health") },
          { id: "settings", to: `${here}/settings`, name: t("nav.settings") },
        ]}
      />
      {tab === "health" ? (
        <Health connection={connection} />
      ) : tab === "settings" ? (
        <ConnectionSettings connection={connection} />
      ) : (
        <ChannelsTab connection={connection} />
      )}
    </Page>
  );
}

/** What keeps the workspace from working, with what mends it. */
function Trouble({ connection }: { connection: Connection }) {
  const { status, status_reason, scopes } = connection;
  if (status === "needs_attention" || status === "disconnected")
    return (
      <Mend kind={status === "disconnected" ? "info" : "bad"} connection={connection}>
        <strong>{t(`trouble.${status}`)}</strong> {status_reason}
      </Mend>
    );
  if (scopes.missing.length > 0)
    return (
      <Mend kind="warn" connection={connection}>
        <strong>{t("trouble.scopes", { count: scopes.missing.length })}</strong> {t("trouble.scopesHow")}
      </Mend>
    );
  return null;
}

function Mend({
  kind,
  connection,
  children,
}: {
  kind: "info" | "warn" | "bad";
  connection: Connection;
  children: ReactNode;
}) {
  return (
    <Notice kind={kind}>
      <div className="row between">
        <p className="grow mend">{children}</p>
        <Reconnect connection={connection} />
      </div>
    </Notice>
  );
}
