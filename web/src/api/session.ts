// The browser's session: cookies that scripts cannot read, renewed when they end. One renewal at a time in all tabs together, since the
// server takes a renewal that comes twice for theft.
import { problemOf, unreachable } from "./problem";

const RENEWED_AT = "amebo.renewed";
/** Longer than another tab needs to renew, shorter than an access token lives. */
const FRESH_MILLISECONDS = 20_000;

let renewing: Promise<boolean> | undefined;
let waiting: { promise: Promise<void>; resolve: () => void } | undefined;
const listeners = new Set<() => void>();

function csrf(): string {
  const pair = document.cookie.split("; ").find((cookie) => cookie.startsWith("amebo_csrf="));
  return pair?.slice("amebo_csrf=".length) ?? "";
}

async function send(request: Request): Promise<Response> {
  const headers = new Headers(request.headers);
  headers.set("x-csrf-token", csrf());
  try {
    return await fetch(new Request(request, { headers }));
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw unreachable();
  }
}

async function renew(): Promise<boolean> {
  const seen = localStorage.getItem(RENEWED_AT);
  const attempt = async () => {
    const now = localStorage.getItem(RENEWED_AT);
    // Another tab was quicker.
    if (now !== seen && Date.now() - Number(now) < FRESH_MILLISECONDS) return true;
    const body = new Request("/api/v1/auth/refresh", {
      method: "POST",
      body: "{}",
      headers: { "content-type": "application/json" },
    });
    const response = await send(body);
    if (response.ok) localStorage.setItem(RENEWED_AT, String(Date.now()));
    return response.ok;
  };
  return navigator.locks ? navigator.locks.request("amebo.renew", attempt) : attempt();
}

/** Whether somebody has to sign in before the page can go on. What was typed stays on the page meanwhile. */
export function sessionEnded(): boolean {
  return waiting !== undefined;
}

export function onSessionEnded(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Somebody signed in again: what waited goes on. */
export function sessionBegan() {
  localStorage.setItem(RENEWED_AT, String(Date.now()));
  waiting?.resolve();
  waiting = undefined;
  for (const listener of listeners) listener();
}

function signedInAgain(): Promise<void> {
  if (!waiting) {
    let resolve = () => {};
    const promise = new Promise<void>((done) => {
      resolve = done;
    });
    waiting = { promise, resolve };
    for (const listener of listeners) listener();
  }
  return waiting.promise;
}

let known = false;

/** From now on a refused session is asked for in place, rather than answered. */
export function expectSession(expected: boolean) {
  known = expected;
}

/** Sends a request; renews the session when it has ended, asks for the password when it cannot be renewed, throws a problem. */
export async function request(original: Request): Promise<Response> {
  for (;;) {
    let response = await send(original.clone());
    const isEntrance = new URL(original.url).pathname.startsWith("/api/v1/auth/");
    if (response.status === 401 && !isEntrance) {
      if (csrf()) {
        renewing ??= renew().finally(() => {
          renewing = undefined;
        });
        if (await renewing) response = await send(original.clone());
      }
      if (response.status === 401 && known) {
        await signedInAgain();
        continue;
      }
    }
    if (!response.ok) throw await problemOf(response);
    return response;
  }
}
