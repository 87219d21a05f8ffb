import { useQuery } from "@tanstack/react-query";
import { api, read, type Schemas } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { type Key, t } from "../../lib/text";

export type Role = Schemas["Role"];

/** From the one who may do most to the one who may do least. */
export const ROLES: Role[] = ["owner", "administrator", "manager", "bot_trainer", "sales", "agent", "member", "viewer"];

/** The roles that somebody may give: owners all, administrators all but owner, managers those below their own. */
export function assignable(role: Role | null | undefined): Role[] {
  if (role === "owner") return ROLES;
  if (role === "administrator") return ROLES.slice(1);
  if (role === "manager") return ROLES.slice(3);
  return [];
}

export function useRoles() {
  const { id, path } = useOrganization();
  return useQuery({
    queryKey: [id, "roles"],
    queryFn: () => read(api.GET("/api/v1/organizations/{organization_id}/roles", { params: { path } })),
  });
}

/** The roles to choose from, each with what it is. */
export function RoleChoice({ value, onChange }: { value: Role; onChange: (role: Role) => void }) {
  const { details } = useOrganization();
  return (
    <fieldset className="field stack tight">
      <legend>{t("people.role")}</legend>
      {assignable(details.your_role).map((role) => (
        <label key={role} className="check">
          <input type="radio" name="role" checked={value === role} onChange={() => onChange(role)} />
          <span>
            {t(`role.${role}` as Key)} <span className="quiet small">{t(`roleHow.${role}` as Key)}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
