import { expect, test } from "vitest";
import { readersInWords, reasonInWords, type Seen } from "./seen";

const place = (change: object = {}) =>
  ({
    kind: "place",
    place: "C0GENERAL",
    name: "#general",
    people: 3,
    members: 1,
    colleagues: 2,
    outsiders: 0,
    shared: false,
    ...change,
  }) as Seen["readers"];

const source = (kind: string, holds = true) =>
  ({ document_id: "d", document_title: "Tea", audience: { kind }, holds, because: "" }) as Seen["sources"][number];

test("the place is called by its name, or by its id when that is not known", () => {
  expect(readersInWords(place())).toContain("#general");
  expect(readersInWords(place({ name: null }))).toContain("C0GENERAL");
});

test("strangers, shared places and places nobody could look into are told apart", () => {
  const texts = [{}, { outsiders: 1 }, { shared: true, people: 0 }, { people: 0, outsiders: 1 }].map((change) =>
    readersInWords(place(change)),
  );
  expect(new Set(texts).size).toBe(4);
});

test("each reason is one of its own", () => {
  const asker = (standing: string) => ({ kind: "asker", standing }) as Seen["readers"];
  const reasons = [
    reasonInWords(place(), source("organization", false)),
    reasonInWords(place(), source("public")),
    reasonInWords(place(), source("slack_channel")),
    reasonInWords(place(), source("organization")),
    reasonInWords(asker("member"), source("members")),
    reasonInWords(asker("colleague"), source("organization")),
  ];
  expect(new Set(reasons).size).toBe(6);
  expect(reasons[3]).toContain("2 more");
});
