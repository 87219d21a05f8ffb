import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import { ago, date, duration, number } from "../../lib/format";
import { t } from "../../lib/text";
import { Confirm } from "../../ui/dialog";
import { Icon } from "../../ui/icon";
import { Menu } from "../../ui/menu";
import { Progress } from "../../ui/page";
import { toast } from "../../ui/toast";
import { type Channel, useRefresh } from "./data";

type Wanted = { selected: boolean; open: boolean };

/** A channel: whether it is followed, who sees it, how far it has been read. */
export function ChannelRow({
  channel,
  wanted,
  isChanged,
  refused,
  onChange,
}: {
  channel: Channel;
  wanted: Wanted;
  isChanged: boolean;
  refused: string | undefined;
  onChange: (change: Partial<Wanted>) => void;
}) {
  const { can } = useOrganization();
  const [asking, setAsking] = useState(false);
  const refresh = useRefresh();
  const { path } = useOrganization();
  const forget = useMutation({
    mutationFn: () =>
      read(
        api.DELETE("/api/v1/organizations/{organization_id}/slack-channels/{slack_channel_id}", {
          params: { path: { ...path, slack_channel_id: channel.id } },
        }),
      ),
    onSuccess: async () => {
      setAsking(false);
      toast(t("channel.forgotten", { name: channel.name }));
      await refresh();
    },
    onError: (error) => toast(sentence(error)),
  });
  const mayForget = can("channel_connection:delete") && (channel.messages_read > 0 || channel.selected);
  return (
    <tr className={isChanged ? "changed" : undefined}>
      <td>
        <label className="check">
          <input
            type="checkbox"
            checked={wanted.selected}
            disabled={refused !== undefined}
            title={refused}
            aria-label={t("channel.follow", { name: channel.name })}
            onChange={(event) => onChange({ selected: event.target.checked })}
          />
          <span className="channel-name">
            <span>{channel.name}</span>
            {channel.kind === "private" && (
              <span className="tag">
                <Icon name="lock" />
                {t("channel.private")}
              </span>
            )}
            {channel.is_shared && <span className="tag warn">{t("channel.shared")}</span>}
            {channel.is_archived && <span className="tag">{t("channel.archived")}</span>}
          </span>
        </label>
      </td>
      <td data-label={t("channel.members")} className="numbers">
        {channel.members == null ? "–" : number(channel.members)}
      </td>
      <td data-label={t("channel.seenBy")} className={wanted.selected ? undefined : "nothing"}>
        {channel.kind === "public" && wanted.selected ? (
          <select
            className="input small"
            aria-label={t("channel.seenByOf", { name: channel.name })}
            value={wanted.open ? "open" : "members"}
            disabled={refused !== undefined}
            onChange={(event) => onChange({ open: event.target.value === "open" })}
          >
            <option value="members">{t("channel.itsMembers")}</option>
            <option value="open">{t("channel.everyone")}</option>
          </select>
        ) : (
          <span className="quiet">{wanted.selected ? t("channel.itsMembers") : "–"}</span>
        )}
      </td>
      <td
        data-label={t("channel.state")}
        className={channel.selected || channel.messages_read > 0 ? undefined : "nothing"}
      >
        <State channel={channel} />
      </td>
      <td className="end">
        {mayForget && (
          <Menu
            label={t("channel.actions", { name: channel.name })}
            items={[{ label: t("channel.forget"), icon: "trash", danger: true, onSelect: () => setAsking(true) }]}
          />
        )}
        {asking && (
          <Confirm
            title={t("channel.forgetTitle", { name: channel.name })}
            action={t("channel.forget")}
            busy={forget.isPending}
            onConfirm={() => forget.mutate()}
            onClose={() => setAsking(false)}
          >
            <p>{t("channel.forgetHow")}</p>
          </Confirm>
        )}
      </td>
    </tr>
  );
}

function State({ channel }: { channel: Channel }) {
  const messages = t("channel.messages", { count: channel.messages_read });
  if (!channel.selected)
    return <span className="quiet small">{channel.messages_read > 0 ? t("channel.rests", { messages }) : "–"}</span>;
  if (channel.problem) return <span className="wrong small">{channel.problem}</span>;
  if (channel.complete_since) {
    const when = channel.compared_at ?? channel.complete_since;
    return (
      <span className="quiet small" title={t("channel.compared", { when: ago(when) })}>
        {t("channel.complete")} · {messages}
      </span>
    );
  }
  if (!channel.read_back_to) return <span className="quiet small working">{t("channel.waits")}</span>;
  const left = channel.remaining_seconds == null ? "" : t("work.left", { time: duration(channel.remaining_seconds) });
  return (
    <span className="reading-state">
      <Progress label={t("channel.readingOf", { name: channel.name })} value={channel.progress ?? undefined} />
      <span className="quiet small">
        {[messages, t("channel.backTo", { when: date(channel.read_back_to) }), left].filter(Boolean).join(" · ")}
      </span>
    </span>
  );
}
