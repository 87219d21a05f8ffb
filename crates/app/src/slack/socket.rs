//! Sockets to Slack, for connections whose events come over a connection that Amebo opens itself: one for each in every process that
//! serves. Slack hands each event to one of them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use amebo_channels::inbound::Immediate;
use amebo_channels::slack::socket::{self, Receive, SocketStatus};
use amebo_core::channel::ChannelKind;
use amebo_core::id::ChannelConnectionId;
use amebo_store::channel_connection::Claimed;
use amebo_store::inbound_event::SignedWith;
use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::door::Told;
use super::{OwnApp, Settings};
use crate::{App, Error, Result};

/// How often it is looked which sockets there are to be.
const LOOK: Duration = Duration::from_secs(10);

/// Takes in what comes over one connection's socket.
struct Ear {
    app: Arc<App>,
    claimed: Claimed,
    connection: ChannelConnectionId,
}

#[async_trait]
impl Receive for Ear {
    async fn receive(&self, payload: Value, _attempt: u32) -> Option<Immediate> {
        let signed_with = SignedWith::OwnApp(self.claimed.clone());
        let body = payload.to_string();
        let taken = self
            .app
            .take_slack(signed_with, Some(self.connection), body.as_bytes())
            .await;
        match taken {
            // What is refused is counted, and would be refused again.
            Ok(Told::Accepted | Told::Refused(_)) => Some(Immediate::Acknowledge),
            Ok(Told::Text(text)) => Some(Immediate::Text(text)),
            Ok(Told::Json(json)) => Some(Immediate::Json(json)),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "an event from a socket could not be kept; Slack sends it again"
                );
                None
            }
        }
    }
}

impl App {
    /// Keeps a socket open for each connection that wants one, until `stop`.
    pub async fn keep_slack_sockets(self: &Arc<Self>, stop: &CancellationToken) {
        let mut sockets: JoinSet<ChannelConnectionId> = JoinSet::new();
        let mut open: HashMap<ChannelConnectionId, CancellationToken> = HashMap::new();
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(Ok(ended)) = sockets.join_next(), if !sockets.is_empty() => {
                    open.remove(&ended);
                }
                _ = look.tick() => {
                    if let Err(error) = self.look_after_sockets(&mut sockets, &mut open, stop).await {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "could not look which sockets to Slack there are to be"
                        );
                    }
                }
            }
        }
        while sockets.join_next().await.is_some() {}
    }

    async fn look_after_sockets(
        self: &Arc<Self>,
        sockets: &mut JoinSet<ChannelConnectionId>,
        open: &mut HashMap<ChannelConnectionId, CancellationToken>,
        stop: &CancellationToken,
    ) -> Result<()> {
        let wanted: Vec<ChannelConnectionId> = self
            .store
            .active_connections(ChannelKind::Slack)
            .await?
            .into_iter()
            .filter(|(_, _, configuration)| {
                serde_json::from_value::<Settings>(configuration.clone())
                    .is_ok_and(|settings| settings.socket_mode)
            })
            .map(|(_, id, _)| id)
            .collect();
        for (id, ends) in open.iter() {
            if !wanted.contains(id) {
                ends.cancel();
            }
        }
        for id in wanted {
            if open.contains_key(&id) {
                continue;
            }
            let Some((claimed, app)) = self.own_app_of_socket(id).await? else {
                continue;
            };
            let Some(token) = app.app_token else { continue };
            let ends = stop.child_token();
            open.insert(id, ends.clone());
            let ear = Arc::new(Ear {
                app: Arc::clone(self),
                claimed,
                connection: id,
            });
            // Rates of opening sockets are the app's, not a workspace's.
            let api = self.slack_api.workspace(app.client_id, token.into());
            sockets.spawn(async move {
                let (status, _) = watch::channel(SocketStatus::Connecting);
                let app = Arc::clone(&ear.app);
                if let Err(error) = socket::run(&api, ear, &status, ends.clone()).await {
                    tracing::warn!(connection = %id, error = &error as &dyn std::error::Error, "a socket to Slack cannot be kept");
                    app.refuse(Some(id), "socket_closed").await;
                    // Not again at once: somebody has to switch it on, or to replace the token.
                    ends.run_until_cancelled(tokio::time::sleep(Duration::from_mins(5)))
                        .await;
                }
                id
            });
        }
        Ok(())
    }

    async fn own_app_of_socket(&self, id: ChannelConnectionId) -> Result<Option<(Claimed, OwnApp)>> {
        let Some(claimed) = self.store.claimed_connection(ChannelKind::Slack, id).await? else {
            return Ok(None);
        };
        let app = self.sealer.app_of(&claimed).await.map_err(Error::internal)?;
        let app = serde_json::from_slice(&app).map_err(Error::internal)?;
        Ok(Some((claimed, app)))
    }
}
