import { useMutation } from "@tanstack/react-query";
import { api, read, type Schemas } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { Problem, sentence } from "../../api/problem";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { TextField } from "../../ui/field";
import { Notice } from "../../ui/state";
import { toast } from "../../ui/toast";
import { type Connection, useRefresh } from "./data";

type Form = Schemas["SlackAppRequest"];

/** The credentials of an app of one's own: all of them the first time, later those that change. */
export function AppForm({
  connection,
  socketMode,
  onSaved,
}: {
  connection: Connection;
  socketMode: boolean;
  onSaved?: () => void;
}) {
  const { path, cannot } = useOrganization();
  const refresh = useRefresh();
  const save = useMutation({
    mutationFn: (body: Form) =>
      read(
        api.PUT("/api/v1/organizations/{organization_id}/channel-connections/{channel_connection_id}/slack-app", {
          params: { path: { ...path, channel_connection_id: connection.id } },
          body,
        }),
      ),
    onSuccess: async () => {
      await refresh();
      toast(t("action.saved"));
      onSaved?.();
    },
  });
  const field = (name: string) => (save.error instanceof Problem ? save.error.field(name) : undefined);
  const isAboutFields = save.error instanceof Problem && save.error.fields.length > 0;
  const isKept = connection.has_own_app;
  const common = { required: !isKept, autoComplete: "off", spellCheck: false };
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        const form = new FormData(event.currentTarget);
        const text = (name: string) => String(form.get(name) ?? "").trim() || null;
        save.mutate({
          client_id: text("client_id"),
          client_secret: text("client_secret"),
          signing_secret: text("signing_secret"),
          app_token: text("app_token"),
        });
      }}
    >
      <TextField label={t("app.clientId")} name="client_id" {...common} wrong={field("client_id")} />
      <TextField
        label={t("app.clientSecret")}
        name="client_secret"
        type="password"
        {...common}
        wrong={field("client_secret")}
      />
      <TextField
        label={t("app.signingSecret")}
        name="signing_secret"
        type="password"
        {...common}
        hint={isKept ? t("app.signingSecretKept") : undefined}
        wrong={field("signing_secret")}
      />
      {socketMode && (
        <TextField
          label={t("app.appToken")}
          name="app_token"
          type="password"
          {...common}
          placeholder="xapp-…"
          hint={t("app.appTokenHow")}
          wrong={field("app_token")}
        />
      )}
      <p className="quiet small">{isKept ? t("app.emptyKeeps") : t("setUp.sealed")}</p>
      {save.error && !isAboutFields && <Notice kind="bad">{sentence(save.error)}</Notice>}
      <div className="row">
        <Button
          kind={isKept ? "default" : "primary"}
          type="submit"
          busy={save.isPending}
          disabledBecause={cannot("channel_connection:update")}
        >
          {isKept ? t("app.replace") : t("action.save")}
        </Button>
      </div>
    </form>
  );
}
