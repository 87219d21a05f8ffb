// Everything behind the sign-in: which page an address is, and the organisation it lies in.
import { type ComponentType, useEffect } from "react";
import { type Account, useAccount } from "../api/account";
import { OrganizationProvider } from "../api/organization";
import { Problem } from "../api/problem";
import { expectSession } from "../api/session";
import { Ask } from "../features/ask/ask";
import { AcceptInvitation } from "../features/entrance/invitation";
import { ResetPassword } from "../features/entrance/reset";
import { SignIn, SignUp } from "../features/entrance/sign-in";
import { Link, match, navigate, type Params } from "../lib/router";
import { t } from "../lib/text";
import { later } from "../ui/later";
import { Empty, Failure, Waiting } from "../ui/state";
import { Boundary } from "./boundary";
import { DocumentAnywhere } from "./document-anywhere";
import { NoOrganization } from "./no-organization";
import { Shell } from "./shell";

export const entrances: [string, ComponentType][] = [
  ["/sign-in", SignIn],
  ["/sign-up", SignUp],
  ["/accept-invitation", AcceptInvitation],
  ["/reset-password", ResetPassword],
];

type PageComponent = ComponentType<{ params: Params }> & { expect?: () => void };

function page(load: () => Promise<ComponentType<{ params: Params }>>): PageComponent {
  return later(load, WaitingPage);
}

function failed(error: unknown, retry: () => void) {
  return <Failure error={error} retry={retry} />;
}

function WaitingPage() {
  return (
    <div className="page">
      <Waiting />
    </div>
  );
}

const Start = page(async () => (await import("../features/start/start")).Start);
const Knowledge = page(async () => (await import("../features/knowledge/knowledge")).Knowledge);
const Document = page(async () => (await import("../features/knowledge/document")).DocumentPage);
const Unanswered = page(async () => (await import("../features/insights/unanswered")).Unanswered);
const Questions = page(async () => (await import("../features/insights/questions")).Questions);
const Question = page(async () => (await import("../features/ask/shared-question")).SharedQuestion);
const People = page(async () => (await import("../features/people/people")).People);
const Insights = page(async () => (await import("../features/insights/insights")).Insights);
const Audit = page(async () => (await import("../features/audit/audit")).Audit);
const Slack = page(async () => (await import("../features/slack/slack")).Slack);
const SlackImports = page(async () => (await import("../features/slack/imports")).SlackImports);
const SlackFailed = page(async () => (await import("../features/slack/failed")).SlackFailed);
const Settings = page(async () => (await import("../features/settings/settings")).Settings);
const AccountPage = page(async () => (await import("../features/account/account")).AccountPage);
const LinkAccount = page(async () => (await import("../features/account/link-account")).LinkAccount);
const Operator = page(async () => (await import("../features/operator/operator")).Operator);

const inOrganization: [string, PageComponent][] = [
  ["/o/:slug/ask/:session?", Ask],
  ["/o/:slug/start", Start],
  ["/o/:slug/knowledge/:base?", Knowledge],
  ["/o/:slug/documents/:document", Document],
  ["/o/:slug/questions", Questions],
  ["/o/:slug/questions/:question", Question],
  ["/o/:slug/unanswered", Unanswered],
  ["/o/:slug/people/:tab?", People],
  ["/o/:slug/insights", Insights],
  ["/o/:slug/audit", Audit],
  ["/o/:slug/settings/:tab?", Settings],
  ["/o/:slug/slack/imports/:import?", SlackImports],
  ["/o/:slug/slack/:connection?/:tab?", Slack],
];

const outside: [string, PageComponent][] = [
  ["/account", AccountPage],
  ["/link-account", LinkAccount],
  ["/operator", Operator],
  ["/slack-failed", SlackFailed],
  ["/documents/:document", DocumentAnywhere],
];

function pageAt(path: string) {
  for (const [pattern, Component] of [...inOrganization, ...outside]) {
    const params = match(pattern, path);
    if (params) return { Component, params };
  }
  return undefined;
}

/** Has the code of the page at an address come before it is known who asks for it. */
export function expectPage(path: string) {
  pageAt(path)?.Component.expect?.();
}

export function Inside({ path }: { path: string }) {
  const account = useAccount();
  const isRefused = account.error instanceof Problem && account.error.status === 401;
  useEffect(() => {
    if (!isRefused) return;
    // What stands behind the mark may be a token, which no address that is sent anywhere holds.
    const here = location.pathname + location.search + location.hash;
    navigate(here === "/" ? "/sign-in" : `/sign-in?next=${encodeURIComponent(here)}`, { replace: true });
  }, [isRefused]);
  if (account.data) return <SignedIn account={account.data} path={path} />;
  if (account.error && !isRefused) return <Failure error={account.error} retry={() => account.refetch()} />;
  return <WaitingPage />;
}

const LAST = "amebo.organization";

function SignedIn({ account, path }: { account: Account; path: string }) {
  useEffect(() => {
    expectSession(true);
    return () => expectSession(false);
  }, []);
  const places = account.organizations.filter((place) => place.status === "active");
  const slug = match("/o/:slug/:a?/:b?/:c?", path)?.slug ?? localStorage.getItem(LAST);
  const named = places.find((place) => place.slug === slug);
  const place = named ?? (path.startsWith("/o/") ? undefined : places[0]);
  useEffect(() => {
    if (named) localStorage.setItem(LAST, named.slug);
    if (path === "/" && place) navigate(`/o/${place.slug}/ask`, { replace: true });
  }, [path, place, named]);

  const found = pageAt(path);
  if (!place) {
    if (path.startsWith("/o/"))
      return (
        <div className="page">
          <Empty icon="lock" title={t("state.missing")}>
            {t("state.notYours")}
          </Empty>
        </div>
      );
    if (!found) return <NoOrganization />;
  }
  const content = (
    <Boundary key={path.split("/").slice(0, 4).join("/")}>
      {found ? (
        <found.Component params={found.params} />
      ) : path === "/" ? (
        <WaitingPage />
      ) : (
        <div className="page">
          <Empty
            icon="search"
            title={t("state.missing")}
            action={
              <Link className="button" to="/">
                {t("state.toStart")}
              </Link>
            }
          >
            {t("state.missingHow")}
          </Empty>
        </div>
      )}
    </Boundary>
  );
  if (!place) return <main className="page">{content}</main>;
  return (
    <OrganizationProvider key={place.organization_id} membership={place} waiting={<WaitingPage />} failed={failed}>
      <Shell account={account} path={path}>
        {content}
      </Shell>
    </OrganizationProvider>
  );
}
