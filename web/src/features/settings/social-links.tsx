import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { Problem, sentence } from "../../api/problem";
import { type SocialLink, socialLinksQuery } from "../../api/social-links";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { TextField } from "../../ui/field";
import { PLATFORMS } from "../../ui/profiles";
import { Loaded, Notice } from "../../ui/state";
import { toast } from "../../ui/toast";

const ROUTE = "/api/v1/organizations/{organization_id}/social-links" as const;

/** Where the organisation can be found elsewhere. */
export function SocialLinks() {
  const { id } = useOrganization();
  const links = useQuery(socialLinksQuery(id));
  return (
    <section className="card stack" aria-labelledby="social">
      <div>
        <h2 id="social">{t("social.title")}</h2>
        <p className="quiet small">{t("social.how")}</p>
      </div>
      <Loaded query={links} rows={5}>
        {({ items }) => <Form links={items} />}
      </Loaded>
    </section>
  );
}

function Form({ links }: { links: SocialLink[] }) {
  const { id, path, cannot } = useOrganization();
  const cache = useQueryClient();
  const save = useMutation({
    mutationFn: (items: SocialLink[]) => read(api.PUT(ROUTE, { params: { path }, body: { items } })),
    onSuccess: (saved) => {
      cache.setQueryData(socialLinksQuery(id).queryKey, saved);
      toast(t("action.saved"));
    },
  });
  const refused = cannot("organization:update");
  const sent = save.variables ?? [];
  const wrong = (platform: string) =>
    save.error instanceof Problem
      ? save.error.field(`items/${sent.findIndex((link) => link.platform === platform)}/url`)
      : undefined;
  const isAboutFields = save.error instanceof Problem && save.error.fields.length > 0;
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (refused) return;
        const form = new FormData(event.currentTarget);
        save.mutate(
          PLATFORMS.flatMap(([platform]) => {
            const url = String(form.get(platform) ?? "").trim();
            return url ? [{ platform, url }] : [];
          }),
        );
      }}
    >
      {PLATFORMS.map(([platform, name, place]) => (
        <TextField
          key={platform}
          label={name}
          name={platform}
          type="url"
          maxLength={500}
          placeholder={place}
          readOnly={refused !== undefined}
          defaultValue={links.find((link) => link.platform === platform)?.url}
          wrong={wrong(platform)}
        />
      ))}
      {save.error && !isAboutFields && <Notice kind="bad">{sentence(save.error)}</Notice>}
      <div className="row end">
        <Button kind="primary" type="submit" busy={save.isPending} disabledBecause={refused}>
          {t("action.save")}
        </Button>
      </div>
    </form>
  );
}
