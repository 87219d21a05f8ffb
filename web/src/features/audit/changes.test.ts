import { expect, test } from "vitest";
import { changesOf } from "./changes";

test("a change of one thing is one change, whatever it is", () => {
  expect(changesOf({ before: "Acme", after: "Acme Ltd" })).toEqual([
    { name: undefined, before: "Acme", after: "Acme Ltd" },
  ]);
  expect(changesOf({ before: null, after: 210 })).toEqual([{ name: undefined, after: 210 }]);
});

test("a change of some fields names those that changed", () => {
  expect(
    changesOf({
      before: { role: "member", status: "active", custom_permissions: ["a:read"] },
      after: { role: "viewer", status: "active", custom_permissions: ["a:read"] },
    }),
  ).toEqual([{ name: "role", before: "member", after: "viewer" }]);
  expect(changesOf({ before: null, after: { linkedin: "https://linkedin.com/acme" } })).toEqual([
    { name: "linkedin", after: "https://linkedin.com/acme" },
  ]);
});

test("what tells of no change is no change", () => {
  expect(changesOf({ name: "Handbook" })).toBeNull();
  expect(changesOf(null)).toBeNull();
});
