import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, type RefObject, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { useBases } from "../../api/bases";
import { api, read } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import { isTyping, useKeys } from "../../lib/keys";
import { Link, navigate, type Params, useSearch } from "../../lib/router";
import { t } from "../../lib/text";
import { useTitle } from "../../ui/page";
import { Empty, InPage, Loaded } from "../../ui/state";
import { toast } from "../../ui/toast";
import { Composer } from "./composer";
import { ask, type Citation, forget, liveOf, onLive, questionsQuery, stop } from "./conversation";
import { forgetDraft } from "./draft";
import { sessionQuery } from "./history";
import { SourcePanel } from "./source-panel";
import { LiveTurn, Turn } from "./turn";

export function Ask({ params }: { params: Params }) {
  return <Conversation key={params.session ?? "new"} session={params.session} />;
}

/** The keys that go from one cited place to the next; letters too, since not every keyboard has brackets at hand. */
const STEPS: Record<string, number> = { "]": 1, n: 1, "[": -1, p: -1 };

function useCitations(questions: { answer?: { citations: Citation[]; closest: Citation[] } | null }[]) {
  const [open, setOpen] = useState<Citation>();
  const all = questions.flatMap((question) => [
    ...(question.answer?.citations ?? []),
    ...(question.answer?.closest ?? []),
  ]);
  useKeys((event) => {
    const step = STEPS[event.key];
    if (isTyping(event) || step === undefined || all.length === 0) return;
    const at = open ? all.indexOf(open) : -1;
    // From nowhere, backwards is the last one.
    const next = at < 0 && step < 0 ? all.length - 1 : (at + step + all.length) % all.length;
    setOpen(all[next]);
    event.preventDefault();
  });
  return [open, setOpen] as const;
}

function Conversation({ session }: { session: string | undefined }) {
  const organization = useOrganization();
  const cache = useQueryClient();
  const [search, setSearch] = useSearch();
  const scope = search.get("bases")?.split(",").filter(Boolean) ?? [];
  const field = useRef<HTMLTextAreaElement>(null);
  const turns = useRef<HTMLDivElement>(null);
  const questions = useQuery({ ...questionsQuery(organization.id, session ?? ""), enabled: session !== undefined });
  const about = useQuery({ ...sessionQuery(organization.id, session ?? ""), enabled: session !== undefined });
  const live = useSyncExternalStore(onLive, () => liveOf(session));
  const [starting, setStarting] = useState(false);
  const [open, setOpen] = useCitations(questions.data ?? []);
  useTitle(about.data?.title ?? t("nav.ask"));
  useFocusOnSlash(field);
  const count = (questions.data?.length ?? 0) + (live ? 1 : 0);
  useEffect(() => {
    if (count > 1) turns.current?.querySelector(".turn:last-of-type")?.scrollIntoView({ block: "start" });
  }, [count]);

  const draftKey = `${organization.slug}.${session ?? "new"}`;
  const begin = async (text: string, standalone = false): Promise<boolean> => {
    try {
      let target = session;
      if (!target) {
        setStarting(true);
        const created = await read(
          api.POST("/api/v1/organizations/{organization_id}/sessions", {
            params: { path: organization.path },
            body: {},
          }),
        );
        target = created.id;
        cache.setQueryData(questionsQuery(organization.id, target).queryKey, []);
        navigate(organization.at(`/ask/${target}${location.search}`));
      }
      await ask({
        cache,
        organization: organization.id,
        session: target,
        text,
        bases: scope,
        standalone,
        onTaken: () => forgetDraft(draftKey, text),
      });
      return true;
    } catch (error) {
      setStarting(false);
      toast(sentence(error));
      return false;
    }
  };
  const busy = starting || (live !== undefined && live.state !== "failed");
  const composer = (
    <Composer
      draftKey={draftKey}
      busy={busy}
      scope={scope}
      onScope={(bases) => setSearch({ bases: bases.join(",") || undefined })}
      onAsk={(text) => begin(text)}
      onStop={() => {
        if (!session) return;
        stop(session);
        toast(t("ask.stopped"));
      }}
      field={field}
    />
  );
  if (!session) return <Fresh composer={composer} />;
  return (
    <div className={open ? "ask with-panel" : "ask"}>
      <div className="thread">
        <h1 className="visually-hidden">{about.data?.title ?? t("nav.ask")}</h1>
        <div ref={turns} className="turns" aria-live="polite">
          <InPage value={true}>
            <Loaded query={questions} rows={3} height="5rem">
              {(items) =>
                items.map((question, at) => (
                  <Turn
                    key={question.id}
                    question={question}
                    open={open}
                    onOpen={setOpen}
                    onAsk={at === items.length - 1 && !live ? begin : undefined}
                  />
                ))
              }
            </Loaded>
          </InPage>
          {live && (
            <LiveTurn
              live={live}
              onAgain={() => {
                forget(session);
                void begin(live.text);
              }}
            />
          )}
        </div>
        <div className="dock">{composer}</div>
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

function useFocusOnSlash(field: RefObject<HTMLTextAreaElement | null>) {
  useEffect(() => {
    if (window.matchMedia("(pointer: fine)").matches) field.current?.focus({ preventScroll: true });
  }, [field]);
  useKeys((event) => {
    if (event.key !== "/" || isTyping(event)) return;
    field.current?.focus();
    event.preventDefault();
  });
}

/** Before the first question: what can be asked here, or how to put something in. */
function Fresh({ composer }: { composer: ReactNode }) {
  const { name, at, can } = useOrganization();
  const bases = useBases();
  const documents = bases.data?.items.reduce((sum, base) => sum + base.document_count, 0);
  return (
    <div className="fresh">
      <h1>{t("ask.hello", { organization: name })}</h1>
      {composer}
      <p className="quiet small">
        {documents === undefined ? " " : documents > 0 ? t("ask.knows", { count: documents }) : null}
        {documents ? <span className="of-keys"> {t("ask.keys")}</span> : null}
      </p>
      {documents === 0 && (
        <InPage value={true}>
          <Empty
            icon="book"
            title={t("ask.nothingYet")}
            action={
              can("document:create") ? (
                <Link className="button primary" to={at("/start")}>
                  {t("ask.putIn")}
                </Link>
              ) : undefined
            }
          >
            {t("ask.nothingYetHow")}
          </Empty>
        </InPage>
      )}
    </div>
  );
}
