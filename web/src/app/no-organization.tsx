import { useQueryClient } from "@tanstack/react-query";
import { api, read } from "../api/client";
import { EntryForm, Frame } from "../features/entrance/frame";
import { navigate } from "../lib/router";
import { t } from "../lib/text";
import { Button } from "../ui/button";
import { TextField } from "../ui/field";
import { signOut } from "./sign-out";

/** Somebody who belongs nowhere yet. */
export function NoOrganization() {
  const cache = useQueryClient();
  return (
    <Frame title={t("nowhere.title")} lead={t("nowhere.lead")}>
      <EntryForm
        action={t("nowhere.action")}
        submit={async ({ organization = "" }) => {
          await read(api.POST("/api/v1/organizations", { body: { name: organization } }));
          await cache.invalidateQueries();
          navigate("/", { replace: true });
        }}
      >
        {(problem) => (
          <TextField label={t("field.company")} name="organization" required maxLength={200} wrong={problem("name")} />
        )}
      </EntryForm>
      <Button kind="plain" onClick={signOut}>
        {t("nav.signOut")}
      </Button>
    </Frame>
  );
}
