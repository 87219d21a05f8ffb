// What a role may do, as the API keeps it: resource by resource where it differs from the default.

type Actions = Record<string, string[]>;

function byResource(permissions: Iterable<string>): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const permission of permissions) {
    const [resource = "", action = ""] = permission.split(":");
    found.set(resource, [...(found.get(resource) ?? []), action]);
  }
  return found;
}

/** The deviations to keep: those there were, and every resource whose actions were changed now. */
export function overridesOf<T extends Actions>(before: Iterable<string>, after: Iterable<string>, known: T): T {
  const old = byResource(before);
  const next = byResource(after);
  const overrides: Actions = { ...known };
  for (const resource of new Set([...old.keys(), ...next.keys()])) {
    const was = [...(old.get(resource) ?? [])].sort();
    const is = [...(next.get(resource) ?? [])].sort();
    if (was.join() !== is.join()) overrides[resource] = is;
  }
  return overrides as T;
}
