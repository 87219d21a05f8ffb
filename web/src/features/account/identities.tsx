import { useQuery, useQueryClient } from "@tanstack/react-query";
import { api, inside, read, type Schemas } from "../../api/client";
import { ago } from "../../lib/format";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Icon } from "../../ui/icon";
import { removeWithUndo, useLeaving } from "../../ui/leaving";

/** Who one said to be on the channels of an organisation; nothing where one said nothing. */
export function ChannelIdentities({ organization, name }: { organization: string; name: string }) {
  const cache = useQueryClient();
  const queryKey = [organization, "channel-identities"];
  const identities = useQuery({
    queryKey,
    queryFn: () =>
      read(
        api.GET("/api/v1/organizations/{organization_id}/channel-identities", {
          params: { path: inside(organization) },
        }),
      ),
    retry: false,
  });
  const leaving = useLeaving();
  const unlink = (identity: Schemas["ChannelIdentityResponse"]) =>
    removeWithUndo({
      id: identity.id,
      said: t("link.ended", { name: identity.name ?? t("link.somebody") }),
      act: () =>
        read(
          api.DELETE("/api/v1/organizations/{organization_id}/channel-identities/{channel_identity_id}", {
            params: { path: { ...inside(organization), channel_identity_id: identity.id } },
            keepalive: true,
          }),
        ),
      after: () => cache.invalidateQueries({ queryKey }),
    });
  const items = identities.data?.items.filter((identity) => !leaving.has(identity.id)) ?? [];
  if (items.length === 0) return null;
  const heading = `identities-${organization}`;
  return (
    <section className="card stack" aria-labelledby={heading}>
      <h2 id={heading}>{t("link.yours", { organization: name })}</h2>
      <ul className="plain-list">
        {items.map((identity) => (
          <li key={identity.id} className="row">
            <Icon name="link" />
            <span className="grow who">
              <strong>{identity.name ?? t("link.somebody")}</strong>
              <span className="quiet small">
                {identity.connection}
                {identity.linked_at && ` · ${t("link.since", { when: ago(identity.linked_at) })}`}
              </span>
            </span>
            <Button small onClick={() => unlink(identity)}>
              {t("link.end")}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}
