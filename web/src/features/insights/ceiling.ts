const STEPS = [1, 2, 4, 6, 8, 10];

/** Where the scale of a chart of whole numbers ends: the smallest round number, halved without a rest, that is not below the largest. */
export function ceiling(largest: number): number {
  let unit = 1;
  while (unit * 10 < largest) unit *= 10;
  return unit * (STEPS.find((step) => step * unit >= largest) ?? 10);
}
