import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { Account } from "../api/account";
import { useOrganization } from "../api/organization";
import { socialLinksQuery } from "../api/social-links";
import { History } from "../features/ask/history";
import icon from "../icon.svg";
import { Link, navigate } from "../lib/router";
import { type Key, t } from "../lib/text";
import { applyAccent } from "../lib/theme";
import { IconButton } from "../ui/button";
import { Icon, type IconName } from "../ui/icon";
import { Menu } from "../ui/menu";
import { Profiles } from "../ui/profiles";
import { Palette, usePalette } from "./palette";
import { signOut } from "./sign-out";

type Destination = { name: Key; icon: IconName; to: string; needs?: string };

/** The pages that somebody with these permissions can use. */
export function useDestinations(isOperator: boolean): (Destination & { address: string })[] {
  const { can, at } = useOrganization();
  const inside: Destination[] = [
    { name: "nav.ask", icon: "ask", to: "/ask" },
    { name: "nav.knowledge", icon: "book", to: "/knowledge", needs: "document:read" },
    { name: "nav.slack", icon: "hash", to: "/slack", needs: "channel_connection:read" },
    { name: "nav.people", icon: "people", to: "/people", needs: "member:read" },
    { name: "nav.insights", icon: "chart", to: "/insights", needs: "analytics:read" },
    { name: "nav.audit", icon: "shield", to: "/audit", needs: "audit:read" },
    { name: "nav.settings", icon: "gear", to: "/settings" },
  ];
  const allowed = inside
    .filter((entry) => !entry.needs || can(entry.needs))
    .map((entry) => ({ ...entry, address: at(entry.to) }));
  const operator = { name: "nav.operator", icon: "tower", to: "/operator", address: "/operator" } as const;
  return isOperator ? [...allowed, operator] : allowed;
}

export function Shell({ account, path, children }: { account: Account; path: string; children: ReactNode }) {
  const palette = usePalette();
  const [drawer, setDrawer] = useState(false);
  const { name, details } = useOrganization();
  const main = useRef<HTMLElement>(null);
  const page = path.split("/").slice(0, 4).join("/");
  const before = useRef(page);
  useEffect(() => applyAccent(details.accent_hue), [details.accent_hue]);
  useEffect(() => {
    if (before.current === page) return;
    before.current = page;
    setDrawer(false);
    // Whoever reads by ear starts at the new page.
    if (!main.current?.contains(document.activeElement)) main.current?.focus({ preventScroll: true });
  }, [page]);
  const sidebar = <Sidebar account={account} path={path} onPalette={palette.show} />;
  return (
    <>
      <a className="skip" href="#main">
        {t("nav.skip")}
      </a>
      <div className="shell">
        {sidebar}
        <header className="topbar">
          <IconButton icon="menu" label={t("nav.menu")} aria-expanded={drawer} onClick={() => setDrawer(true)} />
          <strong className="grow cut">{name}</strong>
          <IconButton icon="search" label={t("palette.title")} onClick={palette.show} />
        </header>
        <main id="main" ref={main} tabIndex={-1}>
          {children}
        </main>
      </div>
      {drawer && <Drawer onClose={() => setDrawer(false)}>{sidebar}</Drawer>}
      {palette.isOpen && <Palette account={account} onClose={palette.hide} />}
    </>
  );
}

function Drawer({ onClose, children }: { onClose: () => void; children: ReactNode }) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    box.current?.showModal();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a click beside it closes it, as Escape does
    <dialog
      ref={box}
      className="drawer"
      aria-label={t("nav.menu")}
      onCancel={onClose}
      onClick={(event) => {
        const target = event.target as HTMLElement;
        if (target === box.current || target.closest("a")) onClose();
      }}
    >
      {children}
    </dialog>
  );
}

function Sidebar({ account, path, onPalette }: { account: Account; path: string; onPalette: () => void }) {
  const { id, name, at, details } = useOrganization();
  const links = useQuery(socialLinksQuery(id));
  const mark = <img src={details.logo ?? icon} alt="" />;
  const destinations = useDestinations(account.is_superadmin);
  const places = account.organizations.filter((place) => place.status === "active");
  return (
    <nav className="sidebar" aria-label={t("nav.main")}>
      {places.length > 1 ? (
        <Menu
          label={t("nav.switch")}
          className="brand"
          items={places.map((place) => ({ label: place.name, onSelect: () => navigate(`/o/${place.slug}/ask`) }))}
        >
          {mark}
          <span className="cut grow">{name}</span>
          <Icon name="more" />
        </Menu>
      ) : (
        <Link className="brand" to={at("/ask")}>
          {mark}
          <span className="cut">{name}</span>
        </Link>
      )}
      <div className="nav">
        <Link to={at("/ask")} className="new">
          <Icon name="plus" />
          {t("nav.new")}
        </Link>
        <button type="button" onClick={onPalette}>
          <Icon name="search" />
          {t("palette.title")}
          <kbd>{isApple ? "⌘" : "Ctrl"} K</kbd>
        </button>
      </div>
      <div className="nav">
        {destinations.map((entry) => (
          <Link key={entry.address} to={entry.address} aria-current={isAt(path, entry.address) ? "page" : undefined}>
            <Icon name={entry.icon} />
            {t(entry.name)}
          </Link>
        ))}
      </div>
      <History />
      {links.data && <Profiles organization={name} links={links.data.items} />}
      <Menu
        label={t("nav.account")}
        className="brand person"
        items={[
          { label: t("nav.profile"), icon: "people", onSelect: () => navigate("/account") },
          { label: t("nav.start"), icon: "spark", onSelect: () => navigate(at("/start")) },
          {
            label: t("nav.api"),
            icon: "external",
            onSelect: () => window.open("/api/reference", "_blank", "noopener"),
          },
          { label: t("nav.signOut"), icon: "exit", onSelect: signOut },
        ]}
      >
        <span className="avatar" aria-hidden="true">
          {initials(account.name || account.email)}
        </span>
        <span className="cut grow">{account.name || account.email}</span>
      </Menu>
    </nav>
  );
}

const isApple = navigator.userAgent.includes("Mac");

function isAt(path: string, address: string): boolean {
  return (
    path === address ||
    path.startsWith(`${address}/`) ||
    (address.endsWith("/knowledge") && path.startsWith(address.replace(/knowledge$/, "documents/")))
  );
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  return ((words[0]?.[0] ?? "") + (words.length > 1 ? (words.at(-1)?.[0] ?? "") : "")).toUpperCase();
}
