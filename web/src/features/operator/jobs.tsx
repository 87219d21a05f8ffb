import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, read, type Schemas } from "../../api/client";
import { usePages } from "../../api/pages";
import { sentence } from "../../api/problem";
import { ago, dateTime } from "../../lib/format";
import { useSearch } from "../../lib/router";
import { type Key, t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Confirm } from "../../ui/dialog";
import { Select } from "../../ui/field";
import { Menu } from "../../ui/menu";
import { PagedTable } from "../../ui/paged-table";
import { Empty } from "../../ui/state";
import { toast } from "../../ui/toast";

type Job = Schemas["QueuedJobResponse"];

const STATES = ["dead", "queued", "running"] as const;

/** Background work of all organisations: what it is and why it failed, not what it is about. */
export function Jobs() {
  const [search, setSearch] = useSearch();
  const state = STATES.find((name) => name === search.get("state")) ?? "dead";
  const jobs = usePages(["operator", "jobs", state], (at) =>
    read(api.GET("/api/v1/operator/jobs", { params: { query: { state, limit: 100, ...at } } })),
  );
  return (
    <div className="stack">
      <div className="choice">
        <Select
          label={t("job.state")}
          value={state}
          onChange={(event) => setSearch({ state: event.target.value === "dead" ? undefined : event.target.value })}
        >
          {STATES.map((name) => (
            <option key={name} value={name}>
              {t(`job.${name}` as Key)}
            </option>
          ))}
        </Select>
      </div>
      <PagedTable
        query={jobs}
        columns={[t("job.kind"), t("job.attempts"), state === "dead" ? t("job.givenUp") : t("job.next")]}
        idOf={(job) => job.id}
        row={(job) => <Row job={job} />}
        empty={
          <Empty icon={state === "dead" ? "check" : "clock"} title={t(`job.none.${state}` as Key)}>
            {state === "dead" ? t("job.noneHow") : undefined}
          </Empty>
        }
      />
    </div>
  );
}

function Row({ job }: { job: Job }) {
  const cache = useQueryClient();
  const [discarding, setDiscarding] = useState(false);
  const params = { path: { job_id: job.id } };
  const settled = {
    onSuccess: () => cache.invalidateQueries({ queryKey: ["operator"] }),
    onError: (error: unknown) => {
      toast(sentence(error));
      return cache.invalidateQueries({ queryKey: ["operator", "jobs"] });
    },
  };
  const retry = useMutation({
    mutationFn: () => read(api.POST("/api/v1/operator/jobs/{job_id}/retry", { params })),
    ...settled,
  });
  const discard = useMutation({
    mutationFn: () => read(api.DELETE("/api/v1/operator/jobs/{job_id}", { params })),
    ...settled,
  });
  const when = job.state === "dead" ? job.updated_at : job.run_at;
  return (
    <tr>
      <td>
        <span className="who">
          <strong>{job.kind}</strong>
          <span className="quiet small">{job.organization_name}</span>
          {job.last_error && <span className="small wrong">{job.last_error}</span>}
        </span>
      </td>
      <td data-label={t("job.attempts")} className="numbers">
        {t("job.attemptsOf", { done: job.attempts, count: job.max_attempts })}
      </td>
      <td data-label={job.state === "dead" ? t("job.givenUp") : t("job.next")} className="quiet">
        <time dateTime={when} title={dateTime(when)}>
          {ago(when)}
        </time>
      </td>
      <td className="end">
        {job.state === "dead" && (
          <span className="row end">
            <Button small icon="refresh" busy={retry.isPending} onClick={() => retry.mutate()}>
              {t("action.retry")}
            </Button>
            <Menu
              label={t("job.actions", { kind: job.kind })}
              items={[{ label: t("job.discard"), icon: "trash", danger: true, onSelect: () => setDiscarding(true) }]}
            />
          </span>
        )}
        {discarding && (
          <Confirm
            title={t("job.discardTitle", { kind: job.kind })}
            action={t("job.discard")}
            busy={discard.isPending}
            onConfirm={() => discard.mutate()}
            onClose={() => setDiscarding(false)}
          >
            <p>{t("job.discardHow")}</p>
          </Confirm>
        )}
      </td>
    </tr>
  );
}
