import { useAccount } from "../../api/account";
import { useSearch } from "../../lib/router";
import { t } from "../../lib/text";
import { Page, Tabs } from "../../ui/page";
import { Empty, Loaded } from "../../ui/state";
import "../../ui/styles/people.css";
import { Accounts } from "./accounts";
import { Organizations, ProvisionButton } from "./organizations";

/** For whoever runs the platform: organisations and accounts, and nothing of what is inside them. */
export function Operator() {
  const account = useAccount();
  const [search] = useSearch();
  const isAccounts = search.get("tab") === "accounts";
  return (
    <Loaded query={account}>
      {(known) =>
        known.is_superadmin ? (
          <Page
            title={t("nav.operator")}
            lead={t("operator.lead")}
            actions={isAccounts ? undefined : <ProvisionButton />}
          >
            <Tabs
              label={t("nav.operator")}
              current={isAccounts ? "accounts" : "organizations"}
              tabs={[
                { id: "organizations", to: "/operator", name: t("operator.organizations") },
                { id: "accounts", to: "/operator?tab=accounts", name: t("operator.accounts") },
              ]}
            />
            {isAccounts ? <Accounts /> : <Organizations />}
          </Page>
        ) : (
          <div className="page">
            <Empty icon="lock" title={t("state.forbidden")}>
              {t("operator.only")}
            </Empty>
          </div>
        )
      }
    </Loaded>
  );
}
