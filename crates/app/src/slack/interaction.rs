//! What is done about everything on Slack that is not a question: pressed buttons, opened pages, people who come and go.

use std::sync::Arc;

use amebo_channels::inbound::{Action, Event, InboundEvent, Interaction, PlaceChange, PlaceKind};
use amebo_channels::outbound::{Asked, Destination, Form, Reply};
use amebo_channels::slack::outbound::{ask_form, comment_form, suggested_prompts};
use amebo_core::answer::Rating;
use amebo_core::id::{ChannelConnectionId, QuestionId};
use amebo_store::Permit;
use amebo_store::channel_identity::Profile;
use amebo_store::delivery::NewDelivery;
use amebo_store::job::Lease;
use chrono::{DateTime, Utc};

use super::event::{key_of, waiting};
use super::person::standing;
use super::reply;
use super::send::Outgoing;
use super::token::{Workspace, call_failed};
use crate::channel::receive::Received;
use crate::{App, Error, Result};

/// What is suggested where a conversation begins as long as nothing was asked by several people.
const SUGGESTIONS: [&str; 2] = [
    "What are our most important policies?",
    "What does a new colleague need to know?",
];

impl App {
    /// Does what an event is about that asks nothing. True when its job was ended on the way.
    pub(super) async fn react(
        self: &Arc<Self>,
        lease: &Lease,
        received: &Received,
        workspace: &Workspace,
        event: &InboundEvent,
    ) -> Result<bool> {
        match &event.event {
            Event::Interaction(interaction) => {
                return self.interact(lease, received, workspace, interaction).await;
            }
            Event::HomeOpened { person, revision } => {
                self.show_home(lease, workspace, person, revision.as_deref())
                    .await?;
            }
            Event::ConversationOpened {
                place,
                thread,
                person,
                ..
            } => {
                let permit = lease.permit();
                let speaker = self.slack_speaker(workspace, &permit, person).await?;
                let mut questions = match &speaker.reader {
                    Some(reader) => self.suggested_questions(&permit, reader).await?,
                    None => Vec::new(),
                };
                if questions.is_empty() {
                    questions = SUGGESTIONS.map(str::to_owned).to_vec();
                }
                let prompts = suggested_prompts(&questions);
                workspace
                    .api
                    .set_suggested_prompts(&place.id, thread.as_deref(), None, &prompts)
                    .await
                    .map_err(|error| call_failed(&error))?;
            }
            _ => {}
        }
        Ok(false)
    }

    /// Takes note of what happened at `at` without asking Slack or telling anybody.
    pub(super) async fn note_quietly(
        &self,
        permit: &Permit,
        connection: ChannelConnectionId,
        event: &Event,
        at: DateTime<Utc>,
    ) -> Result<()> {
        match event {
            Event::StopRequested { place, thread } => {
                let mut tx = self.store.begin(permit).await?;
                let mut conversations = tx.conversations();
                let in_thread = key_of(&place.id, thread.as_deref());
                // What is said directly without threads is one conversation, though Slack answers it in threads.
                if !conversations.request_stop(connection, &in_thread, at).await? {
                    conversations.request_stop(connection, &place.id, at).await?;
                }
                tx.commit().await?;
            }
            Event::Membership { place, .. } => self.slack_places.forget(connection, &place.id),
            Event::PlaceChanged { place, change } => {
                if matches!(
                    change,
                    PlaceChange::Shared | PlaceChange::Unshared | PlaceChange::VisibilityChanged
                ) {
                    self.slack_places.forget(connection, &place.id);
                }
            }
            Event::PersonChanged(person) => {
                let mut tx = self.store.begin(permit).await?;
                let mut identities = tx.channel_identities(connection);
                // Only those who wrote before are kept; a workspace may have a hundred thousand others.
                if !identities.of(std::slice::from_ref(&person.id)).await?.is_empty() {
                    identities
                        .keep(&Profile {
                            external_id: &person.id,
                            display_name: person.name.as_deref(),
                            email: person.email.as_deref(),
                            email_is_verified: person.email_confirmed == Some(true),
                            standing: standing(person),
                            is_told: true,
                        })
                        .await?;
                }
                tx.commit().await?;
            }
            _ => {}
        }
        Ok(())
    }

    async fn interact(
        self: &Arc<Self>,
        lease: &Lease,
        received: &Received,
        workspace: &Workspace,
        interaction: &Interaction,
    ) -> Result<bool> {
        match &interaction.action {
            Action::Rate { reference, rating } => {
                self.rate(lease, workspace, reference, Some(*rating), None)
                    .await?;
                if *rating == Rating::Down
                    && let Some(trigger) = &interaction.trigger
                {
                    // The trigger lasts three seconds; without the form the rating stands all the same.
                    let form = comment_form(reference);
                    if let Err(error) = workspace.api.open_form(trigger, &form).await {
                        tracing::debug!(
                            error = &error as &dyn std::error::Error,
                            "a form could not be opened"
                        );
                    }
                }
            }
            Action::Comment { reference, text } => {
                self.rate(lease, workspace, reference, None, Some(text)).await?;
            }
            Action::Share { reference } => {
                return self
                    .share(lease, received, workspace, interaction, reference)
                    .await;
            }
            Action::Link => self.offer_link(lease, workspace, interaction).await?,
            Action::AskForm => {
                if let Some(trigger) = &interaction.trigger {
                    workspace
                        .api
                        .open_form(trigger, &ask_form())
                        .await
                        .map_err(|error| call_failed(&error))?;
                }
            }
            Action::Ask { .. } | Action::Other { .. } => {}
        }
        Ok(false)
    }

    /// Keeps what somebody thought of an answer. Only answers given in this workspace can be rated from it.
    async fn rate(
        &self,
        lease: &Lease,
        workspace: &Workspace,
        reference: &str,
        rating: Option<Rating>,
        comment: Option<&str>,
    ) -> Result<()> {
        let question: QuestionId = reference.parse().map_err(|_| Error::NotFound("answer"))?;
        let comment: Option<String> = comment.map(|text| text.chars().take(4_000).collect());
        let mut tx = self.store.begin(&lease.permit()).await?;
        let rated = tx
            .questions()
            .rate_in_conversation(question, workspace.id, rating, comment.as_deref())
            .await?;
        tx.commit().await?;
        rated.then_some(()).ok_or(Error::NotFound("answer"))
    }

    /// Shows an answer that one person saw to everybody in the place, as far as everybody there may know it.
    async fn share(
        self: &Arc<Self>,
        lease: &Lease,
        received: &Received,
        workspace: &Workspace,
        interaction: &Interaction,
        reference: &str,
    ) -> Result<bool> {
        let (Some(place), Some(person)) = (&interaction.place, interaction.person.id.as_deref()) else {
            return Ok(false);
        };
        let question: QuestionId = reference.parse().map_err(|_| Error::NotFound("answer"))?;
        let permit = lease.permit();
        let mut tx = self.store.begin(&permit).await?;
        let is_theirs = tx
            .questions()
            .was_asked_by(question, workspace.id, person)
            .await?;
        tx.commit().await?;
        let mut place = place.clone();
        if place.kind.is_none() && place.id.starts_with('D') {
            place.kind = Some(PlaceKind::Direct);
        }
        let told_alone = Destination::Ephemeral {
            place: place.id.clone(),
            person: person.to_owned(),
            thread: interaction.thread.clone(),
        };
        let (to, reply) = if is_theirs {
            let audience = self
                .slack_audience(workspace, &permit, &place, waiting(received))
                .await?;
            let reader = audience.readers.first().ok_or(Error::NotFound("reader"))?;
            let mut tx = self.store.begin(&permit).await?;
            let found = tx.questions().by_id(question, reader).await?;
            tx.commit().await?;
            let found = found.ok_or(Error::NotFound("answer"))?;
            match found.answer.filter(|answer| !answer.redacted) {
                Some(answer) => {
                    let documents = reply::documents(&answer.content.verdict);
                    let links = self.links(lease, &documents).await?;
                    let mut reply = reply::of_answer(question, &answer.content, &links, None);
                    reply.asked = Some(Asked {
                        person: person.to_owned(),
                        text: found.text,
                    });
                    let destination = Destination::Place {
                        place: place.id.clone(),
                        thread: interaction.thread.clone(),
                    };
                    (Outgoing::To { destination }, reply)
                }
                None => (
                    Outgoing::To {
                        destination: told_alone,
                    },
                    Reply::new(
                        Form::Notice,
                        if audience.is_told {
                            reply::NOT_FOR_ALL
                        } else {
                            reply::SHARED_LATER
                        },
                    ),
                ),
            }
        } else {
            (
                Outgoing::To {
                    destination: told_alone,
                },
                Reply::new(Form::Notice, "Only whoever asked can share this answer."),
            )
        };
        let payload = to.payload(Some(person), &reply)?;
        let mut tx = self.store.begin(&permit).await?;
        tx.deliveries()
            .push(
                &NewDelivery {
                    connection: workspace.id,
                    conversation: None,
                    message: None,
                    outcome_of: Some(received.event.id),
                    payload: &payload,
                },
                &format!("send {} {}", workspace.id, place.id),
            )
            .await?;
        tx.inbound_events().settle(received.event.id, None).await?;
        if tx.jobs().complete(lease).await? {
            tx.commit().await?;
        }
        Ok(true)
    }
}
