import { type InfiniteData, InfiniteQueryObserver, QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readsOn } from "./pages";

type Page = { items: number[]; next_cursor?: string };
type Read = (cursor: string, signal: AbortSignal) => Promise<Page>;

/** A list whose end is always in sight, as a list shorter than the window is. */
function watch(read: Read) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const observer = new InfiniteQueryObserver<Page, Error, InfiniteData<Page>, string[], string>(client, {
    queryKey: ["list"],
    queryFn: ({ pageParam, signal }) => read(pageParam, signal),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
  });
  const stop = observer.subscribe((list) => {
    if (readsOn(list)) void list.fetchNextPage();
  });
  const items = () => observer.getCurrentResult().data?.pages.flatMap((page) => page.items) ?? [];
  return { client, observer, stop, items };
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** When all that can happen without anything new from outside has happened. */
const quiet = () => vi.advanceTimersByTimeAsync(1_000);

test("a list reads on to its end", async () => {
  const { items, stop } = watch(async (cursor) =>
    cursor === "2" ? { items: [2] } : { items: [Number(cursor)], next_cursor: String(Number(cursor) + 1) },
  );
  await quiet();
  expect(items()).toEqual([0, 1, 2]);
  stop();
});

test("a page that fails for good is asked for once, and once more when somebody wants it", async () => {
  let asked = 0;
  let isMended = false;
  const { observer, items, stop } = watch(async (cursor) => {
    if (cursor === "") return { items: [0], next_cursor: "1" };
    asked += 1;
    if (!isMended) throw new Error("the second page is broken");
    return { items: [1] };
  });
  await quiet();
  expect(asked).toBe(1);
  expect(observer.getCurrentResult().isFetchNextPageError).toBe(true);
  expect(items()).toEqual([0]);
  isMended = true;
  await observer.getCurrentResult().fetchNextPage();
  expect(asked).toBe(2);
  expect(items()).toEqual([0, 1]);
  stop();
});

test("a live update drops the page that was on its way, and the list asks for it again", async () => {
  const answers: (() => void)[] = [];
  let dropped = 0;
  const { client, items, stop } = watch(async (cursor, signal) => {
    if (cursor === "") return { items: [0], next_cursor: "1" };
    signal.addEventListener("abort", () => {
      dropped += 1;
    });
    await new Promise<void>((resolve) => answers.push(resolve));
    return { items: [1] };
  });
  await quiet();
  expect(answers).toHaveLength(1);
  const updated = client.invalidateQueries({ queryKey: ["list"] });
  await quiet();
  await updated;
  expect(dropped).toBe(1);
  expect(answers).toHaveLength(2);
  answers[0]?.();
  answers[1]?.();
  await quiet();
  expect(items()).toEqual([0, 1]);
  stop();
});
