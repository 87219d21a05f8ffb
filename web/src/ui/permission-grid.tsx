import { type Key, t } from "../lib/text";
import { Checkbox } from "./field";

type GridProps = {
  legend: string;
  /** Written `document:create`. */
  permissions: readonly string[];
  isAllowed: (permission: string) => boolean;
  /** Those that cannot be changed here. */
  isFixed?: (permission: string) => boolean;
  onChange: (permission: string, allowed: boolean) => void;
};

/** Permissions to choose from, one line for each kind of thing. */
export function PermissionGrid({ legend, permissions, isAllowed, isFixed, onChange }: GridProps) {
  const resources = [...new Set(permissions.map((permission) => permission.split(":")[0] ?? ""))];
  return (
    <fieldset className="field scopes">
      <legend>{legend}</legend>
      {resources.map((resource) => (
        // biome-ignore lint/a11y/useSemanticElements: a fieldset in a fieldset would be drawn as one
        <div key={resource} className="row" role="group" aria-label={t(`resource.${resource}` as Key)}>
          <strong className="small grow">{t(`resource.${resource}` as Key)}</strong>
          {permissions
            .filter((permission) => permission.startsWith(`${resource}:`))
            .map((permission) => (
              <Checkbox
                key={permission}
                label={t(`verb.${permission.split(":")[1]}` as Key)}
                checked={isAllowed(permission)}
                disabled={isFixed?.(permission) ?? false}
                onChange={(event) => onChange(permission, event.target.checked)}
              />
            ))}
        </div>
      ))}
    </fieldset>
  );
}
