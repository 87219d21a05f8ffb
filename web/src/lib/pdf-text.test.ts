import { expect, test } from "vitest";
import { boxesOf, type Run } from "./pdf-text";

const run = (str: string, x: number, y: number): Run => ({
  str,
  width: str.length * 10,
  height: 10,
  transform: [1, 0, 0, 1, x, y],
});

test("words that break across lines are found, and each line has its box", () => {
  const runs = [run("Each parent takes six-", 0, 100), run("teen weeks of leave.", 0, 80)];
  const boxes = boxesOf(runs, "sixteen  weeks");
  expect(boxes).toHaveLength(2);
  expect(boxes[0]?.[1]).toBeGreaterThan(boxes[1]?.[1] ?? 0);
  expect(boxes[0]?.[0]).toBeGreaterThan(100);
  expect(boxes[1]?.[0]).toBe(0);
});

test("words that are not on the page have no box", () => {
  expect(boxesOf([run("Something else", 0, 0)], "sixteen weeks")).toEqual([]);
  expect(boxesOf([run("Something else", 0, 0)], "")).toEqual([]);
});
