import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, read, type Schemas } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import { ago } from "../../lib/format";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Confirm } from "../../ui/dialog";
import { Menu } from "../../ui/menu";
import { Loaded, Notice } from "../../ui/state";
import { toast } from "../../ui/toast";
import { ProviderDialog } from "./provider-dialog";

export type Provider = Schemas["ProviderResponse"];
type Kind = Schemas["ProviderKind"];

const ROUTE = "/api/v1/organizations/{organization_id}/providers/{provider_id}" as const;

/** The models an organisation brings: those that write answers, and those that find passages by their meaning. */
export function Providers() {
  const { id, path } = useOrganization();
  const providers = useQuery({
    queryKey: [id, "providers"],
    queryFn: () => read(api.GET("/api/v1/organizations/{organization_id}/providers", { params: { path } })),
  });
  return (
    <Loaded query={providers}>
      {({ items }) => (
        <div className="stack loose narrow-column">
          <Models kind="language" items={items.filter((provider) => provider.kind === "language")} />
          <Models kind="embedding" items={items.filter((provider) => provider.kind === "embedding")} />
        </div>
      )}
    </Loaded>
  );
}

function Models({ kind, items }: { kind: Kind; items: Provider[] }) {
  const { cannot } = useOrganization();
  const [adding, setAdding] = useState(false);
  const add = (
    <Button
      kind={kind === "language" ? "primary" : "default"}
      icon="plus"
      disabledBecause={cannot("provider:create")}
      onClick={() => setAdding(true)}
    >
      {t(`provider.add.${kind}`)}
    </Button>
  );
  return (
    <section className="stack tight" aria-labelledby={`${kind}-models`}>
      <h2 id={`${kind}-models`}>{t(`provider.title.${kind}`)}</h2>
      <p className="quiet">{items.length === 0 ? t(`provider.none.${kind}`) : t(`provider.some.${kind}`)}</p>
      {items.map((provider) => (
        <ProviderCard key={provider.id} provider={provider} />
      ))}
      <div>{add}</div>
      {adding && <ProviderDialog kind={kind} onClose={() => setAdding(false)} />}
    </section>
  );
}

function ProviderCard({ provider }: { provider: Provider }) {
  const { id, path, can, cannot } = useOrganization();
  const cache = useQueryClient();
  const [open, setOpen] = useState<"edit" | "delete">();
  const params = { path: { ...path, provider_id: provider.id } };
  const refresh = () => cache.invalidateQueries({ queryKey: [id, "providers"] });
  const test = useMutation({
    mutationFn: () =>
      read(api.POST("/api/v1/organizations/{organization_id}/providers/{provider_id}/test", { params })),
    onSuccess: refresh,
    onError: (error) => toast(sentence(error)),
  });
  const remove = useMutation({
    mutationFn: () => read(api.DELETE(ROUTE, { params })),
    onSuccess: refresh,
    onError: (error) => toast(sentence(error)),
  });
  const items = [
    { label: t("action.edit"), icon: "edit" as const, onSelect: () => setOpen("edit") },
    { label: t("action.delete"), icon: "trash" as const, danger: true, onSelect: () => setOpen("delete") },
  ];
  return (
    <article className="card stack tight">
      <div className="row between">
        <h3 className="grow">
          {provider.name}{" "}
          {provider.is_active && <span className="tag good">{t(`provider.active.${provider.kind}`)}</span>}
        </h3>
        <Button small busy={test.isPending} disabledBecause={cannot("provider:update")} onClick={() => test.mutate()}>
          {t("provider.test")}
        </Button>
        {can("provider:update") && <Menu label={t("provider.actions", { name: provider.name })} items={items} />}
      </div>
      <p className="quiet small">
        {provider.model} · {provider.base_url ?? t(`provider.${provider.protocol}`)} ·{" "}
        {provider.has_key ? t("provider.sealed") : t("provider.noKey")}
        {provider.dimension ? ` · ${t("provider.dimension", { count: provider.dimension })}` : ""}
      </p>
      {provider.last_tested_at && (
        <Notice kind={provider.last_test_error ? "bad" : "good"}>
          {provider.last_test_error ?? t("provider.works")}{" "}
          <span className="quiet small">{ago(provider.last_tested_at)}</span>
        </Notice>
      )}
      {open === "edit" && (
        <ProviderDialog kind={provider.kind} provider={provider} onClose={() => setOpen(undefined)} />
      )}
      {open === "delete" && (
        <Confirm
          title={t("provider.delete", { name: provider.name })}
          action={t("action.delete")}
          busy={remove.isPending}
          onConfirm={() => remove.mutate()}
          onClose={() => setOpen(undefined)}
        >
          <p>{t(`provider.deleteHow.${provider.kind}`)}</p>
        </Confirm>
      )}
    </article>
  );
}
