// What became of the questions of each day.
import type { Schemas } from "../../api/client";

/** What may become of a question, in the order in which it is drawn and listed. */
export const SERIES = ["answered", "declined", "escalated", "stopped", "failed"] as const;

export type Day = { day: string } & Record<(typeof SERIES)[number], number>;

const DAY_MILLISECONDS = 86_400_000;

export function total(day: Day): number {
  return SERIES.reduce((sum, name) => sum + day[name], 0);
}

/** Every day of the range up to today, those on which nothing was asked included. */
export function filled(known: Schemas["DayResponse"][], range: number, today = Date.now()): Day[] {
  const days = new Map(known.map((day) => [day.day, day]));
  return Array.from({ length: range }, (_, index) => {
    const day = new Date(today - (range - 1 - index) * DAY_MILLISECONDS).toISOString().slice(0, 10);
    const counts = Object.fromEntries(SERIES.map((name) => [name, days.get(day)?.[name] ?? 0]));
    return { day, ...counts } as Day;
  });
}

export function toCsv(days: Day[]): string {
  const rows = days.map((day) => [day.day, ...SERIES.map((name) => day[name])].join(","));
  return [["day", ...SERIES].join(","), ...rows].join("\r\n");
}
