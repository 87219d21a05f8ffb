import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { api, read } from "../../api/client";
import { sentence } from "../../api/problem";
import { sessionBegan } from "../../api/session";
import { Link, navigate, useSearch } from "../../lib/router";
import { t } from "../../lib/text";
import { Dialog } from "../../ui/dialog";
import { TextField } from "../../ui/field";
import { Notice, Waiting } from "../../ui/state";
import { EntryForm, Frame } from "./frame";

/** What follows `#token=` in a link that works once. */
export function tokenOfLink(): string | null {
  return new URLSearchParams(location.hash.slice(1)).get("token");
}

function useEnter() {
  const cache = useQueryClient();
  const [search] = useSearch();
  return () => {
    const next = search.get("next");
    cache.clear();
    sessionBegan();
    // Only addresses of this site: one slash, not two.
    navigate(next?.match(/^\/(?!\/)/) ? next : "/", { replace: true });
  };
}

export function SignIn() {
  const token = tokenOfLink();
  const [usesLink, setUsesLink] = useState(token !== null);
  if (token && usesLink) return <LinkSignIn token={token} onFail={() => setUsesLink(false)} />;
  return <PasswordSignIn />;
}

function LinkSignIn({ token, onFail }: { token: string; onFail: () => void }) {
  const enter = useEnter();
  const begun = useRef(false);
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    if (begun.current) return;
    begun.current = true;
    read(api.POST("/api/v1/auth/link", { body: { token, cookies: true } })).then(enter, setError);
  });
  return (
    <Frame title={error ? t("entrance.linkUsed") : t("entrance.signingIn")}>
      {error ? (
        <>
          <Notice kind="bad">{sentence(error)}</Notice>
          <p className="quiet">{t("entrance.linkHow")}</p>
          <Link to="/sign-in" className="button" onClick={onFail}>
            {t("entrance.withPassword")}
          </Link>
        </>
      ) : (
        <Waiting rows={2} />
      )}
    </Frame>
  );
}

function PasswordSignIn() {
  const enter = useEnter();
  const [search] = useSearch();
  const query = search.toString() ? `?${search}` : "";
  return (
    <Frame title={t("entrance.signIn")}>
      {search.get("changed") && <Notice kind="good">{t("entrance.passwordChanged")}</Notice>}
      <EntryForm
        action={t("entrance.signIn")}
        submit={async ({ email = "", password = "" }) => {
          await read(api.POST("/api/v1/auth/sign-in", { body: { email, password, cookies: true } }));
          enter();
        }}
      >
        {() => (
          <>
            <TextField label={t("field.email")} name="email" type="email" autoComplete="username" required autoFocus />
            <TextField
              label={t("field.password")}
              name="password"
              type="password"
              autoComplete="current-password"
              required
            />
          </>
        )}
      </EntryForm>
      <p className="small">
        <Link to="/reset-password">{t("entrance.forgot")}</Link>
        <br />
        <span className="quiet">{t("entrance.new")}</span> <Link to={`/sign-up${query}`}>{t("entrance.signUp")}</Link>
      </p>
    </Frame>
  );
}

export function SignUp() {
  const enter = useEnter();
  return (
    <Frame title={t("entrance.signUp")} lead={t("entrance.signUpLead")}>
      <EntryForm
        action={t("entrance.signUpAction")}
        submit={async ({ organization = "", name = "", email = "", password = "" }) => {
          await read(api.POST("/api/v1/auth/sign-up", { body: { organization, name, email, password } }));
          await read(api.POST("/api/v1/auth/sign-in", { body: { email, password, cookies: true } }));
          enter();
        }}
      >
        {(problem) => (
          <>
            <TextField
              label={t("field.company")}
              name="organization"
              autoComplete="organization"
              required
              maxLength={200}
              autoFocus
              wrong={problem("organization")}
            />
            <TextField
              label={t("field.name")}
              name="name"
              autoComplete="name"
              required
              maxLength={200}
              wrong={problem("name")}
            />
            <TextField
              label={t("field.email")}
              name="email"
              type="email"
              autoComplete="username"
              required
              wrong={problem("email")}
            />
            <TextField
              label={t("field.password")}
              name="password"
              type="password"
              autoComplete="new-password"
              required
              hint={t("field.passwordHint")}
              wrong={problem("password")}
            />
          </>
        )}
      </EntryForm>
      <p className="small">
        <Link to="/sign-in">{t("entrance.haveAccount")}</Link>
      </p>
    </Frame>
  );
}

/** Over the page on which a session ended: whoever signs in again goes on where they were. */
export function SignInAgain({ email }: { email: string | undefined }) {
  return (
    <Dialog title={t("entrance.again")} onClose={() => undefined} mayClose={false}>
      <p className="quiet">{t("entrance.againLead")}</p>
      <EntryForm
        action={t("entrance.signIn")}
        submit={async (values) => {
          const { password = "" } = values;
          await read(
            api.POST("/api/v1/auth/sign-in", { body: { email: values.email ?? "", password, cookies: true } }),
          );
          sessionBegan();
        }}
      >
        {() => (
          <>
            <TextField
              label={t("field.email")}
              name="email"
              type="email"
              autoComplete="username"
              required
              defaultValue={email}
            />
            <TextField
              label={t("field.password")}
              name="password"
              type="password"
              autoComplete="current-password"
              required
              autoFocus
            />
          </>
        )}
      </EntryForm>
    </Dialog>
  );
}
