import { Fragment, type ReactNode } from "react";
import { dateTime } from "../../lib/format";
import { t } from "../../lib/text";
import { Icon } from "../../ui/icon";
import type { AuditEntry } from "./audit";
import { changesOf } from "./changes";

/** A name in code, that may be broken where its words end. */
function breakable(name: string): ReactNode {
  return name.split(/(?<=[._])/).map((part, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a name's parts do not move
    <Fragment key={at}>
      {at > 0 && <wbr />}
      {part}
    </Fragment>
  ));
}

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
            <strong>{who}</strong> <code>{breakable(entry.action)}</code>
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
                <Details details={entry.details} />
              </dd>
            </>
          )}
        </dl>
      </details>
    </li>
  );
}

/** A change as what was and what is; anything else as it stands. */
function Details({ details }: { details: unknown }) {
  const changes = changesOf(details);
  if (!changes) return <pre className="scroll-x">{JSON.stringify(details, null, 2)}</pre>;
  return (
    <table className="table diff">
      <tbody>
        {changes.map(({ name, before, after }) => (
          <tr key={name ?? ""}>
            {name !== undefined && <th scope="row">{name}</th>}
            <td>
              {before !== undefined && <del>{inWords(before)}</del>}{" "}
              {after !== undefined && <ins>{inWords(after)}</ins>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function inWords(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
