import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, read, type Schemas } from "../../api/client";
import { sentence } from "../../api/problem";
import { date } from "../../lib/format";
import { type Key, t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Confirm, Dialog } from "../../ui/dialog";
import { Select } from "../../ui/field";
import { Menu } from "../../ui/menu";
import { Loaded, Notice } from "../../ui/state";
import { toast } from "../../ui/toast";
import { ProvisionDialog } from "./provision";

type Tenant = Schemas["TenantResponse"];
type Plan = Schemas["Plan"];
type Status = Schemas["SubscriptionStatus"];

const PLANS: Plan[] = ["free", "starter", "professional", "enterprise"];
const STATUSES: Status[] = ["trial", "active", "inactive", "cancelled"];

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
  const organizations = useInfiniteQuery({
    queryKey: ["operator", "organizations"],
    queryFn: ({ pageParam }) =>
      read(
        api.GET("/api/v1/operator/organizations", {
          params: { query: { limit: 100, ...(pageParam ? { cursor: pageParam } : {}) } },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
  return (
    <Loaded query={organizations}>
      {(data) => (
        <>
          <table className="table folds">
            <thead>
              <tr>
                <th>{t("settings.organization")}</th>
                <th>{t("settings.plan")}</th>
                <th>{t("operator.standing")}</th>
                <th>{t("operator.since")}</th>
                <th>
                  <span className="visually-hidden">{t("people.actions")}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {data.pages
                .flatMap((page) => page.items)
                .map((tenant) => (
                  <Row key={tenant.id} tenant={tenant} />
                ))}
            </tbody>
          </table>
          {organizations.hasNextPage && (
            <Button onClick={() => organizations.fetchNextPage()}>{t("action.more")}</Button>
          )}
        </>
      )}
    </Loaded>
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

function TermsDialog({ tenant, onClose }: { tenant: Tenant; onClose: () => void }) {
  const cache = useQueryClient();
  const save = useMutation({
    mutationFn: (form: FormData) =>
      read(
        api.PATCH("/api/v1/operator/organizations/{tenant_id}", {
          params: { path: { tenant_id: tenant.id } },
          body: { subscription_plan: form.get("plan") as Plan, subscription_status: form.get("status") as Status },
        }),
      ),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: ["operator", "organizations"] });
      onClose();
    },
  });
  return (
    <Dialog title={t("operator.termsOf", { name: tenant.name })} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate(new FormData(event.currentTarget));
        }}
      >
        <Select label={t("settings.plan")} name="plan" defaultValue={tenant.subscription_plan}>
          {PLANS.map((plan) => (
            <option key={plan} value={plan}>
              {t(`plan.${plan}` as Key)}
            </option>
          ))}
        </Select>
        <Select
          label={t("operator.standing")}
          name="status"
          defaultValue={tenant.subscription_status}
          hint={t("operator.standingHow")}
        >
          {STATUSES.map((status) => (
            <option key={status} value={status}>
              {t(`standing.${status}` as Key)}
            </option>
          ))}
        </Select>
        {save.error && <Notice kind="bad">{sentence(save.error)}</Notice>}
        <div className="row end">
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" busy={save.isPending}>
            {t("action.save")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
