import { useEffect, useRef, useSyncExternalStore } from "react";
import { t } from "../lib/text";

type Toast = { id: number; text: string; undo?: () => void };

const STAYS_MILLISECONDS = 6000;

let toasts: Toast[] = [];
let last = 0;
const listeners = new Set<() => void>();

function set(next: Toast[]) {
  toasts = next;
  for (const listener of listeners) listener();
}

function drop(id: number) {
  set(toasts.filter((toast) => toast.id !== id));
}

/** Says shortly what happened. */
export function toast(text: string) {
  last += 1;
  const id = last;
  set([...toasts, { id, text }]);
  setTimeout(() => drop(id), STAYS_MILLISECONDS);
}

/** Does something a little later, so that it can be taken back until then. Leaving the page does it at once. */
export function withUndo(text: string, act: () => void, undone: () => void) {
  last += 1;
  const id = last;
  const settle = (done: () => void) => {
    clearTimeout(timer);
    window.removeEventListener("pagehide", leave);
    drop(id);
    done();
  };
  const leave = () => settle(act);
  const timer = setTimeout(leave, STAYS_MILLISECONDS);
  window.addEventListener("pagehide", leave);
  set([...toasts, { id, text, undo: () => settle(undone) }]);
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    // Above dialogs, too.
    element.hidePopover();
    if (shown.length) element.showPopover();
  }, [shown]);
  return (
    <div ref={box} className="toasts" role="status" popover="manual">
      {shown.map((item) => (
        <div key={item.id} className="toast">
          {item.text}
          {item.undo && (
            <button type="button" onClick={item.undo}>
              {t("action.undo")}
            </button>
          )}
        </div>
      ))}
    </div>
  );
}
