// All texts of the dashboard, by name. English is complete and built in; other languages come when they are chosen, and fall back to it.
import { en } from "./catalogue/en";

export type Catalogue = typeof en;
export type Key = keyof Catalogue;
/** A text with blanks like {name}, or one for each plural form of {count}. */
export type Entry = string | Partial<Record<Intl.LDMLPluralRule, string>>;
export type Translation = Partial<Record<Key, Entry>>;
export type Language = "en" | "de" | "zh";

export const languages: Record<Language, string> = { en: "English", de: "Deutsch", zh: "中文" };

const KEPT_AS = "amebo.language";
let language: Language = "en";
let translation: Translation = {};
let plurals = new Intl.PluralRules("en");

function isLanguage(value: string | null | undefined): value is Language {
  return value === "en" || value === "de" || value === "zh";
}

/** The language chosen before, or else the browser's, if there is a catalogue of it. */
export function preferredLanguage(): Language {
  const kept = localStorage.getItem(KEPT_AS);
  if (isLanguage(kept)) return kept;
  const wished = navigator.languages.map((tag) => tag.slice(0, 2)).find(isLanguage);
  return wished ?? "en";
}

export function currentLanguage(): Language {
  return language;
}

/** Switches the language; what is on the screen has to be rendered anew. */
export async function loadCatalogue(next: Language) {
  if (next === "de") translation = (await import("./catalogue/de")).de;
  else if (next === "zh") translation = (await import("./catalogue/zh")).zh;
  else translation = {};
  language = next;
  plurals = new Intl.PluralRules(next);
  document.documentElement.lang = next;
}

export function keepLanguage(next: Language) {
  localStorage.setItem(KEPT_AS, next);
}

/** A text in the language of the person, its blanks filled. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  // A name that the server knows and this page does not yet is shown as it is.
  const entry: Entry =
    translation[key] ?? (en[key] as Entry | undefined) ?? (key.split(".").at(-1) ?? key).replaceAll("_", " ");
  const form = typeof entry === "string" ? entry : (entry[plurals.select(Number(values.count))] ?? entry.other ?? "");
  return form.replace(/\{(\w+)\}/g, (blank, name: string) => {
    const value = values[name];
    if (value === undefined) return blank;
    return typeof value === "number" ? value.toLocaleString(language) : value;
  });
}
