import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { Problem, sentence } from "../../api/problem";
import { navigate } from "../../lib/router";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { TextArea, TextField } from "../../ui/field";
import { Notice } from "../../ui/state";
import type { KnowledgeBase } from "./knowledge";

/** Makes a knowledge base, or changes one. */
export function BaseDialog({ base, onClose }: { base?: KnowledgeBase; onClose: () => void }) {
  const { id, path, at } = useOrganization();
  const cache = useQueryClient();
  const save = useMutation({
    mutationFn: (body: { name: string; description: string }) =>
      base
        ? read(
            api.PATCH("/api/v1/organizations/{organization_id}/knowledge-bases/{knowledge_base_id}", {
              params: { path: { ...path, knowledge_base_id: base.id } },
              body,
            }),
          )
        : read(api.POST("/api/v1/organizations/{organization_id}/knowledge-bases", { params: { path }, body })),
    onSuccess: async (saved) => {
      await cache.invalidateQueries({ queryKey: [id, "bases"] });
      onClose();
      if (!base) navigate(at(`/knowledge/${saved.id}`));
    },
  });
  const field = (name: string) => (save.error instanceof Problem ? save.error.field(name) : undefined);
  const isAboutFields = save.error instanceof Problem && save.error.fields.length > 0;
  return (
    <Dialog title={base ? t("base.edit") : t("base.new")} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          const form = new FormData(event.currentTarget);
          save.mutate({ name: String(form.get("name")).trim(), description: String(form.get("description")).trim() });
        }}
      >
        <TextField
          label={t("field.name")}
          name="name"
          defaultValue={base?.name}
          required
          maxLength={200}
          autoFocus
          hint={t("base.nameHint")}
          wrong={field("name")}
        />
        <TextArea
          label={t("field.description")}
          name="description"
          defaultValue={base?.description}
          maxLength={2000}
          wrong={field("description")}
        />
        {save.error && !isAboutFields && <Notice kind="bad">{sentence(save.error)}</Notice>}
        <div className="row end">
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" busy={save.isPending}>
            {t("action.save")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
