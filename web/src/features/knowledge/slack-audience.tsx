import { useQuery } from "@tanstack/react-query";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { t } from "../../lib/text";
import { Dialog } from "../../ui/dialog";
import { Loaded } from "../../ui/state";

/** Why people may see a document of a Slack channel: the channel, and who is in it now. */
export function SlackAudienceDialog({ document, onClose }: { document: string; onClose: () => void }) {
  const { id, path } = useOrganization();
  const readers = useQuery({
    queryKey: [id, "document-audience", document],
    queryFn: () =>
      read(
        api.GET("/api/v1/organizations/{organization_id}/documents/{document_id}/audience", {
          params: { path: { ...path, document_id: document } },
        }),
      ),
  });
  return (
    <Dialog title={t("why.title")} onClose={onClose}>
      <Loaded query={readers} rows={3}>
        {({ audience, channel, members, others }) => (
          <>
            <p>
              {audience.kind === "slack_channel"
                ? t("why.members", { channel: channel?.name ?? "#?" })
                : audience.kind === "organization" && channel?.open
                  ? t("why.open", { channel: channel.name })
                  : t(`audience.${audience.kind}How` as "audience.publicHow")}
            </p>
            {audience.kind === "slack_channel" && <p className="quiet small">{t("why.follows")}</p>}
            {members.length > 0 && (
              <section className="stack tight" aria-labelledby="insiders">
                <h3 id="insiders">{t("why.insiders", { count: members.length })}</h3>
                <ul className="names plain-list">
                  {members.map((person) => (
                    <li key={person.user_id}>
                      {person.name || person.email}{" "}
                      <span className="quiet small">
                        {t("why.because", { email: person.email, name: person.slack_name })}
                      </span>
                    </li>
                  ))}
                </ul>
              </section>
            )}
            {others.length > 0 && (
              <section className="stack tight" aria-labelledby="others">
                <h3 id="others">{t("why.others", { count: others.length })}</h3>
                <p className="quiet small">{t("why.othersHow")}</p>
                <p>{others.join(", ")}</p>
              </section>
            )}
          </>
        )}
      </Loaded>
    </Dialog>
  );
}
