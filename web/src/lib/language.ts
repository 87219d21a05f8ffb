import { createContext, useContext } from "react";
import type { Language } from "./text";

export const LanguageContext = createContext<{ language: Language; choose: (next: Language) => Promise<void> }>({
  language: "en",
  choose: async () => undefined,
});

export function useLanguage() {
  return useContext(LanguageContext);
}
