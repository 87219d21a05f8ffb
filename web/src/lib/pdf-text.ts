// Where on a PDF's page some words stand.

/** A run of text on a page: its words, and where they are in the page's own units. */
export type Run = { str: string; width: number; height: number; transform: number[]; hasEOL?: boolean };

export type Rectangle = [number, number, number, number];

/** Spaces, hyphens at the ends of lines and the like differ between a page and its text; letters and digits do not. */
function letters(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "");
}

/** The boxes of the runs that hold `quote`, cut to the part of a run that it covers; empty when it is not on the page. */
export function boxesOf(runs: readonly Run[], quote: string): Rectangle[] {
  const parts = runs.map((run) => letters(run.str));
  const sought = letters(quote);
  const start = sought ? parts.join("").indexOf(sought) : -1;
  if (start < 0) return [];
  const end = start + sought.length;
  const boxes: Rectangle[] = [];
  let at = 0;
  for (const [index, part] of parts.entries()) {
    const run = runs[index];
    const from = Math.max(start, at) - at;
    const to = Math.min(end, at + part.length) - at;
    at += part.length;
    if (!run || to <= from || part.length === 0) continue;
    const [, , , , x = 0, y = 0] = run.transform;
    const left = x + (run.width * from) / part.length;
    const right = x + (run.width * to) / part.length;
    boxes.push([left, y - run.height * 0.2, right, y + run.height]);
  }
  return boxes;
}
