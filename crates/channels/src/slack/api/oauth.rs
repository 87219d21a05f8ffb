//! Being granted access, keeping it, giving it back: <https://docs.slack.dev/authentication/installing-with-oauth> and
//! <https://docs.slack.dev/authentication/using-token-rotation>.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use url::Url;

use super::call::{Arguments, Authorization, CallError, read};
use super::conversations::unexpected;
use super::method::Method;
use super::{Api, Patience, Workspace};
use crate::inbound::Account;
use crate::slack::inbound::Read as _;

/// An app as Slack knows it: Amebo's own, or one that an administrator made.
#[derive(Debug, Clone)]
pub struct AppCredentials {
    /// The public id of the app as a client.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
}

/// A token with what keeps it alive.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Whose it is.
    pub user: Option<String>,
    /// The token.
    pub access_token: SecretString,
    /// What brings the next one, where tokens run out. It works once: the next pair is to be stored before it is used.
    pub refresh_token: Option<SecretString>,
    /// How long the token lasts.
    pub expires_in: Option<Duration>,
    /// What it may do.
    pub scopes: Vec<String>,
}

/// What an installation brings. One for a whole organisation of workspaces has no workspace; one by a person for themselves
/// has no token of the app's own user.
#[derive(Debug, Clone)]
pub struct Installation {
    /// Where the app is installed.
    pub account: Account,
    /// The workspace's name.
    pub team_name: Option<String>,
    /// The organisation's name.
    pub enterprise_name: Option<String>,
    /// For the app's own user.
    pub bot: Option<Grant>,
    /// For the person who installed it.
    pub person: Option<Grant>,
    /// The person who installed it.
    pub installed_by: Option<String>,
}

impl Api {
    /// Where to send an administrator to grant access. `state` has to come back unchanged; `team` preselects a workspace.
    pub fn authorize_url(
        &self,
        client_id: &str,
        scopes: &[&str],
        redirect: &Url,
        state: &str,
        team: Option<&str>,
    ) -> Url {
        let mut url = self.settings.authorize_url.clone();
        {
            let mut query = url.query_pairs_mut();
            query
                .append_pair("client_id", client_id)
                .append_pair("scope", &scopes.join(","))
                .append_pair("redirect_uri", redirect.as_str())
                .append_pair("state", state);
            if let Some(team) = team {
                query.append_pair("team", team);
            }
        }
        url
    }

    /// Exchanges the code that came back. It works once and for some minutes.
    pub async fn install(
        &self,
        app: &AppCredentials,
        code: &str,
        redirect: &Url,
    ) -> Result<Installation, CallError> {
        let arguments = Arguments::new()
            .with("code", code)
            .with("redirect_uri", redirect.as_str());
        let answer = self.oauth(Method::OauthAccess, app, &arguments).await?;
        let installation = read_installation(&answer);
        if installation.bot.is_none() && installation.person.is_none() {
            return Err(unexpected(Method::OauthAccess, "a token"));
        }
        Ok(installation)
    }

    /// Fetches the next pair of tokens. The refresh token is used up by it, whether or not the answer arrives.
    pub async fn refresh(
        &self,
        app: &AppCredentials,
        refresh_token: &SecretString,
    ) -> Result<Grant, CallError> {
        let arguments = Arguments::new()
            .with("grant_type", "refresh_token")
            .with("refresh_token", refresh_token.expose_secret());
        let answer = self.oauth(Method::OauthAccess, app, &arguments).await?;
        grant(&answer, answer.string("/bot_user_id"))
            .or_else(|| answer.pointer("/authed_user").and_then(person_grant))
            .ok_or_else(|| unexpected(Method::OauthAccess, "a token"))
    }

    /// Exchanges a token that lasts for a pair that is renewed, after rotation was switched on for the app.
    pub async fn exchange(&self, app: &AppCredentials, token: &SecretString) -> Result<Grant, CallError> {
        let arguments = Arguments::new()
            .with("client_id", app.client_id.as_str())
            .with("client_secret", app.client_secret.expose_secret());
        let account = Arc::from(app.client_id.as_str());
        let body = self
            .call(
                &account,
                Method::OauthExchange,
                &arguments,
                &Authorization::Bearer(token),
                Patience::INTERACTIVE,
            )
            .await?;
        let answer: Value = read(Method::OauthExchange.as_str(), &body)?;
        grant(&answer, answer.string("/bot_user_id"))
            .ok_or_else(|| unexpected(Method::OauthExchange, "a token"))
    }

    async fn oauth(
        &self,
        method: Method,
        app: &AppCredentials,
        arguments: &Arguments,
    ) -> Result<Value, CallError> {
        let account = Arc::from(app.client_id.as_str());
        let authorization = Authorization::Basic(&app.client_id, &app.client_secret);
        let body = self
            .call(&account, method, arguments, &authorization, Patience::INTERACTIVE)
            .await?;
        read(method.as_str(), &body)
    }
}

impl Workspace {
    /// Takes the app out of the workspace. All its tokens end.
    pub async fn uninstall(&self, app: &AppCredentials) -> Result<(), CallError> {
        let arguments = Arguments::new()
            .with("client_id", app.client_id.as_str())
            .with("client_secret", app.client_secret.expose_secret());
        self.call_raw(Method::AppsUninstall, &arguments).await.map(drop)
    }

    /// Ends this token.
    pub async fn revoke(&self) -> Result<(), CallError> {
        self.call_raw(Method::AuthRevoke, &Arguments::new())
            .await
            .map(drop)
    }
}

fn read_installation(answer: &Value) -> Installation {
    Installation {
        account: Account {
            app: answer.string("/app_id"),
            team: answer.string("/team/id"),
            enterprise: answer.string("/enterprise/id"),
            org_wide: answer.says("/is_enterprise_install"),
        },
        team_name: answer.string("/team/name"),
        enterprise_name: answer.string("/enterprise/name"),
        bot: grant(answer, answer.string("/bot_user_id")),
        person: answer.pointer("/authed_user").and_then(person_grant),
        installed_by: answer.string("/authed_user/id"),
    }
}

fn person_grant(person: &Value) -> Option<Grant> {
    grant(person, person.string("/id"))
}

fn grant(answer: &Value, user: Option<String>) -> Option<Grant> {
    Some(Grant {
        user,
        access_token: answer.string("/access_token")?.into(),
        refresh_token: answer.string("/refresh_token").map(SecretString::from),
        expires_in: answer
            .pointer("/expires_in")
            .and_then(Value::as_u64)
            .map(Duration::from_secs),
        scopes: answer
            .text("/scope")
            .into_iter()
            .flat_map(|scopes| scopes.split([',', ' ']))
            .filter(|scope| !scope.is_empty())
            .map(str::to_owned)
            .collect(),
    })
}
