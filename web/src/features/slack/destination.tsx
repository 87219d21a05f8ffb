import { useState } from "react";
import { useBases } from "../../api/bases";
import { useOrganization } from "../../api/organization";
import { Problem, sentence } from "../../api/problem";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Confirm } from "../../ui/dialog";
import { Checkbox, Select } from "../../ui/field";
import { Loaded, Notice } from "../../ui/state";
import { toast } from "../../ui/toast";
import { type Choice, type Connection, useBaseFor, useChoose } from "./data";

const PERIODS = [30, 90, 180, 365, 730];

/** Where what is said goes, for how long, and what becomes of new channels. */
export function Destination({ connection, choice }: { connection: Connection; choice: Choice }) {
  const bases = useBases();
  return (
    <Loaded query={bases} rows={3}>
      {({ items }) => (
        <Form
          connection={connection}
          choice={choice}
          bases={items.filter((base) => base.status !== "archived" || base.id === choice.knowledge_base_id)}
        />
      )}
    </Loaded>
  );
}

function Form({
  connection,
  choice,
  bases,
}: {
  connection: Connection;
  choice: Choice;
  bases: { id: string; name: string }[];
}) {
  const { can, cannot } = useOrganization();
  const isFirst = !choice.knowledge_base_id;
  const newName = t("destination.newName", { name: connection.display_name });
  const taken = bases.find((base) => base.name === newName);
  const [base, setBase] = useState(choice.knowledge_base_id ?? taken?.id ?? "");
  const [days, setDays] = useState(choice.keep_days ?? 0);
  const [followsNew, setFollowsNew] = useState(choice.follow_new_public_channels ?? false);
  const [problem, setProblem] = useState<unknown>();
  const choose = useChoose(connection.id);
  const baseFor = useBaseFor();
  const refused = cannot("channel_connection:update") ?? (base === "" ? cannot("knowledge_base:create") : undefined);
  const periods = PERIODS.includes(days) || days === 0 ? PERIODS : [...PERIODS, days].sort((one, two) => one - two);
  const isShorter = days > 0 && !isFirst && (choice.keep_days == null || days < choice.keep_days);
  const [asking, setAsking] = useState(false);
  const submit = async () => {
    setAsking(false);
    setProblem(undefined);
    try {
      const target = await baseFor(base, newName);
      setBase(target);
      await choose.mutateAsync({
        knowledge_base_id: target,
        follow_new_public_channels: followsNew,
        keep_days: days || null,
      });
      if (!isFirst) toast(t("action.saved"));
    } catch (error) {
      setProblem(error);
    }
  };
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (refused) return;
        if (isShorter) setAsking(true);
        else void submit();
      }}
    >
      <Select
        label={t("destination.base")}
        hint={t("destination.baseHow")}
        value={base}
        onChange={(event) => setBase(event.target.value)}
        disabled={!can("channel_connection:update")}
        wrong={problem instanceof Problem ? problem.field("knowledge_base_id") : undefined}
      >
        {!taken && <option value="">{t("destination.newBase", { name: newName })}</option>}
        {bases.map((one) => (
          <option key={one.id} value={one.id}>
            {one.name}
          </option>
        ))}
      </Select>
      <Select
        label={t("destination.keep")}
        hint={isShorter ? t("destination.shorter") : t("destination.keepHow")}
        value={days}
        onChange={(event) => setDays(Number(event.target.value))}
        disabled={!can("channel_connection:update")}
        wrong={problem instanceof Problem ? problem.field("keep_days") : undefined}
      >
        <option value={0}>{t("destination.forEver")}</option>
        {periods.map((period) => (
          <option key={period} value={period}>
            {t("destination.days", { count: period })}
          </option>
        ))}
      </Select>
      <Checkbox
        label={t("destination.follow")}
        hint={t("destination.followHow")}
        checked={followsNew}
        disabled={!can("channel_connection:update")}
        onChange={(event) => setFollowsNew(event.target.checked)}
      />
      {problem !== undefined && !(problem instanceof Problem && problem.fields.length > 0) && (
        <Notice kind="bad">{sentence(problem)}</Notice>
      )}
      <div className="row">
        <Button kind="primary" type="submit" busy={choose.isPending} disabledBecause={refused}>
          {isFirst ? t("destination.go") : t("action.save")}
        </Button>
      </div>
      {asking && (
        <Confirm
          title={t("destination.shorterTitle", { count: days })}
          action={t("destination.shorterAction")}
          onConfirm={() => void submit()}
          onClose={() => setAsking(false)}
        >
          <p>{t("destination.shorter")}</p>
        </Confirm>
      )}
    </form>
  );
}
