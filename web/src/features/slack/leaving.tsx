import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import { navigate } from "../../lib/router";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Confirm, Dialog } from "../../ui/dialog";
import { TextField } from "../../ui/field";
import { Notice } from "../../ui/state";
import { toast } from "../../ui/toast";
import { type Connection, useRefresh } from "./data";

const ROUTE = "/api/v1/organizations/{organization_id}/channel-connections/{channel_connection_id}" as const;

/** The end of a connection: stop, or stop and take back everything that came from it. */
export function Leaving({ connection }: { connection: Connection }) {
  const { path, cannot } = useOrganization();
  const refresh = useRefresh();
  const [open, setOpen] = useState<"disconnect" | "erase">();
  const params = { path: { ...path, channel_connection_id: connection.id } };
  const disconnect = useMutation({
    mutationFn: () => read(api.POST(`${ROUTE}/disconnect`, { params })),
    onSuccess: async () => {
      setOpen(undefined);
      await refresh();
    },
    onError: (error) => toast(sentence(error)),
  });
  return (
    <section className="card stack" aria-labelledby="end">
      <h2 id="end">{t("leave.title")}</h2>
      <div className="row">
        {connection.status !== "disconnected" && (
          <Button disabledBecause={cannot("channel_connection:update")} onClick={() => setOpen("disconnect")}>
            {t("leave.disconnect")}
          </Button>
        )}
        <Button kind="danger" disabledBecause={cannot("channel_connection:delete")} onClick={() => setOpen("erase")}>
          {t("leave.erase")}
        </Button>
      </div>
      {open === "disconnect" && (
        <Confirm
          title={t("leave.disconnectTitle", { name: connection.display_name })}
          action={t("leave.disconnect")}
          busy={disconnect.isPending}
          onConfirm={() => disconnect.mutate()}
          onClose={() => setOpen(undefined)}
        >
          <p>{t("leave.disconnectHow")}</p>
        </Confirm>
      )}
      {open === "erase" && <Erase connection={connection} onClose={() => setOpen(undefined)} />}
    </section>
  );
}

function Erase({ connection, onClose }: { connection: Connection; onClose: () => void }) {
  const { path, at } = useOrganization();
  const refresh = useRefresh();
  const [typed, setTyped] = useState("");
  const name = connection.display_name;
  const erase = useMutation({
    mutationFn: () => read(api.DELETE(ROUTE, { params: { path: { ...path, channel_connection_id: connection.id } } })),
    onSuccess: async () => {
      navigate(at("/slack"), { replace: true });
      toast(t("leave.erased", { name }));
      await refresh();
    },
  });
  return (
    <Dialog title={t("leave.eraseTitle", { name })} onClose={onClose}>
      <p>{t("leave.eraseHow")}</p>
      <TextField
        label={t("settings.typeName", { name })}
        value={typed}
        autoComplete="off"
        onChange={(event) => setTyped(event.target.value)}
      />
      {erase.error && <Notice kind="bad">{sentence(erase.error)}</Notice>}
      <div className="row end">
        <Button onClick={onClose}>{t("action.cancel")}</Button>
        <Button
          kind="danger"
          className="primary"
          busy={erase.isPending}
          disabledBecause={typed === name ? undefined : t("leave.typeFirst")}
          onClick={() => erase.mutate()}
        >
          {t("leave.erase")}
        </Button>
      </div>
    </Dialog>
  );
}
