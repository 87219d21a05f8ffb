// What somebody is choosing among channels before they save it.
import type { Channel } from "./data";

export type Change = { selected?: boolean; open?: boolean };
export type Changes = ReadonlyMap<string, Change>;

/** A channel as it will be. */
export function after(channel: Channel, changes: Changes): { selected: boolean; open: boolean } {
  const change = changes.get(channel.id);
  return { selected: change?.selected ?? channel.selected, open: change?.open ?? channel.open };
}

/** The changes with one more; one that changes nothing is none. */
export function changed(changes: Changes, channel: Channel, change: Change): Changes {
  const next = new Map(changes);
  const whole = { ...changes.get(channel.id), ...change };
  if (whole.selected === channel.selected) delete whole.selected;
  if (whole.open === channel.open) delete whole.open;
  if (whole.selected === undefined && whole.open === undefined) next.delete(channel.id);
  else next.set(channel.id, whole);
  return next;
}

export type Order = { channel_ids: string[]; selected: boolean; open: boolean };

/** The changes as few orders as do it: the server takes those alike together. */
export function orders(channels: readonly Channel[], changes: Changes): Order[] {
  const found = new Map<string, Order>();
  for (const channel of channels) {
    if (!changes.has(channel.id)) continue;
    const { selected, open } = after(channel, changes);
    const key = `${selected} ${open}`;
    const order = found.get(key) ?? { channel_ids: [], selected, open };
    order.channel_ids.push(channel.id);
    found.set(key, order);
  }
  return [...found.values()];
}
