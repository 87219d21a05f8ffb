//! An organisation's own Slack app: its credentials as an administrator pastes them, first and later.
//!
//! A connection may be there before its app is, since the app's manifest names the connection's addresses.

use std::sync::Arc;

use amebo_channels::inbound::Account;
use amebo_channels::slack::api::{Grant, Installation as Granted};
use amebo_core::channel::{ChannelKind, ConnectionStatus};
use amebo_core::id::ChannelConnectionId;
use amebo_core::permission::{Action, Resource};
use amebo_store::audit::NewEntry;
use amebo_store::channel_connection::ChannelConnection;
use amebo_store::channel_installation::Installation;
use amebo_store::sealing::CONNECTION_APP;
use serde_json::json;

use super::token::call_failed;
use super::{OwnApp, Settings};
use crate::{Access, App, Error, FieldError, Result};

/// An organisation's own app, as an administrator pastes it; what is absent stays as it is, or is not known yet.
#[derive(Debug, Clone, Default)]
pub struct OwnAppForm {
    /// The app's client id.
    pub client_id: Option<String>,
    /// The app's client secret.
    pub client_secret: Option<String>,
    /// What the app's requests are signed with.
    pub signing_secret: Option<String>,
    /// What opens sockets, for Socket Mode.
    pub app_token: Option<String>,
}

impl OwnAppForm {
    /// The form without surrounding space and without what is empty.
    fn trimmed(self) -> Self {
        let filled = |text: Option<String>| {
            text.map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
        };
        Self {
            client_id: filled(self.client_id),
            client_secret: filled(self.client_secret),
            signing_secret: filled(self.signing_secret),
            app_token: filled(self.app_token),
        }
    }

    fn is_empty(&self) -> bool {
        self.client_id.is_none()
            && self.client_secret.is_none()
            && self.signing_secret.is_none()
            && self.app_token.is_none()
    }
}

impl App {
    /// Adds a connection through an organisation's own app; it is authorised afterwards. With an empty form the app is described later,
    /// when it has been made from the connection's manifest.
    pub async fn create_slack_app(
        &self,
        access: &Access,
        display_name: &str,
        form: OwnAppForm,
        settings: &Settings,
    ) -> Result<ChannelConnection> {
        let permit = access.permit(Resource::ChannelConnection, Action::Create)?;
        let name = display_name.trim();
        if !(1..=200).contains(&name.chars().count()) {
            return Err(Error::invalid("/display_name", "a name has 1 to 200 characters"));
        }
        let form = form.trimmed();
        let app = if form.is_empty() {
            None
        } else {
            Some(merged(None, form)?)
        };
        let settings = Settings {
            socket_mode: app
                .as_ref()
                .map_or(settings.socket_mode, |app| app.app_token.is_some()),
            ..settings.clone()
        };
        let id = self.environment().id::<ChannelConnectionId>();
        let plain = app
            .as_ref()
            .map(serde_json::to_vec)
            .transpose()
            .map_err(Error::internal)?;
        let mut tx = self.store.begin(&permit).await?;
        let sealed = match plain {
            Some(plain) => Some(
                tx.secrets(&self.sealer)
                    .seal(CONNECTION_APP.row(id), &plain)
                    .await
                    .map_err(Error::internal)?,
            ),
            None => None,
        };
        let configuration = serde_json::to_value(&settings).map_err(Error::internal)?;
        tx.channel_connections()
            .insert(id, ChannelKind::Slack, name, sealed, &configuration)
            .await?;
        let client_id = app.map(|app| app.client_id);
        tx.audit()
            .append(
                NewEntry::new("channel_connection.create", "channel_connection")
                    .of(id)
                    .details(json!({ "kind": "slack", "client_id": client_id })),
            )
            .await?;
        let connection = tx.channel_connections().by_id(id).await?;
        tx.commit().await?;
        connection.ok_or(Error::NotFound("channel connection"))
    }

    /// Sets the app of a connection, or replaces parts of it. A signing secret that is replaced is good besides the new one, until the
    /// next is; Slack signs with either while one is being exchanged.
    pub async fn set_slack_app(
        &self,
        access: &Access,
        id: ChannelConnectionId,
        form: OwnAppForm,
    ) -> Result<ChannelConnection> {
        let permit = access.permit(Resource::ChannelConnection, Action::Update)?;
        let mut tx = self.store.begin(&permit).await?;
        let sealed = tx.channel_connections().sealed(id).await?;
        tx.commit().await?;
        let sealed = sealed
            .filter(|sealed| sealed.kind == ChannelKind::Slack)
            .ok_or(Error::NotFound("channel connection"))?;
        let old = match &sealed.app {
            Some(app) => Some(self.own_app(&permit, id, app).await?),
            None if sealed.status == ConnectionStatus::Pending => None,
            None => {
                return Err(Error::Conflict(
                    "this workspace is connected through the server's app; add your own app as another connection".to_owned(),
                ));
            }
        };
        let app = merged(old, form.trimmed())?;
        let plain = serde_json::to_vec(&app).map_err(Error::internal)?;
        let mut tx = self.store.begin(&permit).await?;
        let known = tx.channel_connections().by_id(id).await?;
        let known = known.ok_or(Error::NotFound("channel connection"))?;
        let mut configuration = known.configuration;
        configuration["socket_mode"] = json!(app.app_token.is_some());
        let sealed = tx
            .secrets(&self.sealer)
            .seal(CONNECTION_APP.row(id), &plain)
            .await
            .map_err(Error::internal)?;
        tx.channel_connections()
            .set_app(id, sealed, &configuration)
            .await?;
        tx.audit()
            .append(
                NewEntry::new("channel_connection.app", "channel_connection")
                    .of(id)
                    .details(json!({ "client_id": app.client_id, "socket_mode": app.app_token.is_some() })),
            )
            .await?;
        let connection = tx.channel_connections().by_id(id).await?;
        tx.commit().await?;
        connection.ok_or(Error::NotFound("channel connection"))
    }

    /// Connects a workspace with the token that Slack shows after installing an own app there: for servers that Slack cannot send a
    /// browser back to.
    pub async fn connect_slack_with_token(
        self: &Arc<Self>,
        access: &Access,
        id: ChannelConnectionId,
        token: &str,
    ) -> Result<ChannelConnection> {
        let permit = access.permit(Resource::ChannelConnection, Action::Create)?;
        let user = access.user().ok_or(Error::NotAllowed(
            "a person connects a workspace; an API key cannot",
        ))?;
        let mut tx = self.store.begin(&permit).await?;
        let sealed = tx.channel_connections().sealed(id).await?;
        tx.commit().await?;
        let sealed = sealed
            .filter(|sealed| sealed.kind == ChannelKind::Slack)
            .ok_or(Error::NotFound("channel connection"))?;
        if sealed.app.is_none() {
            return Err(Error::Conflict(
                "enter the client id and the secrets of your Slack app first".to_owned(),
            ));
        }
        let token = token.trim();
        if !token.starts_with("xoxb-") {
            return Err(Error::invalid(
                "/bot_token",
                "copy the “Bot User OAuth Token” from “OAuth & Permissions”; it begins with xoxb-",
            ));
        }
        let app = self.slack_app_of(&permit, id, &sealed).await?;
        let identity = self
            .slack_api
            .workspace(app.client_id.as_str(), token.to_owned().into())
            .auth_test_with_scopes()
            .await
            .map_err(|error| call_failed(&error))?;
        if identity.bot.is_none() {
            return Err(Error::invalid("/bot_token", "this token is not the app's own"));
        }
        let granted = Granted {
            account: Account {
                app: identity.app,
                team: identity.team,
                enterprise: identity.enterprise,
                org_wide: identity.org_wide,
            },
            team_name: identity.team_name,
            enterprise_name: None,
            bot: Some(Grant {
                user: identity.user,
                access_token: token.to_owned().into(),
                refresh_token: None,
                expires_in: None,
                scopes: identity.scopes,
            }),
            person: None,
            installed_by: None,
        };
        let begun = Installation {
            organization: access.organization(),
            user,
            connection: Some(id),
            settings: json!({}),
        };
        self.connect_workspace(access, &begun, &app, granted).await
    }
}

/// The app as it is after the form, if that makes a whole one.
fn merged(old: Option<OwnApp>, form: OwnAppForm) -> Result<OwnApp> {
    let old_signing = old.as_ref().map(|app| app.signing_secret.clone());
    let (id, secret, signing, older, token) = match old {
        Some(app) => (
            Some(app.client_id),
            Some(app.client_secret),
            Some(app.signing_secret),
            app.previous_signing_secret,
            app.app_token,
        ),
        None => (None, None, None, None, None),
    };
    let app = OwnApp {
        client_id: form.client_id.or(id).unwrap_or_default(),
        client_secret: form.client_secret.or(secret).unwrap_or_default(),
        signing_secret: form.signing_secret.or(signing).unwrap_or_default(),
        previous_signing_secret: older,
        app_token: form.app_token.or(token),
    };
    check(&app)?;
    let previous_signing_secret = match old_signing {
        Some(signing) if signing != app.signing_secret => Some(signing),
        _ => app.previous_signing_secret.clone(),
    };
    Ok(OwnApp {
        previous_signing_secret,
        ..app
    })
}

fn check(app: &OwnApp) -> Result<()> {
    let mut wrong = Vec::new();
    let mut demand = |holds: bool, pointer: &str, message: &str| {
        if !holds {
            wrong.push(FieldError {
                pointer: pointer.to_owned(),
                message: message.to_owned(),
            });
        }
    };
    let visible =
        |text: &str| (1..=300).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    for (text, pointer) in [
        (&app.client_id, "/client_id"),
        (&app.client_secret, "/client_secret"),
        (&app.signing_secret, "/signing_secret"),
    ] {
        demand(
            visible(text),
            pointer,
            "copy it from “Basic Information” of the app in Slack",
        );
    }
    if let Some(token) = &app.app_token {
        demand(
            visible(token) && token.starts_with("xapp-"),
            "/app_token",
            "an app-level token begins with xapp-",
        );
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Error::Invalid(wrong))
    }
}
