import { useOrganization } from "../../api/organization";
import type { Params } from "../../lib/router";
import { t } from "../../lib/text";
import { Page, Tabs } from "../../ui/page";
import "../../ui/styles/people.css";
import { AnswerSettings } from "./answers";
import { ApiKeys } from "./api-keys";
import { OrganizationSettings } from "./organization";
import { Providers } from "./providers";

export function Settings({ params }: { params: Params }) {
  const { at } = useOrganization();
  const tab = params.tab ?? "organization";
  return (
    <Page title={t("nav.settings")}>
      <Tabs
        label={t("nav.settings")}
        current={tab}
        tabs={[
          { id: "organization", to: at("/settings"), name: t("settings.organization") },
          { id: "models", to: at("/settings/models"), name: t("settings.models") },
          { id: "answers", to: at("/settings/answers"), name: t("settings.answers") },
          { id: "keys", to: at("/settings/keys"), name: t("settings.keys") },
        ]}
      />
      {tab === "models" ? (
        <Providers />
      ) : tab === "answers" ? (
        <AnswerSettings />
      ) : tab === "keys" ? (
        <ApiKeys />
      ) : (
        <OrganizationSettings />
      )}
    </Page>
  );
}
