import { queryOptions, useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, inside, read, type Schemas } from "../../api/client";
import { useOrganization } from "../../api/organization";
import { sentence } from "../../api/problem";
import { Link, match, navigate, usePath } from "../../lib/router";
import { t } from "../../lib/text";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { SearchField, TextField } from "../../ui/field";
import { removeWithUndo, useLeaving } from "../../ui/leaving";
import { Menu } from "../../ui/menu";
import { MoreButton } from "../../ui/more";
import { Notice, Waiting } from "../../ui/state";

type Session = Schemas["SessionResponse"];

export function sessionQuery(organization: string, session: string) {
  return queryOptions({
    queryKey: [organization, "sessions", session],
    queryFn: () =>
      read(
        api.GET("/api/v1/organizations/{organization_id}/sessions/{session_id}", {
          params: { path: { ...inside(organization), session_id: session } },
        }),
      ),
  });
}

/** One's conversations, the one last used first. */
export function useSessions() {
  const { id, path } = useOrganization();
  return useInfiniteQuery({
    queryKey: [id, "sessions"],
    queryFn: ({ pageParam }) =>
      read(
        api.GET("/api/v1/organizations/{organization_id}/sessions", {
          params: { path, query: { limit: 100, ...(pageParam ? { cursor: pageParam } : {}) } },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    staleTime: 30_000,
  });
}

export function History() {
  const { at, id, path } = useOrganization();
  const cache = useQueryClient();
  const sessions = useSessions();
  const [text, setText] = useState("");
  const [renamed, setRenamed] = useState<Session>();
  const leaving = useLeaving();
  const current = match("/o/:slug/ask/:session?", usePath())?.session;
  const all = sessions.data?.pages.flatMap((page) => page.items).filter((session) => !leaving.has(session.id)) ?? [];
  // What is searched for may be on a page that was not read yet.
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = sessions;
  const isSearching = text.trim() !== "" && hasNextPage && !isFetchNextPageError;
  useEffect(() => {
    if (isSearching && !isFetchingNextPage) void fetchNextPage();
  }, [isSearching, isFetchingNextPage, fetchNextPage]);
  const found = all.filter((session) => (session.title ?? "").toLowerCase().includes(text.trim().toLowerCase()));
  const remove = (session: Session) => {
    if (session.id === current) navigate(at("/ask"));
    removeWithUndo({
      id: session.id,
      said: t("history.deleted"),
      act: () =>
        read(
          api.DELETE("/api/v1/organizations/{organization_id}/sessions/{session_id}", {
            params: { path: { ...path, session_id: session.id } },
            keepalive: true,
          }),
        ),
      after: () => cache.invalidateQueries({ queryKey: [id, "sessions"], exact: true }),
    });
  };
  return (
    <section className="history fills" aria-label={t("history.title")}>
      <h2 className="quiet small">{t("history.title")}</h2>
      {all.length > 4 && (
        <SearchField label={t("history.search")} value={text} onChange={(event) => setText(event.target.value)} />
      )}
      {sessions.isPending && <Waiting rows={4} height="1.75rem" />}
      {sessions.isError && !sessions.data && (
        <Notice kind="bad">
          <p className="small">{sentence(sessions.error)}</p>
          <Button small icon="refresh" onClick={() => sessions.refetch()}>
            {t("action.retry")}
          </Button>
        </Notice>
      )}
      {sessions.data && all.length === 0 && <p className="quiet small">{t("history.empty")}</p>}
      {all.length > 0 && found.length === 0 && !isSearching && <p className="quiet small">{t("history.none")}</p>}
      <ul>
        {found.map((session) => (
          <li key={session.id} className={session.id === current ? "current" : undefined}>
            <Link
              className="cut"
              dir="auto"
              to={at(`/ask/${session.id}`)}
              aria-current={session.id === current ? "page" : undefined}
              title={session.title ?? undefined}
            >
              {session.title ?? t("history.untitled")}
            </Link>
            <Menu
              label={t("history.actions", { title: session.title ?? t("history.untitled") })}
              items={[
                { label: t("action.rename"), icon: "edit", onSelect: () => setRenamed(session) },
                { label: t("action.delete"), icon: "trash", danger: true, onSelect: () => remove(session) },
              ]}
            />
          </li>
        ))}
        {isSearching && (
          <li>
            <Waiting rows={1} height="1.75rem" />
          </li>
        )}
        {hasNextPage && !isSearching && (
          <li>
            <MoreButton query={sessions} />
          </li>
        )}
      </ul>
      {renamed && <Rename session={renamed} onClose={() => setRenamed(undefined)} />}
    </section>
  );
}

function Rename({ session, onClose }: { session: Session; onClose: () => void }) {
  const { id, path } = useOrganization();
  const cache = useQueryClient();
  const rename = useMutation({
    mutationFn: (title: string) =>
      read(
        api.PATCH("/api/v1/organizations/{organization_id}/sessions/{session_id}", {
          params: { path: { ...path, session_id: session.id } },
          body: { title },
        }),
      ),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: [id, "sessions"] });
      onClose();
    },
  });
  return (
    <Dialog title={t("history.rename")} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          rename.mutate(String(new FormData(event.currentTarget).get("title")));
        }}
      >
        <TextField
          label={t("field.title")}
          name="title"
          defaultValue={session.title ?? ""}
          required
          maxLength={200}
          autoFocus
          wrong={rename.error ? sentence(rename.error) : undefined}
        />
        <div className="row end">
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" busy={rename.isPending}>
            {t("action.save")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
