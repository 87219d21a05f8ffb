import { useEffect, useRef, useSyncExternalStore } from "react";
import { sentence } from "../api/problem";
import { useKeys } from "../lib/keys";
import { t } from "../lib/text";

type Toast = { id: number; text: string; undo?: (() => void) | undefined; clock: Clock };

const STAYS_MILLISECONDS = 6_000;
/** Long enough to read what happened, notice that it was the wrong thing, and reach the button by keyboard. */
const UNDO_MILLISECONDS = 10_000;
/** What is left at least when somebody was at it and leaves it again. */
const LEAST_MILLISECONDS = 2_000;

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

/** Runs down, and stands still while somebody is at what it counts for. */
class Clock {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private began = 0;

  constructor(
    private left: number,
    private readonly over: () => void,
  ) {
    this.go();
  }

  go() {
    this.hold();
    this.began = Date.now();
    this.timer = setTimeout(this.over, this.left);
  }

  hold() {
    if (this.timer === undefined) return;
    this.end();
    this.left = Math.max(LEAST_MILLISECONDS, this.left - (Date.now() - this.began));
  }

  end() {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}

function show(text: string, stays: number, over: (id: number) => void, undo?: (id: number) => void): Clock {
  last += 1;
  const id = last;
  const clock = new Clock(stays, () => over(id));
  set([...toasts, { id, text, undo: undo && (() => undo(id)), clock }]);
  return clock;
}

/** Says shortly what happened. */
export function toast(text: string) {
  show(text, STAYS_MILLISECONDS, drop);
}

/** Says what happened and offers to put back what was. */
export function toastWithUndo(text: string, undo: () => Promise<unknown>) {
  show(text, UNDO_MILLISECONDS, drop, (id) => {
    drop(id);
    undo().then(
      () => toast(t("action.undone")),
      (error: unknown) => toast(sentence(error)),
    );
  });
}

/** Does something a little later, so that it can be taken back until then. Leaving the page does it at once. */
export function withUndo(text: string, act: () => void, undone: () => void) {
  const settle = (id: number, done: () => void) => {
    clock.end();
    window.removeEventListener("pagehide", leave);
    drop(id);
    done();
  };
  let own = 0;
  const leave = () => settle(own, act);
  const clock = show(
    text,
    UNDO_MILLISECONDS,
    (id) => settle(id, act),
    (id) => settle(id, undone),
  );
  own = last;
  window.addEventListener("pagehide", leave);
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
    // Above dialogs, too. What is shown already stays where it is, with whoever is at it.
    if (element.contains(document.activeElement)) return;
    element.hidePopover();
    if (shown.length) element.showPopover();
  }, [shown]);
  useKeys((event) => {
    const isUndo = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z";
    const undo = toasts.findLast((item) => item.undo)?.undo;
    // In a field it takes back what was typed, as everywhere.
    if (!isUndo || !undo || isInField(event)) return;
    event.preventDefault();
    undo();
  });
  const each = (act: (clock: Clock) => void) => () => {
    for (const item of toasts) act(item.clock);
  };
  const hold = each((clock) => clock.hold());
  const go = each((clock) => clock.go());
  return (
    <div
      ref={box}
      className="toasts"
      role="status"
      popover="manual"
      onPointerEnter={hold}
      onPointerLeave={go}
      onFocus={hold}
      onBlur={go}
    >
      {shown.map((item) => (
        <div key={item.id} className="toast">
          {item.text}
          {item.undo && (
            <button type="button" aria-keyshortcuts="Control+Z" onClick={item.undo}>
              {t("action.undo")}
            </button>
          )}
        </div>
      ))}
    </div>
  );
}

function isInField(event: KeyboardEvent): boolean {
  return (event.target as HTMLElement | null)?.closest("input, textarea, select, [contenteditable]") != null;
}
