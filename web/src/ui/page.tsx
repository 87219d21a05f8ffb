import { type ReactNode, useEffect, useRef } from "react";
import { Link } from "../lib/router";
import { InPage } from "./state";

type PageProps = { title: string; lead?: ReactNode; actions?: ReactNode; narrow?: boolean; children: ReactNode };

/** A page of the dashboard: its title, what can be done, its content. */
export function Page({ title, lead, actions, narrow, children }: PageProps) {
  useTitle(title);
  return (
    <div className={narrow ? "page narrow" : "page"}>
      <header>
        <div className="grow">
          <h1>{title}</h1>
          {lead && <p>{lead}</p>}
        </div>
        {actions && <div className="row">{actions}</div>}
      </header>
      <InPage value={true}>{children}</InPage>
    </div>
  );
}

/** The title of the browser's tab. */
export function useTitle(title: string) {
  useEffect(() => {
    document.title = title ? `${title} · Amebo` : "Amebo";
  }, [title]);
}

/** Parts of a page, each with an address of its own. */
export function Tabs({
  label,
  tabs,
  current,
}: {
  label: string;
  tabs: { to: string; name: string; id: string }[];
  current: string;
}) {
  const bar = useRef<HTMLElement>(null);
  // Where there is not room for all, the one that is open is in sight.
  useEffect(() => {
    const open = bar.current?.querySelector<HTMLElement>(`[data-tab="${current}"]`);
    open?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [current]);
  return (
    <nav ref={bar} className="tabs" aria-label={label}>
      {tabs.map((tab) => (
        <Link key={tab.id} data-tab={tab.id} to={tab.to} aria-current={tab.id === current ? "page" : undefined}>
          {tab.name}
        </Link>
      ))}
    </nav>
  );
}

/** How far something has come, 0 to 1; unknown when absent. */
export function Progress({ value, label }: { value?: number | undefined; label: string }) {
  const known = value !== undefined;
  const share = Math.round((value ?? 0) * 100);
  return (
    <div
      className={known ? "progress" : "progress unknown"}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={known ? share : undefined}
    >
      <span style={known ? { inlineSize: `${share}%` } : undefined} />
    </div>
  );
}
