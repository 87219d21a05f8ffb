import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import { percent } from "../../lib/format";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Checkbox } from "../../ui/field";
import { Loaded, Notice } from "../../ui/state";
import { toast } from "../../ui/toast";

const ROUTE = "/api/v1/organizations/{organization_id}/answer-settings" as const;

/** From which confidence on Amebo answers at all. */
export function AnswerSettings() {
  const { id, path } = useOrganization();
  const settings = useQuery({
    queryKey: [id, "answer-settings"],
    queryFn: () => read(api.GET(ROUTE, { params: { path } })),
  });
  return <Loaded query={settings}>{(known) => <Form threshold={known.confidence_threshold ?? null} />}</Loaded>;
}

function Form({ threshold }: { threshold: number | null }) {
  const { id, path, can } = useOrganization();
  const cache = useQueryClient();
  const [own, setOwn] = useState(threshold);
  const save = useMutation({
    mutationFn: () => read(api.PUT(ROUTE, { params: { path }, body: { confidence_threshold: own } })),
    onSuccess: (saved) => {
      cache.setQueryData([id, "answer-settings"], saved);
      toast(t("action.saved"));
    },
  });
  const refused = can("organization:update") ? undefined : t("state.notAllowed");
  return (
    <form
      className="card stack narrow-column"
      onSubmit={(event) => {
        event.preventDefault();
        if (!refused) save.mutate();
      }}
    >
      <h2>{t("threshold.title")}</h2>
      <p className="quiet">{t("threshold.lead")}</p>
      <Checkbox
        label={t("threshold.default")}
        checked={own === null}
        onChange={(event) => setOwn(event.target.checked ? null : 0.5)}
      />
      {own !== null && (
        <div className="field">
          <label htmlFor="threshold">{t("threshold.value", { percent: percent(own) })}</label>
          <input
            id="threshold"
            type="range"
            min={0}
            max={0.95}
            step={0.05}
            value={own}
            onChange={(event) => setOwn(Number(event.target.value))}
            aria-valuetext={percent(own)}
          />
          <span className="hint row between">
            <span>{t("threshold.more")}</span>
            <span>{t("threshold.less")}</span>
          </span>
        </div>
      )}
      {save.error && <Notice kind="bad">{sentence(save.error)}</Notice>}
      <div className="row end">
        <Button kind="primary" type="submit" busy={save.isPending} disabledBecause={refused}>
          {t("action.save")}
        </Button>
      </div>
    </form>
  );
}
