import { useQuery } from "@tanstack/react-query";
import { useDeferredValue, useEffect, useId, useRef, useState } from "react";
import type { Account } from "../api/account";
import { api, read } from "../api/client";
import { useOrganization } from "../api/organization";
import { useSessions } from "../features/ask/history";
import { useKeys } from "../lib/keys";
import { navigate } from "../lib/router";
import { t } from "../lib/text";
import { chooseTheme } from "../lib/theme";
import { Icon, type IconName } from "../ui/icon";
import { useDestinations } from "./shell";
import { signOut } from "./sign-out";

type Command = { id: string; name: string; group: string; icon: IconName; run: () => void };

export function usePalette() {
  const [isOpen, setOpen] = useState(false);
  useKeys((event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    setOpen((open) => !open);
  });
  return { isOpen, show: () => setOpen(true), hide: () => setOpen(false) };
}

/** Everything there is, by its name: pages, actions, conversations, documents. */
export function Palette({ account, onClose }: { account: Account; onClose: () => void }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const box = useRef<HTMLDialogElement>(null);
  const list = useId();
  const commands = useCommands(account, text);
  const current = commands[Math.min(at, commands.length - 1)];
  useEffect(() => {
    box.current?.showModal();
  }, []);
  useEffect(() => {
    document.getElementById(`${list}-${current?.id}`)?.scrollIntoView({ block: "nearest" });
  }, [current, list]);
  const run = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    command.run();
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a click beside it closes it, as Escape does
    <dialog
      ref={box}
      className="box palette"
      aria-label={t("palette.title")}
      onCancel={onClose}
      onClick={(event) => event.target === box.current && onClose()}
    >
      <div className="search">
        <Icon name="search" />
        <input
          className="input"
          role="combobox"
          aria-expanded="true"
          aria-controls={list}
          aria-activedescendant={current ? `${list}-${current.id}` : undefined}
          aria-label={t("palette.title")}
          placeholder={t("palette.hint")}
          autoFocus
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setAt(0);
          }}
          onKeyDown={(event) => {
            if (event.key === "ArrowDown") setAt(Math.min(at + 1, commands.length - 1));
            else if (event.key === "ArrowUp") setAt(Math.max(at - 1, 0));
            else if (event.key === "Enter") run(current);
            else return;
            event.preventDefault();
          }}
        />
      </div>
      <div id={list} role="listbox" aria-label={t("palette.title")} className="commands">
        {commands.map((command, index) => (
          <div
            key={command.id}
            id={`${list}-${command.id}`}
            role="option"
            tabIndex={-1}
            aria-selected={command === current}
            onClick={() => run(command)}
            onKeyDown={() => undefined}
            onPointerMove={() => setAt(index)}
          >
            <Icon name={command.icon} />
            <span className="cut grow">{command.name}</span>
            <span className="quiet small">{command.group}</span>
          </div>
        ))}
        {commands.length === 0 && <p className="quiet">{t("palette.none")}</p>}
      </div>
    </dialog>
  );
}

function useCommands(account: Account, text: string): Command[] {
  const organization = useOrganization();
  const destinations = useDestinations(account.is_superadmin);
  const sessions = useSessions();
  const sought = useDeferredValue(text.trim());
  const documents = useQuery({
    queryKey: [organization.id, "documents", "named", sought],
    queryFn: () =>
      read(
        api.GET("/api/v1/organizations/{organization_id}/documents", {
          params: { path: organization.path, query: { text: sought, limit: 8 } },
        }),
      ),
    enabled: sought.length > 1 && organization.can("document:read"),
  });
  const go = (to: string) => () => navigate(to);
  const fixed: Command[] = [
    { id: "new", name: t("nav.new"), group: t("palette.action"), icon: "plus", run: go(organization.at("/ask")) },
    ...destinations.map(
      (entry): Command => ({
        id: entry.name,
        name: t(entry.name),
        group: t("palette.page"),
        icon: entry.icon,
        run: go(entry.address),
      }),
    ),
    { id: "account", name: t("nav.profile"), group: t("palette.page"), icon: "people", run: go("/account") },
    { id: "start", name: t("nav.start"), group: t("palette.page"), icon: "spark", run: go(organization.at("/start")) },
    {
      id: "unanswered",
      name: t("unanswered.title"),
      group: t("palette.page"),
      icon: "quote",
      run: go(organization.at("/unanswered")),
    },
    { id: "light", name: t("theme.light"), group: t("palette.action"), icon: "sun", run: () => chooseTheme("light") },
    { id: "dark", name: t("theme.dark"), group: t("palette.action"), icon: "sun", run: () => chooseTheme("dark") },
    { id: "out", name: t("nav.signOut"), group: t("palette.action"), icon: "exit", run: signOut },
  ];
  const conversations = (sessions.data?.pages[0]?.items ?? []).map(
    (session): Command => ({
      id: session.id,
      name: session.title ?? t("history.untitled"),
      group: t("palette.conversation"),
      icon: "ask",
      run: go(organization.at(`/ask/${session.id}`)),
    }),
  );
  const matches = (command: Command) => command.name.toLowerCase().includes(text.trim().toLowerCase());
  const named = (documents.data?.items ?? []).map(
    (document): Command => ({
      id: document.id,
      name: document.title,
      group: t("palette.document"),
      icon: "file",
      run: go(organization.at(`/documents/${document.id}`)),
    }),
  );
  return [...fixed.filter(matches), ...conversations.filter(matches).slice(0, 6), ...(sought.length > 1 ? named : [])];
}
