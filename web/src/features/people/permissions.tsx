import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import { type Key, t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Loaded, Notice } from "../../ui/state";
import { toastWithUndo } from "../../ui/toast";
import type { Member } from "./members";
import { useRoles } from "./role-choice";

/** Every permission there is, by what it acts on: what an owner has. */
export function grouped(permissions: readonly string[]): [string, string[]][] {
  const groups = new Map<string, string[]>();
  for (const permission of permissions) {
    const resource = permission.split(":")[0] ?? "";
    groups.set(resource, [...(groups.get(resource) ?? []), permission]);
  }
  return [...groups];
}

export function actionName(permission: string): string {
  return t(`verb.${permission.split(":")[1]}` as Key);
}

type Choice = "role" | "grant" | "deny";

/** What one person may do beyond their role, or may not do despite it. */
export function PermissionsDialog({ member, onClose }: { member: Member; onClose: () => void }) {
  const { id, path } = useOrganization();
  const cache = useQueryClient();
  const roles = useRoles();
  const [grant, setGrant] = useState(new Set(member.custom_permissions.grant ?? []));
  const [deny, setDeny] = useState(new Set(member.custom_permissions.deny ?? []));
  const set = async (custom_permissions: Member["custom_permissions"]) => {
    await read(
      api.PATCH("/api/v1/organizations/{organization_id}/members/{member_id}", {
        params: { path: { ...path, member_id: member.id } },
        body: { custom_permissions },
      }),
    );
    await cache.invalidateQueries({ queryKey: [id] });
  };
  const save = useMutation({
    mutationFn: (_before: Member["custom_permissions"]) => set({ grant: [...grant], deny: [...deny] }),
    // The member is the changed one by now; what was before comes along.
    onSuccess: (_, before) => {
      onClose();
      const said = t("people.permissionsChanged", { name: member.name || member.email });
      toastWithUndo(said, () => set(before));
    },
  });
  const choose = (permission: string, choice: Choice) => {
    const without = (set: Set<string>) => new Set([...set].filter((other) => other !== permission));
    setGrant(choice === "grant" ? new Set(grant).add(permission) : without(grant));
    setDeny(choice === "deny" ? new Set(deny).add(permission) : without(deny));
  };
  const choiceOf = (permission: string): Choice =>
    deny.has(permission) ? "deny" : grant.has(permission) ? "grant" : "role";
  return (
    <Dialog wide title={t("people.permissionsOf", { name: member.name || member.email })} onClose={onClose}>
      <p className="quiet">{t("people.permissionsHow")}</p>
      <Loaded query={roles}>
        {({ items }) => {
          const all = items.find((entry) => entry.role === "owner")?.permissions ?? [];
          const own = new Set(items.find((entry) => entry.role === member.role)?.permissions ?? []);
          return grouped(all).map(([resource, permissions]) => (
            <fieldset key={resource} className="field permissions">
              <legend>{t(`resource.${resource}` as Key)}</legend>
              {permissions.map((permission) => (
                <label key={permission} className="row between">
                  <span>{actionName(permission)}</span>
                  <select
                    className="input"
                    value={choiceOf(permission)}
                    onChange={(event) => choose(permission, event.target.value as Choice)}
                  >
                    <option value="role">{own.has(permission) ? t("people.byRoleYes") : t("people.byRoleNo")}</option>
                    <option value="grant">{t("people.grant")}</option>
                    <option value="deny">{t("people.deny")}</option>
                  </select>
                </label>
              ))}
            </fieldset>
          ));
        }}
      </Loaded>
      {save.error && <Notice kind="bad">{sentence(save.error)}</Notice>}
      <div className="row end">
        <Button onClick={onClose}>{t("action.cancel")}</Button>
        <Button kind="primary" busy={save.isPending} onClick={() => save.mutate(member.custom_permissions)}>
          {t("action.save")}
        </Button>
      </div>
    </Dialog>
  );
}
