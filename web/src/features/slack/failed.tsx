import { useOrganization } from "../../api/organization";
import { Link } from "../../lib/router";
import { type Key, t } from "../../lib/text";
import { Page } from "../../ui/page";

const FAILURES = ["browser", "denied", "expired", "forbidden", "taken", "refused", "unavailable"];

/** Where somebody lands who comes back from Slack without a workspace. */
export function SlackFailed() {
  const { at } = useOrganization();
  const why = new URLSearchParams(location.search).get("why") ?? "";
  const known = FAILURES.includes(why) ? why : "refused";
  return (
    <Page narrow title={t("slackFailed.title")} lead={t(`slackFailed.${known}` as Key)}>
      <p>
        <Link className="button primary" to={at("/slack")}>
          {t("slackFailed.back")}
        </Link>
      </p>
    </Page>
  );
}
