import { expect, test } from "vitest";
import { csvField } from "./save";

test("fields of CSV are quoted, and nothing is taken for a formula", () => {
  expect(csvField('a "b", c')).toBe('"a ""b"", c"');
  expect(csvField("=1+1")).toBe("'=1+1");
  expect(csvField("plain")).toBe("plain");
});
