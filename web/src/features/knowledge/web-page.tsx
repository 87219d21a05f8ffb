import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { TextField } from "../../ui/field";
import { toast } from "../../ui/toast";

/** Puts a web page into a knowledge base. */
export function WebPageDialog({ base, onClose }: { base: string; onClose: () => void }) {
  const { id, path } = useOrganization();
  const cache = useQueryClient();
  const fetchPage = useMutation({
    mutationFn: (url: string) =>
      read(
        api.POST("/api/v1/organizations/{organization_id}/knowledge-bases/{knowledge_base_id}/documents/web-page", {
          params: { path: { ...path, knowledge_base_id: base } },
          body: { url },
        }),
      ),
    onSuccess: async (received) => {
      await cache.invalidateQueries({ queryKey: [id, "documents"] });
      toast(received.duplicate ? t("web.same") : t("web.added"));
      onClose();
    },
  });
  return (
    <Dialog title={t("web.add")} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          fetchPage.mutate(String(new FormData(event.currentTarget).get("url")));
        }}
      >
        <TextField
          label={t("web.address")}
          name="url"
          type="url"
          required
          placeholder="https://"
          autoFocus
          hint={t("web.hint")}
          wrong={fetchPage.error ? sentence(fetchPage.error) : undefined}
        />
        <div className="row end">
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" busy={fetchPage.isPending}>
            {t("action.add")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
