import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { usePages } from "../../api/pages";
import { sentence } from "../../api/problem";
import { ago, date } from "../../lib/format";
import { type Key, t } from "../../lib/text";
import { Button } from "../../ui/button";
import { PagedTable } from "../../ui/paged-table";
import { Empty } from "../../ui/state";
import { toast } from "../../ui/toast";

/** Invitations that nobody accepted yet. */
export function Invitations() {
  const { id, path, cannot } = useOrganization();
  const cache = useQueryClient();
  const invitations = usePages([id, "invitations"], (at) =>
    read(
      api.GET("/api/v1/organizations/{organization_id}/invitations", {
        params: { path, query: { limit: 200, ...at } },
      }),
    ),
  );
  const revoke = useMutation({
    mutationFn: (invitation: string) =>
      read(
        api.DELETE("/api/v1/organizations/{organization_id}/invitations/{invitation_id}", {
          params: { path: { ...path, invitation_id: invitation } },
        }),
      ),
    onSuccess: () => cache.invalidateQueries({ queryKey: [id, "invitations"] }),
    onError: (error) => toast(sentence(error)),
  });
  return (
    <PagedTable
      query={invitations}
      columns={[t("field.email"), t("people.role"), t("people.ends")]}
      idOf={(invitation) => invitation.id}
      empty={
        <Empty icon="people" title={t("people.noInvitations")}>
          {t("people.noInvitationsHow")}
        </Empty>
      }
      row={(invitation) => (
        <tr>
          <td>
            <strong>{invitation.email}</strong>
          </td>
          <td data-label={t("people.role")}>{t(`role.${invitation.role}` as Key)}</td>
          <td data-label={t("people.ends")}>
            {new Date(invitation.expires_at) < new Date() ? (
              <span className="tag bad">{t("people.ended", { when: ago(invitation.expires_at) })}</span>
            ) : (
              date(invitation.expires_at)
            )}
          </td>
          <td className="end">
            <Button small disabledBecause={cannot("invitation:delete")} onClick={() => revoke.mutate(invitation.id)}>
              {t("people.takeBack")}
            </Button>
          </td>
        </tr>
      )}
    />
  );
}
