// What is being typed, kept in the tab until the server has it: neither a reload nor a failure loses it.

const keyOf = (name: string) => `amebo.draft.${name}`;

export function draftOf(name: string): string {
  return sessionStorage.getItem(keyOf(name)) ?? "";
}

export function keepDraft(name: string, text: string) {
  if (text) sessionStorage.setItem(keyOf(name), text);
  else sessionStorage.removeItem(keyOf(name));
}

/** Forgets what the server has. What was typed since stays. */
export function forgetDraft(name: string, text: string) {
  if (draftOf(name) === text) keepDraft(name, "");
}
