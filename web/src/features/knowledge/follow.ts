// Documents in work, followed live. A broken connection is taken up where it broke.
import { type InfiniteData, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { raw, type Schemas } from "../../api/client";
import { Problem } from "../../api/problem";
import { pause, readEvents } from "../../lib/events";

export type Document = Schemas["DocumentResponse"];
export type DocumentPage = Schemas["DocumentPage"];
type DocumentEvent = Schemas["DocumentEvent"];

export type Summary = { waiting: number; remaining_seconds: number | null };
export type Work = { summary: Summary | undefined; remaining: Map<string, number | null> };

const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 15_000;
/** Lists are read anew at most this often while documents arrive that they do not have. */
const BETWEEN_READS = 1_000;

export function useWork(organization: string): Work {
  const cache = useQueryClient();
  const [work, setWork] = useState<Work>({ summary: undefined, remaining: new Map() });
  useEffect(() => {
    const end = new AbortController();
    const list = [organization, "documents", "list"];
    const announced = new Set<string>();
    let reading: ReturnType<typeof setTimeout> | undefined;
    /** A document that no list has yet, such as a web page just read, is asked for once. */
    const announce = (document: Document) => {
      if (announced.has(document.id)) return;
      announced.add(document.id);
      reading ??= setTimeout(() => {
        reading = undefined;
        void cache.invalidateQueries({ queryKey: list });
      }, BETWEEN_READS);
    };
    const tell = (event: DocumentEvent) => {
      const { document } = event;
      setWork((old) => ({
        ...old,
        remaining: new Map(old.remaining).set(document.id, event.remaining_seconds ?? null),
      }));
      const lists = cache.getQueriesData<InfiniteData<DocumentPage>>({ queryKey: list });
      // A list that does not have it is left as it is: writing to it would make it look fresh.
      const having = lists.filter(([, data]) => data && has(data, document));
      for (const [key, data] of having) cache.setQueryData(key, data && replaced(data, document));
      if (having.length === 0) announce(document);
      cache.setQueryData([organization, "document", document.id], document);
    };
    const run = async () => {
      let cursor: string | undefined;
      let wait = FIRST_PAUSE;
      while (!end.signal.aborted) {
        try {
          const headers: Record<string, string> = cursor ? { "last-event-id": cursor } : {};
          const response = await raw(`/api/v1/organizations/${organization}/documents/events`, {
            headers,
            signal: end.signal,
          });
          for await (const { name, data, id } of readEvents(response.body ?? new ReadableStream())) {
            wait = FIRST_PAUSE;
            cursor = id ?? cursor;
            if (name === "document") tell(data as DocumentEvent);
            else if (name === "summary") setWork((old) => ({ ...old, summary: data as Summary }));
          }
        } catch (error) {
          if (end.signal.aborted || (error instanceof Problem && error.isForbidden)) return;
          wait = Math.min(wait * 2, LONGEST_PAUSE);
        }
        await pause(wait);
      }
    };
    void run();
    return () => {
      end.abort();
      clearTimeout(reading);
    };
  }, [cache, organization]);
  return work;
}

function has(data: InfiniteData<DocumentPage>, document: Document): boolean {
  return data.pages.some((page) => page.items.some((item) => item.id === document.id));
}

function replaced(data: InfiniteData<DocumentPage>, document: Document): InfiniteData<DocumentPage> {
  return {
    ...data,
    pages: data.pages.map((page) =>
      page.items.some((item) => item.id === document.id)
        ? { ...page, items: page.items.map((item) => (item.id === document.id ? document : item)) }
        : page,
    ),
  };
}
