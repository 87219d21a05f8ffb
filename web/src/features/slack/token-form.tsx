import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { Problem, sentence } from "../../api/problem";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { TextField } from "../../ui/field";
import { Notice } from "../../ui/state";
import { toast } from "../../ui/toast";
import { type Connection, useRefresh } from "./data";

/** Connects with the token that Slack shows after an app is installed: for servers that Slack cannot send a browser back to. */
export function TokenForm({ connection, inDialog }: { connection: Connection; inDialog?: boolean }) {
  const { cannot } = useOrganization();
  const [open, setOpen] = useState(false);
  if (!inDialog) return <Form connection={connection} />;
  return (
    <>
      <Button icon="refresh" disabledBecause={cannot("channel_connection:create")} onClick={() => setOpen(true)}>
        {t("slack.connectAgain")}
      </Button>
      {open && (
        <Dialog title={t("slack.connectAgain")} onClose={() => setOpen(false)}>
          <Form connection={connection} onDone={() => setOpen(false)} />
        </Dialog>
      )}
    </>
  );
}

function Form({ connection, onDone }: { connection: Connection; onDone?: () => void }) {
  const { path, cannot } = useOrganization();
  const refresh = useRefresh();
  const connect = useMutation({
    mutationFn: (token: string) =>
      read(
        api.POST("/api/v1/organizations/{organization_id}/channel-connections/{channel_connection_id}/slack-token", {
          params: { path: { ...path, channel_connection_id: connection.id } },
          body: { bot_token: token },
        }),
      ),
    onSuccess: async (connected) => {
      toast(t("slack.connected", { name: connected.display_name }));
      onDone?.();
      await refresh();
    },
  });
  const wrong = connect.error instanceof Problem ? connect.error.field("bot_token") : undefined;
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        connect.mutate(String(new FormData(event.currentTarget).get("token")).trim());
      }}
    >
      <p>{t("setUp.tokenHow")}</p>
      <TextField
        label={t("setUp.botToken")}
        name="token"
        type="password"
        autoComplete="off"
        required
        placeholder="xoxb-…"
        hint={t("setUp.sealed")}
        wrong={wrong}
      />
      {connect.error && !wrong && <Notice kind="bad">{sentence(connect.error)}</Notice>}
      <div className="row">
        <Button
          kind="primary"
          type="submit"
          busy={connect.isPending}
          disabledBecause={cannot("channel_connection:create")}
        >
          {t("slack.connect")}
        </Button>
      </div>
    </form>
  );
}
