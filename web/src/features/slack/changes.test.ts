import { expect, test } from "vitest";
import { type Changes, changed, orders } from "./changes";
import type { Channel } from "./data";

const channel = (id: string, selected = false): Channel => ({
  id,
  external_id: id,
  kind: "public",
  name: `#${id}`,
  is_archived: false,
  is_shared: false,
  selected,
  open: false,
  messages_read: 0,
});

test("what is changed back is no change", () => {
  const one = channel("one");
  const there = changed(new Map(), one, { selected: true });
  expect(there.size).toBe(1);
  expect(changed(there, one, { selected: false }).size).toBe(0);
});

test("those alike go together", () => {
  const all = [channel("a"), channel("b"), channel("c", true), channel("d")];
  let changes: Changes = new Map();
  for (const one of all.slice(0, 2)) changes = changed(changes, one, { selected: true });
  changes = changed(changes, channel("c", true), { open: true });
  expect(orders(all, changes)).toEqual([
    { channel_ids: ["a", "b"], selected: true, open: false },
    { channel_ids: ["c"], selected: true, open: true },
  ]);
});
