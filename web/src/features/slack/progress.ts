// How far a workspace has been read, from how far each of its channels has.
import type { Channel } from "./data";

export type Reading = {
  /** Channels that are followed. */
  followed: number;
  /** Those read to their beginning. */
  complete: number;
  /** Those whose turn has not come. */
  waiting: number;
  /** Those that cannot be read, with a reason. */
  stuck: number;
  /** Messages read so far. */
  messages: number;
  /** 0 to 1; unknown before anything was read. */
  share: number | undefined;
  /** How long it will take, where something can be said of it. */
  seconds: number | undefined;
  /** Whether it will take longer than that: something has not begun, so nothing is known of it. */
  isAtLeast: boolean;
};

/** Channels are read side by side, so the slowest of them decides. */
export function reading(channels: readonly Channel[]): Reading {
  const followed = channels.filter((channel) => channel.selected);
  const open = followed.filter((channel) => !channel.complete_since && !channel.problem);
  const known = open.flatMap((channel) => channel.remaining_seconds ?? []);
  const begun = open.filter((channel) => channel.read_back_to);
  const counted = followed.filter((channel) => !channel.problem || channel.complete_since);
  const shares = counted.map((channel) => (channel.complete_since ? 1 : (channel.progress ?? 0)));
  const isKnown = begun.length > 0 || counted.some((channel) => channel.complete_since);
  return {
    followed: followed.length,
    complete: followed.filter((channel) => channel.complete_since).length,
    waiting: open.length - begun.length,
    stuck: followed.filter((channel) => channel.problem).length,
    messages: followed.reduce((sum, channel) => sum + channel.messages_read, 0),
    share: isKnown && shares.length ? shares.reduce((sum, share) => sum + share, 0) / shares.length : undefined,
    seconds: known.length ? Math.max(...known) : undefined,
    isAtLeast: known.length < open.length,
  };
}
