import { useInfiniteQuery } from "@tanstack/react-query";
import { api, read, type Schemas } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { Link, type Params } from "../../lib/router";
import { t } from "../../lib/text";
import { MoreButton } from "../../ui/more";
import { Page } from "../../ui/page";
import { Failure, Loaded } from "../../ui/state";
import "../../ui/styles/slack.css";
import { Problem } from "../../api/problem";
import { ImportCard } from "./import-card";
import { ImportForm } from "./import-form";

export type Import = Schemas["SlackImportResponse"];

/** Exports of workspaces: sending one in, and what became of those before. With an id, that one alone. */
export function SlackImports({ params }: { params: Params }) {
  const { at, can } = useOrganization();
  const lead = (
    <>
      <Link to={at("/slack")}>{t("nav.slack")}</Link> ·{" "}
      {params.import ? <Link to={at("/slack/imports")}>{t("slackImport.all")}</Link> : t("slackImport.lead")}
    </>
  );
  if (!can("knowledge_base:create"))
    return (
      <Page title={t("slackImport.title")} lead={lead}>
        <Failure error={new Problem(403, "", "forbidden", [], undefined)} />
      </Page>
    );
  return (
    <Page title={t("slackImport.title")} lead={lead}>
      <div className="stack loose narrow-column">
        {params.import ? (
          <ImportCard id={params.import} />
        ) : (
          <ImportForm>
            <Before />
          </ImportForm>
        )}
      </div>
    </Page>
  );
}

function Before() {
  const { id, path } = useOrganization();
  const imports = useInfiniteQuery({
    queryKey: [id, "slack-imports"],
    queryFn: ({ pageParam }) =>
      read(
        api.GET("/api/v1/organizations/{organization_id}/slack-imports", {
          params: { path, query: { limit: 20, ...(pageParam ? { cursor: pageParam } : {}) } },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
  return (
    <Loaded query={imports} rows={2} height="6rem">
      {(data) => {
        const items = data.pages.flatMap((page) => page.items);
        if (items.length === 0) return null;
        return (
          <section className="stack" aria-labelledby="before">
            <h2 id="before">{t("slackImport.before")}</h2>
            {items.map((one) => (
              <ImportCard key={one.id} id={one.id} known={one} />
            ))}
            <MoreButton query={imports} />
          </section>
        );
      }}
    </Loaded>
  );
}
