import { dateTime } from "../../lib/format";
import { t } from "../../lib/text";
import { Icon } from "../../ui/icon";
import type { AuditEntry } from "./audit";

/** One thing that was done, with what it changed. */
export function Entry({ entry, nameOf }: { entry: AuditEntry; nameOf: (user: string) => string }) {
  const { actor } = entry;
  const who =
    actor.kind === "user"
      ? nameOf(actor.id)
      : actor.kind === "api_key"
        ? t("audit.apiKey", { id: actor.id.slice(0, 8) })
        : t("audit.system");
  return (
    <li>
      <details>
        <summary>
          <span className="quiet numbers small">{entry.number}</span>
          <span className="grow">
            <strong>{who}</strong> <code>{entry.action}</code>
          </span>
          <time className="quiet small nowrap" dateTime={entry.created_at}>
            {dateTime(entry.created_at)}
          </time>
          <Icon name="next" />
        </summary>
        <dl className="facts small">
          <dt>{t("audit.resource_type")}</dt>
          <dd>
            {entry.resource_type} <code>{entry.resource_id}</code>
          </dd>
          {entry.ip && (
            <>
              <dt>{t("audit.address")}</dt>
              <dd>{entry.ip}</dd>
            </>
          )}
          {entry.request_id && (
            <>
              <dt>{t("audit.request")}</dt>
              <dd>
                <code>{entry.request_id}</code>
              </dd>
            </>
          )}
          {entry.details != null && (
            <>
              <dt>{t("audit.details")}</dt>
              <dd>
                <Details details={entry.details as Record<string, unknown>} />
              </dd>
            </>
          )}
        </dl>
      </details>
    </li>
  );
}

function isChange(
  value: unknown,
): value is { before: Record<string, unknown> | null; after: Record<string, unknown> | null } {
  return typeof value === "object" && value !== null && ("before" in value || "after" in value);
}

/** A change as what was and what is; anything else as it stands. */
function Details({ details }: { details: Record<string, unknown> }) {
  if (!isChange(details)) return <pre className="scroll-x">{JSON.stringify(details, null, 2)}</pre>;
  const { before, after } = details;
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  return (
    <table className="table diff">
      <tbody>
        {names.map((name) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>
              {before?.[name] !== undefined && <del>{JSON.stringify(before[name])}</del>}{" "}
              {after?.[name] !== undefined && <ins>{JSON.stringify(after[name])}</ins>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
