import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, read, type Schemas } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { usePages } from "../../api/pages";
import { sentence } from "../../api/problem";
import { ago } from "../../lib/format";
import { type Key, t } from "../../lib/text";
import { Confirm } from "../../ui/dialog";
import { Menu, type MenuItem } from "../../ui/menu";
import { PagedTable } from "../../ui/paged-table";
import { toast } from "../../ui/toast";
import { PermissionsDialog } from "./permissions";
import { RoleDialog } from "./role-dialog";

export type Member = Schemas["MemberResponse"];

const ROUTE = "/api/v1/organizations/{organization_id}/members/{member_id}" as const;

export function Members() {
  const { id, path } = useOrganization();
  const members = usePages([id, "members"], (at) =>
    read(
      api.GET("/api/v1/organizations/{organization_id}/members", { params: { path, query: { limit: 200, ...at } } }),
    ),
  );
  return (
    <PagedTable
      query={members}
      columns={[t("people.person"), t("people.role"), t("people.lastSeen")]}
      idOf={(member) => member.id}
      row={(member) => <Row member={member} />}
    />
  );
}

type Open = "role" | "permissions" | "remove" | undefined;

function Row({ member }: { member: Member }) {
  const { id, path, can, memberId } = useOrganization();
  const cache = useQueryClient();
  const [open, setOpen] = useState<Open>();
  const params = { path: { ...path, member_id: member.id } };
  const refresh = () => cache.invalidateQueries({ queryKey: [id, "members"] });
  const suspend = useMutation({
    mutationFn: (status: "active" | "suspended") => read(api.PATCH(ROUTE, { params, body: { status } })),
    onSuccess: refresh,
    onError: (error) => toast(sentence(error)),
  });
  const remove = useMutation({
    mutationFn: () => read(api.DELETE(ROUTE, { params })),
    onSuccess: () => {
      setOpen(undefined);
      return refresh();
    },
    onError: (error) => toast(sentence(error)),
  });
  const isSuspended = member.status === "suspended";
  const isSelf = member.id === memberId;
  const items: MenuItem[] = [];
  if (can("member:update")) {
    items.push({ label: t("people.changeRole"), icon: "edit", onSelect: () => setOpen("role") });
    items.push({ label: t("people.permissions"), icon: "key", onSelect: () => setOpen("permissions") });
    if (!isSelf) {
      items.push({
        label: isSuspended ? t("people.letIn") : t("people.suspend"),
        icon: "lock",
        onSelect: () => suspend.mutate(isSuspended ? "active" : "suspended"),
      });
    }
  }
  if (can("member:delete") && !isSelf)
    items.push({ label: t("people.remove"), icon: "trash", danger: true, onSelect: () => setOpen("remove") });
  const custom = (member.custom_permissions.grant?.length ?? 0) + (member.custom_permissions.deny?.length ?? 0);
  return (
    <tr>
      <td>
        <span className="who">
          <strong>
            {member.name || member.email} {isSelf && <span className="quiet">{t("people.you")}</span>}
          </strong>
          {member.name && <span className="quiet small">{member.email}</span>}
        </span>
      </td>
      <td data-label={t("people.role")}>
        <span className="row">
          {t(`role.${member.role}` as Key)}
          {custom > 0 && <span className="tag">{t("people.custom", { count: custom })}</span>}
          {isSuspended && <span className="tag bad">{t("people.suspended")}</span>}
        </span>
      </td>
      <td data-label={t("people.lastSeen")} className="quiet">
        {member.last_login_at ? ago(member.last_login_at) : t("people.never")}
      </td>
      <td className="end">
        {items.length > 0 && (
          <Menu label={t("people.actionsOf", { name: member.name || member.email })} items={items} />
        )}
        {open === "role" && <RoleDialog member={member} onClose={() => setOpen(undefined)} />}
        {open === "permissions" && <PermissionsDialog member={member} onClose={() => setOpen(undefined)} />}
        {open === "remove" && (
          <Confirm
            title={t("people.removeTitle", { name: member.name || member.email })}
            action={t("people.remove")}
            busy={remove.isPending}
            onConfirm={() => remove.mutate()}
            onClose={() => setOpen(undefined)}
          >
            <p>{t("people.removeHow")}</p>
          </Confirm>
        )}
      </td>
    </tr>
  );
}
