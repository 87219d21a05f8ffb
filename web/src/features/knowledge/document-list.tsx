import { keepPreviousData, useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useCallback, useDeferredValue, useState } from "react";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { readsOn } from "../../api/pages";
import { sentence } from "../../api/problem";
import { ago, bytes, duration } from "../../lib/format";
import { Link, useSearch } from "../../lib/router";
import { type Key, t } from "../../lib/text";
import { Button } from "../../ui/button";
import { SearchField, Select } from "../../ui/field";
import { Icon } from "../../ui/icon";
import { useLeaving } from "../../ui/leaving";
import { PageFailure } from "../../ui/more";
import { Progress } from "../../ui/page";
import { Empty, Loaded } from "../../ui/state";
import { toast } from "../../ui/toast";
import { VirtualList } from "../../ui/virtual";
import { reasonOf } from "./failure";
import type { Document, Work } from "./follow";
import type { KnowledgeBase } from "./knowledge";

const STATUSES = ["uploaded", "processing", "chunking", "embedding", "indexed", "failed"] as const;
type Status = (typeof STATUSES)[number];

function isStatus(text: string | null): text is Status {
  return STATUSES.some((status) => status === text);
}

const ROW_HEIGHT = 60;

type ListProps = { base?: string; bases?: KnowledgeBase[]; work: Work };

/** Documents, as many as there are, filtered by what the address says. */
export function DocumentList({ base, bases, work }: ListProps) {
  const { id, path } = useOrganization();
  const [search, setSearch] = useSearch();
  const [typed, setTyped] = useState(search.get("text") ?? "");
  const text = useDeferredValue(typed.trim());
  const wished = search.get("status");
  const status = isStatus(wished) ? wished : undefined;
  const documents = useInfiniteQuery({
    queryKey: [id, "documents", "list", base ?? "", status ?? "", text],
    queryFn: ({ pageParam }) =>
      read(
        api.GET("/api/v1/organizations/{organization_id}/documents", {
          params: {
            path,
            query: {
              limit: 200,
              ...(base ? { knowledge_base_id: base } : {}),
              ...(status ? { status } : {}),
              ...(text ? { text } : {}),
              ...(pageParam ? { cursor: pageParam } : {}),
            },
          },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
  });
  const { fetchNextPage } = documents;
  const isToRead = readsOn(documents);
  const more = useCallback(() => {
    if (isToRead) void fetchNextPage();
  }, [isToRead, fetchNextPage]);
  const isFiltered = Boolean(text || status);
  const leaving = useLeaving();
  return (
    <div className="stack tight">
      <div className="filters">
        <SearchField
          label={t("document.search")}
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            setSearch({ text: event.target.value.trim() || undefined });
          }}
        />
        <Select
          hideLabel
          label={t("document.status")}
          value={status ?? ""}
          onChange={(event) => setSearch({ status: event.target.value || undefined })}
        >
          <option value="">{t("document.anyStatus")}</option>
          {STATUSES.map((name) => (
            <option key={name} value={name}>
              {t(`status.${name}` as Key)}
            </option>
          ))}
        </Select>
      </div>
      <Loaded query={documents} rows={6} height={`${ROW_HEIGHT - 8}px`}>
        {(data) => {
          const items = data.pages.flatMap((page) => page.items).filter((item) => !leaving.has(item.id));
          if (items.length === 0) {
            return isFiltered ? (
              <Empty
                icon="search"
                title={t("document.noneFound")}
                action={
                  <Button
                    onClick={() => {
                      setTyped("");
                      setSearch({ text: undefined, status: undefined });
                    }}
                  >
                    {t("document.clear")}
                  </Button>
                }
              />
            ) : (
              <Empty icon="file" title={t("document.none")}>
                {t("document.noneHow")}
              </Empty>
            );
          }
          return (
            <>
              <VirtualList
                items={items}
                rowHeight={ROW_HEIGHT}
                label={t("document.list")}
                idOf={(document) => document.id}
                onEnd={more}
                row={(document) => (
                  <Row
                    document={document}
                    base={bases?.find((one) => one.id === document.knowledge_base_id)}
                    remaining={work.remaining.get(document.id)}
                  />
                )}
              />
              <PageFailure query={documents} />
            </>
          );
        }}
      </Loaded>
    </div>
  );
}

type RowProps = { document: Document; base: KnowledgeBase | undefined; remaining: number | null | undefined };

function Row({ document, base, remaining }: RowProps) {
  const { at } = useOrganization();
  return (
    <div className="document-row">
      <Icon name={document.source_url ? "globe" : "file"} />
      <div className="grow">
        <Link className="cut name" dir="auto" to={at(`/documents/${document.id}`)}>
          {document.title}
        </Link>
        <span className={`cut small ${document.status === "failed" ? "wrong" : "quiet"}`}>
          {document.status === "failed"
            ? reasonOf({ failure: document.failure, said: document.error })
            : [
                base?.name,
                bytes(document.size_bytes),
                document.status === "indexed" ? t("document.passages", { count: document.chunk_count }) : null,
              ]
                .filter(Boolean)
                .join(" · ")}
        </span>
      </div>
      <Standing document={document} remaining={remaining} />
      <time className="quiet small nowrap" dateTime={document.updated_at}>
        {ago(document.updated_at)}
      </time>
    </div>
  );
}

/** How far a document has come; a failed one can be tried again. */
export function Standing({ document, remaining }: { document: Document; remaining?: number | null | undefined }) {
  const retry = useReindex();
  if (document.status === "indexed") return <span className="tag good">{t("status.indexed")}</span>;
  if (document.status === "failed") {
    return (
      <>
        <span className="tag bad">{t("status.failed")}</span>
        <Button small icon="refresh" busy={retry.isPending} onClick={() => retry.mutate(document.id)}>
          <span className="roomy">{t("action.retry")}</span>
        </Button>
      </>
    );
  }
  const fraction =
    document.status === "embedding" && document.chunk_count ? document.chunks_done / document.chunk_count : undefined;
  return (
    <div className="standing">
      <span className="small quiet nowrap">
        {t(`status.${document.status}` as Key)}
        {remaining != null && ` · ${duration(remaining)}`}
      </span>
      <Progress label={document.title} value={fraction} />
    </div>
  );
}

/** Processes a document anew. */
export function useReindex() {
  const { id, path } = useOrganization();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (document: string) =>
      read(
        api.POST("/api/v1/organizations/{organization_id}/documents/{document_id}/reindex", {
          params: { path: { ...path, document_id: document } },
        }),
      ),
    onSuccess: (document) => {
      cache.setQueryData([id, "document", document.id], document);
      return cache.invalidateQueries({ queryKey: [id, "documents"] });
    },
    onError: (error) => toast(sentence(error)),
  });
}
