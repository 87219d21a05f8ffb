import { useOrganization } from "../../api/organization";
import type { Params } from "../../lib/router";
import { t } from "../../lib/text";
import { Page, Tabs } from "../../ui/page";
import "../../ui/styles/people.css";
import { Invitations } from "./invitations";
import { InviteButton } from "./invite";
import { Members } from "./members";
import { Roles } from "./roles";

export function People({ params }: { params: Params }) {
  const { at } = useOrganization();
  const tab = params.tab ?? "members";
  return (
    <Page title={t("nav.people")} lead={t("people.lead")} actions={<InviteButton />}>
      <Tabs
        label={t("nav.people")}
        current={tab}
        tabs={[
          { id: "members", to: at("/people"), name: t("people.members") },
          { id: "invitations", to: at("/people/invitations"), name: t("people.invitations") },
          { id: "roles", to: at("/people/roles"), name: t("people.roles") },
        ]}
      />
      {tab === "invitations" ? <Invitations /> : tab === "roles" ? <Roles /> : <Members />}
    </Page>
  );
}
