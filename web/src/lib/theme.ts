// Light, dark or as the system has it; kept in this browser.
export type Theme = "system" | "light" | "dark";

const KEPT_AS = "amebo.theme";

export function currentTheme(): Theme {
  const kept = localStorage.getItem(KEPT_AS);
  return kept === "light" || kept === "dark" ? kept : "system";
}

export function applyTheme(theme: Theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export function chooseTheme(theme: Theme) {
  if (theme === "system") localStorage.removeItem(KEPT_AS);
  else localStorage.setItem(KEPT_AS, theme);
  applyTheme(theme);
}

/** The organisation's accent: a hue of the colour circle. Lightness and strength are the theme's, so contrast stays. */
export function applyAccent(hue: number | null | undefined) {
  const root = document.documentElement.style;
  if (hue === null || hue === undefined) root.removeProperty("--accent-hue");
  else root.setProperty("--accent-hue", String(hue));
}
