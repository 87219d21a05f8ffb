import { expect, test } from "vitest";
import type { Channel } from "./data";
import { reading } from "./progress";

function channel(part: Partial<Channel>): Channel {
  return {
    id: "c",
    external_id: "C1",
    kind: "public",
    name: "#general",
    is_archived: false,
    is_shared: false,
    selected: true,
    open: false,
    messages_read: 0,
    ...part,
  };
}

test("nothing is known before anything was read", () => {
  expect(reading([channel({}), channel({ selected: false })])).toMatchObject({
    followed: 1,
    waiting: 1,
    share: undefined,
    seconds: undefined,
    isAtLeast: true,
  });
});

test("the slowest channel decides, and what has not begun makes it longer", () => {
  const half = { progress: 0.5, read_back_to: "2026-01-01T00:00:00Z", messages_read: 10 };
  const two = [channel({ ...half, remaining_seconds: 60 }), channel({ ...half, remaining_seconds: 600 })];
  expect(reading(two)).toMatchObject({ share: 0.5, seconds: 600, isAtLeast: false, messages: 20 });
  expect(reading([...two, channel({})])).toMatchObject({ share: 1 / 3, seconds: 600, isAtLeast: true, waiting: 1 });
});

test("what cannot be read holds nothing up", () => {
  const done = channel({ complete_since: "2026-01-01T00:00:00Z", messages_read: 3 });
  expect(reading([done, channel({ problem: "Amebo is not in this channel any more." })])).toMatchObject({
    complete: 1,
    stuck: 1,
    waiting: 0,
    share: 1,
    isAtLeast: false,
  });
});
