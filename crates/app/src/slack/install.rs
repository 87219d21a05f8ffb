//! Connecting a workspace: an administrator is sent to Slack and comes back with a code.
//!
//! What comes back is bound three ways: to a state of 256 random bits that works once within ten minutes and stands for the organisation
//! and the person who began, to the browser that began (a cookie holds the same state), and to that person's right to connect, which is
//! looked up again. A workspace in use in one organisation is not taken over by another.

use std::sync::Arc;

use amebo_channels::slack::api::{AppCredentials, Identity, Installation as Granted};
use amebo_channels::slack::manifest::{Endpoints, Manifest};
use amebo_channels::slack::scope::{self, Need};
use amebo_core::channel::{ChannelKind, ConnectionStatus};
use amebo_core::id::{ChannelConnectionId, Id as _};
use amebo_core::permission::{Action, Resource};
use amebo_store::Permit;
use amebo_store::audit::NewEntry;
use amebo_store::channel_connection::{ChannelConnection, Connected};
use amebo_store::channel_installation::Installation;
use amebo_store::sealing::CONNECTION_CREDENTIALS;
use serde_json::{Value, json};
use url::Url;

use super::{Facts, Settings, Tokens};
use crate::mirror::FollowWorkspace;
use crate::{Access, App, Error, Result};

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

/// Why a workspace is not connected that is in use already.
pub const IN_USE: &str = "this workspace is connected to another organization, or a second time to yours; disconnect it there first";

/// Where to send an administrator, and the state that must come back.
#[derive(Debug, Clone)]
pub struct Begun {
    /// Slack's page.
    pub authorize_url: Url,
    /// What must come back in the query and in the browser's cookie.
    pub state: String,
}

/// A workspace that was connected, and where it is looked at.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The connection.
    pub connection: ChannelConnection,
    /// The organisation's name in addresses.
    pub organization_slug: String,
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
            Some((_, sealed)) if sealed.app.is_none() && sealed.status == ConnectionStatus::Pending => {
                return Err(Error::Conflict(
                    "enter the client id and the secrets of your Slack app first".to_owned(),
                ));
            }
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
    pub async fn finish_slack_installation(self: &Arc<Self>, back: CameBack) -> Result<Finished> {
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
        let connection = self.connect_workspace(&access, &begun, &app, granted).await?;
        let mut tx = self.store.begin(&permit).await?;
        let organization_slug = tx.organizations().current().await?.slug;
        tx.commit().await?;
        Ok(Finished {
            connection,
            organization_slug,
        })
    }

    /// Takes a workspace into use with what Slack granted.
    pub(super) async fn connect_workspace(
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
        // What was chosen before goes on.
        tx.jobs().push(FollowWorkspace::now(id)).await?;
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

    /// Whether this server has a Slack app of its own, which every organisation can connect through.
    pub fn has_slack_app(&self) -> bool {
        self.slack.app.is_some()
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
        Error::Conflict(IN_USE.to_owned())
    } else {
        error.into()
    }
}
