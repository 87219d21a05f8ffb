import { expect, test } from "vitest";
import { eventReader } from "./events";

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
