// Questions that ask much the same, put together by the words they share. The latest stands for its group.
import type { Schemas } from "../../api/client";

type Question = Schemas["QuestionResponse"];

export type Group = { first: Question; others: Question[] };

/** From which share of common words on two questions count as alike. */
const ALIKE = 0.5;
/** Finds words where no spaces part them, too. */
const SEGMENTS = new Intl.Segmenter(undefined, { granularity: "word" });
/** Words shorter than this say little. */
const SHORTEST = 4;

function wordsOf(text: string): Set<string> {
  const words = [...SEGMENTS.segment(text.toLowerCase())].filter((part) => part.isWordLike).map((part) => part.segment);
  const long = words.filter((word) => word.length >= SHORTEST || /[^\p{ASCII}]/u.test(word));
  return new Set(long.length ? long : words);
}

function likeness(a: Set<string>, b: Set<string>): number {
  const common = [...a].filter((word) => b.has(word)).length;
  return common / (a.size + b.size - common || 1);
}

export function cluster(questions: readonly Question[]): Group[] {
  const groups: (Group & { words: Set<string> })[] = [];
  for (const question of questions) {
    const words = wordsOf(question.text);
    const group = groups.find((known) => likeness(known.words, words) >= ALIKE);
    if (group) group.others.push(question);
    else groups.push({ first: question, others: [], words });
  }
  return groups.sort((a, b) => b.others.length - a.others.length);
}
