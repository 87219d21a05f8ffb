import { describe, expect, test } from "vitest";
import type { Entry, Key, Translation } from "../text";
import { de } from "./de";
import { en } from "./en";
import { zh } from "./zh";

const blanks = (entry: Entry) => {
  const forms = typeof entry === "string" ? [entry] : Object.values(entry);
  return [...new Set(forms.flatMap((form) => form.match(/\{\w+\}/g) ?? []))].sort();
};

describe.each([
  ["German", de],
  ["Chinese", zh],
] as [string, Translation][])("%s", (_, translation) => {
  test("fills the same blanks as English", () => {
    for (const [key, entry] of Object.entries(translation) as [Key, Entry][]) {
      expect(blanks(entry), key).toEqual(blanks(en[key]));
    }
  });

  test("says everything but names", () => {
    const same = ["provider.anthropic", "provider.voyage", "theme.", "plan.", "time.", "ask.hello"];
    const missing = Object.keys(en).filter(
      (key) => !(key in translation) && !same.some((start) => key.startsWith(start)),
    );
    expect(missing).toEqual([]);
  });
});
