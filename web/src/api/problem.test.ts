import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { loadCatalogue } from "../lib/text";
import { problemOf, sentence } from "./problem";

const answer = (kind: string, status: number, detail?: string) =>
  new Response(JSON.stringify({ type: `urn:amebo:problem:${kind}`, detail, request_id: "r" }), { status });

beforeEach(() => vi.stubGlobal("document", { documentElement: {} }));
afterEach(async () => {
  await loadCatalogue("en");
  vi.unstubAllGlobals();
});

test("what a kind of problem says by itself is said in the reader's language", async () => {
  await loadCatalogue("de");
  const away = await problemOf(answer("unavailable", 503, "the database is away"));
  expect(sentence(away)).toContain("gerade nicht da");
  expect(away.requestId).toBe("r");
  expect(sentence(await problemOf(answer("rate-limited", 429, "too many requests")))).toContain("zu oft");
});

test("what it is in particular stays in the server's words, as all does in English", async () => {
  await loadCatalogue("de");
  expect(sentence(await problemOf(answer("conflict", 409, "the name is taken")))).toBe("The name is taken.");
  await loadCatalogue("en");
  expect(sentence(await problemOf(answer("unavailable", 503, "the database is away")))).toBe("The database is away.");
  expect(sentence(await problemOf(answer("unavailable", 503)))).toContain("not available at the moment");
  expect(sentence(await problemOf(new Response("<html>", { status: 502 })))).toBe("The server answered 502.");
});
