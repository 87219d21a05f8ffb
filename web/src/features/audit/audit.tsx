import { keepPreviousData, useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, inside, read, type Schemas } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import { dateTime } from "../../lib/format";
import { useSearch } from "../../lib/router";
import { csvField, save } from "../../lib/save";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { MoreButton } from "../../ui/more";
import { Page } from "../../ui/page";
import { Empty, Loaded, Notice } from "../../ui/state";
import "../../ui/styles/people.css";
import { toast } from "../../ui/toast";
import { Entry } from "./entry";
import { FILTERS, type Filter, Filters, filterOf } from "./filters";
import { usePeople } from "./people";

export type AuditEntry = Schemas["AuditEntryResponse"];

const ROUTE = "/api/v1/organizations/{organization_id}/audit" as const;

function entriesPage(organization: string, filter: Filter, cursor: string, limit: number) {
  return read(
    api.GET(ROUTE, {
      params: { path: inside(organization), query: { ...filter, limit, ...(cursor ? { cursor } : {}) } },
    }),
  );
}

/** Who did what, and that nobody altered the account of it. */
export function Audit() {
  const { id, path } = useOrganization();
  const [search, setSearch] = useSearch();
  const people = usePeople();
  const filter = filterOf(search);
  const verify = useMutation({
    mutationFn: () => read(api.GET(`${ROUTE}/verification`, { params: { path } })),
    onError: (error) => toast(sentence(error)),
  });
  const entries = useInfiniteQuery({
    queryKey: [id, "audit", filter],
    queryFn: ({ pageParam }) => entriesPage(id, filter, pageParam, 100),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    // While somebody types, what was found before stays.
    placeholderData: keepPreviousData,
  });
  return (
    <Page
      title={t("nav.audit")}
      lead={t("audit.lead")}
      actions={
        <>
          <Export organization={id} filter={filter} nameOf={people.nameOf} />
          <Button icon="shield" busy={verify.isPending} onClick={() => verify.mutate()}>
            {t("audit.verify")}
          </Button>
        </>
      }
    >
      {verify.data && (
        <div className="verified">
          <Verified found={verify.data} />
        </div>
      )}
      <Filters people={people.all} known={entries.data?.pages.flatMap((page) => page.items) ?? []} />
      <Loaded query={entries} rows={8}>
        {(data) => {
          const items = data.pages.flatMap((page) => page.items);
          if (items.length === 0)
            return (
              <Empty
                icon="search"
                title={t("audit.none")}
                action={
                  <Button onClick={() => setSearch(Object.fromEntries(FILTERS.map((name) => [name, undefined])))}>
                    {t("document.clear")}
                  </Button>
                }
              />
            );
          return (
            <>
              <ul className="entries">
                {items.map((entry) => (
                  <Entry key={entry.id} entry={entry} nameOf={people.nameOf} />
                ))}
              </ul>
              <MoreButton query={entries} />
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}

type Verification = Schemas["AuditVerificationResponse"];

function Verified({ found }: { found: Verification }) {
  if (!found.whole)
    return (
      <Notice kind="bad">
        {t("audit.broken", {
          number: String(found.broken_at ?? "?"),
          reason: found.problem ? t(`audit.problem.${found.problem}`) : "",
        })}
      </Notice>
    );
  return (
    <Notice kind="good">
      <p>{t("audit.whole", { count: found.entries ?? 0 })}</p>
      {found.head && (
        <p className="small quiet">
          {t("audit.head")} <code className="breaks">{found.head}</code>
        </p>
      )}
    </Notice>
  );
}

function Export({
  organization,
  filter,
  nameOf,
}: {
  organization: string;
  filter: Filter;
  nameOf: (id: string) => string;
}) {
  const [busy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    try {
      const rows = ["number,time,actor,action,resource_type,resource_id,address,request,details"];
      let cursor = "";
      do {
        const page = await entriesPage(organization, filter, cursor, 200);
        for (const entry of page.items) {
          const actor = "id" in entry.actor ? nameOf(entry.actor.id) : entry.actor.kind;
          const fields = [
            String(entry.number),
            entry.created_at,
            actor,
            entry.action,
            entry.resource_type,
            entry.resource_id ?? "",
            entry.ip ?? "",
            entry.request_id ?? "",
            JSON.stringify(entry.details ?? {}),
          ];
          rows.push(fields.map(csvField).join(","));
        }
        cursor = page.next_cursor ?? "";
      } while (cursor);
      save(`amebo-audit-${dateTime(new Date().toISOString())}.csv`, rows.join("\r\n"));
    } catch (error) {
      toast(sentence(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button icon="download" busy={busy} onClick={run}>
      {t("insights.export")}
    </Button>
  );
}
