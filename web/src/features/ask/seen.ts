// Why the readers of an answer could see what it rests on, in the words of the person who asks.
import type { Schemas } from "../../api/client";
import { type Key, t } from "../../lib/text";

export type Seen = Schemas["AudienceResponse"];
type Readers = Seen["readers"];
type SeenSource = Seen["sources"][number];

/** For whom the answer was given. */
export function readersInWords(readers: Readers): string {
  if (readers.kind === "asker") return t(`seen.asker.${readers.standing}` as Key);
  const place = { place: readers.name ?? readers.place };
  if (readers.shared) return t("seen.shared", place);
  // Nobody was counted: the channel is too large, or Slack did not say who is in it.
  if (readers.people === 0) return t("seen.unknown", place);
  return t(readers.outsiders > 0 ? "seen.outsiders" : "seen.insiders", place);
}

/** Why these readers may see a document, or that they no longer may. */
export function reasonInWords(readers: Readers, { audience, holds }: SeenSource): string {
  if (!holds) return t("seen.because.changed");
  if (audience.kind === "public") return t("seen.because.public");
  if (readers.kind === "place")
    return audience.kind === "slack_channel"
      ? t("seen.because.sameChannel")
      : t("seen.because.all", { members: readers.members, colleagues: readers.colleagues });
  return t(readers.standing === "member" ? "seen.because.asker" : "seen.because.colleague");
}
