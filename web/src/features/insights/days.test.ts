import { expect, test } from "vitest";
import type { Schemas } from "../../api/client";
import { filled, toCsv, total } from "./days";

const asked = {
  day: "2026-03-02",
  questions: 15,
  answered: 1,
  declined: 2,
  escalated: 3,
  stopped: 4,
  failed: 5,
} as Schemas["DayResponse"];

test("every day of a range is there, and all that became of questions", () => {
  const days = filled([asked], 3, Date.parse("2026-03-03T23:00:00Z"));
  expect(days.map(({ day }) => day)).toEqual(["2026-03-01", "2026-03-02", "2026-03-03"]);
  expect(days.map(total)).toEqual([0, 15, 0]);
});

test("the table of it can be taken elsewhere", () => {
  expect(toCsv(filled([asked], 1, Date.parse("2026-03-02T10:00:00Z")))).toBe(
    "day,answered,declined,escalated,stopped,failed\r\n2026-03-02,1,2,3,4,5",
  );
});
