//! Doing what an event of Slack is about.

use std::sync::Arc;

use amebo_channels::inbound::{
    Action, Addressing, Command, Event, InboundEvent, Interaction, Message, PlaceKind,
};
use amebo_channels::outbound::Destination;
use amebo_core::channel::ConnectionStatus;
use amebo_store::audit::NewEntry;
use amebo_store::channel_connection::ChannelConnection;
use amebo_store::job::Lease;
use serde_json::json;

use super::converse::{Addressed, Apology, Readers, Scope};
use super::door::somebody_waits;
use super::live;
use super::reply;
use super::send::{Outgoing, event_of};
use super::waiting::Waiting;
use super::{Facts, Settings};
use crate::channel::receive::Received;
use crate::{App, Error, Result};

impl App {
    /// Does what a stored event is about, and ends its job. Somebody who waits has an outcome at the end, whatever fails.
    pub(crate) async fn do_slack(self: &Arc<Self>, lease: &Lease, received: &Received) -> Result<()> {
        let permit = lease.permit();
        let mut tx = self.store.begin(&permit).await?;
        let connection = tx.channel_connections().by_id(received.event.connection).await?;
        tx.commit().await?;
        let Some(connection) = connection.filter(|known| known.status != ConnectionStatus::Disconnected)
        else {
            return self.end(lease, received, None).await;
        };
        let Ok(Some(event)) = event_of(&received.body, &received.event.external_id) else {
            return self
                .end(lease, received, Some("Slack sent an event that cannot be read"))
                .await;
        };
        if self.ends_connection(lease, received, &connection, &event).await? {
            return Ok(());
        }
        // What is said and who is where is kept in step, whether or not it is said to Amebo.
        let settings: Settings =
            serde_json::from_value(connection.configuration.clone()).map_err(Error::internal)?;
        if !settings.searches_live {
            self.mirror_event(&permit, connection.id, &event.event).await?;
        }
        self.note_quietly(&permit, connection.id, &event.event, received.event.created_at)
            .await?;
        let facts: Facts = serde_json::from_value(connection.facts.clone()).map_err(Error::internal)?;
        let said = addressed(received, &facts, &event);
        let apology = apology(said.as_ref(), &event.event);
        // Most of what is said in a workspace is said to others, and Slack is not to be asked about it.
        if said.is_none() && !wants_something(&event.event) {
            return self.end(lease, received, None).await;
        }
        let workspace = match self.slack_workspace(&permit, &connection).await {
            Ok(workspace) => workspace,
            // Nothing else can be said to anybody there until somebody connects it again.
            Err(Error::Conflict(reason)) => {
                self.tell_without_token(&connection, &event.event).await;
                return self.end(lease, received, Some(&reason)).await;
            }
            Err(error) if self.is_out_of_time(lease, received) => {
                self.tell_without_token(&connection, &event.event).await;
                // By the time an apology is sent there may be a token again.
                let apology = apology.filter(|_| !answers_callback(&event.event));
                return self
                    .fail(lease, received, &connection, apology, &error.to_string())
                    .await;
            }
            Err(error) => return Err(error),
        };
        if let Some(said) = said {
            if self.is_out_of_time(lease, received) {
                let reason = "an answer was not found in time";
                return self.fail(lease, received, &connection, apology, reason).await;
            }
            return match self.converse(lease, received, &workspace, &said).await {
                Err(error) if lease.is_last_attempt() => {
                    self.fail(lease, received, &connection, apology, &error.to_string())
                        .await
                }
                done => done,
            };
        }
        let done = self.react(lease, received, &workspace, &event).await;
        match done {
            Ok(true) => Ok(()),
            Ok(false) => self.end(lease, received, None).await,
            Err(error) if self.is_out_of_time(lease, received) || !is_temporary(&error) => {
                self.fail(lease, received, &connection, apology, &error.to_string())
                    .await
            }
            Err(error) => Err(error),
        }
    }

    /// Ends the job of an event for good without what was wanted, and tells whoever waits for it.
    async fn fail(
        &self,
        lease: &Lease,
        received: &Received,
        connection: &ChannelConnection,
        apology: Option<Apology>,
        reason: &str,
    ) -> Result<()> {
        match apology {
            Some(apology) => {
                self.apologize(lease, received, connection, &apology, reason)
                    .await
            }
            None => self.end(lease, received, Some(reason)).await,
        }
    }

    /// Whether whoever waits has waited long enough.
    fn is_out_of_time(&self, lease: &Lease, received: &Received) -> bool {
        lease.is_last_attempt()
            || received
                .event
                .deadline
                .is_some_and(|deadline| deadline <= self.environment().now())
    }

    /// Follows the end of an installation on Slack's side. Events of both kinds come, in any order.
    async fn ends_connection(
        &self,
        lease: &Lease,
        received: &Received,
        connection: &ChannelConnection,
        event: &InboundEvent,
    ) -> Result<bool> {
        let bot = connection.facts["bot_user_id"].as_str();
        let (ends, reason) = match &event.event {
            Event::Uninstalled => (true, "The app was removed from the workspace."),
            Event::TokensRevoked { bots, .. } => (
                bots.iter().any(|user| Some(user.as_str()) == bot),
                "The workspace withdrew the app's access.",
            ),
            _ => return Ok(false),
        };
        let mut tx = self.store.begin(&lease.permit()).await?;
        if ends {
            tx.channel_connections().disconnect(connection.id, reason).await?;
            tx.events()
                .append(
                    "channel_connection.disconnected",
                    Some(amebo_core::id::Id::uuid(connection.id)),
                    &json!({ "reason": event.event.as_str() }),
                )
                .await?;
            tx.audit()
                .append(
                    NewEntry::new("channel_connection.disconnect", "channel_connection")
                        .of(connection.id)
                        .details(json!({ "reason": reason })),
                )
                .await?;
        }
        tx.inbound_events().settle(received.event.id, None).await?;
        if tx.jobs().complete(lease).await? {
            tx.commit().await?;
        }
        Ok(true)
    }
}

/// What the event says to Amebo, if it says something.
fn addressed(received: &Received, facts: &Facts, event: &InboundEvent) -> Option<Addressed> {
    if !somebody_waits(&event.event) {
        return None;
    }
    match &event.event {
        Event::Message(message) => of_message(received, facts, message, event.at),
        Event::Command(command) => of_command(received, command),
        Event::Interaction(interaction) => of_form(received, interaction),
        _ => None,
    }
}

fn of_message(
    received: &Received,
    facts: &Facts,
    message: &Message,
    at: Option<chrono::DateTime<chrono::Utc>>,
) -> Option<Addressed> {
    let is_us = message.author.id.is_some() && message.author.id == facts.bot_user_id;
    if !message.author.is_person() || is_us || !message.spoken {
        return None;
    }
    let direct = message.place.kind == Some(PlaceKind::Direct);
    // What is said directly without threads is one conversation.
    let thread = match (direct, &message.thread) {
        (true, None) => None,
        (true, Some(thread)) => Some(thread.clone()),
        (false, _) => Some(message.root().to_owned()),
    };
    let key = key_of(&message.place.id, thread.as_deref());
    Some(Addressed {
        author: message.author.clone(),
        place: message.place.clone(),
        text: message.plain.clone(),
        message: Some(format!("{}:{}", message.place.id, message.id)),
        at: at.unwrap_or(received.event.created_at),
        waiting: waiting(received),
        key,
        to: Outgoing::To {
            destination: Destination::Place {
                place: message.place.id.clone(),
                thread,
            },
        },
        readers: if direct { Readers::Asker } else { Readers::Place },
        scope: Scope::Workspace,
        only_if_under_way: message.addressed == Addressing::Thread,
        search_token: live::token_of(message),
        in_assistant: message.addressed == Addressing::Assistant,
    })
}

fn of_command(received: &Received, command: &Command) -> Option<Addressed> {
    let person = command.person.id.clone()?;
    Some(Addressed {
        author: command.person.clone(),
        place: command.place.clone(),
        text: command.text.clone(),
        message: None,
        at: received.event.created_at,
        waiting: waiting(received),
        key: format!("command:{}:{person}", command.place.id),
        to: Outgoing::Callback {
            event: received.event.id,
            public: false,
            otherwise: Destination::Ephemeral {
                place: command.place.id.clone(),
                person,
                thread: None,
            },
        },
        readers: Readers::Asker,
        scope: if command.name == "/askall" {
            Scope::Organization
        } else {
            Scope::Workspace
        },
        only_if_under_way: false,
        search_token: None,
        in_assistant: false,
    })
}

/// A question asked with the form of Amebo's own page; it is answered directly.
fn of_form(received: &Received, interaction: &Interaction) -> Option<Addressed> {
    let Action::Ask { text } = &interaction.action else {
        return None;
    };
    let person = interaction.person.id.clone()?;
    Some(Addressed {
        author: interaction.person.clone(),
        place: amebo_channels::inbound::Place {
            id: person.clone(),
            kind: Some(PlaceKind::Direct),
            shared: false,
        },
        text: text.clone(),
        message: None,
        at: received.event.created_at,
        waiting: waiting(received),
        key: format!("form:{person}"),
        to: Outgoing::To {
            destination: Destination::Person { person },
        },
        readers: Readers::Asker,
        scope: Scope::Workspace,
        only_if_under_way: false,
        search_token: None,
        in_assistant: false,
    })
}

/// What is said to whoever waits for something when it fails for good.
fn apology(said: Option<&Addressed>, event: &Event) -> Option<Apology> {
    if let Some(said) = said {
        return Some(Apology {
            text: reply::APOLOGY,
            to: said.to.clone(),
            person: said.author.id.clone(),
            key: said.key.clone(),
        });
    }
    let Event::Interaction(interaction) = event else {
        return None;
    };
    let (Action::Share { .. }, Some(place)) = (&interaction.action, &interaction.place) else {
        return None;
    };
    let person = interaction.person.id.clone()?;
    Some(Apology {
        text: reply::NOT_SHARED,
        to: Outgoing::To {
            destination: Destination::Ephemeral {
                place: place.id.clone(),
                person: person.clone(),
                thread: interaction.thread.clone(),
            },
        },
        person: Some(person),
        key: place.id.clone(),
    })
}

/// Whether whoever caused it is told at the address that came with it, which takes no token.
fn answers_callback(event: &Event) -> bool {
    match event {
        Event::Command(command) => command.callback.is_some(),
        Event::Interaction(interaction) => {
            matches!(interaction.action, Action::Share { .. }) && interaction.callback.is_some()
        }
        _ => false,
    }
}

/// What the messages of a conversation have in common: the place, and the thread where it is in one.
pub(super) fn key_of(place: &str, thread: Option<&str>) -> String {
    match thread {
        Some(thread) => format!("{place}:{thread}"),
        None => place.to_owned(),
    }
}

/// How long whoever caused an event waits.
pub(super) fn waiting(received: &Received) -> Waiting {
    Waiting {
        until: received.event.deadline,
    }
}

/// Whether something is to be done in Slack.
fn wants_something(event: &Event) -> bool {
    matches!(
        event,
        Event::Interaction(_) | Event::HomeOpened { .. } | Event::ConversationOpened { .. }
    )
}

/// Whether trying again may help.
fn is_temporary(error: &Error) -> bool {
    matches!(
        error,
        Error::Unavailable(_) | Error::RateLimited { .. } | Error::Internal(_)
    )
}
