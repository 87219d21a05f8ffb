import { type Key, t } from "../../lib/text";
import type { Connection } from "./data";

const STANDINGS = { active: "good", needs_attention: "bad", pending: "warn", disconnected: "" } as const;

/** Whether a workspace can be used, in a word. */
export function Standing({ connection }: { connection: Connection }) {
  return <span className={`tag ${STANDINGS[connection.status]}`}>{t(`slack.status.${connection.status}` as Key)}</span>;
}
