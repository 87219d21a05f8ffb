import { useState } from "react";
import { useOrganization } from "../../api/organization";
import { type Key, t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Icon } from "../../ui/icon";
import { Loaded } from "../../ui/state";
import { actionName, grouped } from "./permissions";
import { assignable, ROLES, type Role, useRoles } from "./role-choice";
import { RoleRightsDialog } from "./role-rights";

/** What every role is and may do here. */
export function Roles() {
  const roles = useRoles();
  const { details, cannot } = useOrganization();
  const [changing, setChanging] = useState<Role>();
  const mayChange = assignable(details.your_role);
  return (
    <Loaded query={roles} rows={8}>
      {({ items }) => (
        <>
          <ul className="roles">
            {ROLES.map((role) => {
              const entry = items.find((item) => item.role === role);
              if (!entry) return null;
              return (
                <li key={role} className="card">
                  <details>
                    <summary>
                      <span className="grow">
                        <strong>{t(`role.${role}` as Key)}</strong>
                        <span className="quiet small">{t(`roleHow.${role}` as Key)}</span>
                      </span>
                      {Object.keys(entry.overrides).length > 0 && (
                        <span className="tag warn">{t("people.changedRole")}</span>
                      )}
                      <span className="quiet small">{t("people.count", { count: entry.permissions.length })}</span>
                      <Icon name="next" />
                    </summary>
                    <dl className="facts small">
                      {grouped(entry.permissions).map(([resource, permissions]) => (
                        <div key={resource}>
                          <dt>{t(`resource.${resource}` as Key)}</dt>
                          <dd>{permissions.map(actionName).join(", ")}</dd>
                        </div>
                      ))}
                    </dl>
                    {role !== "owner" && (
                      <div className="row end">
                        <Button
                          small
                          icon="edit"
                          disabledBecause={
                            cannot("organization:update") ??
                            (mayChange.includes(role) ? undefined : t("state.notAllowed"))
                          }
                          onClick={() => setChanging(role)}
                        >
                          {t("roles.change")}
                        </Button>
                      </div>
                    )}
                  </details>
                </li>
              );
            })}
          </ul>
          {changing && <RoleRightsDialog role={changing} roles={items} onClose={() => setChanging(undefined)} />}
        </>
      )}
    </Loaded>
  );
}
