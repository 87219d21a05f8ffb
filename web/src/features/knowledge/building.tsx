import { useEffect, useRef } from "react";
import { useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import { duration } from "../../lib/format";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Progress } from "../../ui/page";
import { Notice } from "../../ui/state";
import { toast } from "../../ui/toast";
import type { KnowledgeBase } from "./knowledge";
import { modelName } from "./model-names";
import { useMove } from "./models";

/** Says so when a knowledge base has arrived at the model it was on its way to. */
export function useArrival(base: KnowledgeBase) {
  const going = useRef(base.building?.embedding_model);
  useEffect(() => {
    const before = going.current;
    going.current = base.building?.embedding_model;
    if (before && !going.current && base.embedding_model === before)
      toast(t("model.done", { model: modelName(before) }));
  }, [base]);
}

/** How far a knowledge base is on its way to another model. */
export function Building({ base }: { base: KnowledgeBase }) {
  const { cannot } = useOrganization();
  const move = useMove(base);
  const { building } = base;
  if (!building) return null;
  const passages = building.passages ?? 0;
  const done = building.embedded ?? 0;
  const present = base.embedding_model;
  const refused = cannot("knowledge_base:update");
  const act = (model: string) => move.mutate(model, { onError: (error) => toast(sentence(error)) });
  return (
    <section className="card stack tight" aria-labelledby="building">
      <div className="row between">
        <h2 id="building">{t("model.moving", { model: modelName(building.embedding_model) })}</h2>
        <div className="row">
          {building.given_up && (
            <Button small busy={move.isPending} disabledBecause={refused} onClick={() => act(building.embedding_model)}>
              {t("action.retry")}
            </Button>
          )}
          {present && (
            <Button
              small
              busy={move.isPending}
              disabledBecause={refused}
              title={refused ?? t("model.stayHow", { model: modelName(present) })}
              onClick={() => act(present)}
            >
              {t("model.stay")}
            </Button>
          )}
        </div>
      </div>
      <Progress label={t("model.progress")} value={passages > 0 ? done / passages : undefined} />
      <p className="small">
        {t("model.passages", { done, count: passages })}
        {building.remaining_seconds != null &&
          !building.problem &&
          ` · ${t("work.left", { time: duration(building.remaining_seconds) })}`}
      </p>
      {building.problem && (
        <Notice kind={building.given_up ? "bad" : "warn"}>
          <p>
            {t(building.given_up ? "model.givenUp" : "model.waits", {
              reason: t(`model.problem.${building.problem}`),
            })}
          </p>
          {building.detail && (
            <p className="small" dir="auto">
              {t("model.said", { detail: building.detail })}
            </p>
          )}
        </Notice>
      )}
      <p className="quiet small">{t(present ? "model.meanwhile" : "model.meanwhileWords")}</p>
    </section>
  );
}
