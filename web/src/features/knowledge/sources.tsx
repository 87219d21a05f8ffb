import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, read, type Schemas } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { itemsOf, usePages } from "../../api/pages";
import { sentence } from "../../api/problem";
import { ago, dateTime, inTime } from "../../lib/format";
import { type Key, t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Icon, type IconName } from "../../ui/icon";
import { removeWithUndo, useLeaving } from "../../ui/leaving";
import { Menu } from "../../ui/menu";
import { MoreButton } from "../../ui/more";
import { Empty, Loaded } from "../../ui/state";
import { toast } from "../../ui/toast";
import { reasonOf } from "./failure";
import { SourceDialog } from "./source-dialog";

export type Source = Schemas["SourceResponse"];

const ROUTE = "/api/v1/organizations/{organization_id}/sources/{source_id}" as const;

const ICONS: Record<Source["kind"], IconName> = {
  upload: "upload",
  slack: "ask",
  web: "globe",
  api: "key",
  channel: "ask",
};

/** Where the documents of a knowledge base come from, and when web pages are read again. */
export function Sources({ base, onAdd }: { base: string; onAdd: () => void }) {
  const leaving = useLeaving();
  const { id, path, cannot } = useOrganization();
  const sources = usePages(
    [id, "sources", base],
    (at) =>
      read(
        api.GET("/api/v1/organizations/{organization_id}/sources", {
          params: { path, query: { knowledge_base_id: base, limit: 100, ...at } },
        }),
      ),
    (items) => (items.some((source) => source.is_being_read) ? 2_000 : false),
  );
  return (
    <Loaded query={sources} rows={3} height="4.5rem">
      {(data) => {
        const items = itemsOf(data).filter((source) => !leaving.has(source.id));
        if (items.length === 0)
          return (
            <Empty
              icon="globe"
              title={t("source.none")}
              action={
                <Button icon="globe" disabledBecause={cannot("document:create")} onClick={onAdd}>
                  {t("web.add")}
                </Button>
              }
            >
              {t("source.noneHow")}
            </Empty>
          );
        return (
          <>
            <ul className="source-list">
              {items.map((source) => (
                <SourceRow key={source.id} source={source} />
              ))}
            </ul>
            <MoreButton query={sources} />
          </>
        );
      }}
    </Loaded>
  );
}

function SourceRow({ source }: { source: Source }) {
  const name = source.name || t(`sourceKind.${source.kind}` as Key);
  return (
    <li className="card row between">
      <Icon name={ICONS[source.kind]} />
      <div className="grow stack tight">
        <strong className="cut">{name}</strong>
        {source.url && source.url !== source.name && <span className="quiet small cut">{source.url}</span>}
        <span className="quiet small">
          {[t("scope.documents", { count: source.document_count }), times(source)].filter(Boolean).join(" · ")}
        </span>
        {source.last_outcome === "failed" && (
          <span className="small wrong">{reasonOf({ failure: source.failure, said: source.last_error })}</span>
        )}
      </div>
      {source.url && <Standing source={source} />}
      {source.url && <Actions source={source} name={name} />}
    </li>
  );
}

/** When a page was read and is read next. */
function times(source: Source): string {
  if (!source.url) return "";
  const last = source.last_read_at ? t("source.read", { when: ago(source.last_read_at) }) : "";
  const next = source.paused
    ? t("source.pausedHow")
    : source.next_read_at
      ? t("source.next", { when: inTime(source.next_read_at) })
      : t("source.onDemand");
  return [last, next].filter(Boolean).join(" · ");
}

function Standing({ source }: { source: Source }) {
  if (source.is_being_read) return <span className="tag accent">{t("source.reading")}</span>;
  if (source.paused) return <span className="tag warn">{t("source.paused")}</span>;
  if (!source.last_outcome) return null;
  const tone = source.last_outcome === "failed" ? "bad" : "good";
  return (
    <span className={`tag ${tone}`} title={source.last_read_at ? dateTime(source.last_read_at) : undefined}>
      {t(`readOutcome.${source.last_outcome}` as Key)}
    </span>
  );
}

function Actions({ source, name }: { source: Source; name: string }) {
  const { id, path, can } = useOrganization();
  const cache = useQueryClient();
  const [editing, setEditing] = useState(false);
  const params = { path: { ...path, source_id: source.id } };
  const settled = {
    onSuccess: () => cache.invalidateQueries({ queryKey: [id, "sources"] }),
    onError: (error: unknown) => toast(sentence(error)),
  };
  const readNow = useMutation({
    mutationFn: () => read(api.POST("/api/v1/organizations/{organization_id}/sources/{source_id}/read", { params })),
    ...settled,
  });
  const pause = useMutation({
    mutationFn: (paused: boolean) => read(api.PATCH(ROUTE, { params, body: { paused } })),
    ...settled,
  });
  const remove = () =>
    removeWithUndo({
      id: source.id,
      said: t("source.removed", { name }),
      act: () => read(api.DELETE(ROUTE, { params, keepalive: true })),
      after: () => cache.invalidateQueries({ queryKey: [id, "sources"] }),
    });
  if (!can("knowledge_base:update")) return null;
  return (
    <>
      <Menu
        label={t("people.actionsOf", { name })}
        items={[
          { label: t("source.readNow"), icon: "refresh", onSelect: () => readNow.mutate() },
          { label: t("source.change"), icon: "clock", onSelect: () => setEditing(true) },
          {
            label: source.paused ? t("source.goOn") : t("source.pause"),
            icon: source.paused ? "next" : "stop",
            onSelect: () => pause.mutate(!source.paused),
          },
          { label: t("source.remove"), icon: "trash", danger: true, onSelect: remove },
        ]}
      />
      {editing && <SourceDialog source={source} onClose={() => setEditing(false)} />}
    </>
  );
}
