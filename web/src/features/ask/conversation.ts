// A question on its way. It lives outside the page, so that looking at a document meanwhile loses nothing.
import { type QueryClient, queryOptions } from "@tanstack/react-query";
import { api, inside, raw, read, type Schemas } from "../../api/client";
import { Problem, sentence } from "../../api/problem";
import { readEvents } from "../../lib/events";
import { t } from "../../lib/text";

export type Question = Schemas["QuestionResponse"];
export type Answer = Schemas["AnswerResponse"];
export type Citation = Schemas["CitationResponse"];

/** A question that is being answered. */
export type Live = {
  text: string;
  written: string;
  /** How many passages were found to be cited. */
  sources: number | undefined;
  state: "searching" | "writing" | "lost" | "failed";
  error: string | undefined;
};

const lives = new Map<string, Live>();
const stops = new Map<string, AbortController>();
const listeners = new Set<() => void>();

export function onLive(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function liveOf(session: string | undefined): Live | undefined {
  return session ? lives.get(session) : undefined;
}

function put(session: string, change: Partial<Live> | null) {
  const old = lives.get(session);
  if (change === null) lives.delete(session);
  else if (old) lives.set(session, { ...old, ...change });
  for (const listener of listeners) listener();
}

export function questionsQuery(organization: string, session: string) {
  return queryOptions({
    queryKey: [organization, "session", session, "questions"],
    queryFn: async () => {
      const items: Question[] = [];
      let cursor: string | undefined;
      do {
        const page = await read(
          api.GET("/api/v1/organizations/{organization_id}/sessions/{session_id}/questions", {
            params: {
              path: { ...inside(organization), session_id: session },
              query: { limit: 200, ...(cursor ? { cursor } : {}) },
            },
          }),
        );
        items.push(...page.items);
        cursor = page.next_cursor ?? undefined;
      } while (cursor);
      return items;
    },
    // An open question may have been answered since.
    refetchInterval: (query) => (query.state.data?.some((question) => !question.answer) ? 3_000 : false),
  });
}

type Asking = {
  cache: QueryClient;
  organization: string;
  session: string;
  text: string;
  bases: string[];
  /** Whether the question says all by itself, so that nothing asked before is carried over. */
  standalone: boolean;
  /** Told when the server has the question, or nobody wants it any more. */
  onTaken: () => void;
};

/** How long to wait before the server is asked once more what became of a question; about two minutes in all. */
const TRIES = [500, 1_000, 2_000, 4_000, 8_000, 15_000, 30_000, 60_000];

/**
 * Whether the server took a question although the connection broke: then the conversation has it now, and shows its outcome when it is
 * there. Without a connection it is waited for.
 */
async function isTaken({ cache, organization, session, text }: Asking, before: Set<string>): Promise<boolean> {
  const items = await cache.fetchQuery({
    ...questionsQuery(organization, session),
    staleTime: 0,
    retry: (tried, error) =>
      tried < TRIES.length && error instanceof Problem && (error.status === 0 || error.status >= 500),
    retryDelay: (tried) => TRIES[tried] ?? 0,
  });
  return items.some((question) => !before.has(question.id) && question.text === text);
}

/** Asks in a session and follows the answer to its verdict. */
export async function ask(asking: Asking) {
  const { cache, organization, session, text, bases, standalone } = asking;
  const stop = new AbortController();
  stops.set(session, stop);
  lives.set(session, { text, written: "", sources: undefined, state: "searching", error: undefined });
  put(session, {});
  const key = questionsQuery(organization, session).queryKey;
  const before = new Set(cache.getQueryData(key)?.map((question) => question.id));
  try {
    const response = await raw(`/api/v1/organizations/${organization}/questions`, {
      method: "POST",
      signal: stop.signal,
      headers: { "content-type": "application/json", accept: "text/event-stream" },
      body: JSON.stringify({ text, session_id: session, knowledge_base_ids: bases, standalone }),
    });
    asking.onTaken();
    const settled = response.body ? await follow(session, response.body) : null;
    if (!settled) throw new Problem(0, t("ask.cutOff"), "unreachable", [], undefined);
    const question = await read(
      api.GET("/api/v1/organizations/{organization_id}/questions/{question_id}", {
        params: { path: { ...inside(organization), question_id: settled } },
      }),
    );
    cache.setQueryData<Question[]>(key, (old = []) => [...old.filter((item) => item.id !== question.id), question]);
    put(session, null);
  } catch (error) {
    if (stop.signal.aborted) {
      asking.onTaken();
      put(session, null);
      await cache.invalidateQueries({ queryKey: key });
    } else {
      // A stream that breaks while it is read is an error of that type in every browser.
      const isLost = error instanceof TypeError || (error instanceof Problem && error.status === 0);
      if (isLost) put(session, { state: "lost" });
      const isKept = isLost && (await isTaken(asking, before).catch(() => false));
      if (isKept) asking.onTaken();
      const reason = error instanceof TypeError ? new Error(t("ask.cutOff")) : error;
      put(session, isKept ? null : { state: "failed", error: sentence(reason) });
    }
  } finally {
    stops.delete(session);
    cache.invalidateQueries({ queryKey: [organization, "sessions"] });
  }
}

async function follow(session: string, body: ReadableStream<Uint8Array>): Promise<string | null> {
  for await (const { name, data } of readEvents(body)) {
    if (name === "sources") put(session, { sources: (data as unknown[]).length });
    else if (name === "token") {
      const written = (lives.get(session)?.written ?? "") + (data as { text: string }).text;
      put(session, { written, state: "writing" });
    } else if (name === "restart") put(session, { written: "", state: "searching" });
    else if (name === "error") throw new Error(t("ask.notKept"));
    else if (name === "verdict") return (data as { question_id: string }).question_id;
  }
  return null;
}

/** Stops listening. The question still gets its one outcome, which the conversation shows when it is there. */
export function stop(session: string) {
  stops.get(session)?.abort();
}

/** Takes a failed attempt off the page. */
export function forget(session: string) {
  put(session, null);
}
