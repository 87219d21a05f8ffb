import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, read, type Schemas } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { Problem, sentence } from "../../api/problem";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Checkbox, Select, TextField } from "../../ui/field";
import { Notice } from "../../ui/state";
import type { Provider } from "./providers";

type Form = Schemas["ProviderRequest"];
type Kind = Schemas["ProviderKind"];

/** The interfaces that models of a kind speak, the usual one first. */
const PROTOCOLS: Record<Kind, Form["protocol"][]> = {
  language: ["anthropic", "openai"],
  embedding: ["openai", "voyage"],
};

type DialogProps = { kind: Kind; provider?: Provider; onClose: () => void };

/** Adds a model that an organisation brings, or changes one. */
export function ProviderDialog({ kind, provider, onClose }: DialogProps) {
  const { id, path } = useOrganization();
  const cache = useQueryClient();
  const [withoutKey, setWithoutKey] = useState(provider ? !provider.has_key : false);
  const save = useMutation({
    mutationFn: (body: Form) =>
      provider
        ? read(
            api.PUT("/api/v1/organizations/{organization_id}/providers/{provider_id}", {
              params: { path: { ...path, provider_id: provider.id } },
              body,
            }),
          )
        : read(api.POST("/api/v1/organizations/{organization_id}/providers", { params: { path }, body })),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: [id, "providers"] });
      onClose();
    },
  });
  const field = (name: string) => (save.error instanceof Problem ? save.error.field(name) : undefined);
  const isAboutFields = save.error instanceof Problem && save.error.fields.length > 0;
  const submit = (form: FormData) => {
    const text = (name: string) => String(form.get(name) ?? "").trim();
    save.mutate({
      name: text("name"),
      kind,
      protocol: text("protocol") as Form["protocol"],
      model: text("model"),
      base_url: text("base_url") || null,
      key: withoutKey ? null : text("key") || null,
      without_key: withoutKey,
      is_active: form.get("is_active") === "on",
    });
  };
  return (
    <Dialog title={provider ? t(`provider.edit.${kind}`) : t(`provider.add.${kind}`)} onClose={onClose}>
      {kind === "embedding" && <p className="quiet small">{t("provider.embeddingHow")}</p>}
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          submit(new FormData(event.currentTarget));
        }}
      >
        <TextField
          label={t("field.name")}
          name="name"
          defaultValue={provider?.name}
          required
          maxLength={100}
          autoFocus
          placeholder={kind === "language" ? "Claude" : "Voyage"}
          wrong={field("name")}
        />
        <Select
          label={t("provider.protocol")}
          name="protocol"
          defaultValue={provider?.protocol ?? PROTOCOLS[kind][0]}
          wrong={field("protocol")}
        >
          {PROTOCOLS[kind].map((protocol) => (
            <option key={protocol} value={protocol}>
              {t(`provider.${protocol}`)}
            </option>
          ))}
        </Select>
        <TextField
          label={t("provider.model")}
          name="model"
          defaultValue={provider?.model}
          required
          hint={t("provider.modelHint")}
          wrong={field("model")}
        />
        <TextField
          label={t("provider.address")}
          name="base_url"
          type="url"
          defaultValue={provider?.base_url ?? ""}
          hint={t("provider.addressHint")}
          wrong={field("base_url")}
        />
        {!withoutKey && (
          <TextField
            label={t("provider.key")}
            name="key"
            type="password"
            autoComplete="off"
            hint={provider?.has_key ? t("provider.keyKept") : t("provider.keyHint")}
            wrong={field("key")}
          />
        )}
        <Checkbox
          label={t("provider.withoutKey")}
          checked={withoutKey}
          onChange={(event) => setWithoutKey(event.target.checked)}
        />
        <Checkbox
          label={t(`provider.takesOver.${kind}`)}
          name="is_active"
          defaultChecked={provider?.is_active ?? true}
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
