import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, read, type Schemas } from "../../api/client";
import { usePages } from "../../api/pages";
import { sentence } from "../../api/problem";
import { ago } from "../../lib/format";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { CopyField } from "../../ui/copy-field";
import { Dialog } from "../../ui/dialog";
import { Menu } from "../../ui/menu";
import { PagedTable } from "../../ui/paged-table";
import { toast } from "../../ui/toast";

type User = Schemas["UserResponse"];

export function Accounts() {
  const users = usePages(["operator", "users"], (at) =>
    read(api.GET("/api/v1/operator/users", { params: { query: { limit: 100, ...at } } })),
  );
  return (
    <PagedTable
      query={users}
      columns={[t("people.person"), t("operator.standing"), t("people.lastSeen")]}
      idOf={(user) => user.id}
      row={(user) => <Row user={user} />}
    />
  );
}

function Row({ user }: { user: User }) {
  const cache = useQueryClient();
  const [link, setLink] = useState<string>();
  const params = { path: { user_id: user.id } };
  const change = useMutation({
    mutationFn: (isActive: boolean) =>
      read(api.PATCH("/api/v1/operator/users/{user_id}", { params, body: { is_active: isActive } })),
    onSuccess: () => cache.invalidateQueries({ queryKey: ["operator", "users"] }),
    onError: (error) => toast(sentence(error)),
  });
  const makeLink = useMutation({
    mutationFn: () => read(api.POST("/api/v1/operator/users/{user_id}/password-link", { params })),
    onSuccess: (made) => setLink(made.link),
    onError: (error) => toast(sentence(error)),
  });
  return (
    <tr>
      <td>
        <span className="who">
          <strong>{user.name || user.email}</strong>
          <span className="quiet small">{user.email}</span>
        </span>
      </td>
      <td data-label={t("operator.standing")}>
        <span className="row">
          {user.is_superadmin && <span className="tag accent">{t("nav.operator")}</span>}
          {user.is_active ? (
            <span className="tag good">{t("operator.active")}</span>
          ) : (
            <span className="tag bad">{t("operator.shutOut")}</span>
          )}
        </span>
      </td>
      <td data-label={t("people.lastSeen")} className="quiet">
        {user.last_login_at ? ago(user.last_login_at) : t("people.never")}
      </td>
      <td className="end">
        <Menu
          label={t("people.actionsOf", { name: user.name || user.email })}
          items={[
            { label: t("operator.passwordLink"), icon: "key", onSelect: () => makeLink.mutate() },
            {
              label: user.is_active ? t("operator.shut") : t("people.letIn"),
              icon: "lock",
              danger: user.is_active,
              onSelect: () => change.mutate(!user.is_active),
            },
          ]}
        />
        {link && (
          <Dialog title={t("operator.passwordLink")} onClose={() => setLink(undefined)}>
            <CopyField label={t("operator.passwordLink")} value={link} hint={t("operator.passwordLinkHint")} />
            <div className="row end">
              <Button kind="primary" onClick={() => setLink(undefined)}>
                {t("action.done")}
              </Button>
            </div>
          </Dialog>
        )}
      </td>
    </tr>
  );
}
