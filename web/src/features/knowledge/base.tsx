import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import { duration } from "../../lib/format";
import { Link, navigate, useSearch } from "../../lib/router";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Confirm } from "../../ui/dialog";
import { Menu } from "../../ui/menu";
import { Page, Tabs } from "../../ui/page";
import { Loaded, Notice } from "../../ui/state";
import { toast } from "../../ui/toast";
import { BaseDialog } from "./base-dialog";
import { Building, useArrival } from "./building";
import { DocumentList } from "./document-list";
import { useWork } from "./follow";
import type { KnowledgeBase } from "./knowledge";
import { ModelDialog } from "./model-dialog";
import { SourceDialog } from "./source-dialog";
import { Sources } from "./sources";
import { DropZone, UploadList, useUpload } from "./uploads";

const ROUTE = "/api/v1/organizations/{organization_id}/knowledge-bases/{knowledge_base_id}" as const;

/** How often it is looked how far a change of model has come, in milliseconds. */
const WHILE_BUILDING = 1_500;

/** One knowledge base with its documents. */
export function Base({ id }: { id: string }) {
  const organization = useOrganization();
  const base = useQuery({
    queryKey: [organization.id, "bases", id],
    queryFn: () => read(api.GET(ROUTE, { params: { path: { ...organization.path, knowledge_base_id: id } } })),
    refetchInterval: ({ state }) => (state.data?.building ? WHILE_BUILDING : false),
  });
  return (
    <>
      {base.data ? (
        <BasePage base={base.data} />
      ) : (
        <div className="page">
          <Loaded query={base}>{() => null}</Loaded>
        </div>
      )}
    </>
  );
}

function BasePage({ base }: { base: KnowledgeBase }) {
  const { id, path, at, can, cannot } = useOrganization();
  const cache = useQueryClient();
  const work = useWork(id);
  const send = useUpload(base.id);
  useArrival(base);
  const [dialog, setDialog] = useState<"edit" | "model" | "delete" | "web">();
  const [search] = useSearch();
  const isSources = search.get("view") === "sources";
  const here = at(`/knowledge/${base.id}`);
  const params = { path: { ...path, knowledge_base_id: base.id } };
  const refresh = () => cache.invalidateQueries({ queryKey: [id, "bases"] });
  const archive = useMutation({
    mutationFn: (archived: boolean) => read(api.PATCH(ROUTE, { params, body: { archived } })),
    onSuccess: refresh,
    onError: (error) => toast(sentence(error)),
  });
  const remove = useMutation({
    mutationFn: () => read(api.DELETE(ROUTE, { params })),
    onSuccess: async () => {
      navigate(at("/knowledge"), { replace: true });
      cache.removeQueries({ queryKey: [id, "bases", base.id] });
      await Promise.all([refresh(), cache.invalidateQueries({ queryKey: [id, "documents"] })]);
    },
    onError: (error) => toast(sentence(error)),
  });
  const isArchived = base.status === "archived";
  const items = [
    { label: t("action.edit"), icon: "edit" as const, onSelect: () => setDialog("edit") },
    ...(isArchived ? [] : [{ label: t("model.menu"), icon: "search" as const, onSelect: () => setDialog("model") }]),
    {
      label: isArchived ? t("base.bringBack") : t("base.archive"),
      icon: "folder" as const,
      onSelect: () => archive.mutate(!isArchived),
    },
    { label: t("action.delete"), icon: "trash" as const, danger: true, onSelect: () => setDialog("delete") },
  ];
  const waiting = work.summary?.waiting ?? 0;
  return (
    <Page
      title={base.name}
      lead={
        <>
          <Link to={at("/knowledge")}>{t("nav.knowledge")}</Link>
          {base.description ? ` · ${base.description}` : ""}
        </>
      }
      actions={
        <>
          <Link className="button" to={at(`/ask?bases=${base.id}`)}>
            {t("base.ask")}
          </Link>
          <Button icon="globe" disabledBecause={cannot("document:create")} onClick={() => setDialog("web")}>
            {t("web.add")}
          </Button>
          {can("knowledge_base:update") && <Menu label={t("base.actions")} items={items} />}
        </>
      }
    >
      {isArchived && <Notice>{t("base.archivedHow")}</Notice>}
      <Building base={base} />
      <Tabs
        label={t("base.views")}
        current={isSources ? "sources" : "documents"}
        tabs={[
          { id: "documents", to: here, name: t("document.list") },
          { id: "sources", to: `${here}?view=sources`, name: t("source.list") },
        ]}
      />
      {!isSources && !isArchived && can("document:create") && <DropZone label={t("upload.drop")} onFiles={send} />}
      <UploadList />
      {waiting > 0 && (
        <p className="quiet working" role="status">
          {t("work.waiting", { count: waiting })}
          {work.summary?.remaining_seconds != null &&
            ` · ${t("work.left", { time: duration(work.summary.remaining_seconds) })}`}
        </p>
      )}
      {isSources ? (
        <Sources base={base.id} onAdd={() => setDialog("web")} />
      ) : (
        <DocumentList base={base.id} work={work} />
      )}
      {dialog === "edit" && <BaseDialog base={base} onClose={() => setDialog(undefined)} />}
      {dialog === "model" && <ModelDialog base={base} onClose={() => setDialog(undefined)} />}
      {dialog === "web" && <SourceDialog base={base.id} onClose={() => setDialog(undefined)} />}
      {dialog === "delete" && (
        <Confirm
          title={t("base.delete", { name: base.name })}
          action={t("action.delete")}
          busy={remove.isPending}
          onConfirm={() => remove.mutate()}
          onClose={() => setDialog(undefined)}
        >
          <p>{t("base.deleteHow", { count: base.document_count })}</p>
        </Confirm>
      )}
    </Page>
  );
}
