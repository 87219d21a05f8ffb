// Sizes, times and numbers as people read them.
import { currentLanguage, t } from "./text";

/** The person's own region, if it speaks the language chosen: dates and numbers differ within a language. */
function locale(): string {
  const language = currentLanguage();
  return navigator.languages.find((tag) => tag.startsWith(language)) ?? language;
}

export function bytes(size: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let step = 0;
  let value = size;
  while (value >= 1000 && step < units.length - 1) {
    value /= 1000;
    step += 1;
  }
  const digits = value < 10 && step > 0 ? 1 : 0;
  return `${value.toLocaleString(locale(), { maximumFractionDigits: digits })} ${units[step]}`;
}

export function percent(value: number): string {
  return new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: 0 }).format(value);
}

export function number(value: number): string {
  return value.toLocaleString(locale());
}

export function date(iso: string): string {
  return new Date(iso).toLocaleDateString(locale(), { dateStyle: "medium" });
}

export function dateTime(iso: string): string {
  return new Date(iso).toLocaleString(locale(), { dateStyle: "medium", timeStyle: "short" });
}

/** "5 minutes ago", "yesterday"; a date when it is long ago. */
export function ago(iso: string, now = Date.now()): string {
  const seconds = Math.round((new Date(iso).getTime() - now) / 1000);
  const steps: [Intl.RelativeTimeFormatUnit, number][] = [
    ["second", 60],
    ["minute", 60],
    ["hour", 24],
    ["day", 14],
  ];
  let value = seconds;
  const format = new Intl.RelativeTimeFormat(locale(), { numeric: "auto" });
  for (const [unit, size] of steps) {
    if (Math.abs(value) < size) return format.format(unit === "second" ? 0 : Math.trunc(value), unit);
    value /= size;
  }
  return date(iso);
}

/** "in 5 hours", "tomorrow"; what is past or about to come is "soon". */
export function inTime(iso: string, now = Date.now()): string {
  return new Date(iso).getTime() - now < 60_000 ? t("time.soon") : ago(iso, now);
}

/** How long something takes, roughly: "12 s", "3 min", "2 h". */
export function duration(seconds: number): string {
  if (seconds < 60) return t("time.seconds", { count: Math.max(1, Math.round(seconds)) });
  if (seconds < 5400) return t("time.minutes", { count: Math.round(seconds / 60) });
  return t("time.hours", { count: Math.round(seconds / 3600) });
}

/** A measured time given in microseconds. */
export function latency(microseconds: number): string {
  const seconds = microseconds / 1_000_000;
  if (seconds < 1) return `${Math.round(microseconds / 1000)} ms`;
  return `${seconds.toLocaleString(locale(), { maximumFractionDigits: 1 })} s`;
}
