import { expect, test } from "vitest";
import { meant, secondsLeft, sentOf, type Upload } from "./upload";

const file = {} as File;

function upload(part: Partial<Upload>): Upload {
  return {
    id: 1,
    name: "a",
    path: "a",
    size: 100,
    base: "b",
    file,
    state: "waiting",
    sent: 0,
    error: undefined,
    ...part,
  };
}

test("what systems and programs leave in folders is not sent, wherever it lies", () => {
  const paths = [
    "handbook/leave.md",
    "handbook/.git/config",
    ".DS_Store",
    "a/Thumbs.db",
    "a/~$plan.docx",
    "__MACOSX/leave.md",
    "a/b.c/d.md",
  ];
  expect(meant(paths.map((path) => ({ file, path }))).map(({ path }) => path)).toEqual([
    "handbook/leave.md",
    "a/b.c/d.md",
  ]);
});

test("what is settled counts as sent, whatever became of it", () => {
  expect(
    sentOf([
      upload({ state: "done" }),
      upload({ state: "refused" }),
      upload({ state: "sending", sent: 30 }),
      upload({}),
    ]),
  ).toBe(230);
});

test("the rest takes as long as what was sent says, once that says something", () => {
  const list = [upload({ state: "done" }), upload({ state: "sending", sent: 50 }), upload({})];
  const since = { at: 0, sent: 50 };
  expect(secondsLeft(list, since, 500)).toBeNull();
  // A hundred bytes in two seconds, and 150 to go.
  expect(secondsLeft(list, since, 2_000)).toBe(3);
  expect(secondsLeft(list, { at: 0, sent: 150 }, 2_000)).toBeNull();
});
