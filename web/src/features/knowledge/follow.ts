// Documents in work, followed live. A broken connection is taken up where it broke.
import { type InfiniteData, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { raw, type Schemas } from "../../api/client";
import { Problem } from "../../api/problem";
import { readEvents } from "../../lib/events";

export type Document = Schemas["DocumentResponse"];
export type DocumentPage = Schemas["DocumentPage"];
type DocumentEvent = Schemas["DocumentEvent"];

export type Summary = { waiting: number; remaining_seconds: number | null };
export type Work = { summary: Summary | undefined; remaining: Map<string, number | null> };

const LONGEST_PAUSE = 15_000;

export function useWork(organization: string): Work {
  const cache = useQueryClient();
  const [work, setWork] = useState<Work>({ summary: undefined, remaining: new Map() });
  useEffect(() => {
    const end = new AbortController();
    const tell = (event: DocumentEvent) => {
      const { document } = event;
      setWork((old) => ({
        ...old,
        remaining: new Map(old.remaining).set(document.id, event.remaining_seconds ?? null),
      }));
      cache.setQueriesData<InfiniteData<DocumentPage>>(
        { queryKey: [organization, "documents", "list"] },
        (old) => old && replaced(old, document),
      );
      cache.setQueryData([organization, "document", document.id], document);
    };
    const run = async () => {
      let cursor: string | undefined;
      let pause = 1_000;
      while (!end.signal.aborted) {
        try {
          const headers: Record<string, string> = cursor ? { "last-event-id": cursor } : {};
          const response = await raw(`/api/v1/organizations/${organization}/documents/events`, {
            headers,
            signal: end.signal,
          });
          for await (const { name, data, id } of readEvents(response.body ?? new ReadableStream())) {
            pause = 1_000;
            cursor = id ?? cursor;
            if (name === "document") tell(data as DocumentEvent);
            else if (name === "summary") setWork((old) => ({ ...old, summary: data as Summary }));
          }
        } catch (error) {
          if (end.signal.aborted || (error instanceof Problem && error.isForbidden)) return;
          pause = Math.min(pause * 2, LONGEST_PAUSE);
        }
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    };
    void run();
    return () => end.abort();
  }, [cache, organization]);
  return work;
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
