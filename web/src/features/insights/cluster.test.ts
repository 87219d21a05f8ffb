import { expect, test } from "vitest";
import type { Schemas } from "../../api/client";
import { cluster } from "./cluster";

const question = (id: string, text: string) => ({ id, text }) as Schemas["QuestionResponse"];

test("questions that share most words stand together, the largest group first", () => {
  const groups = cluster([
    question("1", "Where can I park my car?"),
    question("2", "How do I reset the badge reader?"),
    question("3", "how do i reset a badge reader"),
    question("4", "Wie viele Tage Elternzeit gibt es?"),
  ]);
  expect(groups.map((group) => [group.first.id, ...group.others.map((other) => other.id)])).toEqual([
    ["2", "3"],
    ["1"],
    ["4"],
  ]);
});

test("words are told apart where no spaces part them", () => {
  const groups = cluster([
    question("1", "员工每年有多少天年假？"),
    question("2", "如何重置徽章读卡器？"),
    question("3", "员工一年有多少天年假"),
  ]);
  expect(groups.map((group) => [group.first.id, ...group.others.map((other) => other.id)])).toEqual([
    ["1", "3"],
    ["2"],
  ]);
});
