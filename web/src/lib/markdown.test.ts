import { describe, expect, test } from "vitest";
import { parseInline, parseMarkdown } from "./markdown";

describe("Markdown of answers", () => {
  test("sentences of a paragraph flow together and keep their marks", () => {
    expect(parseMarkdown("One. [1]\nTwo. [2]")).toEqual([
      {
        kind: "paragraph",
        children: [
          { kind: "text", text: "One. " },
          { kind: "citation", number: 1, index: 0 },
          { kind: "text", text: " Two. " },
          { kind: "citation", number: 2, index: 1 },
        ],
      },
    ]);
  });

  test("lists, headings, code and tables are told apart", () => {
    const text = "# Steps\n- a\n- b\n\n3. c\n4. d\n\n```\nx < y\n```\n\n| A | B |\n|---|---|\n| 1 | **2** |";
    const blocks = parseMarkdown(text);
    expect(blocks.map((block) => block.kind)).toEqual(["heading", "list", "list", "code", "table"]);
    expect(blocks[2]).toMatchObject({ ordered: true, start: 3 });
    expect(blocks[4]).toMatchObject({ rows: [[[{ kind: "text", text: "1" }], [{ kind: "strong" }]]] });
  });

  test("quoted rows of a table stand below each other, each with its mark", () => {
    const blocks = parseMarkdown("Errors: [1]\ncode | to do [1]\nKD-317 | Restart [1]\nThen wait. [2]");
    expect(blocks.map((block) => block.kind)).toEqual(["paragraph", "table", "paragraph"]);
    expect(blocks[1]).toMatchObject({
      head: [],
      rows: [
        [[{ text: "code" }], [{ text: "to do " }, { kind: "citation", index: 1 }]],
        [[{ text: "KD-317" }], [{ text: "Restart " }, { kind: "citation", index: 2 }]],
      ],
    });
    expect(parseMarkdown("yes | no")).toMatchObject([{ kind: "paragraph" }]);
  });

  test("nothing becomes a tag or an address that runs something", () => {
    const text = "<img src=x onerror=alert(1)> [x](javascript:alert(1))";
    expect(parseInline(text)).toEqual([{ kind: "text", text }]);
  });

  test("links to the web are links", () => {
    expect(parseInline("see [here](https://example.com/a)")[1]).toMatchObject({
      kind: "link",
      href: "https://example.com/a",
    });
  });

  test("what is not closed stays text", () => {
    expect(parseInline("2 * 3 ** 4 `x [1")).toEqual([{ kind: "text", text: "2 * 3 ** 4 `x [1" }]);
  });
});
