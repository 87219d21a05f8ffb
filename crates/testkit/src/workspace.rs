//! Connected Slack workspaces and requests as Slack signs them.

use amebo_channels::slack::verify;
use amebo_core::channel::ChannelKind;
use amebo_core::id::{ChannelConnectionId, UserId};
use amebo_core::permission::{Action, Resource};
use amebo_store::channel_connection::Connected;
use amebo_store::sealing::{CONNECTION_APP, CONNECTION_CREDENTIALS, MasterKeys, Sealer};
use amebo_store::{Access, Permit, Store};
use axum::body::Body;
use http::Request;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::{Person, SIGNING_SECRET, TestApp};

/// A workspace to be connected without asking anybody.
#[derive(Debug, Clone)]
pub struct NewWorkspace {
    /// Its id.
    pub account: String,
    /// The bot's token in it.
    pub token: String,
    /// What administrators chose.
    pub configuration: Value,
    /// The app it is connected through, if not the server's: client id, client secret and signing secret.
    pub app: Option<Value>,
    /// Who connected it.
    pub by: Option<UserId>,
}

/// What the owner of the organisation that a server begins with may do.
pub async fn first_owner(store: &Store) -> Access {
    let mut tx = store.begin_system().await.unwrap();
    let owner = tx.users().first_superadmin().await.unwrap().unwrap();
    let place = tx.users().memberships(owner.id).await.unwrap().pop().unwrap();
    tx.commit().await.unwrap();
    store
        .access_of_user(owner.id, place.organization)
        .await
        .unwrap()
        .unwrap()
}

/// Connects workspaces to the organisation of a permit, all in one transaction.
pub async fn connect_workspaces(
    store: &Store,
    sealer: &Sealer,
    permit: &Permit,
    workspaces: &[NewWorkspace],
) -> Vec<ChannelConnectionId> {
    let mut ids = Vec::with_capacity(workspaces.len());
    let mut tx = store.begin(permit).await.unwrap();
    for workspace in workspaces {
        let id: ChannelConnectionId = store.environment().id();
        let app = match &workspace.app {
            None => None,
            Some(app) => {
                let plain = app.to_string();
                let mut secrets = tx.secrets(sealer);
                Some(
                    secrets
                        .seal(CONNECTION_APP.row(id), plain.as_bytes())
                        .await
                        .unwrap(),
                )
            }
        };
        let tokens = json!({ "access_token": workspace.token }).to_string();
        let credentials = tx
            .secrets(sealer)
            .seal(CONNECTION_CREDENTIALS.row(id), tokens.as_bytes())
            .await
            .unwrap();
        let mut connections = tx.channel_connections();
        connections
            .insert(
                id,
                ChannelKind::Slack,
                &workspace.account,
                app,
                &workspace.configuration,
            )
            .await
            .unwrap();
        let connected = Connected {
            account: workspace.account.clone(),
            app_id: Some("A0AMEBO01".to_owned()),
            display_name: workspace.account.clone(),
            credentials,
            scopes: vec!["chat:write".to_owned()],
            token_expires_at: None,
            facts: json!({ "team_id": workspace.account, "bot_user_id": "U0BOT0001", "bot_id": "B0BOT0001" }),
            by: workspace.by,
        };
        connections.connect(id, &connected).await.unwrap();
        ids.push(id);
    }
    tx.commit().await.unwrap();
    ids
}

impl TestApp {
    /// A workspace connected to somebody's organisation: through the server's app, or through one of its own that signs with
    /// `own_secret`.
    pub async fn connect_workspace(
        &self,
        person: &Person,
        team: &str,
        own_secret: Option<&str>,
        configuration: Value,
    ) -> ChannelConnectionId {
        let keys = MasterKeys::File(self.files.path().join("master.keys"));
        let sealer = Sealer::open(&self.store, keys).unwrap();
        let permit = self
            .access(person)
            .await
            .permit(Resource::ChannelConnection, Action::Create)
            .unwrap();
        let app = own_secret
            .map(|secret| json!({ "client_id": "3.4", "client_secret": "own", "signing_secret": secret }));
        let workspace = NewWorkspace {
            account: team.to_owned(),
            token: format!("xoxb-{team}"),
            configuration,
            app,
            by: Some(person.user),
        };
        connect_workspaces(&self.store, &sealer, &permit, &[workspace]).await[0]
    }

    /// A request that Slack signed just now for the server's app.
    pub fn from_slack(&self, path: &str, body: impl Into<Vec<u8>>) -> Request<Body> {
        self.from_slack_with(path, body, SIGNING_SECRET, 0)
    }

    /// A request that was signed with `secret`, so many seconds before now.
    pub fn from_slack_with(
        &self,
        path: &str,
        body: impl Into<Vec<u8>>,
        secret: &str,
        seconds_ago: i64,
    ) -> Request<Body> {
        let body = body.into();
        let time = self.store.environment().now().timestamp() - seconds_ago;
        let signature = verify::sign(&body, time, &SecretString::from(secret.to_owned()));
        let content_type = if body.starts_with(b"{") {
            "application/json"
        } else {
            "application/x-www-form-urlencoded"
        };
        Request::post(path)
            .header("content-type", content_type)
            .header(verify::TIMESTAMP, time.to_string())
            .header(verify::SIGNATURE, signature)
            .body(body.into())
            .unwrap()
    }
}

/// The envelope of an event of a workspace.
pub fn slack_event(team: &str, id: &str, event: &Value) -> String {
    json!({
        "token": "deprecated", "team_id": team, "api_app_id": "A0AMEBO01", "event": event, "type": "event_callback",
        "event_id": id, "event_time": 1_767_603_600,
        "authorizations": [{ "enterprise_id": null, "team_id": team, "user_id": "U0BOT0001", "is_bot": true, "is_enterprise_install": false }],
        "is_ext_shared_channel": false,
    })
    .to_string()
}
