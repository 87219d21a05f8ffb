import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { api, raw, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import icon from "../../icon.svg";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { removeWithUndo, useLeaving } from "../../ui/leaving";
import { Notice } from "../../ui/state";
import { toast } from "../../ui/toast";

const MOST_BYTES = 256 * 1024;

/** The organisation's own mark, in the corner of every page and where its people sign in. */
export function Logo() {
  const { id, path, details, cannot } = useOrganization();
  const cache = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  const refresh = () => cache.invalidateQueries({ queryKey: [id, "organization"] });
  const put = useMutation({
    mutationFn: async (file: File) => {
      if (file.size > MOST_BYTES) throw new Error(t("logo.tooLarge"));
      await raw(`/api/v1/organizations/${id}/logo`, {
        method: "PUT",
        headers: { "content-type": "application/octet-stream" },
        body: await file.arrayBuffer(),
      });
    },
    onSuccess: async () => {
      await refresh();
      toast(t("action.saved"));
    },
  });
  const leaving = `logo of ${id}`;
  const logo = useLeaving().has(leaving) ? undefined : details.logo;
  const remove = () =>
    removeWithUndo({
      id: leaving,
      said: t("logo.removed"),
      act: () =>
        read(api.DELETE("/api/v1/organizations/{organization_id}/logo", { params: { path }, keepalive: true })),
      after: refresh,
    });
  const refused = cannot("organization:update");
  return (
    <section className="card stack tight" aria-labelledby="logo">
      <h2 id="logo">{t("logo.title")}</h2>
      <p className="quiet small">{t("logo.how")}</p>
      <div className="row">
        <img className="logo-preview" src={logo ?? icon} alt={logo ? t("logo.now") : t("logo.none")} />
        <input
          ref={input}
          type="file"
          className="visually-hidden"
          tabIndex={-1}
          aria-label={t("logo.choose")}
          accept="image/png,image/jpeg,image/webp"
          onChange={(event) => {
            const file = event.target.files?.[0];
            event.target.value = "";
            if (file) put.mutate(file);
          }}
        />
        <Button icon="upload" busy={put.isPending} disabledBecause={refused} onClick={() => input.current?.click()}>
          {t("logo.choose")}
        </Button>
        {logo && (
          <Button kind="plain" disabledBecause={refused} onClick={remove}>
            {t("logo.remove")}
          </Button>
        )}
      </div>
      {put.error && <Notice kind="bad">{sentence(put.error)}</Notice>}
    </section>
  );
}
