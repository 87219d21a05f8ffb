import { currentLanguage } from "../../lib/text";

/** What people call a model: an organization's own has its provider's id before it. */
export function modelName(id: string): string {
  return id.replace(/^[0-9a-f]{8}-[0-9a-f-]{27}\//, "");
}

/** Languages by their names; the codes where the browser has none. */
export function languageNames(codes: string[]): string {
  const names = new Intl.DisplayNames([currentLanguage()], { type: "language" });
  const list = new Intl.ListFormat(currentLanguage(), { style: "short", type: "conjunction" });
  return list.format(codes.map((code) => names.of(code) ?? code));
}
