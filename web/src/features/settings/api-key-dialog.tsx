import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { CopyField } from "../../ui/copy-field";
import { Dialog } from "../../ui/dialog";
import { Select, TextField } from "../../ui/field";
import { PermissionGrid } from "../../ui/permission-grid";
import { Notice } from "../../ui/state";

const DAYS = ["", "30", "90", "365"] as const;
const USUAL = ["question:create", "question:read", "knowledge_base:read", "document:read"];

/** Makes a key, and shows it once. */
export function ApiKeyDialog({ onClose }: { onClose: () => void }) {
  const { id, path, details } = useOrganization();
  const cache = useQueryClient();
  const mine = details.your_permissions;
  const [scopes, setScopes] = useState(USUAL.filter((scope) => mine.includes(scope)));
  const make = useMutation({
    mutationFn: (form: FormData) => {
      const days = Number(form.get("days"));
      const expires = days ? new Date(Date.now() + days * 86_400_000).toISOString() : null;
      return read(
        api.POST("/api/v1/organizations/{organization_id}/api-keys", {
          params: { path },
          body: { name: String(form.get("name")).trim(), scopes, expires_at: expires },
        }),
      );
    },
    onSuccess: () => cache.invalidateQueries({ queryKey: [id, "api-keys"] }),
  });
  if (make.data) {
    return (
      <Dialog title={t("key.made")} onClose={onClose} mayClose={false}>
        <Notice kind="warn">{t("key.once")}</Notice>
        <CopyField label={t("key.key")} value={make.data.key} />
        <div className="row end">
          <Button kind="primary" onClick={onClose}>
            {t("key.kept")}
          </Button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog wide title={t("key.make")} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          make.mutate(new FormData(event.currentTarget));
        }}
      >
        <TextField label={t("field.name")} name="name" required maxLength={100} autoFocus hint={t("key.nameHint")} />
        <Select label={t("key.ends")} name="days" defaultValue="90">
          {DAYS.map((days) => (
            <option key={days} value={days}>
              {days ? t("key.days", { count: Number(days) }) : t("key.never")}
            </option>
          ))}
        </Select>
        <PermissionGrid
          legend={t("key.may")}
          permissions={mine}
          isAllowed={(permission) => scopes.includes(permission)}
          onChange={(permission, allowed) =>
            setScopes(allowed ? [...scopes, permission] : scopes.filter((other) => other !== permission))
          }
        />
        {make.error && <Notice kind="bad">{sentence(make.error)}</Notice>}
        <div className="row end">
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button
            kind="primary"
            type="submit"
            busy={make.isPending}
            disabledBecause={scopes.length ? undefined : t("key.chooseOne")}
          >
            {t("key.make")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
