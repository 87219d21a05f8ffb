// The address is the state: which page, what is filtered, what is open. A page is a pattern such as "/o/:slug/ask/:session?".
import { type AnchorHTMLAttributes, type MouseEvent, useSyncExternalStore } from "react";

export type Params = Record<string, string>;

const listeners = new Set<() => void>();
let guard: (() => boolean) | undefined;

function changed() {
  for (const listener of listeners) listener();
}

window.addEventListener("popstate", changed);

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Goes to an address of the dashboard. */
export function navigate(to: string, options: { replace?: boolean } = {}) {
  if (guard && !guard()) return;
  const from = location.pathname;
  if (options.replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  changed();
  if (location.pathname !== from && !location.hash) window.scrollTo(0, 0);
}

/** Asks before the page is left; `undefined` lets it go. */
export function guardLeaving(mayLeave: (() => boolean) | undefined) {
  guard = mayLeave;
}

export function usePath(): string {
  return useSyncExternalStore(subscribe, () => location.pathname);
}

/** The part of the address after `?`, and how to change it without a new page in the history. */
export function useSearch(): [URLSearchParams, (change: Record<string, string | undefined>) => void] {
  const search = useSyncExternalStore(subscribe, () => location.search);
  const set = (change: Record<string, string | undefined>) => {
    const next = new URLSearchParams(location.search);
    for (const [key, value] of Object.entries(change)) {
      if (value) next.set(key, value);
      else next.delete(key);
    }
    const text = next.toString();
    navigate(location.pathname + (text ? `?${text}` : ""), { replace: true });
  };
  return [new URLSearchParams(search), set];
}

/** What a path holds for a pattern's names; null when it is another page. */
export function match(pattern: string, path: string): Params | null {
  const names = pattern.split("/").filter(Boolean);
  const parts = path.split("/").filter(Boolean);
  if (parts.length > names.length) return null;
  const params: Params = {};
  for (const [index, name] of names.entries()) {
    const part = parts[index];
    if (!name.startsWith(":")) {
      if (part !== name) return null;
      continue;
    }
    const optional = name.endsWith("?");
    if (part === undefined) {
      if (!optional) return null;
      continue;
    }
    try {
      params[name.slice(1, optional ? -1 : undefined)] = decodeURIComponent(part);
    } catch {
      return null;
    }
  }
  return params;
}

type LinkProps = AnchorHTMLAttributes<HTMLAnchorElement> & { to: string; replace?: boolean };

/** A link within the dashboard. It is a real link: it can be opened elsewhere and copied. */
export function Link({ to, replace = false, onClick, ...rest }: LinkProps) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    event.preventDefault();
    navigate(to, { replace });
  };
  return <a href={to} onClick={follow} {...rest} />;
}
