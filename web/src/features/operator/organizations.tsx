import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, read, type Schemas } from "../../api/client";
import { usePages } from "../../api/pages";
import { sentence } from "../../api/problem";
import { date } from "../../lib/format";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Confirm } from "../../ui/dialog";
import { Menu } from "../../ui/menu";
import { PagedTable } from "../../ui/paged-table";
import { toast } from "../../ui/toast";
import { ProvisionDialog } from "./provision";
import { TermsDialog } from "./terms";

export type Tenant = Schemas["TenantResponse"];

export function ProvisionButton() {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button kind="primary" icon="plus" onClick={() => setOpen(true)}>
        {t("operator.make")}
      </Button>
      {open && <ProvisionDialog onClose={() => setOpen(false)} />}
    </>
  );
}

export function Organizations() {
  const organizations = usePages(["operator", "organizations"], (at) =>
    read(api.GET("/api/v1/operator/organizations", { params: { query: { limit: 100, ...at } } })),
  );
  return (
    <PagedTable
      query={organizations}
      columns={[t("settings.organization"), t("settings.plan"), t("operator.standing"), t("operator.since")]}
      idOf={(tenant) => tenant.id}
      row={(tenant) => <Row tenant={tenant} />}
    />
  );
}

function Row({ tenant }: { tenant: Tenant }) {
  const cache = useQueryClient();
  const [open, setOpen] = useState<"terms" | "join">();
  const join = useMutation({
    mutationFn: () =>
      read(api.POST("/api/v1/operator/organizations/{tenant_id}/join", { params: { path: { tenant_id: tenant.id } } })),
    onSuccess: async () => {
      setOpen(undefined);
      await cache.invalidateQueries({ queryKey: ["account"] });
      toast(t("operator.joined", { name: tenant.name }));
    },
    onError: (error) => toast(sentence(error)),
  });
  const tone =
    tenant.subscription_status === "active" ? "good" : tenant.subscription_status === "trial" ? "accent" : "bad";
  return (
    <tr>
      <td>
        <span className="who">
          <strong>{tenant.name}</strong>
          <span className="quiet small">{tenant.slug}</span>
        </span>
      </td>
      <td data-label={t("settings.plan")}>{t(`plan.${tenant.subscription_plan}`)}</td>
      <td data-label={t("operator.standing")}>
        <span className={`tag ${tone}`}>{t(`standing.${tenant.subscription_status}`)}</span>
      </td>
      <td data-label={t("operator.since")} className="quiet">
        {date(tenant.created_at)}
      </td>
      <td className="end">
        <Menu
          label={t("people.actionsOf", { name: tenant.name })}
          items={[
            { label: t("operator.terms"), icon: "edit", onSelect: () => setOpen("terms") },
            { label: t("operator.join"), icon: "people", onSelect: () => setOpen("join") },
          ]}
        />
        {open === "terms" && <TermsDialog tenant={tenant} onClose={() => setOpen(undefined)} />}
        {open === "join" && (
          <Confirm
            title={t("operator.joinTitle", { name: tenant.name })}
            action={t("operator.join")}
            busy={join.isPending}
            onConfirm={() => join.mutate()}
            onClose={() => setOpen(undefined)}
          >
            <p>{t("operator.joinHow")}</p>
          </Confirm>
        )}
      </td>
    </tr>
  );
}
