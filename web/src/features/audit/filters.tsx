import { useEffect, useId, useRef, useState } from "react";
import { useSearch } from "../../lib/router";
import { t } from "../../lib/text";
import { Select, TextField } from "../../ui/field";
import type { AuditEntry } from "./audit";
import type { People } from "./people";

export type Filter = { actor_id?: string; action?: string; resource_type?: string; since?: string; until?: string };

export const FILTERS = ["actor_id", "action", "resource_type", "since", "until"] as const;

type FiltersProps = { people: People["all"]; known: AuditEntry[] };

/** By whom, what, to what and when. */
export function Filters({ people, known }: FiltersProps) {
  const [search, setSearch] = useSearch();
  const value = (name: string) => search.get(name) ?? "";
  const set = (name: string) => (next: string) => setSearch({ [name]: next || undefined });
  return (
    <div className="audit-filters">
      <Select
        label={t("audit.actor")}
        value={value("actor_id")}
        onChange={(event) => set("actor_id")(event.target.value)}
      >
        <option value="">{t("audit.anybody")}</option>
        {people.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </Select>
      <NameField
        label={t("audit.action")}
        example="member.update"
        known={known.map(({ action }) => action)}
        value={value("action")}
        onChange={set("action")}
      />
      <NameField
        label={t("audit.resource_type")}
        example="member"
        known={known.map(({ resource_type }) => resource_type)}
        value={value("resource_type")}
        onChange={set("resource_type")}
      />
      {(["since", "until"] as const).map((name) => (
        <TextField
          key={name}
          label={t(`audit.${name}`)}
          type="date"
          value={value(name)}
          onChange={(event) => set(name)(event.target.value)}
        />
      ))}
    </div>
  );
}

type NameProps = {
  label: string;
  example: string;
  known: string[];
  value: string;
  onChange: (value: string) => void;
};

/** A name of which there are few: those that were on the page are proposed, and half a name looks for nothing. */
function NameField({ label, example, known, value, onChange }: NameProps) {
  const list = useId();
  const [text, setText] = useState(value);
  const seen = useRef(new Set<string>());
  for (const name of known) seen.current.add(name);
  useEffect(() => setText(value), [value]);
  return (
    <div>
      <TextField
        label={label}
        type="search"
        list={list}
        placeholder={example}
        value={text}
        onChange={(event) => {
          const next = event.target.value;
          setText(next);
          if (next === "" || seen.current.has(next)) onChange(next);
        }}
        onBlur={() => onChange(text.trim())}
        onKeyDown={(event) => event.key === "Enter" && onChange(text.trim())}
      />
      <datalist id={list}>
        {[...seen.current].sort().map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </div>
  );
}

/** A moment of a day as the browser's own field writes it; undefined for what is none. */
function moment(day: string | null, time: string): string | undefined {
  const at = new Date(`${day}T${time}`);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

export function filterOf(search: URLSearchParams): Filter {
  const filter: Filter = {};
  const actor = search.get("actor_id");
  const action = search.get("action");
  const resource = search.get("resource_type");
  const since = moment(search.get("since"), "00:00:00");
  const until = moment(search.get("until"), "23:59:59.999");
  if (actor) filter.actor_id = actor;
  if (action) filter.action = action;
  if (resource) filter.resource_type = resource;
  if (since) filter.since = since;
  if (until) filter.until = until;
  return filter;
}
