import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, read, type Schemas } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import { type Key, t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { PermissionGrid } from "../../ui/permission-grid";
import { Notice } from "../../ui/state";
import { toastWithUndo } from "../../ui/toast";
import { overridesOf } from "./rights";
import type { Role } from "./role-choice";

type RoleEntry = Schemas["RoleResponse"];
type Overrides = Schemas["UpdateRoleRequest"]["overrides"];

/** What everybody of a role may do here. */
export function RoleRightsDialog({ role, roles, onClose }: { role: Role; roles: RoleEntry[]; onClose: () => void }) {
  const { id, path, can } = useOrganization();
  const cache = useQueryClient();
  const entry = roles.find((item) => item.role === role);
  const all = roles.find((item) => item.role === "owner")?.permissions ?? [];
  const [rights, setRights] = useState(new Set(entry?.permissions ?? []));
  const put = async (overrides: Overrides) => {
    await read(
      api.PUT("/api/v1/organizations/{organization_id}/roles/{role}", {
        params: { path: { ...path, role } },
        body: { overrides },
      }),
    );
    await cache.invalidateQueries({ queryKey: [id] });
  };
  const save = useMutation({
    mutationFn: ({ after }: Record<"before" | "after", Overrides>) => put(after),
    // The role is the changed one by now; what was before comes along.
    onSuccess: (_, { before }) => {
      onClose();
      const said = t("roles.rightsChanged", { role: t(`role.${role}` as Key) });
      toastWithUndo(said, () => put(before));
    },
  });
  const change = (after: Overrides) => save.mutate({ before: (entry?.overrides ?? {}) as Overrides, after });
  const set = (permission: string, allowed: boolean) => {
    const next = new Set(rights);
    if (allowed) next.add(permission);
    else next.delete(permission);
    setRights(next);
  };
  const isChanged = Object.keys(entry?.overrides ?? {}).length > 0;
  return (
    <Dialog wide title={t("roles.rightsOf", { role: t(`role.${role}` as Key) })} onClose={onClose}>
      <p className="quiet">{t("roles.rightsHow")}</p>
      <PermissionGrid
        legend={t("key.may")}
        permissions={all}
        isAllowed={(permission) => rights.has(permission)}
        // Nobody gives what they do not have.
        isFixed={(permission) => !can(permission) && !rights.has(permission)}
        onChange={set}
      />
      {save.error && <Notice kind="bad">{sentence(save.error)}</Notice>}
      <div className="row end">
        {isChanged && (
          <Button kind="plain" busy={save.isPending} onClick={() => change({})}>
            {t("roles.asBefore")}
          </Button>
        )}
        <Button onClick={onClose}>{t("action.cancel")}</Button>
        <Button
          kind="primary"
          busy={save.isPending}
          onClick={() => change(overridesOf(entry?.permissions ?? [], rights, (entry?.overrides ?? {}) as Overrides))}
        >
          {t("action.save")}
        </Button>
      </div>
    </Dialog>
  );
}
