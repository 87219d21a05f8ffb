/** What one thing was and what it is; a side that is absent was, or is, not there. */
export type Change = { name: string | undefined; before?: unknown; after?: unknown };

type Fields = Record<string, unknown>;

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What the details of an entry say was changed, field by field where there are fields; null where they tell of no change. */
export function changesOf(details: unknown): Change[] | null {
  if (!isFields(details) || !("before" in details || "after" in details)) return null;
  const { before, after } = details;
  if (!isFields(before) && !isFields(after)) return [change(undefined, before, after)];
  const [was, is] = [isFields(before) ? before : {}, isFields(after) ? after : {}];
  return [...new Set([...Object.keys(was), ...Object.keys(is)])]
    .filter((name) => JSON.stringify(was[name]) !== JSON.stringify(is[name]))
    .map((name) => change(name, was[name], is[name]));
}

function change(name: string | undefined, before: unknown, after: unknown): Change {
  return { name, ...(before == null ? {} : { before }), ...(after == null ? {} : { after }) };
}
