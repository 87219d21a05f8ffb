//! A connected workspace with its token, which is renewed in time by one process at a time.

use std::sync::Arc;
use std::time::Duration;

use amebo_channels::outcome::Outcome;
use amebo_channels::slack::api::{self, AppCredentials, CallError, Grant};
use amebo_core::id::ChannelConnectionId;
use amebo_store::Permit;
use amebo_store::channel_connection::{ChannelConnection, Sealed};
use amebo_store::sealing::{CONNECTION_APP, CONNECTION_CREDENTIALS};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Facts, OwnApp, Settings, Tokens};
use crate::{App, Error, Result};

/// How long before its end a token is renewed.
const EARLY: TimeDelta = TimeDelta::hours(2);
/// How long to wait for whoever is renewing a token that has ended.
const TURN: Duration = Duration::from_millis(200);
/// How often to look whether they are done.
const LOOKS: u32 = 25;

/// A connected workspace, ready to be called.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    pub(crate) id: ChannelConnectionId,
    pub(crate) account: String,
    pub(crate) settings: Settings,
    /// The app's own user, who reads every place it is in.
    pub(crate) bot_user: Option<String>,
    pub(crate) api: api::Workspace,
}

impl App {
    /// A connected workspace with a token that is good. [`Error::Conflict`] says that it has to be authorised again.
    pub(crate) async fn slack_workspace(
        self: &Arc<Self>,
        permit: &Permit,
        connection: &ChannelConnection,
    ) -> Result<Workspace> {
        let account = connection
            .account
            .clone()
            .ok_or_else(|| Error::Conflict("this workspace is not authorised yet".to_owned()))?;
        let token = self.slack_token(permit, connection.id).await?;
        let facts: Facts = serde_json::from_value(connection.facts.clone()).map_err(Error::internal)?;
        let mut api = self.slack_api.workspace(account.as_str(), token);
        if let Some(team) = facts.team_id.as_deref().filter(|_| facts.is_enterprise_install) {
            api = api.of_team(team);
        }
        if let Some(enterprise) = facts.enterprise_id.as_deref() {
            api = api.of_enterprise(enterprise);
        }
        Ok(Workspace {
            id: connection.id,
            account,
            settings: serde_json::from_value(connection.configuration.clone()).map_err(Error::internal)?,
            bot_user: facts.bot_user_id,
            api,
        })
    }

    /// The bot's token, renewed when it ends soon.
    async fn slack_token(self: &Arc<Self>, permit: &Permit, id: ChannelConnectionId) -> Result<SecretString> {
        for _ in 0..LOOKS {
            let mut tx = self.store.begin(permit).await?;
            let sealed = tx
                .channel_connections()
                .sealed(id)
                .await?
                .ok_or(Error::NotFound("channel connection"))?;
            let Some(credentials) = &sealed.credentials else {
                return Err(Error::Conflict("this workspace was disconnected".to_owned()));
            };
            let tokens = tx
                .secrets(&self.sealer)
                .open(CONNECTION_CREDENTIALS.row(id), credentials, "slack.call")
                .await
                .map_err(Error::internal)?;
            let tokens: Tokens = serde_json::from_slice(&tokens).map_err(Error::internal)?;
            let now = self.environment().now();
            let ends_soon = sealed.token_expires_at.is_some_and(|end| end - now < EARLY);
            let Some(refresh) = tokens.refresh_token.clone().filter(|_| ends_soon) else {
                tx.commit().await?;
                return Ok(tokens.access_token.into());
            };
            let mine = tx
                .channel_connections()
                .claim_renewal(id, sealed.token_expires_at)
                .await?;
            tx.commit().await?;
            let is_good = sealed.token_expires_at.is_some_and(|end| end > now);
            if mine {
                match self.renew(permit, id, &sealed, refresh.into()).await {
                    Ok(token) => return Ok(token),
                    // Good for a while yet; the next call tries again.
                    Err(Error::Unavailable(_)) if is_good => return Ok(tokens.access_token.into()),
                    Err(error) => return Err(error),
                }
            }
            if is_good {
                return Ok(tokens.access_token.into());
            }
            tokio::time::sleep(TURN).await;
        }
        Err(Error::Unavailable("Slack's token for this workspace"))
    }

    /// Renews a token whose renewal this process has claimed. What Slack gives is stored before it is used.
    async fn renew(
        &self,
        permit: &Permit,
        id: ChannelConnectionId,
        sealed: &Sealed,
        refresh: SecretString,
    ) -> Result<SecretString> {
        let app = self.slack_app_of(permit, id, sealed).await?;
        match self.slack_api.refresh(&app, &refresh).await {
            Ok(grant) => {
                let (tokens, expires_at) = self.tokens_of(&grant);
                let plain = serde_json::to_vec(&tokens).map_err(Error::internal)?;
                let mut tx = self.store.begin(permit).await?;
                let resealed = tx
                    .secrets(&self.sealer)
                    .seal(CONNECTION_CREDENTIALS.row(id), &plain)
                    .await
                    .map_err(Error::internal)?;
                tx.channel_connections()
                    .renewed(id, Some((resealed, expires_at)))
                    .await?;
                tx.commit().await?;
                metrics::counter!("amebo_slack_tokens_renewed_total").increment(1);
                Ok(grant.access_token)
            }
            Err(error) => {
                let mut tx = self.store.begin(permit).await?;
                tx.channel_connections().renewed(id, None).await?;
                tx.channel_connections()
                    .note_error(id, &error.to_string())
                    .await?;
                if !error.outcome.is_repeatable() {
                    let reason = "Slack no longer renews the app's access. Connect the workspace again.";
                    tx.channel_connections().needs_attention(id, reason).await?;
                }
                tx.commit().await?;
                Err(self::call_failed(&error))
            }
        }
    }

    /// The app a connection is made through: its own, or the server's.
    pub(super) async fn slack_app_of(
        &self,
        permit: &Permit,
        id: ChannelConnectionId,
        sealed: &Sealed,
    ) -> Result<AppCredentials> {
        match &sealed.app {
            Some(app) => {
                let app = self.own_app(permit, id, app).await?;
                Ok(AppCredentials {
                    client_id: app.client_id,
                    client_secret: app.client_secret.into(),
                })
            }
            None => self.servers_app(),
        }
    }

    /// An organisation's own app.
    pub(super) async fn own_app(
        &self,
        permit: &Permit,
        id: ChannelConnectionId,
        sealed: &[u8],
    ) -> Result<OwnApp> {
        let mut tx = self.store.begin(permit).await?;
        let app = tx
            .secrets(&self.sealer)
            .open(CONNECTION_APP.row(id), sealed, "slack.app")
            .await
            .map_err(Error::internal)?;
        tx.commit().await?;
        serde_json::from_slice(&app).map_err(Error::internal)
    }

    /// The server's app.
    pub(super) fn servers_app(&self) -> Result<AppCredentials> {
        let app = self.slack.app.as_ref().ok_or(Error::NotAllowed(
            "this server has no Slack app; bring your own by making one from the manifest",
        ))?;
        Ok(AppCredentials {
            client_id: app.client_id.clone(),
            client_secret: app.client_secret.clone(),
        })
    }

    /// A grant as it is stored, with its end.
    pub(super) fn tokens_of(&self, grant: &Grant) -> (Tokens, Option<DateTime<Utc>>) {
        let tokens = Tokens {
            access_token: grant.access_token.expose_secret().to_owned(),
            refresh_token: grant
                .refresh_token
                .as_ref()
                .map(|token| token.expose_secret().to_owned()),
        };
        let expires_at = grant.expires_in.and_then(|lasts| {
            self.environment()
                .now()
                .checked_add_signed(TimeDelta::from_std(lasts).ok()?)
        });
        (tokens, expires_at)
    }

    /// Notes that a token is good no longer, where Slack says so before its time; whoever needs one next renews it.
    pub(super) async fn token_ran_out(
        &self,
        permit: &Permit,
        id: ChannelConnectionId,
        outcome: &Outcome,
    ) -> Result<()> {
        if *outcome == Outcome::CredentialExpired {
            let mut tx = self.store.begin(permit).await?;
            tx.channel_connections().token_ran_out(id).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Notes what a failed call says about the workspace as a whole.
    pub(super) async fn note_call(
        &self,
        permit: &Permit,
        id: ChannelConnectionId,
        outcome: &Outcome,
    ) -> Result<()> {
        let Some(remedy) = outcome.remedy() else {
            return Ok(());
        };
        let mut tx = self.store.begin(permit).await?;
        tx.channel_connections().note_error(id, &remedy).await?;
        if matches!(outcome, Outcome::CredentialRevoked { .. }) {
            tx.channel_connections().needs_attention(id, &remedy).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// A failed call as an error: what may succeed later is unavailable, the rest is told.
pub(super) fn call_failed(error: &CallError) -> Error {
    if error.outcome.is_repeatable() {
        Error::Unavailable("Slack")
    } else {
        Error::Conflict(error.to_string())
    }
}
