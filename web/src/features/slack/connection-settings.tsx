import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useBases } from "../../api/bases";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { Problem, sentence } from "../../api/problem";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Confirm } from "../../ui/dialog";
import { Checkbox, TextField } from "../../ui/field";
import { Loaded, Notice } from "../../ui/state";
import { toast } from "../../ui/toast";
import { AppForm } from "./app-form";
import { type Connection, useChoice, useRefresh } from "./data";
import { Destination } from "./destination";
import { Leaving } from "./leaving";
import { Manifest } from "./manifest";

export function ConnectionSettings({ connection }: { connection: Connection }) {
  const choice = useChoice(connection.id);
  return (
    <div className="stack loose narrow-column">
      <section className="card stack" aria-labelledby="answers">
        <h2 id="answers">{t("slackSettings.answers")}</h2>
        <Answers connection={connection} />
      </section>
      <section className="card stack" aria-labelledby="kept">
        <h2 id="kept">{t("slackSettings.kept")}</h2>
        <Loaded query={choice} rows={3}>
          {(known) => <Destination connection={connection} choice={known} />}
        </Loaded>
      </section>
      {connection.has_own_app && (
        <section className="card stack" aria-labelledby="app">
          <div>
            <h2 id="app">{t("slackSettings.app")}</h2>
            <p className="quiet">{t("slackSettings.appHow")}</p>
          </div>
          <Manifest connection={connection.id} socketMode={connection.socket_mode} />
          <AppForm connection={connection} socketMode={connection.socket_mode} />
        </section>
      )}
      <Leaving connection={connection} />
    </div>
  );
}

/** Who learns what from answers in Slack, and what they rest on. */
function Answers({ connection }: { connection: Connection }) {
  const { path, can, cannot } = useOrganization();
  const refresh = useRefresh();
  const bases = useBases();
  const [areColleagues, setColleagues] = useState(connection.settings.people_are_colleagues ?? false);
  const [keepsNothing, setKeepsNothing] = useState(connection.settings.searches_live ?? false);
  const [chosen, setChosen] = useState<string[]>(connection.settings.knowledge_base_ids ?? []);
  const save = useMutation({
    mutationFn: (name: string) =>
      read(
        api.PATCH("/api/v1/organizations/{organization_id}/channel-connections/{channel_connection_id}", {
          params: { path: { ...path, channel_connection_id: connection.id } },
          body: {
            display_name: name,
            settings: {
              people_are_colleagues: areColleagues,
              knowledge_base_ids: chosen,
              searches_live: keepsNothing,
            },
          },
        }),
      ),
    onSuccess: async () => {
      await refresh();
      toast(t("action.saved"));
    },
  });
  const [asking, setAsking] = useState<string>();
  const isOff = !can("channel_connection:update");
  const field = (name: string) => (save.error instanceof Problem ? save.error.field(name) : undefined);
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (isOff) return;
        const name = String(new FormData(event.currentTarget).get("name")).trim();
        // What was kept would be gone at once.
        if (keepsNothing && !connection.settings.searches_live) setAsking(name);
        else save.mutate(name);
      }}
    >
      <TextField
        label={t("field.name")}
        name="name"
        defaultValue={connection.display_name}
        required
        maxLength={200}
        readOnly={isOff}
        wrong={field("display_name")}
      />
      <Checkbox
        label={t("slackSettings.colleagues")}
        hint={t("slackSettings.colleaguesHow")}
        checked={areColleagues}
        disabled={isOff}
        onChange={(event) => setColleagues(event.target.checked)}
      />
      <Checkbox
        label={t("slackSettings.nothing")}
        hint={t("slackSettings.nothingHow")}
        checked={keepsNothing}
        disabled={isOff}
        onChange={(event) => setKeepsNothing(event.target.checked)}
      />
      <Loaded query={bases} rows={2}>
        {({ items }) =>
          items.length > 0 && (
            <fieldset className="field choices" disabled={isOff}>
              <legend>{t("slackSettings.bases")}</legend>
              {items
                .filter((base) => base.status !== "archived" || chosen.includes(base.id))
                .map((base) => (
                  <Checkbox
                    key={base.id}
                    label={base.name}
                    checked={chosen.includes(base.id)}
                    onChange={(event) =>
                      setChosen(event.target.checked ? [...chosen, base.id] : chosen.filter((one) => one !== base.id))
                    }
                  />
                ))}
              <span className="hint">{t("slackSettings.basesHow")}</span>
            </fieldset>
          )
        }
      </Loaded>
      {save.error && !field("display_name") && <Notice kind="bad">{sentence(save.error)}</Notice>}
      <div className="row">
        <Button
          kind="primary"
          type="submit"
          busy={save.isPending}
          disabledBecause={cannot("channel_connection:update")}
        >
          {t("action.save")}
        </Button>
      </div>
      {asking !== undefined && (
        <Confirm
          title={t("slackSettings.forgetTitle")}
          action={t("slackSettings.forget")}
          onConfirm={() => {
            save.mutate(asking);
            setAsking(undefined);
          }}
          onClose={() => setAsking(undefined)}
        >
          <p>{t("slackSettings.forgetHow")}</p>
        </Confirm>
      )}
    </form>
  );
}
