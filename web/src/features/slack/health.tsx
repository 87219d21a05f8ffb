import type { ReactNode } from "react";
import { useOrganization } from "../../api/organization";
import { ago, date } from "../../lib/format";
import { Link } from "../../lib/router";
import { t } from "../../lib/text";
import { Icon } from "../../ui/icon";
import { type Connection, useChannels, useChoice } from "./data";
import { Manifest } from "./manifest";
import { Reconnect } from "./reconnect";

/** How a workspace is doing: one line for each thing that can go wrong, with what mends it. */
export function Health({ connection }: { connection: Connection }) {
  const { at } = useOrganization();
  const { health, scopes, status } = connection;
  const choice = useChoice(connection.id);
  const channels = useChannels(connection.id, Boolean(choice.data?.knowledge_base_id));
  const stuck = (channels.data?.items ?? []).filter((channel) => channel.selected && channel.problem).length;
  const isActive = status === "active";
  const here = at(`/slack/${connection.id}`);
  return (
    <ul className="checks">
      <Check
        kind={isActive ? "good" : "bad"}
        title={isActive ? t("health.works") : t(`trouble.${status}` as "trouble.disconnected")}
        action={!isActive && <Reconnect connection={connection} />}
      >
        {connection.status_reason ??
          (connection.token_expires_at
            ? t("health.renewed", { when: date(connection.token_expires_at) })
            : t("health.lasting"))}
      </Check>
      <Check
        kind={scopes.missing.length ? "warn" : "good"}
        title={scopes.missing.length ? t("trouble.scopes", { count: scopes.missing.length }) : t("health.scopes")}
        action={scopes.missing.length > 0 && isActive && <Reconnect connection={connection} />}
      >
        {scopes.missing.length > 0 ? (
          <>
            <span className="codes">
              {scopes.missing.map((scope) => (
                <code key={scope}>{scope}</code>
              ))}
            </span>
            {connection.has_own_app ? t("health.scopesOwn") : t("health.scopesServer")}
          </>
        ) : (
          t("health.scopesHow", { count: scopes.granted.length })
        )}
      </Check>
      {scopes.missing.length > 0 && connection.has_own_app && (
        <li className="check-extra">
          <Manifest connection={connection.id} socketMode={connection.socket_mode} />
        </li>
      )}
      <Check
        kind={health.last_event_at ? "good" : "warn"}
        title={health.last_event_at ? t("slack.heard", { when: ago(health.last_event_at) }) : t("slack.notHeard")}
      >
        {health.last_event_at
          ? t("health.heardHow")
          : connection.socket_mode
            ? t("health.notHeardSocket")
            : t("health.notHeardHow")}
      </Check>
      <Check
        kind={health.refused > 0 ? "warn" : "good"}
        title={health.refused > 0 ? t("health.refused", { count: health.refused }) : t("health.nothingRefused")}
        action={
          health.refused > 0 &&
          connection.has_own_app && (
            <Link className="button small" to={`${here}/settings`}>
              {t("health.checkSecret")}
            </Link>
          )
        }
      >
        {health.refused > 0
          ? `${health.last_refusal ?? ""}${health.last_refused_at ? ` (${ago(health.last_refused_at)})` : ""}. ${t("health.refusedHow")}`
          : t("health.noneRefused")}
      </Check>
      <Check
        kind={stuck > 0 ? "warn" : "good"}
        title={stuck > 0 ? t("reading.stuck", { count: stuck }) : t("health.channels")}
        action={
          stuck > 0 && (
            <Link className="button small" to={`${here}?show=problems`}>
              {t("health.showThem")}
            </Link>
          )
        }
      >
        {stuck > 0 ? t("health.stuckHow") : t("health.channelsHow")}
      </Check>
      <Check
        kind={health.last_error ? "warn" : "good"}
        title={
          health.last_error && health.last_error_at
            ? t("health.lastError", { when: ago(health.last_error_at) })
            : t("health.noError")
        }
      >
        {health.last_error ?? t("health.noErrorHow")}
      </Check>
    </ul>
  );
}

function Check({
  kind,
  title,
  action,
  children,
}: {
  kind: "good" | "warn" | "bad";
  title: string;
  action?: ReactNode;
  children: ReactNode;
}) {
  return (
    <li className={`health-check ${kind}`}>
      <Icon name={kind === "good" ? "check" : "alert"} />
      <div className="grow">
        <h2>
          <span className="visually-hidden">{t(`health.${kind}`)}: </span>
          {title}
        </h2>
        <div className="quiet small">{children}</div>
      </div>
      {action}
    </li>
  );
}
