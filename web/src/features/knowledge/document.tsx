import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import { bytes, dateTime } from "../../lib/format";
import { Link, navigate, type Params, useSearch } from "../../lib/router";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { DocumentText } from "../../ui/document-text";
import { TextField } from "../../ui/field";
import { removeWithUndo } from "../../ui/leaving";
import { Menu } from "../../ui/menu";
import { download, isFromSlack, pageOf } from "../../ui/original";
import { Page, Tabs } from "../../ui/page";
import { PdfPages } from "../../ui/pdf";
import { Loaded } from "../../ui/state";
import "../../ui/styles/knowledge.css";
import { useBases } from "../../api/bases";
import { AudienceDialog, AudienceSummary } from "./audience";
import { Standing, useReindex } from "./document-list";
import { FailureNotice } from "./failure";
import { type Document, useWork } from "./follow";
import { Passages } from "./passages";
import { SlackAudienceDialog } from "./slack-audience";

const ROUTE = "/api/v1/organizations/{organization_id}/documents/{document_id}" as const;

export function DocumentPage({ params }: { params: Params }) {
  const { id, path } = useOrganization();
  const key = params.document ?? "";
  const document = useQuery({
    queryKey: [id, "document", key],
    queryFn: () => read(api.GET(ROUTE, { params: { path: { ...path, document_id: key } } })),
  });
  if (document.data) return <View document={document.data} />;
  return (
    <div className="page">
      <Loaded query={document}>{() => null}</Loaded>
    </div>
  );
}

type Open = "rename" | "audience" | "why" | undefined;

function View({ document }: { document: Document }) {
  const { id, at, can } = useOrganization();
  const [search] = useSearch();
  const [open, setOpen] = useState<Open>();
  const reindex = useReindex();
  const remove = useRemove(document);
  const work = useWork(id);
  const isPdf = document.mime_type === "application/pdf";
  const wished = search.get("view");
  const view = wished === "passages" || (wished === "pages" && isPdf) ? wished : "text";
  const from = Number(search.get("from") ?? Number.NaN);
  const to = Number(search.get("to") ?? Number.NaN);
  const range = from >= 0 && to > from ? { start: from, end: to } : undefined;
  const here = at(`/documents/${document.id}`);
  const base = useBases().data?.items.find((one) => one.id === document.knowledge_base_id);
  const items = [
    { label: t("action.rename"), icon: "edit" as const, onSelect: () => setOpen("rename") },
    // Who sees a channel's documents is decided by who is in the channel.
    ...(isFromSlack(document)
      ? []
      : [{ label: t("audience.edit"), icon: "lock" as const, onSelect: () => setOpen("audience") }]),
    { label: t("document.reindex"), icon: "refresh" as const, onSelect: () => reindex.mutate(document.id) },
    { label: t("action.delete"), icon: "trash" as const, danger: true, onSelect: remove },
  ];
  return (
    <Page
      title={document.title}
      lead={
        <>
          <Link to={at(`/knowledge/${document.knowledge_base_id}`)}>{base?.name ?? t("document.inBase")}</Link> ·{" "}
          {/* What was written down from a channel has a file, but nobody's. */}
          {!isFromSlack(document) && `${document.original_name} · `}
          {bytes(document.size_bytes)}
          {document.pages > 0 && ` · ${t("document.pages", { count: document.pages })}`}
        </>
      }
      actions={
        <>
          <Button icon="download" onClick={() => download(id, document)}>
            {t("document.original")}
          </Button>
          {pageOf(document) && (
            <a className="button" href={pageOf(document)} target="_blank" rel="noreferrer noopener">
              {t(isFromSlack(document) ? "document.openInSlack" : "document.openSource")}
            </a>
          )}
          {can("document:update") && <Menu label={t("document.actions")} items={items} />}
        </>
      }
    >
      <div className="row facts-row">
        <Standing document={document} remaining={work.remaining.get(document.id)} />
        <AudienceSummary audience={document.audience} />
        {isFromSlack(document) && (
          <Button small icon="info" onClick={() => setOpen("why")}>
            {t("why.action")}
          </Button>
        )}
        <span className="quiet small">{t("document.changed", { when: dateTime(document.updated_at) })}</span>
      </div>
      {document.error && <FailureNotice failure={document.failure} said={document.error} />}
      <Tabs
        label={t("document.views")}
        current={view}
        tabs={[
          { id: "text", to: here + (range ? `?from=${range.start}&to=${range.end}` : ""), name: t("document.text") },
          ...(isPdf ? [{ id: "pages", to: `${here}?view=pages`, name: t("pdf.asPrinted") }] : []),
          {
            id: "passages",
            to: `${here}?view=passages`,
            name: t("document.passages", { count: document.chunk_count }),
          },
        ]}
      />
      {view === "passages" && <Passages document={document.id} />}
      {view === "pages" && (
        <div className="narrow-column">
          <PdfPages document={document.id} version={document.version} page={1} />
        </div>
      )}
      {view === "text" && (
        <DocumentText
          key={`${document.version}:${from}`}
          document={document.id}
          range={range}
          isChat={isFromSlack(document)}
          missing={
            <p className="quiet">{t(document.status === "failed" ? "document.neverRead" : "document.noText")}</p>
          }
        />
      )}
      {open === "rename" && <Rename document={document} onClose={() => setOpen(undefined)} />}
      {open === "audience" && <AudienceDialog document={document} onClose={() => setOpen(undefined)} />}
      {open === "why" && <SlackAudienceDialog document={document.id} onClose={() => setOpen(undefined)} />}
    </Page>
  );
}

function Rename({ document, onClose }: { document: Document; onClose: () => void }) {
  const { id, path } = useOrganization();
  const cache = useQueryClient();
  const rename = useMutation({
    mutationFn: (title: string) =>
      read(api.PATCH(ROUTE, { params: { path: { ...path, document_id: document.id } }, body: { title } })),
    onSuccess: (changed) => {
      cache.setQueryData([id, "document", document.id], changed);
      onClose();
      return cache.invalidateQueries({ queryKey: [id, "documents"] });
    },
  });
  return (
    <Dialog title={t("action.rename")} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          rename.mutate(String(new FormData(event.currentTarget).get("title")).trim());
        }}
      >
        <TextField
          label={t("field.title")}
          name="title"
          defaultValue={document.title}
          required
          maxLength={500}
          autoFocus
          hint={t("document.renameHint")}
          wrong={rename.error ? sentence(rename.error) : undefined}
        />
        <div className="row end">
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" busy={rename.isPending}>
            {t("action.save")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Deletes a document and goes to where it was; it can be taken back for a while. */
function useRemove(document: Document): () => void {
  const { id, path, at } = useOrganization();
  const cache = useQueryClient();
  return () => {
    navigate(at(`/knowledge/${document.knowledge_base_id}`), { replace: true });
    removeWithUndo({
      id: document.id,
      said: t("document.deleted", { title: document.title }),
      act: () => read(api.DELETE(ROUTE, { params: { path: { ...path, document_id: document.id } }, keepalive: true })),
      after: () => {
        cache.removeQueries({ queryKey: [id, "document", document.id] });
        return Promise.all([
          cache.invalidateQueries({ queryKey: [id, "documents"] }),
          cache.invalidateQueries({ queryKey: [id, "bases"] }),
        ]);
      },
    });
  };
}
