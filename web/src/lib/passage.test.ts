import { describe, expect, test } from "vitest";
import { blocksOf, charactersOf, cut, flowing, messageOf } from "./passage";

const bytes = (text: string) => new TextEncoder().encode(text).length;

describe("a cited place in a window of text", () => {
  const before = "Grüße 😀 und ";
  const place = "größte Sätze";
  const content = `${before}${place} am Ende`;
  const windowStart = 1000;
  const start = windowStart + bytes(before);
  const end = start + bytes(place);

  test("bytes of the document become characters of the page", () => {
    const found = charactersOf(content, windowStart, { start, end });
    expect(found && content.slice(found.start, found.end)).toBe(place);
  });

  test("a place that begins before the window is marked from its edge", () => {
    const found = charactersOf(content, windowStart, { start: 0, end: windowStart + bytes("Grüße") });
    expect(found && content.slice(found.start, found.end)).toBe("Grüße");
  });

  test("a place elsewhere is not marked here", () => {
    expect(charactersOf(content, windowStart, { start: 0, end: 900 })).toBeNull();
    expect(charactersOf(content, windowStart, { start: 5000, end: 5010 })).toBeNull();
  });
});

describe("blocks of extracted text", () => {
  const text = "Handbook\n\nLeave is 27 days.\nAsk your lead.\n\n| a | b |\n| 1 | 2 |\n\n";

  test("headings, paragraphs and tables, each with its place", () => {
    const blocks = blocksOf(text);
    expect(blocks.map((block) => block.kind)).toEqual(["heading", "text", "table"]);
    expect(text.slice(blocks[1]?.start, blocks[1]?.end)).toBe("Leave is 27 days.\nAsk your lead.");
  });

  test("a mark across blocks is cut at their edges, and no character is lost", () => {
    const marked = { start: text.indexOf("27"), end: text.indexOf("| 1") };
    const pieces = blocksOf(text).flatMap((block) => cut(text, block, marked));
    expect(pieces.filter((piece) => piece.isMarked).map((piece) => piece.text)).toEqual([
      "27 days.\nAsk your lead.",
      "| a | b |\n",
    ]);
  });

  test("a single line break is a space, without moving a character", () => {
    const wrapped = "Every colleague has\n27 days of leave\nin a year.\n- a point\n- another\n\nNext\nparagraph";
    const result = flowing(wrapped);
    expect(result).toHaveLength(wrapped.length);
    expect(result).toBe("Every colleague has 27 days of leave in a year.\n- a point\n- another\n\nNext paragraph");
  });

  test("lines that are lines of their own stay so", () => {
    for (const text of [
      "| a |\n| b |",
      "# Leave\nIt is long.",
      "first  \nsecond",
      "1. one\n2. two",
      "code:\n    set in",
      "> said\n> so",
    ]) {
      expect(flowing(text)).toBe(text);
    }
  });
});

test("a written-down message tells who spoke, when, and what was said", () => {
  const text =
    "Ada Obi (he/him) (3 May 2026 09:10 UTC): Ready (almost): yes\n\nBen (09:11): no\n\n李 (4 May 2026 08:00 UTC): 好";
  const parts = blocksOf(text).map((block) => {
    const found = messageOf(text, block);
    return found && [found.speaker, found.time, found.words].map(({ start, end }) => text.slice(start, end));
  });
  expect(parts).toEqual([
    ["Ada Obi (he/him)", "3 May 2026 09:10 UTC", "Ready (almost): yes"],
    ["Ben", "09:11", "no"],
    ["李", "4 May 2026 08:00 UTC", "好"],
  ]);
});
