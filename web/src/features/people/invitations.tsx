import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import { ago, date } from "../../lib/format";
import { type Key, t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Empty, Loaded } from "../../ui/state";
import { toast } from "../../ui/toast";

/** Invitations that nobody accepted yet. */
export function Invitations() {
  const { id, path, cannot } = useOrganization();
  const cache = useQueryClient();
  const invitations = useInfiniteQuery({
    queryKey: [id, "invitations"],
    queryFn: ({ pageParam }) =>
      read(
        api.GET("/api/v1/organizations/{organization_id}/invitations", {
          params: { path, query: { limit: 200, ...(pageParam ? { cursor: pageParam } : {}) } },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
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
    <Loaded query={invitations}>
      {(data) => {
        const items = data.pages.flatMap((page) => page.items);
        if (items.length === 0)
          return (
            <Empty icon="people" title={t("people.noInvitations")}>
              {t("people.noInvitationsHow")}
            </Empty>
          );
        return (
          <>
            <table className="table folds">
              <thead>
                <tr>
                  <th>{t("field.email")}</th>
                  <th>{t("people.role")}</th>
                  <th>{t("people.ends")}</th>
                  <th>
                    <span className="visually-hidden">{t("people.actions")}</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {items.map((invitation) => (
                  <tr key={invitation.id}>
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
                      <Button
                        small
                        disabledBecause={cannot("invitation:delete")}
                        onClick={() => revoke.mutate(invitation.id)}
                      >
                        {t("people.takeBack")}
                      </Button>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
            {invitations.hasNextPage && <Button onClick={() => invitations.fetchNextPage()}>{t("action.more")}</Button>}
          </>
        );
      }}
    </Loaded>
  );
}
