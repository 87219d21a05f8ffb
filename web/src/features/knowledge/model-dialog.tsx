import { useState } from "react";
import { useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import { Link } from "../../lib/router";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Loaded, Notice } from "../../ui/state";
import type { KnowledgeBase } from "./knowledge";
import { languageNames, modelName } from "./model-names";
import { type Model, useModels, useMove } from "./models";

/** The model by which passages close in meaning are found, and the choice of another one. */
export function ModelDialog({ base, onClose }: { base: KnowledgeBase; onClose: () => void }) {
  const models = useModels();
  return (
    <Dialog title={t("model.title")} onClose={onClose}>
      <p className="quiet">{t("model.how")}</p>
      <Loaded query={models} rows={3}>
        {({ items }) => <Choice base={base} models={items} onClose={onClose} />}
      </Loaded>
    </Dialog>
  );
}

function Choice({ base, models, onClose }: { base: KnowledgeBase; models: Model[]; onClose: () => void }) {
  const { at, can } = useOrganization();
  const present = base.embedding_model ?? undefined;
  const going = base.building?.embedding_model;
  const [chosen, setChosen] = useState(going ?? present);
  const move = useMove(base);
  const isGone = present !== undefined && !models.some((model) => model.id === present);
  const picked = models.find((model) => model.id === chosen);
  const isMove = picked !== undefined && picked.id !== present && picked.id !== going;
  const isReturn = going !== undefined && chosen === present;
  const wanted = isMove || isReturn ? chosen : undefined;
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (wanted) move.mutate(wanted, { onSuccess: onClose });
      }}
    >
      {models.length === 0 && <Notice>{t("model.none")}</Notice>}
      {models.length > 0 && (
        <fieldset className="field stack tight">
          <legend>{t("model.choose")}</legend>
          {models.map((model) => (
            <label key={model.id} className="check">
              <input type="radio" name="model" checked={chosen === model.id} onChange={() => setChosen(model.id)} />
              <span>
                {model.name} {model.id === present && <span className="tag good">{t("model.present")}</span>}
                {model.id === going && <span className="tag">{t("base.building")}</span>}
                <span className="quiet small block">{about(model)}</span>
              </span>
            </label>
          ))}
        </fieldset>
      )}
      {isGone && <Notice kind="warn">{t("model.gone", { model: modelName(present) })}</Notice>}
      {isMove && <Consequences base={base} model={picked} />}
      {models.length < 2 && can("provider:create") && (
        <p className="quiet small">
          {t("model.more")} <Link to={at("/settings/models")}>{t("model.add")}</Link>
        </p>
      )}
      {move.error && <Notice kind="bad">{sentence(move.error)}</Notice>}
      <div className="row end">
        <Button onClick={onClose}>{t("action.cancel")}</Button>
        <Button
          kind="primary"
          type="submit"
          busy={move.isPending}
          disabledBecause={wanted ? undefined : t("model.same")}
        >
          {isReturn ? t("model.stay") : t("model.move")}
        </Button>
      </div>
    </form>
  );
}

function about(model: Model): string {
  return [
    model.provider ? t("model.ofProvider", { name: model.provider }) : t("model.ofServer"),
    t("provider.dimension", { count: model.dimension }),
    ...(model.languages?.length ? [t("model.languages", { languages: languageNames(model.languages) })] : []),
  ].join(" · ");
}

/** What a move means, before it begins. */
function Consequences({ base, model }: { base: KnowledgeBase; model: Model }) {
  return (
    <Notice>
      <ul className="stack tight meaning">
        <li>{t("model.anew", { count: base.document_count })}</li>
        <li>{t(base.embedding_model ? "model.meanwhile" : "model.meanwhileWords")}</li>
        {model.provider && <li>{t("model.sent", { name: model.provider })}</li>}
      </ul>
    </Notice>
  );
}
