// An answer as text to be taken elsewhere.
import type { Answer, Citation } from "./conversation";

export type Source = { number: number; citations: Citation[] };

/** The places an answer rests on, one entry for each number in its text. */
export function sourcesOf(citations: readonly Citation[]): Source[] {
  const sources = new Map<number, Citation[]>();
  for (const citation of citations) {
    const places = sources.get(citation.source);
    if (places) places.push(citation);
    else sources.set(citation.source, [citation]);
  }
  return [...sources].sort(([a], [b]) => a - b).map(([number, places]) => ({ number, citations: places }));
}

/** The places that the marks of an answer's text stand for, in the order of the marks: each sentence has its own. */
export function placesOfMarks(answer: Pick<Answer, "sentences" | "citations">): Citation[] {
  const known = new Map(answer.citations.map((citation) => [citation.number, citation]));
  return answer.sentences.flatMap((sentence) => {
    const places = sentence.citations.flatMap((number) => known.get(number) ?? []);
    // Two places of one source in a row have one mark.
    return places.filter((place, index) => place.source !== places[index - 1]?.source);
  });
}

/** Where a place is: its document, the headings above it, its page. */
export function placeOf(citation: Citation): string {
  const headings = citation.heading_path.filter((heading) => heading !== citation.document_title);
  return [citation.document_title, ...headings].join(" › ");
}

/** The answer as Markdown, its sources as footnotes with the words they say. */
export function toMarkdown(question: string, answer: Answer, addressOf: (citation: Citation) => string): string {
  const text = answer.text.replace(/\[(\d+)\]/g, "[^$1]");
  const notes = sourcesOf(answer.citations).map(({ number, citations }) => {
    const [first] = citations;
    if (!first) return "";
    const page = first.page ? `, p. ${first.page}` : "";
    const quote = first.quote.trim().replaceAll(/\s+/g, " ");
    return `[^${number}]: [${placeOf(first)}](${addressOf(first)})${page}: “${quote}”`;
  });
  return [`**${question}**`, text, notes.join("\n")].filter(Boolean).join("\n\n");
}
