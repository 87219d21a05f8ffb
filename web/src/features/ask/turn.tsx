import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import { Link } from "../../lib/router";
import { t } from "../../lib/text";
import { Button, IconButton } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { TextArea } from "../../ui/field";
import { Markdown } from "../../ui/markdown";
import { Notice } from "../../ui/state";
import { toast } from "../../ui/toast";
import { AnswerView } from "./answer";
import { toMarkdown } from "./answer-text";
import { type Citation, type Live, type Question, questionsQuery } from "./conversation";
import { FollowUps } from "./follow-ups";
import { Share } from "./share";

type TurnProps = {
  question: Question;
  open: Citation | undefined;
  onOpen: (citation: Citation) => void;
  /** Asks on, of what was said before or by itself; absent where the conversation has gone on. */
  onAsk?: ((text: string, standalone: boolean) => void) | undefined;
};

/** A question and what became of it. */
export function Turn({ question, open, onOpen, onAsk }: TurnProps) {
  return (
    <article className="turn" aria-label={question.text}>
      <h2 className="asked" dir="auto">
        {question.text}
      </h2>
      {question.answer ? (
        <>
          <AnswerView answer={question.answer} open={open} onOpen={onOpen} />
          <Actions question={question} />
          {onAsk && question.answer.outcome === "failed" && (
            <div className="row">
              <Button small icon="refresh" onClick={() => onAsk(question.text, false)}>
                {t("answer.askAgain")}
              </Button>
            </div>
          )}
          {onAsk && question.answer.outcome === "answered" && (
            <FollowUps question={question.id} onAsk={(text) => onAsk(text, true)} />
          )}
        </>
      ) : (
        <p className="quiet working">{t("ask.stillWorking")}</p>
      )}
    </article>
  );
}

/** The question that is being answered. */
export function LiveTurn({ live, onAgain }: { live: Live; onAgain: () => void }) {
  return (
    <article className="turn" aria-label={live.text} aria-busy={live.state !== "failed"}>
      <h2 className="asked" dir="auto">
        {live.text}
      </h2>
      {live.state === "failed" ? (
        <Notice kind="bad">
          <p>{live.error}</p>
          <Button small onClick={onAgain}>
            {t("action.retry")}
          </Button>
        </Notice>
      ) : (
        <>
          <p className="quiet working" role="status">
            {doing(live)}
          </p>
          {live.written && <Markdown text={live.written} cite={(number) => <span className="cite">{number}</span>} />}
        </>
      )}
    </article>
  );
}

function doing(live: Live): string {
  if (live.state === "lost") return t("ask.lost");
  if (live.sources === undefined) return t("ask.searching");
  return live.written ? t("ask.writing") : t("ask.reading", { count: live.sources });
}

function Actions({ question }: { question: Question }) {
  const organization = useOrganization();
  const answer = question.answer;
  const copy = async (text: string, done: string) => {
    await navigator.clipboard.writeText(text);
    toast(done);
  };
  const placeAddress = (citation: Citation) =>
    `${location.origin}${organization.at(`/documents/${citation.document_id}?from=${citation.range_start}&to=${citation.range_end}`)}`;
  return (
    <div className="row actions">
      <Feedback question={question} />
      {answer && answer.outcome === "answered" && (
        <IconButton
          small
          icon="copy"
          label={t("answer.copy")}
          onClick={() => copy(toMarkdown(question.text, answer, placeAddress), t("answer.copied"))}
        />
      )}
      {answer && <Share question={question} />}
      {answer?.outcome === "declined" && organization.can("document:create") && (
        <Link className="button small" to={organization.at(`/knowledge?answer=${encodeURIComponent(question.text)}`)}>
          {t("decline.add")}
        </Link>
      )}
    </div>
  );
}

function Feedback({ question }: { question: Question }) {
  const { id, path } = useOrganization();
  const cache = useQueryClient();
  const [comments, setComments] = useState(false);
  const rating = question.feedback?.rating;
  const show = (feedback: Question["feedback"]) => {
    if (!question.session_id) return;
    cache.setQueryData(questionsQuery(id, question.session_id).queryKey, (old) =>
      old?.map((item) => (item.id === question.id ? { ...item, feedback: feedback ?? null } : item)),
    );
  };
  const rate = useMutation({
    mutationFn: async (next: { rating: "up" | "down"; comment?: string } | null) => {
      const params = { path: { ...path, question_id: question.id } };
      const route = "/api/v1/organizations/{organization_id}/questions/{question_id}/feedback" as const;
      if (next) await read(api.PUT(route, { params, body: next }));
      else await read(api.DELETE(route, { params }));
      return next;
    },
    // It shows at once, and goes back if it does not hold.
    onMutate: (next) => {
      show(next && { rating: next.rating, comment: next.comment ?? null, rated_at: new Date().toISOString() });
      return question.feedback;
    },
    onError: (error, _, before) => {
      show(before);
      toast(sentence(error));
    },
  });
  return (
    <>
      <IconButton
        small
        icon="up"
        label={t("feedback.up")}
        aria-pressed={rating === "up"}
        onClick={() => rate.mutate(rating === "up" ? null : { rating: "up" })}
      />
      <IconButton
        small
        icon="down"
        label={t("feedback.down")}
        aria-pressed={rating === "down"}
        onClick={() => {
          if (rating === "down") return rate.mutate(null);
          rate.mutate({ rating: "down" });
          setComments(true);
        }}
      />
      {comments && (
        <Dialog title={t("feedback.title")} onClose={() => setComments(false)}>
          <form
            className="stack"
            onSubmit={(event) => {
              event.preventDefault();
              const comment = String(new FormData(event.currentTarget).get("comment") ?? "").trim();
              if (comment) rate.mutate({ rating: "down", comment });
              setComments(false);
            }}
          >
            <TextArea
              label={t("feedback.comment")}
              name="comment"
              maxLength={4000}
              autoFocus
              hint={t("feedback.hint")}
            />
            <div className="row end">
              <Button kind="primary" type="submit">
                {t("action.send")}
              </Button>
            </div>
          </form>
        </Dialog>
      )}
    </>
  );
}
