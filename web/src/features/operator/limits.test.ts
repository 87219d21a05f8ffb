import { expect, test } from "vitest";
import { fromUnit, inUnit } from "./limits";

test("sizes are written in the units people use, and stored to the byte", () => {
  expect(fromUnit("storage_bytes", 2.5)).toBe(2_500_000_000);
  expect(inUnit("upload_bytes", 25_000_000)).toBe(25);
  expect(inUnit("storage_bytes", 2 * 2 ** 30)).toBe(2.147);
  expect(fromUnit("members", 7)).toBe(7);
  expect(inUnit("requests_per_minute", 600)).toBe(600);
});
