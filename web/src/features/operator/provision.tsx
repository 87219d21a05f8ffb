import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, read, type Schemas } from "../../api/client";
import { Problem, sentence } from "../../api/problem";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { CopyField } from "../../ui/copy-field";
import { Dialog } from "../../ui/dialog";
import { Select, TextField } from "../../ui/field";
import { Notice } from "../../ui/state";
import { PLANS } from "./terms";

/** Makes an organisation for somebody, and the link that lets them in. */
export function ProvisionDialog({ onClose }: { onClose: () => void }) {
  const cache = useQueryClient();
  const make = useMutation({
    mutationFn: (form: FormData) => {
      const text = (name: string) => String(form.get(name) ?? "").trim();
      return read(
        api.POST("/api/v1/operator/organizations", {
          body: {
            name: text("name"),
            owner_email: text("owner_email"),
            owner_name: text("owner_name"),
            plan: text("plan") as Schemas["Plan"],
          },
        }),
      );
    },
    onSuccess: () => cache.invalidateQueries({ queryKey: ["operator"] }),
  });
  const field = (name: string) => (make.error instanceof Problem ? make.error.field(name) : undefined);
  if (make.data) {
    return (
      <Dialog title={t("operator.made")} onClose={onClose}>
        {make.data.link ? (
          <CopyField label={t("operator.link")} value={make.data.link} hint={t("operator.linkHint")} />
        ) : (
          <p>{t("operator.hasAccount")}</p>
        )}
        <div className="row end">
          <Button kind="primary" onClick={onClose}>
            {t("action.done")}
          </Button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title={t("operator.make")} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          make.mutate(new FormData(event.currentTarget));
        }}
      >
        <TextField label={t("field.company")} name="name" required maxLength={200} autoFocus wrong={field("name")} />
        <TextField
          label={t("operator.ownerName")}
          name="owner_name"
          required
          maxLength={200}
          wrong={field("owner_name")}
        />
        <TextField
          label={t("operator.ownerEmail")}
          name="owner_email"
          type="email"
          required
          wrong={field("owner_email")}
        />
        <Select label={t("settings.plan")} name="plan" defaultValue="starter">
          {PLANS.map((plan) => (
            <option key={plan} value={plan}>
              {t(`plan.${plan}`)}
            </option>
          ))}
        </Select>
        {make.error && <Notice kind="bad">{sentence(make.error)}</Notice>}
        <div className="row end">
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" busy={make.isPending}>
            {t("operator.make")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
