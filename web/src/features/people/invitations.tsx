import { useQueryClient } from "@tanstack/react-query";
import { api, read, type Schemas } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { usePages } from "../../api/pages";
import { ago, date } from "../../lib/format";
import { type Key, t } from "../../lib/text";
import { Button } from "../../ui/button";
import { removeWithUndo, useLeaving } from "../../ui/leaving";
import { PagedTable } from "../../ui/paged-table";
import { Empty } from "../../ui/state";

type Invitation = Schemas["InvitationResponse"];

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
  const leaving = useLeaving();
  const takeBack = (invitation: Invitation) =>
    removeWithUndo({
      id: invitation.id,
      said: t("people.tookBack", { email: invitation.email }),
      act: () =>
        read(
          api.DELETE("/api/v1/organizations/{organization_id}/invitations/{invitation_id}", {
            params: { path: { ...path, invitation_id: invitation.id } },
            keepalive: true,
          }),
        ),
      after: () => cache.invalidateQueries({ queryKey: [id, "invitations"] }),
    });
  return (
    <PagedTable
      query={invitations}
      isShown={(invitation) => !leaving.has(invitation.id)}
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
            <Button small disabledBecause={cannot("invitation:delete")} onClick={() => takeBack(invitation)}>
              {t("people.takeBack")}
            </Button>
          </td>
        </tr>
      )}
    />
  );
}
