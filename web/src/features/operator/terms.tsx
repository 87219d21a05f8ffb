import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, read, type Schemas } from "../../api/client";
import { sentence } from "../../api/problem";
import { bytes, number } from "../../lib/format";
import { type Key, t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Select, TextField } from "../../ui/field";
import { Notice } from "../../ui/state";
import { fromUnit, inUnit, LIMITS, type Limit } from "./limits";
import type { Tenant } from "./organizations";

type Plan = Schemas["Plan"];
type Status = Schemas["SubscriptionStatus"];

export const PLANS: Plan[] = ["free", "starter", "professional", "enterprise"];
const STATUSES: Status[] = ["trial", "active", "inactive", "cancelled"];

/** What is agreed with an organisation: its plan, whether it runs, and where its limits differ from the plan's. */
export function TermsDialog({ tenant, onClose }: { tenant: Tenant; onClose: () => void }) {
  const cache = useQueryClient();
  const save = useMutation({
    mutationFn: (form: FormData) => {
      const typed = (limit: Limit) => {
        const text = String(form.get(limit) ?? "").trim();
        return text ? fromUnit(limit, Number(text)) : null;
      };
      const limits = Object.fromEntries(LIMITS.map((limit) => [limit, typed(limit)])) as Schemas["LimitOverrides"];
      return read(
        api.PATCH("/api/v1/operator/organizations/{tenant_id}", {
          params: { path: { tenant_id: tenant.id } },
          body: {
            subscription_plan: form.get("plan") as Plan,
            subscription_status: form.get("status") as Status,
            limits,
          },
        }),
      );
    },
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
        <fieldset className="field stack tight">
          <legend>{t("limit.title")}</legend>
          <p className="quiet small">{t("limit.how")}</p>
          <div className="limits">
            {LIMITS.map((limit) => (
              <LimitField key={limit} limit={limit} tenant={tenant} />
            ))}
          </div>
        </fieldset>
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

function LimitField({ limit, tenant }: { limit: Limit; tenant: Tenant }) {
  const own = tenant.limit_overrides[limit];
  const plan = tenant.plan_limits[limit];
  const isSize = limit.endsWith("_bytes");
  return (
    <TextField
      label={t(`limit.${limit}` as Key)}
      name={limit}
      type="number"
      min={0}
      step={isSize ? "any" : 1}
      defaultValue={own == null ? "" : inUnit(limit, own)}
      placeholder={isSize ? inUnit(limit, plan).toFixed(limit === "storage_bytes" ? 1 : 0) : String(plan)}
      hint={t("limit.ofPlan", { value: isSize ? bytes(plan) : number(plan) })}
    />
  );
}
