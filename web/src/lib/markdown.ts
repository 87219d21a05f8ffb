// The little Markdown that answers use, as a tree of plain data. Nothing is ever HTML: what is not known stays text.

export type Inline =
  | { kind: "text"; text: string }
  | { kind: "strong" | "emphasis"; children: Inline[] }
  | { kind: "code"; text: string }
  | { kind: "link"; href: string; children: Inline[] }
  /** A mark `[1]`; `index` is its place among all marks of the text, from 0. */
  | { kind: "citation"; number: number; index: number };

export type Block =
  | { kind: "paragraph"; children: Inline[] }
  | { kind: "heading"; level: number; children: Inline[] }
  | { kind: "list"; ordered: boolean; start: number; items: Inline[][] }
  | { kind: "code"; text: string }
  /** `head` is empty where the text has none. */
  | { kind: "table"; head: Inline[][]; rows: Inline[][][] };

const BULLET = /^\s*[-*•]\s+(.*)$/;
const NUMBERED = /^\s*(\d{1,4})[.)]\s+(.*)$/;
const HEADING = /^(#{1,6})\s+(.*)$/;
const RULE = /^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*$/;

export function parseMarkdown(text: string): Block[] {
  const lines = text.replaceAll("\r\n", "\n").split("\n");
  const blocks: Block[] = [];
  let paragraph: string[] = [];
  const flush = () => {
    if (paragraph.length) blocks.push({ kind: "paragraph", children: parseInline(paragraph.join(" ")) });
    paragraph = [];
  };
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? "";
    const special = fence(lines, at) ?? table(lines, at) ?? quotedRows(lines, at) ?? list(lines, at) ?? heading(line);
    if (special) {
      flush();
      blocks.push(special.block);
      at += special.taken;
      continue;
    }
    if (line.trim()) paragraph.push(line.trim());
    else flush();
    at += 1;
  }
  flush();
  number(blocks);
  return blocks;
}

/** Counts the marks of a text in the order in which they are read. */
function number(blocks: Block[]) {
  let index = 0;
  const walk = (parts: Inline[]) => {
    for (const part of parts) {
      if (part.kind === "citation") part.index = index++;
      else if ("children" in part) walk(part.children);
    }
  };
  for (const block of blocks) {
    if ("children" in block) walk(block.children);
    else if (block.kind === "list") block.items.forEach(walk);
    else if (block.kind === "table") for (const row of [block.head, ...block.rows]) row.forEach(walk);
  }
}

type Taken = { block: Block; taken: number };

function heading(line: string): Taken | null {
  const found = HEADING.exec(line);
  if (!found) return null;
  return { block: { kind: "heading", level: found[1]?.length ?? 1, children: parseInline(found[2] ?? "") }, taken: 1 };
}

function fence(lines: string[], at: number): Taken | null {
  if (!lines[at]?.startsWith("```")) return null;
  let end = at + 1;
  while (end < lines.length && !lines[end]?.startsWith("```")) end += 1;
  return { block: { kind: "code", text: lines.slice(at + 1, end).join("\n") }, taken: end - at + 1 };
}

function list(lines: string[], at: number): Taken | null {
  const first = lines[at] ?? "";
  const ordered = NUMBERED.test(first);
  const pattern = ordered ? NUMBERED : BULLET;
  if (!pattern.test(first)) return null;
  const items: Inline[][] = [];
  let end = at;
  for (; end < lines.length; end += 1) {
    const found = pattern.exec(lines[end] ?? "");
    if (!found) break;
    items.push(parseInline(found[ordered ? 2 : 1] ?? ""));
  }
  const start = ordered ? Number(NUMBERED.exec(first)?.[1]) : 1;
  return { block: { kind: "list", ordered, start, items }, taken: end - at };
}

function table(lines: string[], at: number): Taken | null {
  const head = lines[at] ?? "";
  const rule = lines[at + 1] ?? "";
  if (!head.includes("|") || !rule.includes("|") || !RULE.test(rule)) return null;
  let end = at + 2;
  while (end < lines.length && lines[end]?.includes("|")) end += 1;
  const rows = lines.slice(at + 2, end).map(cells);
  return { block: { kind: "table", head: cells(head), rows }, taken: end - at };
}

const CELL = " | ";

/** Rows of a table that were quoted as they stand: nothing says which of them is its header, if any. */
function quotedRows(lines: string[], at: number): Taken | null {
  const width = (line = "") => line.split(CELL).length;
  const first = width(lines[at]);
  let end = at + 1;
  while (end < lines.length && width(lines[end]) === first) end += 1;
  // A single bar in a single line is as likely a bar.
  if (first < 2 || (first === 2 && end === at + 1)) return null;
  return { block: { kind: "table", head: [], rows: lines.slice(at, end).map(cells) }, taken: end - at };
}

function cells(line: string): Inline[][] {
  const trimmed = line.trim().replace(/^\||\|$/g, "");
  return trimmed.split("|").map((cell) => parseInline(cell.trim()));
}

const INLINE = [
  { pattern: /^`([^`]+)`/, make: (m: RegExpExecArray): Inline => ({ kind: "code", text: m[1] ?? "" }) },
  {
    pattern: /^\*\*(.+?)\*\*/,
    make: (m: RegExpExecArray): Inline => ({ kind: "strong", children: parseInline(m[1] ?? "") }),
  },
  {
    pattern: /^\*([^*\s][^*]*)\*/,
    make: (m: RegExpExecArray): Inline => ({ kind: "emphasis", children: parseInline(m[1] ?? "") }),
  },
  {
    pattern: /^\[(\d{1,3})\]/,
    make: (m: RegExpExecArray): Inline => ({ kind: "citation", number: Number(m[1]), index: 0 }),
  },
  {
    pattern: /^\[([^\]]+)\]\((https?:\/\/[^\s)]+)\)/,
    make: (m: RegExpExecArray): Inline => ({ kind: "link", href: m[2] ?? "", children: parseInline(m[1] ?? "") }),
  },
];

export function parseInline(text: string): Inline[] {
  const parts: Inline[] = [];
  let plain = "";
  const flush = () => {
    if (plain) parts.push({ kind: "text", text: plain });
    plain = "";
  };
  for (let at = 0; at < text.length; ) {
    const rest = text.slice(at);
    const found = "`*[".includes(text[at] ?? "") ? firstMatch(rest) : null;
    if (found) {
      flush();
      parts.push(found.inline);
      at += found.length;
    } else {
      plain += text[at];
      at += 1;
    }
  }
  flush();
  return parts;
}

function firstMatch(rest: string): { inline: Inline; length: number } | null {
  for (const { pattern, make } of INLINE) {
    const found = pattern.exec(rest);
    if (found) return { inline: make(found), length: found[0].length };
  }
  return null;
}
