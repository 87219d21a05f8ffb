import { useMutation, useQueryClient } from "@tanstack/react-query";
import { raw } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import { navigate } from "../../lib/router";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Select, TextArea, TextField } from "../../ui/field";
import { Notice } from "../../ui/state";
import type { Document } from "./follow";
import type { KnowledgeBase } from "./knowledge";

type WriteProps = { question: string; bases: KnowledgeBase[]; onClose: () => void };

/** Writes down what was missing, as a document of its own that is found from then on. */
export function WriteDialog({ question, bases, onClose }: WriteProps) {
  const { id, at } = useOrganization();
  const cache = useQueryClient();
  const usable = bases.filter((base) => base.status !== "archived");
  const save = useMutation({
    mutationFn: async (form: FormData) => {
      const text = (name: string) => String(form.get(name) ?? "").trim();
      const title = text("title");
      const query = new URLSearchParams({ name: `${title.slice(0, 80)}.md`, title });
      const response = await raw(`/api/v1/organizations/${id}/knowledge-bases/${text("base")}/documents/raw?${query}`, {
        method: "POST",
        headers: { "content-type": "application/octet-stream" },
        body: `# ${title}\n\n${text("text")}\n`,
      });
      return (await response.json()) as Document;
    },
    onSuccess: async (document) => {
      await cache.invalidateQueries({ queryKey: [id, "documents"] });
      navigate(at(`/documents/${document.id}`), { replace: true });
    },
  });
  return (
    <Dialog wide title={t("write.title")} onClose={onClose}>
      <p className="quiet">{t("write.how")}</p>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate(new FormData(event.currentTarget));
        }}
      >
        <TextField
          label={t("field.title")}
          name="title"
          defaultValue={question.slice(0, 200)}
          required
          maxLength={200}
        />
        <TextArea
          label={t("write.text")}
          name="text"
          rows={8}
          required
          autoFocus
          hint={t("write.textHint")}
          wrong={save.error ? sentence(save.error) : undefined}
        />
        {usable.length > 0 ? (
          <Select label={t("document.inBase")} name="base">
            {usable.map((base) => (
              <option key={base.id} value={base.id}>
                {base.name}
              </option>
            ))}
          </Select>
        ) : (
          <Notice kind="warn">{t("write.noBase")}</Notice>
        )}
        <div className="row end">
          <Button onClick={onClose}>{t("write.other")}</Button>
          <Button
            kind="primary"
            type="submit"
            busy={save.isPending}
            disabledBecause={usable.length > 0 ? undefined : t("write.noBase")}
          >
            {t("action.add")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
