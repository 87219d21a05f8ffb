import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, read, type Schemas } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { Problem, sentence } from "../../api/problem";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { TextField } from "../../ui/field";
import { Loaded, Notice } from "../../ui/state";
import { toast } from "../../ui/toast";

type Link = Schemas["SocialLinkBody"];

const ROUTE = "/api/v1/organizations/{organization_id}/social-links" as const;

/** Each platform with its name and where profiles on it lie. */
const PLATFORMS = [
  ["linkedin", "LinkedIn", "https://www.linkedin.com/company/…"],
  ["twitter", "X (Twitter)", "https://x.com/…"],
  ["facebook", "Facebook", "https://www.facebook.com/…"],
  ["instagram", "Instagram", "https://www.instagram.com/…"],
  ["youtube", "YouTube", "https://www.youtube.com/@…"],
] as const satisfies [Link["platform"], string, string][];

/** Where the organisation can be found elsewhere. */
export function SocialLinks() {
  const { id, path } = useOrganization();
  const links = useQuery({
    queryKey: [id, "social-links"],
    queryFn: () => read(api.GET(ROUTE, { params: { path } })),
  });
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

function Form({ links }: { links: Link[] }) {
  const { id, path, cannot } = useOrganization();
  const cache = useQueryClient();
  const save = useMutation({
    mutationFn: (items: Link[]) => read(api.PUT(ROUTE, { params: { path }, body: { items } })),
    onSuccess: (saved) => {
      cache.setQueryData([id, "social-links"], saved);
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
