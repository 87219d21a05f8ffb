import { useState } from "react";
import { api, read } from "../../api/client";
import { Link, navigate } from "../../lib/router";
import { t } from "../../lib/text";
import { TextField } from "../../ui/field";
import { Notice } from "../../ui/state";
import { EntryForm, Frame } from "./frame";
import { tokenOfLink } from "./sign-in";

export function ResetPassword() {
  const token = tokenOfLink();
  return token ? <Choose token={token} /> : <Ask />;
}

function Choose({ token }: { token: string }) {
  return (
    <Frame title={t("reset.choose")} lead={t("reset.chooseLead")}>
      <EntryForm
        action={t("reset.save")}
        submit={async ({ password = "" }) => {
          await read(api.PUT("/api/v1/auth/password", { body: { token, password } }));
          navigate("/sign-in?changed=1", { replace: true });
        }}
      >
        {(problem) => (
          <TextField
            label={t("field.newPassword")}
            name="password"
            type="password"
            autoComplete="new-password"
            required
            autoFocus
            hint={t("field.passwordHint")}
            wrong={problem("password")}
          />
        )}
      </EntryForm>
    </Frame>
  );
}

function Ask() {
  const [sent, setSent] = useState(false);
  return (
    <Frame title={t("reset.title")} lead={t("reset.lead")}>
      {sent ? (
        <Notice kind="good">{t("reset.sent")}</Notice>
      ) : (
        <EntryForm
          action={t("reset.send")}
          submit={async ({ email = "" }) => {
            await read(api.POST("/api/v1/auth/password-reset", { body: { email } }));
            setSent(true);
          }}
        >
          {() => (
            <TextField label={t("field.email")} name="email" type="email" autoComplete="username" required autoFocus />
          )}
        </EntryForm>
      )}
      <p className="small">
        <Link to="/sign-in">{t("reset.back")}</Link>
      </p>
    </Frame>
  );
}
