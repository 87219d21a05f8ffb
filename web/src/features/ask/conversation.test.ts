import { QueryClient } from "@tanstack/react-query";
import { beforeEach, expect, test, vi } from "vitest";
import { Problem } from "../../api/problem";
import { ask, liveOf, type Question, questionsQuery, stop } from "./conversation";

const server = vi.hoisted(() => ({
  /** What the stream of an answer does. */
  stream: (_: ReadableStreamDefaultController<Uint8Array>) => {},
  /** The conversation as the server has it. */
  questions: [] as unknown[],
  asked: 0,
  looked: 0,
  /** How often it cannot be reached before it can. */
  away: 0,
}));

vi.mock("../../api/client", () => ({
  inside: (organization: string) => ({ organization_id: organization }),
  read: async (answer: Promise<{ data: unknown }>) => (await answer).data,
  raw: async (_: string, { signal }: RequestInit) => {
    server.asked += 1;
    return new Response(
      new ReadableStream({
        start(controller) {
          signal?.addEventListener("abort", () => controller.error(signal.reason));
          server.stream(controller);
        },
      }),
    );
  },
  api: {
    GET: async (route: string) => {
      if (!route.endsWith("/questions")) return { data: server.questions.at(-1) };
      server.looked += 1;
      if (server.looked <= server.away) throw new Problem(0, "it is away", "unreachable", [], undefined);
      return { data: { items: server.questions } };
    },
  },
}));

const QUESTION = { id: "q2", text: "When is tea?", answer: { outcome: "answered" } } as unknown as Question;

const encode = (text: string) => new TextEncoder().encode(text);

function asking() {
  const cache = new QueryClient();
  cache.setQueryData(questionsQuery("o", "s").queryKey, [{ ...QUESTION, id: "q1" }]);
  return {
    cache,
    organization: "o",
    session: "s",
    text: "When is tea?",
    bases: [],
    standalone: false,
    onTaken: () => {},
  };
}

beforeEach(() => {
  vi.useFakeTimers();
  Object.assign(server, { questions: [], asked: 0, looked: 0, away: 0 });
  return () => vi.useRealTimers();
});

/** Begins to answer, and breaks as browsers say that a connection broke. */
const breaks = (controller: ReadableStreamDefaultController<Uint8Array>) => {
  controller.enqueue(encode('event: sources\ndata: [1, 2]\n\nevent: token\ndata: {"text":"Tea is"}\n\n'));
  setTimeout(() => controller.error(new TypeError("network error")), 100);
};

test("a stream that breaks while it is read is looked after, not asked for again", async () => {
  server.stream = breaks;
  server.questions = [{ ...QUESTION, id: "q1" }, QUESTION];
  server.away = 2;
  const one = asking();
  const done = ask(one);
  await vi.advanceTimersByTimeAsync(50);
  expect(liveOf("s")).toMatchObject({ state: "writing", written: "Tea is", sources: 2 });
  await vi.advanceTimersByTimeAsync(200);
  expect(liveOf("s")?.state, "it is away yet").toBe("lost");
  await vi.advanceTimersByTimeAsync(60_000);
  await done;
  expect(liveOf("s")).toBeUndefined();
  expect(one.cache.getQueryData(questionsQuery("o", "s").queryKey)?.map(({ id }) => id)).toEqual(["q1", "q2"]);
  expect(server.asked).toBe(1);
});

test("what the server never took is said to have failed; the same words asked before do not count", async () => {
  server.stream = breaks;
  server.questions = [{ ...QUESTION, id: "q1" }];
  const done = ask(asking());
  await vi.advanceTimersByTimeAsync(10_000);
  await done;
  expect(liveOf("s")).toMatchObject({ state: "failed", error: "The connection broke before the answer was complete." });
});

test("a stream that ends without a verdict is looked after as well", async () => {
  server.stream = (controller) => controller.close();
  server.questions = [QUESTION];
  const done = ask(asking());
  await vi.advanceTimersByTimeAsync(10_000);
  await done;
  expect(liveOf("s")).toBeUndefined();
  expect(server.looked).toBe(1);
});

test("a verdict puts the question in its place", async () => {
  server.questions = [QUESTION];
  server.stream = (controller) => {
    controller.enqueue(encode('event: verdict\ndata: {"question_id":"q2"}\n\n'));
  };
  const one = asking();
  await ask(one);
  expect(liveOf("s")).toBeUndefined();
  expect(one.cache.getQueryData(questionsQuery("o", "s").queryKey)?.at(-1)?.id).toBe("q2");
});

test("what the server could not keep is said to have failed, and can be asked again", async () => {
  server.stream = (controller) => {
    controller.enqueue(encode('event: error\ndata: {"detail":"the outcome could not be stored"}\n\n'));
  };
  await ask(asking());
  expect(liveOf("s")).toMatchObject({
    state: "failed",
    error: "The answer could not be stored; ask again shortly.",
  });
  expect(server.looked).toBe(0);
});

test("whoever stops is not told of a failure", async () => {
  server.stream = () => {};
  const done = ask(asking());
  await vi.advanceTimersByTimeAsync(10);
  stop("s");
  await done;
  expect(liveOf("s")).toBeUndefined();
});
