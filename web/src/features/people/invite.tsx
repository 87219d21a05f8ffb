import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, read, type Schemas } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { Problem, sentence } from "../../api/problem";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { CopyField } from "../../ui/copy-field";
import { Dialog } from "../../ui/dialog";
import { TextField } from "../../ui/field";
import { Notice } from "../../ui/state";
import { type Role, RoleChoice } from "./role-choice";

export function InviteButton() {
  const { cannot } = useOrganization();
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button kind="primary" icon="plus" disabledBecause={cannot("invitation:create")} onClick={() => setOpen(true)}>
        {t("people.invite")}
      </Button>
      {open && <InviteDialog onClose={() => setOpen(false)} />}
    </>
  );
}

function InviteDialog({ onClose }: { onClose: () => void }) {
  const { id, path } = useOrganization();
  const cache = useQueryClient();
  const [role, setRole] = useState<Role>("member");
  const invite = useMutation({
    mutationFn: (email: string) =>
      read(
        api.POST("/api/v1/organizations/{organization_id}/invitations", { params: { path }, body: { email, role } }),
      ),
    onSuccess: () => cache.invalidateQueries({ queryKey: [id, "invitations"] }),
  });
  if (invite.data) return <Invited invited={invite.data} onClose={onClose} />;
  const wrong = invite.error instanceof Problem ? invite.error.field("email") : undefined;
  return (
    <Dialog title={t("people.invite")} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          invite.mutate(String(new FormData(event.currentTarget).get("email")).trim());
        }}
      >
        <TextField label={t("field.email")} name="email" type="email" required autoFocus wrong={wrong} />
        <RoleChoice value={role} onChange={setRole} />
        {invite.error && !wrong && <Notice kind="bad">{sentence(invite.error)}</Notice>}
        <div className="row end">
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" busy={invite.isPending}>
            {t("people.makeInvitation")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Invited({ invited, onClose }: { invited: Schemas["InvitedResponse"]; onClose: () => void }) {
  const kind = invited.delivery === "sent" ? "good" : "warn";
  return (
    <Dialog title={t("people.invited", { email: invited.email })} onClose={onClose}>
      <Notice kind={kind}>{t(`delivery.${invited.delivery}`)}</Notice>
      <CopyField label={t("people.link")} value={invited.link} hint={t("people.linkHint")} />
      <div className="row end">
        <Button kind="primary" onClick={onClose}>
          {t("action.done")}
        </Button>
      </div>
    </Dialog>
  );
}
