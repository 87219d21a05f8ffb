//! Connected Slack workspaces and requests as Slack signs them.

use amebo_channels::slack::verify;
use amebo_core::channel::ChannelKind;
use amebo_core::id::ChannelConnectionId;
use amebo_core::permission::{Action, Resource};
use amebo_store::channel_connection::Connected;
use amebo_store::sealing::{CONNECTION_APP, CONNECTION_CREDENTIALS, MasterKeys, Sealer};
use axum::body::Body;
use http::Request;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::{Person, SIGNING_SECRET, TestApp};

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
        let id: ChannelConnectionId = self.store.environment().id();
        let mut tx = self.store.begin(&permit).await.unwrap();
        let app = match own_secret {
            None => None,
            Some(secret) => {
                let app = json!({ "client_id": "3.4", "client_secret": "own", "signing_secret": secret });
                let mut secrets = tx.secrets(&sealer);
                Some(
                    secrets
                        .seal(CONNECTION_APP.row(id), app.to_string().as_bytes())
                        .await
                        .unwrap(),
                )
            }
        };
        tx.channel_connections()
            .insert(id, ChannelKind::Slack, team, app, &configuration)
            .await
            .unwrap();
        let tokens = json!({ "access_token": format!("xoxb-{team}") });
        let connected = Connected {
            account: team.to_owned(),
            app_id: Some("A0AMEBO01".to_owned()),
            display_name: team.to_owned(),
            credentials: tx
                .secrets(&sealer)
                .seal(CONNECTION_CREDENTIALS.row(id), tokens.to_string().as_bytes())
                .await
                .unwrap(),
            scopes: vec!["chat:write".to_owned()],
            token_expires_at: None,
            facts: json!({ "team_id": team, "bot_user_id": "U0BOT0001", "bot_id": "B0BOT0001" }),
            by: Some(person.user),
        };
        tx.channel_connections().connect(id, &connected).await.unwrap();
        tx.commit().await.unwrap();
        id
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
