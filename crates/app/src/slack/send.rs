//! Sending what is in the outbox.

use std::borrow::Cow;
use std::time::Duration;

use amebo_channels::inbound::{Action, Event, InboundEvent};
use amebo_channels::outbound::{Destination, Form, OutboundPayload, Reply};
use amebo_channels::outcome::Outcome;
use amebo_channels::slack::api::{Delivery as Sending, Patience};
use amebo_channels::slack::{self, CAPABILITIES};
use amebo_core::channel::DeliveryStatus;
use amebo_core::id::InboundEventId;
use amebo_core::job::backoff;
use amebo_store::channel_connection::ChannelConnection;
use amebo_store::delivery::Delivery;
use amebo_store::job::{self, Lease};
use chrono::TimeDelta;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use url::Url;

use super::reply;
use super::token::Workspace;
use crate::{App, Error, Result};

/// For how long after it was written a message is still sent. An answer that comes later helps nobody.
const WORTH_SENDING: TimeDelta = TimeDelta::minutes(30);

/// Where an answer goes. The address that came with a command is as good as a password, so it stays in the sealed event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "way", rename_all = "snake_case")]
pub(super) enum Outgoing {
    /// To a place, a person or a message.
    To {
        /// Which.
        destination: Destination,
    },
    /// To the address that came with the event.
    Callback {
        /// The event that brought it.
        event: InboundEventId,
        /// Whether everybody in the place sees it.
        public: bool,
        /// Where else it can be shown to that person, when the address no longer takes answers.
        otherwise: Destination,
    },
}

/// What is stored in the outbox.
#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    #[serde(flatten)]
    to: Outgoing,
    parts: Vec<OutboundPayload>,
    /// Who is told directly where the place takes no message; they are among those who may read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    person: Option<String>,
    /// Whether it is forgotten as soon as it was sent.
    #[serde(default, skip_serializing_if = "is_false")]
    passing: bool,
}

impl Payload {
    /// Where else a message goes that is refused for good at a destination: beside what it was to replace; where the address is used up
    /// or too old, to the person, who is still there; and where nothing can be written in a place, to them directly.
    fn instead_of(&self, refused: &Destination, outcome: &Outcome) -> Option<Destination> {
        let is_closed = matches!(outcome, Outcome::PlaceClosed { .. });
        match (refused, &self.to) {
            (Destination::Callback { replace: true, .. }, _) if matches!(outcome, Outcome::Refused(_)) => {
                Some(beside(refused))
            }
            (Destination::Callback { .. }, Outgoing::Callback { otherwise, .. }) => Some(otherwise.clone()),
            (Destination::Ephemeral { person, .. }, _) if is_closed => Some(Destination::Person {
                person: person.clone(),
            }),
            (Destination::Place { .. } | Destination::Draft(_), _) if is_closed => {
                let person = self.person.clone()?;
                Some(Destination::Person { person })
            }
            _ => None,
        }
    }
}

impl Outgoing {
    /// Whether one person reads it where others are.
    pub(super) fn is_for_one_in_a_shared_place(&self) -> bool {
        match self {
            Self::Callback { public, .. } => !public,
            Self::To { destination } => matches!(destination, Destination::Ephemeral { .. }),
        }
    }

    /// A reply that goes there, or directly to the `person` who asked, as it is kept in the outbox.
    pub(super) fn payload(&self, person: Option<&str>, reply: &Reply) -> Result<Value> {
        self.payload_of(person, slack::render(reply, &CAPABILITIES), false)
    }

    /// The same of what was rendered already; `passing` is forgotten as soon as it was sent.
    pub(super) fn payload_of(
        &self,
        person: Option<&str>,
        parts: Vec<OutboundPayload>,
        passing: bool,
    ) -> Result<Value> {
        let (to, person) = (self.clone(), person.map(str::to_owned));
        serde_json::to_value(Payload {
            to,
            parts,
            person,
            passing,
        })
        .map_err(Error::internal)
    }
}

impl App {
    /// Sends what is left of a delivery, once; tells how its job ends.
    pub(crate) async fn send_on_slack(
        self: &Arc<Self>,
        lease: &Lease,
        workspace: &Workspace,
        delivery: &Delivery,
    ) -> Result<job::Outcome> {
        let payload: Payload = serde_json::from_value(delivery.payload.clone()).map_err(Error::internal)?;
        let api = workspace.api.clone().with_patience(Patience::NONE);
        let mut destination = match &payload.to {
            Outgoing::To { destination } => destination.clone(),
            Outgoing::Callback {
                event,
                public,
                otherwise,
            } => match self.callback(lease, *event).await? {
                // Done twice, it comes to the same.
                Some(url) => Destination::Callback {
                    url,
                    public: *public,
                    replace: true,
                },
                None => otherwise.clone(),
            },
        };
        let id = delivery.id.to_string();
        let mut first = delivery.provider_message_id.clone();
        let done = usize::try_from(delivery.parts_sent).unwrap_or(usize::MAX);
        if done > 0 {
            destination = beside(&destination);
        }
        let mut perhaps_sent_since = delivery.is_uncertain.then_some(delivery.created_at);
        for (number, part) in payload.parts.iter().enumerate().skip(done) {
            let part_id = format!("{id}:{number}");
            let mut part = Cow::Borrowed(part);
            let sent = loop {
                let sent = api
                    .deliver(Sending {
                        id: &part_id,
                        destination: &destination,
                        payload: &part,
                        perhaps_sent_since,
                    })
                    .await;
                if sent.outcome.is_accepted() || sent.outcome.is_repeatable() {
                    break sent;
                }
                if let Some(other) = payload.instead_of(&destination, &sent.outcome) {
                    if number == 0 && matches!(other, Destination::Person { .. }) {
                        part = Cow::Owned(slack::outbound::remarked(&part, reply::NOT_THERE));
                    }
                    destination = other;
                } else if let (Outcome::Refused(_), Some(words)) =
                    (&sent.outcome, slack::outbound::plainly(&part))
                {
                    part = Cow::Owned(words);
                } else {
                    break sent;
                }
                self.note_call(&lease.permit(), workspace.id, &sent.outcome)
                    .await?;
            };
            perhaps_sent_since = None;
            if !sent.outcome.is_accepted() {
                return self.not_sent(lease, workspace, delivery, &sent.outcome).await;
            }
            destination = beside(&destination);
            let name = sent
                .posted
                .map(|posted| format!("{}:{}", posted.place, posted.message));
            first = first.or(name);
            let taken = number + 1;
            let mut tx = self.store.begin(&lease.permit()).await?;
            tx.deliveries()
                .parts_taken(
                    delivery.id,
                    u32::try_from(taken).unwrap_or(u32::MAX),
                    first.as_deref(),
                    taken == payload.parts.len(),
                )
                .await?;
            if let Some((message, at)) = delivery.message.filter(|_| taken == payload.parts.len()) {
                tx.messages()
                    .advance(message, at, DeliveryStatus::Sent, first.as_deref(), None)
                    .await?;
            }
            if payload.passing && taken == payload.parts.len() {
                tx.deliveries().forget(delivery.id).await?;
            }
            tx.commit().await?;
        }
        Ok(job::Outcome::Done)
    }

    /// Tells whoever gave a command, or wanted an answer shared, that there is no token to do it with, at the address that came with it,
    /// which takes none.
    pub(super) async fn tell_without_token(&self, connection: &ChannelConnection, event: &Event) {
        let (callback, replace) = match event {
            Event::Command(command) => (&command.callback, true),
            Event::Interaction(pressed) if matches!(pressed.action, Action::Share { .. }) => {
                // The answer that is not shared stays.
                (&pressed.callback, false)
            }
            _ => return,
        };
        let (Some(url), Some(account)) = (callback, &connection.account) else {
            return;
        };
        let api = self
            .slack_api
            .workspace(account.as_str(), SecretString::default())
            .with_patience(Patience::NONE);
        let notice = slack::render(&Reply::new(Form::Failure, reply::NO_ACCESS), &CAPABILITIES);
        for payload in notice {
            if let Err(error) = api.answer_callback(url, &payload, false, replace).await {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "nobody could be told that there is no token"
                );
            }
        }
    }

    /// What a message that was not taken means for its delivery.
    async fn not_sent(
        &self,
        lease: &Lease,
        workspace: &Workspace,
        delivery: &Delivery,
        outcome: &Outcome,
    ) -> Result<job::Outcome> {
        let reason = outcome.remedy().unwrap_or_default();
        let now = self.environment().now();
        let is_late = now - delivery.created_at > WORTH_SENDING;
        if outcome.is_repeatable() && !is_late && !lease.is_last_attempt() {
            let (uncertain, wait) = match outcome {
                Outcome::RetryAfter(wait) => (false, *wait),
                Outcome::Temporary { perhaps_done, .. } => (
                    *perhaps_done,
                    backoff(lease.attempt(), self.environment().fraction()),
                ),
                _ => (false, Duration::from_secs(1)),
            };
            let next = TimeDelta::from_std(wait).ok().map(|wait| now + wait);
            self.token_ran_out(&lease.permit(), workspace.id, outcome).await?;
            let mut tx = self.store.begin(&lease.permit()).await?;
            tx.deliveries()
                .postponed(delivery.id, &reason, uncertain || delivery.is_uncertain, next)
                .await?;
            tx.commit().await?;
            return Ok(match outcome {
                // Being told to wait is no failure, and is not counted as one.
                Outcome::RetryAfter(_) => job::Outcome::Snooze(wait),
                _ => job::Outcome::Retry {
                    reason,
                    after: Some(wait),
                },
            });
        }
        let mut tx = self.store.begin(&lease.permit()).await?;
        tx.deliveries().failed(delivery.id, &reason).await?;
        if delivery.payload["passing"] == true {
            tx.deliveries().forget(delivery.id).await?;
        }
        if let Some((message, at)) = delivery.message {
            tx.messages()
                .advance(message, at, DeliveryStatus::Failed, None, Some(&reason))
                .await?;
        }
        tx.commit().await?;
        self.note_call(&lease.permit(), workspace.id, outcome).await?;
        metrics::counter!("amebo_deliveries_failed_total", "outcome" => outcome.as_str()).increment(1);
        // It is told on the connection's page; the job itself has done what it could.
        Ok(job::Outcome::Done)
    }

    /// The address that came with a stored event.
    async fn callback(&self, lease: &Lease, event: InboundEventId) -> Result<Option<Url>> {
        let Some(received) = self.received(&lease.permit(), event).await? else {
            return Ok(None);
        };
        Ok(
            event_of(&received.body, &received.event.external_id)?.and_then(|event| match event.event {
                Event::Command(command) => command.callback,
                Event::Interaction(interaction) => interaction.callback,
                _ => None,
            }),
        )
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Where what goes with a message is to be that replaces another.
fn beside(destination: &Destination) -> Destination {
    match destination {
        Destination::Draft(draft) => Destination::Place {
            place: draft.place.clone(),
            thread: draft.thread.clone(),
        },
        Destination::Callback { url, public, .. } => Destination::Callback {
            url: url.clone(),
            public: *public,
            replace: false,
        },
        other => other.clone(),
    }
}

/// The event of this id in a stored body.
pub(super) fn event_of(body: &[u8], external_id: &str) -> Result<Option<InboundEvent>> {
    let inbound = slack::parse(body).map_err(Error::internal)?;
    Ok(inbound
        .events
        .into_iter()
        .find(|event| super::door::stored_id(event) == external_id))
}
