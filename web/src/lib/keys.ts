import { useEffect, useRef } from "react";

/** Whether a key goes into a field rather than to the page. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement | null;
  return (
    target?.closest("input, textarea, select, [contenteditable], dialog[open]") != null ||
    event.ctrlKey ||
    event.metaKey ||
    event.altKey
  );
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
