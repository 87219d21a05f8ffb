// Where a cited place lies in a window of a document's text. The API counts bytes of UTF-8; pages count characters.

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export type Span = { start: number; end: number };

/** The characters of `content` that the bytes `range` of the whole text cover; null when none of them is in this window. */
export function charactersOf(content: string, windowStart: number, range: Span): Span | null {
  const encoded = encoder.encode(content);
  const from = Math.max(0, range.start - windowStart);
  const to = Math.min(encoded.length, range.end - windowStart);
  if (to <= from) return null;
  const start = decoder.decode(encoded.subarray(0, from)).length;
  return { start, end: start + decoder.decode(encoded.subarray(from, to)).length };
}

export type TextBlock = Span & { kind: "heading" | "text" | "table"; level: number };

const HEADING = /^(#{1,6})\s/;

/** The paragraphs, headings and tables of extracted text, each with its place. */
export function blocksOf(content: string): TextBlock[] {
  const blocks: TextBlock[] = [];
  const gap = /\n[ \t]*\n\s*/g;
  let start = 0;
  const add = (end: number) => {
    const text = content.slice(start, end);
    if (!text.trim()) return;
    const level = HEADING.exec(text)?.[1]?.length ?? 0;
    const line = text.indexOf("\n");
    if (level && line >= 0) {
      blocks.push({ kind: "heading", level, start, end: start + line });
      blocks.push({ kind: kindOf(text.slice(line + 1)), level: 0, start: start + line + 1, end });
    } else {
      blocks.push({ kind: level ? "heading" : kindOf(text), level, start, end });
    }
  };
  for (let found = gap.exec(content); found; found = gap.exec(content)) {
    add(found.index);
    start = found.index + found[0].length;
  }
  add(content.length);
  return blocks;
}

/** A line on its own that is short and no sentence reads as a heading. */
const TITLE = /^[^\n]{1,80}$/;
const SENTENCE_END = /[.!?:;,…。！？：；，]$/;

function kindOf(text: string): TextBlock["kind"] {
  const trimmed = text.trim();
  if (TITLE.test(trimmed) && !SENTENCE_END.test(trimmed) && !trimmed.startsWith("|")) return "heading";
  const lines = text.split("\n").filter((line) => line.trim());
  return lines.length > 1 && lines.every((line) => line.trim().startsWith("|")) ? "table" : "text";
}

/** Who said something, and when: what each message of a thread that was written down begins with. */
const SPEAKER = /^(.{1,80}?) (\((?:\d{1,2} \p{L}+ \d{4} )?\d{2}:\d{2}(?: UTC)?\)): /u;

/** Where in a written-down message the speaker, the time and the words are; null where nobody speaks. */
export function messageOf(content: string, block: Span): { speaker: Span; time: Span; words: Span } | null {
  const found = SPEAKER.exec(content.slice(block.start, block.end));
  if (!found) return null;
  const [whole, name = "", time = ""] = found;
  const afterName = block.start + name.length + 1;
  return {
    speaker: { start: block.start, end: block.start + name.length },
    time: { start: afterName + 1, end: afterName + time.length - 1 },
    words: { start: block.start + whole.length, end: block.end },
  };
}

/** What begins a line of its own: points of a list, rows of a table, headings, quotations, code, and what is set in. */
const OWN_LINE = /^(?:\s|[-*+•]\s|\||#{1,6}\s|>|\d{1,4}[.)]\s|```|\[file: )/;
/** What ends a line for good: two spaces or a backslash, as Markdown has it. */
const HARD_BREAK = / {2}$|\\$/;

/** A single line break within a paragraph is a space, in Markdown and in text. Every character keeps its place. */
export function flowing(text: string): string {
  const lines = text.split("\n");
  return lines
    .map((line, at) => {
      const next = lines[at + 1];
      if (next === undefined) return line;
      const stays =
        !line.trim() ||
        !next.trim() ||
        OWN_LINE.test(next) ||
        /^(?:\||#{1,6}\s|```)/.test(line) ||
        HARD_BREAK.test(line);
      return line + (stays ? "\n" : " ");
    })
    .join("");
}

/** A stretch of text cut where the marked place begins and ends. */
export function cut(content: string, piece: Span, marked: Span | null): { text: string; isMarked: boolean }[] {
  if (!marked || marked.end <= piece.start || marked.start >= piece.end) {
    return [{ text: content.slice(piece.start, piece.end), isMarked: false }];
  }
  const from = Math.max(piece.start, marked.start);
  const to = Math.min(piece.end, marked.end);
  return [
    { text: content.slice(piece.start, from), isMarked: false },
    { text: content.slice(from, to), isMarked: true },
    { text: content.slice(to, piece.end), isMarked: false },
  ].filter((part) => part.text);
}
