import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, read, type Schemas } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { Problem, sentence } from "../../api/problem";
import { type Key, t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Select, TextField } from "../../ui/field";
import { Notice } from "../../ui/state";
import { toast } from "../../ui/toast";
import type { Source } from "./sources";

type Interval = Schemas["Interval"];

const EVERY = ["day", "week", "demand"] as const;

/** Adds a web page to a knowledge base, or changes when one is read. */
export function SourceDialog({ base, source, onClose }: { base?: string; source?: Source; onClose: () => void }) {
  const { id, path, can } = useOrganization();
  const cache = useQueryClient();
  const maySchedule = can("knowledge_base:update");
  const save = useMutation({
    mutationFn: async (form: FormData) => {
      const text = (name: string) => String(form.get(name) ?? "").trim();
      const chosen = text("every");
      const every: Interval | null = chosen === "demand" ? null : (chosen as Interval);
      const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
      if (source) {
        await read(
          api.PATCH("/api/v1/organizations/{organization_id}/sources/{source_id}", {
            params: { path: { ...path, source_id: source.id } },
            body: { every, timezone, ...(text("name") ? { name: text("name") } : {}) },
          }),
        );
      } else if (maySchedule) {
        await read(
          api.POST("/api/v1/organizations/{organization_id}/sources", {
            params: { path },
            body: { knowledge_base_id: base ?? "", url: text("url"), name: text("name") || null, every, timezone },
          }),
        );
      } else {
        // Whoever may add documents but not look after the knowledge base has the page read once.
        await read(
          api.POST("/api/v1/organizations/{organization_id}/knowledge-bases/{knowledge_base_id}/documents/web-page", {
            params: { path: { ...path, knowledge_base_id: base ?? "" } },
            body: { url: text("url"), title: text("name") || null },
          }),
        );
      }
    },
    onSuccess: async () => {
      await Promise.all([
        cache.invalidateQueries({ queryKey: [id, "sources"] }),
        cache.invalidateQueries({ queryKey: [id, "documents"] }),
      ]);
      if (!source) toast(t("web.added"));
      onClose();
    },
  });
  const field = (name: string) => (save.error instanceof Problem ? save.error.field(name) : undefined);
  const isAboutFields = save.error instanceof Problem && save.error.fields.length > 0;
  return (
    <Dialog title={source ? t("source.change") : t("web.add")} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate(new FormData(event.currentTarget));
        }}
      >
        {!source && (
          <TextField
            label={t("web.address")}
            name="url"
            type="url"
            required
            placeholder="https://"
            autoFocus
            wrong={field("url")}
          />
        )}
        <TextField
          label={t("field.name")}
          name="name"
          maxLength={200}
          defaultValue={source?.name}
          hint={source ? undefined : t("web.nameHint")}
          wrong={field("name")}
        />
        {maySchedule && (
          <Select
            label={t("source.every")}
            name="every"
            defaultValue={source ? (source.every ?? "demand") : "day"}
            hint={t("source.everyHow")}
            wrong={field("timezone")}
          >
            {EVERY.map((every) => (
              <option key={every} value={every}>
                {t(`every.${every}` as Key)}
              </option>
            ))}
          </Select>
        )}
        {save.error && !isAboutFields && <Notice kind="bad">{sentence(save.error)}</Notice>}
        <div className="row end">
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" busy={save.isPending}>
            {source ? t("action.save") : t("action.add")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
