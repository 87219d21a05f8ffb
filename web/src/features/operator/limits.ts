// What a plan limits, and the units in which people write it.

export const LIMITS = [
  "members",
  "documents",
  "storage_bytes",
  "upload_bytes",
  "ai_answers",
  "requests_per_minute",
] as const;

export type Limit = (typeof LIMITS)[number];

/** How many of what is stored make one of what is written. */
const UNITS: Partial<Record<Limit, number>> = { storage_bytes: 1_000_000_000, upload_bytes: 1_000_000 };

/** A limit as it is written: sizes in GB and MB, three digits after the point at most. */
export function inUnit(limit: Limit, value: number): number {
  const unit = UNITS[limit];
  return unit ? Math.round((value / unit) * 1000) / 1000 : value;
}

/** A limit as it is stored. */
export function fromUnit(limit: Limit, written: number): number {
  return Math.round(written * (UNITS[limit] ?? 1));
}
