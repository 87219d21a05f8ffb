import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, inside, read } from "../../api/client";
import { sentence } from "../../api/problem";
import { ago } from "../../lib/format";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Icon } from "../../ui/icon";
import { toast } from "../../ui/toast";

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
  const unlink = useMutation({
    mutationFn: (identity: string) =>
      read(
        api.DELETE("/api/v1/organizations/{organization_id}/channel-identities/{channel_identity_id}", {
          params: { path: { ...inside(organization), channel_identity_id: identity } },
        }),
      ),
    onSuccess: () => cache.invalidateQueries({ queryKey }),
    onError: (error) => toast(sentence(error)),
  });
  const items = identities.data?.items ?? [];
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
            <Button small onClick={() => unlink.mutate(identity.id)}>
              {t("link.end")}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}
