//! Connecting a workspace: an administrator is sent to Slack and comes back with a code.
//!
//! What comes back is bound three ways: to a state of 256 random bits that works once within ten minutes and stands for the organisation
//! and the person who began, to the browser that began (a cookie holds the same state), and to that person's right to connect, which is
//! looked up again. A workspace in use in one organisation is not taken over by another.

use std::sync::Arc;

use amebo_channels::slack::api::{AppCredentials, Identity, Installation as Granted};
use amebo_channels::slack::manifest::{Endpoints, Manifest};
use amebo_channels::slack::scope::{self, Need};
use amebo_core::channel::ChannelKind;
use amebo_core::id::{ChannelConnectionId, Id as _};
use amebo_core::permission::{Action, Resource};
use amebo_store::Permit;
use amebo_store::audit::NewEntry;
use amebo_store::channel_connection::{ChannelConnection, Connected};
use amebo_store::channel_installation::Installation;
use amebo_store::sealing::{CONNECTION_APP, CONNECTION_CREDENTIALS};
use serde_json::{Value, json};
use url::Url;

use super::{Facts, OwnApp, Settings, Tokens};
use crate::{Access, App, Error, FieldError, Result};

/// What Amebo asks a workspace to allow: to be asked there, and either to keep what is said or to search it live.
fn needs(settings: &Settings) -> [Need; 2] {
    [
        Need::Asking,
        if settings.searches_live {
            Need::Searching
        } else {
            Need::Synchronising
        },
    ]
}

/// Where to send an administrator, and the state that must come back.
#[derive(Debug, Clone)]
pub struct Begun {
    /// Slack's page.
    pub authorize_url: Url,
    /// What must come back in the query and in the browser's cookie.
    pub state: String,
}

/// An organisation's own app, as an administrator pastes it.
#[derive(Debug, Clone)]
pub struct OwnAppForm {
    /// How the connection is called until the workspace's name is known.
    pub display_name: String,
    /// The app's client id.
    pub client_id: String,
    /// The app's client secret.
    pub client_secret: String,
    /// What the app's requests are signed with.
    pub signing_secret: String,
    /// What opens sockets, for Socket Mode.
    pub app_token: Option<String>,
}

/// What comes back from Slack through the browser.
#[derive(Debug, Clone)]
pub struct CameBack {
    /// What the access is exchanged for.
    pub code: Option<String>,
    /// Slack's word for why there is none.
    pub error: Option<String>,
    /// The state in the query.
    pub state: Option<String>,
    /// The state in the browser's cookie.
    pub cookie: Option<String>,
}

impl App {
    /// Begins to connect a workspace: through the server's app, or through the own app of `connection`.
    pub async fn begin_slack_installation(
        &self,
        access: &Access,
        connection: Option<ChannelConnectionId>,
        settings: &Settings,
    ) -> Result<Begun> {
        let permit = access.permit(Resource::ChannelConnection, Action::Create)?;
        let user = access.user().ok_or(Error::NotAllowed(
            "a person connects a workspace, in a browser; an API key cannot",
        ))?;
        let sealed = match connection {
            Some(id) => {
                let mut tx = self.store.begin(&permit).await?;
                let sealed = tx.channel_connections().sealed(id).await?;
                tx.commit().await?;
                let sealed = sealed.filter(|sealed| sealed.kind == ChannelKind::Slack);
                Some((id, sealed.ok_or(Error::NotFound("channel connection"))?))
            }
            None => None,
        };
        let (app, own) = match &sealed {
            Some((id, sealed)) => (
                self.slack_app_of(&permit, *id, sealed).await?,
                sealed.app.is_some().then_some(*id),
            ),
            None => (self.servers_app()?, None),
        };
        let chosen = serde_json::to_value(settings).map_err(Error::internal)?;
        let mut tx = self.store.begin(&permit).await?;
        let state = tx
            .channel_installations()
            .begin(ChannelKind::Slack, user, own, &chosen)
            .await?;
        tx.commit().await?;
        let authorize_url = self.slack_api.authorize_url(
            &app.client_id,
            &scope::required(&needs(settings)),
            &self.slack_redirect()?,
            &state,
            None,
        );
        Ok(Begun { authorize_url, state })
    }

    /// Finishes connecting a workspace with what came back from Slack.
    pub async fn finish_slack_installation(self: &Arc<Self>, back: CameBack) -> Result<ChannelConnection> {
        let state = back.state.ok_or(Error::NotAllowed(
            "begin on Amebo's own page; an installation that begins elsewhere is not accepted",
        ))?;
        if back.cookie.as_deref() != Some(state.as_str()) {
            return Err(Error::NotAllowed(
                "this installation was begun in another browser; begin again in this one",
            ));
        }
        let begun = self
            .store
            .take_installation(ChannelKind::Slack, &state)
            .await?
            .ok_or(Error::NotAllowed(
                "this installation was finished or has waited too long; begin again",
            ))?;
        if let Some(error) = back.error {
            return Err(match error.as_str() {
                "access_denied" => {
                    Error::NotAllowed("access was not granted in Slack; nothing was connected")
                }
                _ => Error::NotAllowed("Slack refused the installation; begin again"),
            });
        }
        let code = back
            .code
            .ok_or(Error::NotAllowed("Slack sent no code along; begin again"))?;
        // Whoever began may have lost the right since.
        let access = self.access(begun.user, begun.organization).await?;
        let permit = access.permit(Resource::ChannelConnection, Action::Create)?;
        let app = match begun.connection {
            None => self.servers_app()?,
            Some(id) => {
                let mut tx = self.store.begin(&permit).await?;
                let sealed = tx.channel_connections().sealed(id).await?;
                tx.commit().await?;
                let sealed = sealed.ok_or(Error::NotFound("channel connection"))?;
                self.slack_app_of(&permit, id, &sealed).await?
            }
        };
        let granted = self
            .slack_api
            .install(&app, &code, &self.slack_redirect()?)
            .await
            .map_err(|error| super::token::call_failed(&error))?;
        self.connect_workspace(&access, &begun, &app, granted).await
    }

    async fn connect_workspace(
        self: &Arc<Self>,
        access: &Access,
        begun: &Installation,
        app: &AppCredentials,
        granted: Granted,
    ) -> Result<ChannelConnection> {
        let permit = access.permit(Resource::ChannelConnection, Action::Create)?;
        let bot = granted.bot.as_ref().ok_or(Error::NotAllowed(
            "Slack granted access for a person only; install the app for the workspace",
        ))?;
        let account = granted
            .account
            .connection_key()
            .map(str::to_owned)
            .ok_or(Error::NotAllowed("Slack named no workspace; begin again"))?;
        let api = self
            .slack_api
            .workspace(account.as_str(), bot.access_token.clone());
        // Without it Amebo would not know itself as an author; the rest is known already.
        let identity = api.auth_test().await.unwrap_or_else(|error| {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "Slack did not say who the token belongs to"
            );
            Identity::default()
        });
        let facts = Facts {
            team_id: granted.account.team.clone(),
            team_name: granted.team_name.clone(),
            enterprise_id: granted.account.enterprise.clone(),
            is_enterprise_install: granted.account.org_wide,
            bot_user_id: bot.user.clone().or(identity.user),
            bot_id: identity.bot,
            url: identity.url.map(String::from),
        };
        let display_name: String = granted
            .team_name
            .or(granted.enterprise_name)
            .unwrap_or_else(|| account.clone())
            .chars()
            .take(200)
            .collect();
        let (tokens, token_expires_at) = self.tokens_of(bot);
        let mut tx = self.store.begin(&permit).await?;
        let known = tx
            .channel_connections()
            .by_account(ChannelKind::Slack, &account)
            .await?
            .filter(|known| known.has_own_app == begun.connection.is_some());
        let id = match (begun.connection, known) {
            (Some(id), _) => id,
            (None, Some(known)) => known.id,
            (None, None) => {
                let id = self.environment().id::<ChannelConnectionId>();
                tx.channel_connections()
                    .insert(id, ChannelKind::Slack, &display_name, None, &begun.settings)
                    .await?;
                id
            }
        };
        let plain = serde_json::to_vec::<Tokens>(&tokens).map_err(Error::internal)?;
        let credentials = tx
            .secrets(&self.sealer)
            .seal(CONNECTION_CREDENTIALS.row(id), &plain)
            .await
            .map_err(Error::internal)?;
        let connected = Connected {
            account: account.clone(),
            app_id: granted.account.app.clone(),
            display_name,
            credentials,
            scopes: bot.scopes.clone(),
            token_expires_at,
            facts: serde_json::to_value(&facts).map_err(Error::internal)?,
            by: Some(begun.user),
        };
        tx.channel_connections()
            .connect(id, &connected)
            .await
            .map_err(taken)?;
        tx.events()
            .append(
                "channel_connection.connected",
                Some(id.uuid()),
                &json!({ "kind": "slack" }),
            )
            .await?;
        tx.audit()
            .append(
                NewEntry::new("channel_connection.connect", "channel_connection")
                    .of(id)
                    .details(json!({ "account": account, "app": app.client_id, "scopes": bot.scopes })),
            )
            .await?;
        let connection = tx.channel_connections().by_id(id).await?;
        tx.commit().await?;
        connection.ok_or(Error::NotFound("channel connection"))
    }

    /// Adds a connection through an organisation's own app; it is authorised afterwards.
    pub async fn create_slack_app(
        &self,
        access: &Access,
        form: OwnAppForm,
        settings: &Settings,
    ) -> Result<ChannelConnection> {
        let permit = access.permit(Resource::ChannelConnection, Action::Create)?;
        check(&form)?;
        let id = self.environment().id::<ChannelConnectionId>();
        let app = OwnApp {
            client_id: form.client_id.trim().to_owned(),
            client_secret: form.client_secret.trim().to_owned(),
            signing_secret: form.signing_secret.trim().to_owned(),
            previous_signing_secret: None,
            app_token: form
                .app_token
                .map(|token| token.trim().to_owned())
                .filter(|token| !token.is_empty()),
        };
        let settings = Settings {
            socket_mode: app.app_token.is_some(),
            ..settings.clone()
        };
        let plain = serde_json::to_vec(&app).map_err(Error::internal)?;
        let mut tx = self.store.begin(&permit).await?;
        let sealed = tx
            .secrets(&self.sealer)
            .seal(CONNECTION_APP.row(id), &plain)
            .await
            .map_err(Error::internal)?;
        let configuration = serde_json::to_value(&settings).map_err(Error::internal)?;
        tx.channel_connections()
            .insert(
                id,
                ChannelKind::Slack,
                form.display_name.trim(),
                Some(sealed),
                &configuration,
            )
            .await?;
        tx.audit()
            .append(
                NewEntry::new("channel_connection.create", "channel_connection")
                    .of(id)
                    .details(json!({ "kind": "slack", "client_id": app.client_id })),
            )
            .await?;
        let connection = tx.channel_connections().by_id(id).await?;
        tx.commit().await?;
        connection.ok_or(Error::NotFound("channel connection"))
    }

    /// The manifest to paste into Slack: for a connection with an app of its own, whose doors it names, or to begin with.
    pub async fn slack_manifest(
        &self,
        access: &Access,
        connection: Option<ChannelConnectionId>,
        socket_mode: bool,
    ) -> Result<Value> {
        let settings = if let Some(id) = connection {
            let known = self.channel_connection(access, id).await?;
            serde_json::from_value(known.configuration).map_err(Error::internal)?
        } else {
            access.permit(Resource::ChannelConnection, Action::Read)?;
            Settings::default()
        };
        let door = |name: &str| -> Result<Url> {
            let path = match connection {
                Some(id) => format!("channels/slack/{id}/{name}"),
                None => format!("channels/slack/{name}"),
            };
            self.public_url().join(&path).map_err(Error::internal)
        };
        let manifest = Manifest {
            name: "Amebo".to_owned(),
            needs: needs(&settings).to_vec(),
            endpoints: if socket_mode {
                None
            } else {
                Some(Endpoints {
                    events: door("events")?,
                    commands: door("commands")?,
                    interactions: door("interactions")?,
                    redirect: self.slack_redirect()?,
                })
            },
            org_wide: false,
        };
        Ok(manifest.to_json())
    }

    /// What is missing of the permissions Amebo makes use of, and what is granted beyond them.
    pub fn slack_scope_drift(connection: &ChannelConnection) -> (Vec<String>, Vec<String>) {
        let settings: Settings = serde_json::from_value(connection.configuration.clone()).unwrap_or_default();
        let needed = scope::required(&needs(&settings));
        let missing = needed
            .iter()
            .filter(|scope| !connection.scopes.iter().any(|granted| granted == *scope))
            .map(|scope| (*scope).to_owned())
            .collect();
        let extra = connection
            .scopes
            .iter()
            .filter(|granted| !scope::SCOPES.iter().any(|scope| scope.name == granted.as_str()))
            .cloned()
            .collect();
        (missing, extra)
    }

    /// Tells Slack that the app leaves a workspace. Whether Slack hears it or not, it ends here.
    pub(crate) async fn leave_slack(self: &Arc<Self>, permit: &Permit, connection: &ChannelConnection) {
        let left = async {
            let workspace = self.slack_workspace(permit, connection).await?;
            let done = if connection.has_own_app {
                let mut tx = self.store.begin(permit).await?;
                let sealed = tx.channel_connections().sealed(connection.id).await?;
                tx.commit().await?;
                let sealed = sealed.ok_or(Error::NotFound("channel connection"))?;
                let app = self.slack_app_of(permit, connection.id, &sealed).await?;
                workspace.api.uninstall(&app).await
            } else {
                workspace.api.revoke().await
            };
            self.slack_api.budgets().forget(&workspace.account);
            done.map_err(|error| super::token::call_failed(&error))
        };
        if let Err(error) = left.await {
            tracing::warn!(
                connection = %connection.id,
                error = &error as &dyn std::error::Error,
                "Slack was not told that the app leaves the workspace"
            );
        }
    }

    fn slack_redirect(&self) -> Result<Url> {
        self.public_url()
            .join("channels/slack/callback")
            .map_err(Error::internal)
    }
}

fn taken(error: amebo_store::Error) -> Error {
    if error.is_conflict_on("channel_connections_account") {
        Error::Conflict(
            "this workspace is connected to another organization, or a second time to yours; disconnect it there first"
                .to_owned(),
        )
    } else {
        error.into()
    }
}

fn check(form: &OwnAppForm) -> Result<()> {
    let mut wrong = Vec::new();
    let mut demand = |holds: bool, pointer: &str, message: &str| {
        if !holds {
            wrong.push(FieldError {
                pointer: pointer.to_owned(),
                message: message.to_owned(),
            });
        }
    };
    let visible = |text: &str| {
        let text = text.trim();
        (1..=300).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let name = form.display_name.trim().chars().count();
    demand(
        (1..=200).contains(&name),
        "/display_name",
        "a name has 1 to 200 characters",
    );
    for (text, pointer) in [
        (&form.client_id, "/client_id"),
        (&form.client_secret, "/client_secret"),
        (&form.signing_secret, "/signing_secret"),
    ] {
        demand(
            visible(text),
            pointer,
            "copy it from “Basic Information” of the app in Slack",
        );
    }
    if let Some(token) = form.app_token.as_deref().filter(|token| !token.trim().is_empty()) {
        demand(
            visible(token) && token.trim().starts_with("xapp-"),
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
