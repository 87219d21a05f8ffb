import { useQuery, useQueryClient } from "@tanstack/react-query";
import { api, read } from "../../api/client";
import { sessionBegan } from "../../api/session";
import { Link, navigate } from "../../lib/router";
import { type Key, t } from "../../lib/text";
import { TextField } from "../../ui/field";
import { Profiles } from "../../ui/profiles";
import { Loaded, Notice } from "../../ui/state";
import { EntryForm, Frame } from "./frame";
import { tokenOfLink } from "./sign-in";

export function AcceptInvitation() {
  const token = tokenOfLink() ?? "";
  const cache = useQueryClient();
  const preview = useQuery({
    queryKey: ["invitation", token],
    queryFn: () => read(api.POST("/api/v1/auth/invitation/preview", { body: { token } })),
    retry: false,
  });
  const title = preview.data
    ? t("invitation.join", { organization: preview.data.organization })
    : t("invitation.title");
  if (preview.error) {
    return (
      <Frame title={t("invitation.gone")}>
        <Notice kind="bad">{t("invitation.goneHow")}</Notice>
        <Link to="/sign-in" className="button">
          {t("entrance.signIn")}
        </Link>
      </Frame>
    );
  }
  return (
    <Frame title={title}>
      <Loaded query={preview} rows={3}>
        {(invitation) => (
          <>
            <p className="quiet">
              {t(invitation.has_account ? "invitation.prove" : "invitation.as", {
                email: invitation.email,
                role: t(`role.${invitation.role}` as Key),
              })}
            </p>
            <EntryForm
              action={t("invitation.action")}
              submit={async ({ name, password = "" }) => {
                await read(
                  api.POST("/api/v1/auth/invitation/accept", {
                    body: { token, password, cookies: true, ...(name ? { name } : {}) },
                  }),
                );
                cache.clear();
                sessionBegan();
                navigate("/", { replace: true });
              }}
            >
              {(problem) => (
                <>
                  {!invitation.has_account && (
                    <TextField
                      label={t("field.name")}
                      name="name"
                      autoComplete="name"
                      required
                      autoFocus
                      wrong={problem("name")}
                    />
                  )}
                  <TextField
                    label={t("field.password")}
                    name="password"
                    type="password"
                    required
                    autoComplete={invitation.has_account ? "current-password" : "new-password"}
                    hint={invitation.has_account ? undefined : t("field.passwordHint")}
                    wrong={problem("password")}
                  />
                </>
              )}
            </EntryForm>
            <Profiles organization={invitation.organization} links={invitation.social_links} />
          </>
        )}
      </Loaded>
    </Frame>
  );
}
