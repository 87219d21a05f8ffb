import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import { ago } from "../../lib/format";
import { t } from "../../lib/text";
import { Button, IconButton } from "../../ui/button";
import { CopyField } from "../../ui/copy-field";
import { Dialog } from "../../ui/dialog";
import { Notice } from "../../ui/state";
import { toast } from "../../ui/toast";
import { type Question, questionsQuery } from "./conversation";

const ROUTE = "/api/v1/organizations/{organization_id}/questions/{question_id}/share" as const;

/** Shows an answer to colleagues: the asker's own act, which they can take back. */
export function Share({ question }: { question: Question }) {
  const [open, setOpen] = useState(false);
  const shared = question.shared_at != null;
  return (
    <>
      <IconButton
        small
        icon="link"
        label={shared ? t("share.shared") : t("share.share")}
        aria-pressed={shared}
        onClick={() => setOpen(true)}
      />
      {open && <ShareDialog question={question} onClose={() => setOpen(false)} />}
    </>
  );
}

function ShareDialog({ question, onClose }: { question: Question; onClose: () => void }) {
  const { id, path, at } = useOrganization();
  const cache = useQueryClient();
  const address = `${location.origin}${at(`/questions/${question.id}`)}`;
  const change = useMutation({
    mutationFn: async (share: boolean) => {
      const params = { path: { ...path, question_id: question.id } };
      await read(share ? api.PUT(ROUTE, { params }) : api.DELETE(ROUTE, { params }));
      return share;
    },
    onSuccess: async (share) => {
      const shared_at = share ? new Date().toISOString() : null;
      if (question.session_id) {
        cache.setQueryData(questionsQuery(id, question.session_id).queryKey, (old) =>
          old?.map((item) => (item.id === question.id ? { ...item, shared_at } : item)),
        );
      }
      await cache.invalidateQueries({ queryKey: [id, "question", question.id] });
      if (!share) {
        toast(t("share.ended"));
        onClose();
      }
    },
  });
  return (
    <Dialog title={t("share.title")} onClose={onClose}>
      {question.shared_at ? (
        <>
          <p className="quiet">{t("share.sharedHow", { when: ago(question.shared_at) })}</p>
          <CopyField label={t("share.link")} value={address} />
        </>
      ) : (
        <p className="quiet">{t("share.how")}</p>
      )}
      {change.error && <Notice kind="bad">{sentence(change.error)}</Notice>}
      <div className="row end">
        {question.shared_at ? (
          <>
            <Button kind="danger" busy={change.isPending} onClick={() => change.mutate(false)}>
              {t("share.end")}
            </Button>
            <Button kind="primary" onClick={onClose}>
              {t("action.done")}
            </Button>
          </>
        ) : (
          <>
            <Button onClick={onClose}>{t("action.cancel")}</Button>
            <Button kind="primary" icon="link" busy={change.isPending} onClick={() => change.mutate(true)}>
              {t("share.action")}
            </Button>
          </>
        )}
      </div>
    </Dialog>
  );
}
