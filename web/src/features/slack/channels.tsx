import { useMutation } from "@tanstack/react-query";
import { useDeferredValue, useEffect, useState } from "react";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import { ago } from "../../lib/format";
import { guardLeaving, useSearch } from "../../lib/router";
import { type Key, t } from "../../lib/text";
import { Button } from "../../ui/button";
import { SearchField, Select } from "../../ui/field";
import { Empty, Loaded, Notice } from "../../ui/state";
import "../../ui/styles/knowledge.css";
import { toast } from "../../ui/toast";
import { after, type Changes, changed, orders } from "./changes";
import { ChannelRow } from "./channel-row";
import {
  CHANNELS,
  type Channel,
  type Channels,
  type Choice,
  type Connection,
  useChannels,
  useChoice,
  useChoose,
  useRefresh,
} from "./data";
import { Destination } from "./destination";
import { ReadingCard } from "./reading-card";

/** How many rows are drawn at first, and with every "show more". */
const PAGE = 100;
const KINDS = ["all", "followed", "open", "private", "problems"] as const;
type Kind = (typeof KINDS)[number];

export function ChannelsTab({ connection }: { connection: Connection }) {
  const choice = useChoice(connection.id);
  const keepsNothing = connection.settings.searches_live ?? false;
  const isChosen = Boolean(choice.data?.knowledge_base_id) && !keepsNothing;
  const channels = useChannels(connection.id, isChosen);
  if (keepsNothing) return <Notice>{t("channel.nothingKept")}</Notice>;
  return (
    <Loaded query={choice} rows={4}>
      {(known) =>
        known.knowledge_base_id ? (
          <Loaded query={channels} rows={6}>
            {(list) => <Listed connection={connection} choice={known} list={list} />}
          </Loaded>
        ) : (
          <section className="card stack narrow-column" aria-labelledby="destination">
            <div>
              <h2 id="destination">{t("destination.title")}</h2>
              <p className="quiet">{t("destination.lead")}</p>
            </div>
            <Destination connection={connection} choice={known} />
          </section>
        )
      }
    </Loaded>
  );
}

function Listed({ connection, choice, list }: { connection: Connection; choice: Choice; list: Channels }) {
  const again = useChoose(connection.id);
  const { cannot } = useOrganization();
  if (list.items.length === 0) {
    if (list.listed_at)
      return (
        <Empty
          icon="hash"
          title={t("channel.none")}
          action={
            <Button icon="refresh" busy={again.isPending} onClick={() => again.mutate(choice)}>
              {t("channel.listAgain")}
            </Button>
          }
        >
          {t("channel.noneHow")}
        </Empty>
      );
    if (connection.status !== "active") return <Notice>{t("channel.notConnected")}</Notice>;
    return (
      <p className="quiet working" role="status">
        {t("channel.listing")}
      </p>
    );
  }
  return (
    <>
      <ReadingCard list={list} />
      <Picker connection={connection} list={list} />
      <div className="row between">
        <p className="quiet small grow">
          {t("channel.invite")}{" "}
          {list.listed_at ? t("channel.listed", { when: ago(list.listed_at) }) : t("channel.listing")}
        </p>
        <Button
          small
          icon="refresh"
          busy={again.isPending}
          disabledBecause={cannot("channel_connection:update")}
          onClick={() => again.mutate(choice)}
        >
          {t("channel.listAgain")}
        </Button>
      </div>
    </>
  );
}

function isOf(kind: Kind, channel: Channel): boolean {
  if (kind === "followed") return channel.selected;
  if (kind === "open") return !channel.selected && !channel.is_archived;
  if (kind === "private") return channel.kind === "private";
  return kind === "all" || Boolean(channel.problem);
}

/** Choose among the channels; nothing happens before it is saved. */
function Picker({ connection, list }: { connection: Connection; list: Channels }) {
  const { path, cannot } = useOrganization();
  const refresh = useRefresh();
  const [search, setSearch] = useSearch();
  const [changes, setChanges] = useState<Changes>(new Map());
  const [rows, setRows] = useState(PAGE);
  const kind = KINDS.find((one) => one === search.get("show")) ?? "all";
  const sought = useDeferredValue((search.get("text") ?? "").trim().toLowerCase());
  const shown = list.items.filter(
    (channel) => isOf(kind, channel) && (!sought || channel.name.toLowerCase().includes(sought)),
  );
  const followable = shown.filter((channel) => !after(channel, changes).selected && !channel.is_archived);
  const hasChanges = changes.size > 0;
  useEffect(() => {
    if (!hasChanges) return;
    guardLeaving(() => window.confirm(t("channel.unsaved")));
    return () => guardLeaving(undefined);
  }, [hasChanges]);
  const save = useMutation({
    mutationFn: async () => {
      for (const body of orders(list.items, changes)) {
        await read(api.PATCH(CHANNELS, { params: { path: { ...path, channel_connection_id: connection.id } }, body }));
      }
    },
    onSuccess: async () => {
      await refresh();
      setChanges(new Map());
    },
    onError: (error) => toast(sentence(error)),
  });
  const change = (channel: Channel, part: { selected?: boolean; open?: boolean }) =>
    setChanges((old) => changed(old, channel, part));
  const chooseShown = () =>
    setChanges((old) => followable.reduce((next, channel) => changed(next, channel, { selected: true }), old));
  const count = (wanted: boolean) =>
    list.items.filter((channel) => changes.get(channel.id)?.selected === wanted).length;
  const refused = cannot("channel_connection:update");
  return (
    <section className="stack" aria-label={t("slack.channels")}>
      <div className="filters">
        <SearchField
          label={t("channel.search")}
          value={search.get("text") ?? ""}
          onChange={(event) => setSearch({ text: event.target.value })}
        />
        <Select
          label={t("channel.show")}
          hideLabel
          value={kind}
          onChange={(event) => setSearch({ show: event.target.value === "all" ? undefined : event.target.value })}
        >
          {KINDS.map((one) => (
            <option key={one} value={one}>
              {t(`channel.show.${one}` as Key)}
            </option>
          ))}
        </Select>
      </div>
      <div className="row between">
        <p className="quiet small" role="status">
          {t("channel.count", { count: shown.length })}
        </p>
        {followable.length > 1 && !refused && (
          <Button small onClick={chooseShown}>
            {t("channel.chooseShown", { count: followable.length })}
          </Button>
        )}
      </div>
      {shown.length === 0 ? (
        <Empty
          icon="search"
          title={t("channel.noneFound")}
          action={
            <Button onClick={() => setSearch({ text: undefined, show: undefined })}>{t("document.clear")}</Button>
          }
        />
      ) : (
        <table className="table folds channels">
          <thead>
            <tr>
              <th scope="col">{t("channel.name")}</th>
              <th scope="col">{t("channel.members")}</th>
              <th scope="col">{t("channel.seenBy")}</th>
              <th scope="col">{t("channel.state")}</th>
              <th scope="col">
                <span className="visually-hidden">{t("people.actions")}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.slice(0, rows).map((channel) => (
              <ChannelRow
                key={channel.id}
                channel={channel}
                wanted={after(channel, changes)}
                isChanged={changes.has(channel.id)}
                refused={refused}
                onChange={(part) => change(channel, part)}
              />
            ))}
          </tbody>
        </table>
      )}
      {shown.length > rows && <Button onClick={() => setRows(rows + PAGE)}>{t("action.more")}</Button>}
      {hasChanges && (
        <section className="bar" aria-label={t("channel.changes")}>
          <p className="grow" role="status">
            {[
              count(true) > 0 && t("channel.toFollow", { count: count(true) }),
              count(false) > 0 && t("channel.toStop", { count: count(false) }),
              count(true) + count(false) === 0 && t("channel.toShow", { count: changes.size }),
            ]
              .filter(Boolean)
              .join(" · ")}
            {count(false) > 0 && <span className="quiet small"> {t("channel.stopHow")}</span>}
          </p>
          <Button onClick={() => setChanges(new Map())}>{t("channel.discard")}</Button>
          <Button kind="primary" busy={save.isPending} onClick={() => save.mutate()}>
            {t("action.save")}
          </Button>
        </section>
      )}
    </section>
  );
}
