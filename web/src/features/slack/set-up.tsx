import { type ReactNode, useState } from "react";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { navigate } from "../../lib/router";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Icon } from "../../ui/icon";
import { removeWithUndo } from "../../ui/leaving";
import { AppForm } from "./app-form";
import { type Connection, useInstall, useRefresh } from "./data";
import { Manifest } from "./manifest";
import { TokenForm } from "./token-form";

/** Three steps from nothing to a connected workspace, with an app of one's own. */
export function SetUp({ connection }: { connection: Connection }) {
  const { path, at, cannot } = useOrganization();
  const refresh = useRefresh();
  const [isSocket, setSocket] = useState(connection.socket_mode);
  const [editing, setEditing] = useState(!connection.has_own_app);
  const install = useInstall();
  const giveUp = () => {
    navigate(at("/slack"), { replace: true });
    removeWithUndo({
      id: connection.id,
      said: t("setUp.gaveUp"),
      act: () =>
        read(
          api.DELETE("/api/v1/organizations/{organization_id}/channel-connections/{channel_connection_id}", {
            params: { path: { ...path, channel_connection_id: connection.id } },
            keepalive: true,
          }),
        ),
      after: refresh,
    });
  };
  const isSet = connection.has_own_app && !editing;
  return (
    <div className="stack loose narrow-column">
      <ol className="steps">
        <Step number={1} title={t("setUp.make")} isDone={connection.has_own_app}>
          <p className="quiet">{t("setUp.makeHow")}</p>
          <fieldset className="field stack tight" disabled={connection.has_own_app}>
            <legend>{t("setUp.events")}</legend>
            <label className="check">
              <input type="radio" name="events" checked={!isSocket} onChange={() => setSocket(false)} />
              <span>
                {t("setUp.reaches")}{" "}
                <span className="quiet small">{t("setUp.reachesHow", { address: location.origin })}</span>
              </span>
            </label>
            <label className="check">
              <input type="radio" name="events" checked={isSocket} onChange={() => setSocket(true)} />
              <span>
                {t("setUp.socket")} <span className="quiet small">{t("setUp.socketHow")}</span>
              </span>
            </label>
          </fieldset>
          <Manifest connection={connection.id} socketMode={isSocket} mayOpen />
        </Step>
        <Step number={2} title={t("setUp.credentials")} isDone={isSet}>
          {isSet ? (
            <div className="row between">
              <p className="quiet">{t("setUp.credentialsKept")}</p>
              <Button small onClick={() => setEditing(true)}>
                {t("action.edit")}
              </Button>
            </div>
          ) : (
            <>
              <p className="quiet">{t("setUp.credentialsHow")}</p>
              <AppForm connection={connection} socketMode={isSocket} onSaved={() => setEditing(false)} />
            </>
          )}
        </Step>
        <Step number={3} title={t("setUp.install")} isDone={false}>
          {!isSet ? (
            <p className="quiet">{t("setUp.installLater")}</p>
          ) : isSocket ? (
            <TokenForm connection={connection} />
          ) : (
            <>
              <p className="quiet">{t("setUp.installHow")}</p>
              <div className="row">
                <Button
                  kind="primary"
                  icon="external"
                  busy={install.isPending}
                  disabledBecause={cannot("channel_connection:create")}
                  onClick={() => install.mutate(connection.id)}
                >
                  {t("setUp.installAction")}
                </Button>
              </div>
            </>
          )}
        </Step>
      </ol>
      <div className="row">
        <Button kind="danger" disabledBecause={cannot("channel_connection:delete")} onClick={giveUp}>
          {t("setUp.giveUp")}
        </Button>
      </div>
    </div>
  );
}

function Step({
  number,
  title,
  isDone,
  children,
}: {
  number: number;
  title: string;
  isDone: boolean;
  children: ReactNode;
}) {
  return (
    <li className={isDone ? "card stack done" : "card stack"}>
      <h2>
        <span className="tick">{isDone ? <Icon name="check" /> : number}</span>
        {title}
        {isDone && <span className="visually-hidden"> ({t("start.done")})</span>}
      </h2>
      {children}
    </li>
  );
}
