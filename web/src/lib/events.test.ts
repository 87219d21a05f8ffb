import { expect, test, vi } from "vitest";
import { eventReader, readEvents } from "./events";

test("events come whole, however the text is cut", () => {
  const stream =
    'event: token\nid: 7\ndata: {"text":"a\\n\\nb"}\n\n: alive\n\nevent: verdict\ndata: {"x":\ndata: 1}\n\n';
  for (const size of [1, 2, 7, stream.length]) {
    const read = eventReader();
    const events = [];
    for (let at = 0; at < stream.length; at += size) events.push(...read(stream.slice(at, at + size)));
    expect(events).toEqual([
      { name: "token", id: "7", data: { text: "a\n\nb" } },
      { name: "verdict", id: undefined, data: { x: 1 } },
    ]);
  }
});

test("a line that says nothing any more counts as broken, one that is alive does not", async () => {
  vi.useFakeTimers();
  let alive = 0;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const beat = setInterval(() => {
        alive += 1;
        const said = alive < 10 ? ": alive\n\n" : "event: x\ndata: 1\n\n";
        controller.enqueue(new TextEncoder().encode(said));
        if (alive === 10) clearInterval(beat);
      }, 15_000);
    },
  });
  const names: string[] = [];
  const read = (async () => {
    for await (const { name } of readEvents(body)) names.push(name);
  })();
  const end = expect(read).rejects.toThrow(TypeError);
  await vi.advanceTimersByTimeAsync(150_000);
  expect(names).toEqual(["x"]);
  await vi.advanceTimersByTimeAsync(45_000);
  await end;
  vi.useRealTimers();
});
