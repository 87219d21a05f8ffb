import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { dateTime } from "../../lib/format";
import { Link, type Params, useSearch } from "../../lib/router";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { useTitle } from "../../ui/page";
import { InPage, Loaded } from "../../ui/state";
import { AnswerView } from "./answer";
import type { Citation } from "./conversation";
import { SourcePanel } from "./source-panel";
import { WhySeen } from "./why-seen";

/** One question with its answer, under an address that can be passed on. */
export function SharedQuestion({ params }: { params: Params }) {
  const { id, path, at } = useOrganization();
  const [open, setOpen] = useState<Citation>();
  const [search, setSearch] = useSearch();
  const showsWhy = search.get("why") !== null;
  const question = useQuery({
    queryKey: [id, "question", params.question],
    queryFn: () =>
      read(
        api.GET("/api/v1/organizations/{organization_id}/questions/{question_id}", {
          params: { path: { ...path, question_id: params.question ?? "" } },
        }),
      ),
  });
  useTitle(question.data?.text ?? t("shared.title"));
  return (
    <div className={open ? "ask with-panel" : "ask"}>
      <div className="thread">
        <div className="turns">
          <h1 className="visually-hidden">{t("shared.title")}</h1>
          <InPage value={true}>
            <Loaded query={question} height="6rem">
              {(found) => (
                <article className="turn">
                  <p className="quiet small">{t("shared.asked", { when: dateTime(found.created_at) })}</p>
                  <h2 className="asked">{found.text}</h2>
                  {found.answer ? (
                    <AnswerView answer={found.answer} open={open} onOpen={setOpen} />
                  ) : (
                    <p className="quiet">{t("ask.stillWorking")}</p>
                  )}
                  <div className="row">
                    <Link className="button" to={at("/ask")}>
                      {t("shared.askOwn")}
                    </Link>
                    {found.origin === "slack" && found.answer && (
                      <Button
                        icon="shield"
                        aria-expanded={showsWhy}
                        onClick={() => setSearch({ why: showsWhy ? undefined : "1" })}
                      >
                        {t("seen.title")}
                      </Button>
                    )}
                  </div>
                  {showsWhy && found.origin === "slack" && found.answer && <WhySeen question={found.id} />}
                </article>
              )}
            </Loaded>
          </InPage>
        </div>
      </div>
      {open && (
        <SourcePanel
          key={`${open.document_id}:${open.range_start}`}
          citation={open}
          onClose={() => setOpen(undefined)}
        />
      )}
    </div>
  );
}
