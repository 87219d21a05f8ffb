import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Notice } from "../../ui/state";
import type { Member } from "./members";
import { RoleChoice } from "./role-choice";

export function RoleDialog({ member, onClose }: { member: Member; onClose: () => void }) {
  const { id, path } = useOrganization();
  const cache = useQueryClient();
  const [role, setRole] = useState(member.role);
  const save = useMutation({
    mutationFn: () =>
      read(
        api.PATCH("/api/v1/organizations/{organization_id}/members/{member_id}", {
          params: { path: { ...path, member_id: member.id } },
          body: { role },
        }),
      ),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: [id] });
      onClose();
    },
  });
  return (
    <Dialog title={t("people.roleOf", { name: member.name || member.email })} onClose={onClose}>
      <RoleChoice value={role} onChange={setRole} />
      {save.error && <Notice kind="bad">{sentence(save.error)}</Notice>}
      <div className="row end">
        <Button onClick={onClose}>{t("action.cancel")}</Button>
        <Button kind="primary" busy={save.isPending} onClick={() => save.mutate()}>
          {t("action.save")}
        </Button>
      </div>
    </Dialog>
  );
}
