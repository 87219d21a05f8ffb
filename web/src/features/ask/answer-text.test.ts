import { expect, test } from "vitest";
import { placesOfMarks } from "./answer-text";
import type { Citation } from "./conversation";

const citation = (number: number, source: number, start: number) =>
  ({ number, source, range_start: start }) as Citation;

test("each mark opens the place of its own sentence, though sentences share a source", () => {
  const citations = [citation(0, 1, 10), citation(1, 1, 50), citation(2, 2, 5)];
  const sentences = [
    { text: "A.", citations: [0] },
    { text: "B.", citations: [1, 2] },
    { text: "C.", citations: [0, 1] },
  ];
  // As the text has its marks: A. [1] B. [1][2] C. [1]
  expect(placesOfMarks({ sentences, citations }).map((place) => place.range_start)).toEqual([10, 50, 5, 10]);
});
