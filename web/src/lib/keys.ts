import { useEffect, useRef } from "react";

/** Whether a key goes into a field rather than to the page, or is the browser's. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement | null;
  // Many keyboards have brackets on a third level, which is reported as both keys together.
  const isCommand = (event.ctrlKey || event.metaKey || event.altKey) && !event.getModifierState("AltGraph");
  return target?.closest("input, textarea, select, [contenteditable], dialog[open]") != null || isCommand;
}

/** Keys pressed anywhere on the page. */
export function useKeys(handle: (event: KeyboardEvent) => void) {
  const latest = useRef(handle);
  useEffect(() => {
    latest.current = handle;
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent) => latest.current(event);
    window.addEventListener("keydown", listener);
    return () => window.removeEventListener("keydown", listener);
  }, []);
}
