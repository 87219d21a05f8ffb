import { useAccount } from "../../api/account";
import { useSearch } from "../../lib/router";
import { type Key, t } from "../../lib/text";
import { Page, Tabs } from "../../ui/page";
import { Empty, Loaded } from "../../ui/state";
import "../../ui/styles/people.css";
import { Accounts } from "./accounts";
import { Health } from "./health";
import { Jobs } from "./jobs";
import { Organizations, ProvisionButton } from "./organizations";

const PARTS = { organizations: Organizations, accounts: Accounts, jobs: Jobs, health: Health } as const;
type Part = keyof typeof PARTS;

/** For whoever runs the platform: organisations, accounts and how the server is doing, and nothing of what is inside them. */
export function Operator() {
  const account = useAccount();
  const [search] = useSearch();
  const wished = search.get("tab") ?? "";
  const part: Part = wished in PARTS ? (wished as Part) : "organizations";
  const Content = PARTS[part];
  return (
    <Loaded query={account}>
      {(known) =>
        known.is_superadmin ? (
          <Page
            title={t("nav.operator")}
            lead={t("operator.lead")}
            actions={part === "organizations" ? <ProvisionButton /> : undefined}
          >
            <Tabs
              label={t("nav.operator")}
              current={part}
              tabs={Object.keys(PARTS).map((id) => ({
                id,
                to: id === "organizations" ? "/operator" : `/operator?tab=${id}`,
                name: t(`operator.${id}` as Key),
              }))}
            />
            <Content />
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
