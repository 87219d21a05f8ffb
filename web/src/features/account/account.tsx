import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useAccount } from "../../api/account";
import { api, read } from "../../api/client";
import { Problem, sentence } from "../../api/problem";
import { useLanguage } from "../../lib/language";
import { type Language, languages, t } from "../../lib/text";
import { chooseTheme, currentTheme, type Theme } from "../../lib/theme";
import { Button } from "../../ui/button";
import { Select, TextField } from "../../ui/field";
import { Page } from "../../ui/page";
import { Loaded, Notice } from "../../ui/state";
import { toast } from "../../ui/toast";
import { Devices } from "./devices";
import { ChannelIdentities } from "./identities";

/** One's own account, wherever one belongs. */
export function AccountPage() {
  const account = useAccount();
  return (
    <Page narrow title={t("nav.profile")}>
      <Loaded query={account}>
        {(known) => (
          <>
            <Profile name={known.name} email={known.email} />
            <Appearance />
            <Password has={known.has_password} />
            {known.organizations
              .filter((place) => place.status === "active")
              .map((place) => (
                <ChannelIdentities key={place.organization_id} organization={place.organization_id} name={place.name} />
              ))}
            <Devices />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Profile({ name, email }: { name: string; email: string }) {
  const cache = useQueryClient();
  const save = useMutation({
    mutationFn: (next: string) => read(api.PATCH("/api/v1/me", { body: { name: next } })),
    onSuccess: (account) => {
      cache.setQueryData(["account"], account);
      toast(t("action.saved"));
    },
  });
  return (
    <form
      className="card stack"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(String(new FormData(event.currentTarget).get("name")));
      }}
    >
      <h2>{t("account.profile")}</h2>
      <TextField
        label={t("field.name")}
        name="name"
        autoComplete="name"
        defaultValue={name}
        required
        maxLength={200}
        wrong={save.error ? sentence(save.error) : undefined}
      />
      <TextField label={t("field.email")} value={email} readOnly hint={t("account.emailHint")} />
      <div className="row end">
        <Button kind="primary" type="submit" busy={save.isPending}>
          {t("action.save")}
        </Button>
      </div>
    </form>
  );
}

function Appearance() {
  const { language, choose } = useLanguage();
  const [theme, setTheme] = useState(currentTheme);
  return (
    <section className="card stack">
      <h2>{t("account.appearance")}</h2>
      <Select
        label={t("account.language")}
        value={language}
        onChange={(event) => void choose(event.target.value as Language)}
      >
        {Object.entries(languages).map(([code, name]) => (
          <option key={code} value={code} lang={code}>
            {name}
          </option>
        ))}
      </Select>
      <Select
        label={t("account.theme")}
        value={theme}
        onChange={(event) => {
          const next = event.target.value as Theme;
          chooseTheme(next);
          setTheme(next);
        }}
      >
        <option value="system">{t("theme.system")}</option>
        <option value="light">{t("theme.light")}</option>
        <option value="dark">{t("theme.dark")}</option>
      </Select>
    </section>
  );
}

function Password({ has }: { has: boolean }) {
  const cache = useQueryClient();
  const [round, setRound] = useState(0);
  const save = useMutation({
    mutationFn: (form: FormData) =>
      read(
        api.PUT("/api/v1/me/password", {
          body: {
            new_password: String(form.get("new")),
            ...(has ? { current_password: String(form.get("current")) } : {}),
          },
        }),
      ),
    onSuccess: async () => {
      toast(t("account.passwordChanged"));
      setRound(round + 1);
      await cache.invalidateQueries({ queryKey: ["account"] });
      await cache.invalidateQueries({ queryKey: ["devices"] });
    },
  });
  const field = (name: string) => (save.error instanceof Problem ? save.error.field(name) : undefined);
  const isAboutFields = save.error instanceof Problem && save.error.fields.length > 0;
  return (
    <form
      key={round}
      className="card stack"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(new FormData(event.currentTarget));
      }}
    >
      <h2>{t("field.password")}</h2>
      {!has && <p className="quiet">{t("account.noPassword")}</p>}
      {has && (
        <TextField
          label={t("field.currentPassword")}
          name="current"
          type="password"
          autoComplete="current-password"
          required
          wrong={field("current_password")}
        />
      )}
      <TextField
        label={t("field.newPassword")}
        name="new"
        type="password"
        autoComplete="new-password"
        required
        hint={t("field.passwordHint")}
        wrong={field("new_password")}
      />
      {save.error && !isAboutFields && <Notice kind="bad">{sentence(save.error)}</Notice>}
      <div className="row end">
        <Button kind="primary" type="submit" busy={save.isPending}>
          {has ? t("account.changePassword") : t("account.setPassword")}
        </Button>
      </div>
    </form>
  );
}
