import { expect, test } from "vitest";
import { includes, only, toggled, type Workspace } from "./scope";

const acme: Workspace = { id: "w", kind: "slack", name: "Acme", knowledge_base_ids: ["chat", "handbook"] };

test("a workspace is in the scope when all it stands for is", () => {
  expect(includes(["chat"], acme)).toBe(false);
  expect(includes(["handbook", "other", "chat"], acme)).toBe(true);
});

test("a workspace comes and goes with all it stands for, and nothing twice", () => {
  expect(toggled(["chat", "other"], acme, true)).toEqual(["other", "chat", "handbook"]);
  expect(toggled(["chat", "other", "handbook"], acme, false)).toEqual(["other"]);
});

test("the scope is named after the workspace that it is, and no other", () => {
  expect(only(["handbook", "chat"], [acme])).toBe(acme);
  expect(only(["handbook", "chat", "other"], [acme])).toBeUndefined();
  expect(only([], [acme])).toBeUndefined();
});
