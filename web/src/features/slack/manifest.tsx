import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Icon } from "../../ui/icon";
import { Loaded } from "../../ui/state";
import { toast } from "../../ui/toast";
import { useManifest } from "./data";

/** Slack fills its form from this address (https://docs.slack.dev/app-manifests/configuring-apps-with-app-manifests). */
const NEW_APP = "https://api.slack.com/apps?new_app=1&manifest_json=";

/** What Slack makes the app from: to be copied, or taken along. */
export function Manifest({
  connection,
  socketMode,
  mayOpen,
}: {
  connection: string;
  socketMode: boolean;
  mayOpen?: boolean;
}) {
  const manifest = useManifest(connection, socketMode);
  return (
    <Loaded query={manifest} rows={1} height="9rem">
      {(found) => {
        const text = JSON.stringify(found, null, 2);
        return (
          <div className="stack tight">
            <div className="row">
              {mayOpen && (
                <a
                  className="button primary"
                  href={NEW_APP + encodeURIComponent(JSON.stringify(found))}
                  target="_blank"
                  rel="noreferrer noopener"
                >
                  <Icon name="external" />
                  {t("setUp.openSlack")}
                </a>
              )}
              <Button
                icon="copy"
                onClick={async () => {
                  await navigator.clipboard.writeText(text);
                  toast(t("action.copied"));
                }}
              >
                {t("setUp.copyManifest")}
              </Button>
            </div>
            <details>
              <summary>{t("setUp.showManifest")}</summary>
              <textarea
                className="input manifest"
                readOnly
                rows={12}
                spellCheck={false}
                aria-label={t("setUp.manifest")}
                value={text}
              />
            </details>
          </div>
        );
      }}
    </Loaded>
  );
}
