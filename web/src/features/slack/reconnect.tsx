import { useOrganization } from "../../api/organization";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { type Connection, useInstall } from "./data";
import { TokenForm } from "./token-form";

/** The way to connect again: through Slack's page, or with a token where Slack cannot send the browser back. */
export function Reconnect({ connection }: { connection: Connection }) {
  const { cannot } = useOrganization();
  const install = useInstall();
  if (connection.socket_mode) return <TokenForm connection={connection} inDialog />;
  return (
    <Button
      icon="refresh"
      busy={install.isPending}
      disabledBecause={cannot("channel_connection:create")}
      onClick={() => install.mutate(connection.id)}
    >
      {t("slack.connectAgain")}
    </Button>
  );
}
