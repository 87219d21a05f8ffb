// What somebody removed and may still take back. It is off the lists at once, and goes for good when the time for it is over or the page
// is left; until then nothing has happened on the server.
import { useSyncExternalStore } from "react";
import { sentence } from "../api/problem";
import { toast, withUndo } from "./toast";

let leaving: ReadonlySet<string> = new Set();
const listeners = new Set<() => void>();

function set(next: ReadonlySet<string>) {
  leaving = next;
  for (const listener of listeners) listener();
}

function back(id: string) {
  set(new Set([...leaving].filter((other) => other !== id)));
}

/** The ids that no list shows any more. */
export function useLeaving(): ReadonlySet<string> {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => leaving,
  );
}

type Removal = {
  id: string;
  /** What happened, in a few words. */
  said: string;
  /** Removes it. The request has to outlive the page (`keepalive`), which may be closed meanwhile. */
  act: () => Promise<unknown>;
  /** Reads anew what showed it. */
  after: () => Promise<unknown>;
};

/** Removes something in a while, unless it is taken back. What the server refuses to remove comes back and says why. */
export function removeWithUndo({ id, said, act, after }: Removal) {
  set(new Set([...leaving, id]));
  const run = async () => {
    try {
      await act();
      await after();
    } catch (error) {
      toast(sentence(error));
    } finally {
      back(id);
    }
  };
  withUndo(
    said,
    () => void run(),
    () => back(id),
  );
}
