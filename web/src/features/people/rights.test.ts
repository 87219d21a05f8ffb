import { expect, test } from "vitest";
import { overridesOf } from "./rights";

test("only what was changed deviates, besides what deviated before", () => {
  const before = ["document:read", "document:create", "member:read", "audit:read"];
  const after = ["document:read", "member:read", "member:update"];
  expect(overridesOf(before, after, { question: ["read"] })).toEqual({
    question: ["read"],
    document: ["read"],
    member: ["read", "update"],
    audit: [],
  });
  expect(overridesOf(before, [...before].reverse(), {})).toEqual({});
});
