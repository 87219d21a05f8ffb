import { useMutation, useQuery } from "@tanstack/react-query";
import { api, inside, read } from "../../api/client";
import { Problem, sentence } from "../../api/problem";
import { Link, useSearch } from "../../lib/router";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Page } from "../../ui/page";
import { Loaded, Notice } from "../../ui/state";

/** Where a link leads that Amebo sent on a channel: says whom it would make one, and asks before it does. */
export function LinkAccount() {
  const [search] = useSearch();
  const organization = search.get("organization") ?? "";
  const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
  const params = { path: inside(organization) };
  const asked = useQuery({
    queryKey: [organization, "channel-link", token],
    queryFn: () =>
      read(api.POST("/api/v1/organizations/{organization_id}/channel-links/describe", { params, body: { token } })),
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const confirm = useMutation({
    mutationFn: () =>
      read(api.POST("/api/v1/organizations/{organization_id}/channel-identities", { params, body: { token } })),
  });
  if (asked.error instanceof Problem && asked.error.isMissing) {
    return (
      <Page narrow title={t("link.title")}>
        <Notice kind="bad">{t("link.gone")}</Notice>
      </Page>
    );
  }
  return (
    <Page narrow title={t("link.title")}>
      <Loaded query={asked} rows={3}>
        {(person) => {
          const who = { name: person.name ?? person.email ?? t("link.somebody"), connection: person.connection };
          if (confirm.isSuccess)
            return (
              <div className="card stack">
                <Notice kind="good">{t("link.done", who)}</Notice>
                <Link to="/account" className="button">
                  {t("nav.profile")}
                </Link>
              </div>
            );
          return (
            <div className="card stack">
              <p>{t("link.question", who)}</p>
              {person.email && <p className="quiet">{person.email}</p>}
              <p className="quiet">{t("link.warning")}</p>
              {confirm.error && <Notice kind="bad">{sentence(confirm.error)}</Notice>}
              <Button kind="primary" busy={confirm.isPending} onClick={() => confirm.mutate()}>
                {t("link.confirm")}
              </Button>
            </div>
          );
        }}
      </Loaded>
    </Page>
  );
}
