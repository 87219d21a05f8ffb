import { expect, test } from "vitest";
import { ceiling } from "./ceiling";

test("a scale ends at a round number, with every bar below it", () => {
  expect([0, 1, 2, 3, 5, 7, 9, 10, 11, 37, 99, 100, 101, 4_321].map(ceiling)).toEqual([
    1, 1, 2, 4, 6, 8, 10, 10, 20, 40, 100, 100, 200, 6_000,
  ]);
});
