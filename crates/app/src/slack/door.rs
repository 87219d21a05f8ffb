//! The door through which Slack comes in: events, commands and interactions alike.
//!
//! The signature is judged on the raw bytes before anything is read. What is believed is stored with its job, and only then
//! acknowledged. What is refused is counted, with the connection in whose name it came where that is known.

use std::collections::HashMap;
use std::sync::Arc;

use amebo_channels::inbound::{Addressing, Event, Immediate, InboundEvent};
use amebo_channels::slack;
use amebo_core::channel::ChannelKind;
use amebo_core::id::ChannelConnectionId;
use amebo_core::job::Priority;
use amebo_store::channel_connection::Claimed;
use amebo_store::inbound_event::{Receipt, SignedWith, Webhook};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;
use parking_lot::Mutex;
use secrecy::SecretString;

use super::{OwnApp, reply};
use crate::{App, Error, Result};

/// The largest body that is read, in bytes. Slack's largest, a message with many blocks, has some hundred thousand.
pub const LARGEST_BODY: usize = 1 << 20;
/// After how long somebody who wrote to Amebo must have seen an outcome, whatever fails.
const PATIENCE: TimeDelta = TimeDelta::seconds(90);
/// For how long the signing secret of a connection is not looked up again.
const KNOWN_FOR: TimeDelta = TimeDelta::seconds(30);
/// How many connections' secrets are kept ready.
const MOST_KNOWN: usize = 10_000;

/// What Slack is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// It is stored: status 200 and nothing else.
    Accepted,
    /// This text, with status 200.
    Text(String),
    /// This JSON, with status 200.
    Json(serde_json::Value),
    /// It is refused and is not to be sent again; for this reason.
    Refused(Refused),
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It does not prove to come from Slack.
    NotBelieved(amebo_channels::Refusal),
    /// There is no such connection, or the server has no app.
    NoSuchDoor,
    /// It is too large.
    TooLarge,
    /// It is from Slack but cannot be read.
    Malformed,
    /// No connected workspace sent it.
    UnknownAccount,
    /// The workspace was disconnected.
    Disconnected,
}

impl Refused {
    /// A word for figures and for the connection's page.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotBelieved(refusal) => refusal.as_str(),
            Self::NoSuchDoor => "no_such_connection",
            Self::TooLarge => "too_large",
            Self::Malformed => "unreadable",
            Self::UnknownAccount => "unknown_account",
            Self::Disconnected => "disconnected",
        }
    }
}

/// The signing secrets of connections with an app of their own, for a short while.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<HashMap<ChannelConnectionId, Signer>>);

#[derive(Debug, Clone)]
struct Signer {
    claimed: Claimed,
    secrets: Arc<[SecretString]>,
    since: DateTime<Utc>,
}

impl App {
    /// Takes a request of at most [`LARGEST_BODY`] bytes that claims to come from Slack: at the door of the server's app, or of one connection with its own.
    pub async fn hear_slack(
        self: &Arc<Self>,
        connection: Option<ChannelConnectionId>,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Told> {
        let (secrets, signed_with) = match connection {
            None => match &self.slack.app {
                Some(app) => (Arc::from(app.signing_secrets.clone()), SignedWith::ServersApp),
                None => return Ok(self.refuse_slack(None, Refused::NoSuchDoor).await),
            },
            Some(connection) => match self.signer(connection).await? {
                Some(signer) => (signer.secrets, SignedWith::OwnApp(signer.claimed)),
                None => return Ok(self.refuse_slack(None, Refused::NoSuchDoor).await),
            },
        };
        let now = self.environment().now();
        if let Err(refusal) = slack::verify::verify(&body, headers, &secrets, now) {
            return Ok(self.refuse_slack(connection, Refused::NotBelieved(refusal)).await);
        }
        if let Some(again) = slack::inbound::redelivery(headers) {
            metrics::counter!("amebo_slack_redeliveries_total").increment(1);
            tracing::debug!(
                number = again.number,
                reason = again.reason,
                "Slack sends an event again"
            );
        }
        self.take_slack(signed_with, connection, &body).await
    }

    /// Counts a request whose body was larger than is read.
    pub async fn too_large_for_slack(&self, connection: Option<ChannelConnectionId>) -> Told {
        self.refuse_slack(connection, Refused::TooLarge).await
    }

    /// Takes what is known to come from Slack.
    pub(crate) async fn take_slack(
        self: &Arc<Self>,
        signed_with: SignedWith,
        connection: Option<ChannelConnectionId>,
        body: &[u8],
    ) -> Result<Told> {
        let inbound = match slack::inbound::parse(body) {
            Ok(inbound) => inbound,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "Slack sent what cannot be read"
                );
                return Ok(self.refuse_slack(connection, Refused::Malformed).await);
            }
        };
        let now = self.environment().now();
        let mut answer = match inbound.answer {
            Immediate::Acknowledge => Told::Accepted,
            Immediate::Text(text) => Told::Text(text),
            Immediate::Json(json) => Told::Json(json),
        };
        for event in inbound.events {
            metrics::counter!("amebo_inbound_total", "provider" => "slack", "kind" => event.event.as_str())
                .increment(1);
            let command = match &event.event {
                Event::Command(command) => Some(command),
                _ => None,
            };
            let refused = match self
                .take_in(webhook(&event, signed_with.clone(), body, now))
                .await?
            {
                Receipt::Accepted | Receipt::Repeated => {
                    if let Event::Membership { place, .. } | Event::PlaceChanged { place, .. } = &event.event
                    {
                        self.slack_places.changed(&place.id, now);
                    }
                    if command.is_some_and(|command| !command.text.trim().is_empty()) {
                        answer = told_alone(reply::LOOKING);
                    }
                    continue;
                }
                Receipt::UnknownAccount => (connection, Refused::UnknownAccount),
                Receipt::Disconnected(known) => (Some(known), Refused::Disconnected),
            };
            answer = self.refuse_slack(refused.0, refused.1).await;
            if command.is_some() {
                // Whoever gave it waits, and would otherwise read only that something timed out.
                answer = told_alone(reply::NOT_CONNECTED);
            }
        }
        Ok(answer)
    }

    async fn refuse_slack(&self, connection: Option<ChannelConnectionId>, refused: Refused) -> Told {
        self.refuse(connection, refused.as_str()).await;
        Told::Refused(refused)
    }

    /// What requests in the name of a connection must be signed with.
    async fn signer(&self, connection: ChannelConnectionId) -> Result<Option<Signer>> {
        let now = self.environment().now();
        if let Some(signer) = self.slack_known.0.lock().get(&connection)
            && now - signer.since < KNOWN_FOR
        {
            return Ok(Some(signer.clone()));
        }
        let Some(claimed) = self
            .store
            .claimed_connection(ChannelKind::Slack, connection)
            .await?
        else {
            return Ok(None);
        };
        let app = self.sealer.app_of(&claimed).await.map_err(Error::internal)?;
        let app: OwnApp = serde_json::from_slice(&app).map_err(Error::internal)?;
        let secrets = [Some(app.signing_secret), app.previous_signing_secret]
            .into_iter()
            .flatten()
            .map(SecretString::from)
            .collect();
        let signer = Signer {
            claimed,
            secrets,
            since: now,
        };
        let mut known = self.slack_known.0.lock();
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(connection, signer.clone());
        Ok(Some(signer))
    }
}

fn webhook(event: &InboundEvent, signed_with: SignedWith, body: &[u8], now: DateTime<Utc>) -> Webhook {
    let waits = somebody_waits(&event.event);
    let interactive = waits
        || matches!(
            event.event,
            Event::Interaction(_)
                | Event::HomeOpened { .. }
                | Event::ConversationOpened { .. }
                | Event::StopRequested { .. }
        );
    Webhook {
        provider: ChannelKind::Slack,
        signed_with,
        accounts: event
            .account
            .connection_keys()
            .into_iter()
            .map(str::to_owned)
            .collect(),
        external_id: stored_id(event),
        kind: event.event.as_str().to_owned(),
        body: body.to_vec(),
        lane: Some(cut(&event.lane, 150)),
        priority: if interactive {
            Priority::Interactive
        } else {
            Priority::Normal
        },
        deadline: waits.then(|| now + PATIENCE),
    }
}

/// What only whoever gave a command sees at once; the answer takes its place.
fn told_alone(text: &str) -> Told {
    Told::Json(serde_json::json!({ "response_type": "ephemeral", "text": text }))
}

/// The id under which an event is stored.
pub(super) fn stored_id(event: &InboundEvent) -> String {
    cut(&event.external_id, 300)
}

/// Whether somebody may be waiting for an answer. Whether a reply in a thread is said to Amebo is not known yet.
pub(super) fn somebody_waits(event: &Event) -> bool {
    match event {
        Event::Message(message) => message.addressed != Addressing::Overheard,
        Event::Command(_) => true,
        Event::Interaction(interaction) => matches!(
            interaction.action,
            amebo_channels::inbound::Action::Ask { .. } | amebo_channels::inbound::Action::Share { .. }
        ),
        _ => false,
    }
}

fn cut(text: &str, longest: usize) -> String {
    text.chars().filter(|c| *c != '\0').take(longest).collect()
}
