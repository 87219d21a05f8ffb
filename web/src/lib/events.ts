// Server-sent events over fetch (the browser's own reader can send no header and follow no refused session).

export type ServerEvent = { name: string; data: unknown; id: string | undefined };

/** Takes text as it comes and gives the events that are whole. */
export function eventReader() {
  let rest = "";
  return (text: string): ServerEvent[] => {
    rest += text.replaceAll("\r\n", "\n");
    const blocks = rest.split("\n\n");
    rest = blocks.pop() ?? "";
    return blocks.flatMap(parse);
  };
}

function parse(block: string): ServerEvent[] {
  let name = "message";
  let id: string | undefined;
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    const value = line.slice(colon + 1).replace(/^ /, "");
    const field = line.slice(0, colon);
    if (field === "event") name = value;
    else if (field === "id") id = value;
    else if (field === "data") data.push(value);
  }
  return data.length ? [{ name, id, data: JSON.parse(data.join("\n")) }] : [];
}

/** The server says something every fifteen seconds, if only that it is alive. A line that is silent for longer has gone without a word. */
const LONGEST_SILENCE = 45_000;

function withinSilence<T>(awaited: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    // The type of error by which browsers tell of a line that broke.
    const timer = setTimeout(() => reject(new TypeError("nothing came for too long")), LONGEST_SILENCE);
    awaited.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Waits before the next attempt to connect; no longer than until the browser is online again. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    function done() {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve();
    }
    addEventListener("online", done);
  });
}

export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const read = eventReader();
  const decoder = new TextDecoder();
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await withinSilence(reader.read());
      if (done) return;
      yield* read(decoder.decode(value, { stream: true }));
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
