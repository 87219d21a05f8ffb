import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import { type Key, t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Notice } from "../../ui/state";
import { toastWithUndo } from "../../ui/toast";
import type { Member } from "./members";
import { RoleChoice } from "./role-choice";

export function RoleDialog({ member, onClose }: { member: Member; onClose: () => void }) {
  const { id, path } = useOrganization();
  const cache = useQueryClient();
  const [role, setRole] = useState(member.role);
  const set = async (chosen: typeof role) => {
    await read(
      api.PATCH("/api/v1/organizations/{organization_id}/members/{member_id}", {
        params: { path: { ...path, member_id: member.id } },
        body: { role: chosen },
      }),
    );
    await cache.invalidateQueries({ queryKey: [id] });
  };
  const save = useMutation({
    mutationFn: (_before: typeof role) => set(role),
    // The member is the changed one by now; what was before comes along.
    onSuccess: (_, before) => {
      onClose();
      if (role === before) return;
      const said = t("people.roleChanged", { name: member.name || member.email, role: t(`role.${role}` as Key) });
      toastWithUndo(said, () => set(before));
    },
  });
  return (
    <Dialog title={t("people.roleOf", { name: member.name || member.email })} onClose={onClose}>
      <RoleChoice value={role} onChange={setRole} />
      {save.error && <Notice kind="bad">{sentence(save.error)}</Notice>}
      <div className="row end">
        <Button onClick={onClose}>{t("action.cancel")}</Button>
        <Button kind="primary" busy={save.isPending} onClick={() => save.mutate(member.role)}>
          {t("action.save")}
        </Button>
      </div>
    </Dialog>
  );
}
