//! Somebody said something to Amebo: from there to exactly one visible outcome.
//!
//! The message is stored before anything is asked. Answer, delivery and the end of the job are written in one transaction, and the
//! outbox holds one outcome for each event, so that neither a repetition nor a crash answers twice or not at all.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use amebo_channels::inbound::{Author, Place};
use amebo_channels::outbound::{Asked, Destination, Form, Reply};
use amebo_channels::slack::api::Patience;
use amebo_channels::slack::{self, CAPABILITIES};
use amebo_core::answer::Origin;
use amebo_core::channel::{ChannelKind, Sender};
use amebo_core::id::{ChannelConnectionId, DocumentId, KnowledgeBaseId, QuestionId};
use amebo_core::permission::{Action, Resource};
use amebo_knowledge::retrieve::{Speaker as Voice, Turn};
use amebo_store::answer::Verdict;
use amebo_store::channel_connection::ChannelConnection;
use amebo_store::channel_identity::Who;
use amebo_store::conversation::{Conversation, Said};
use amebo_store::delivery::NewDelivery;
use amebo_store::job::Lease;
use amebo_store::message::NewMessage;
use chrono::{DateTime, Utc};
use serde_json::json;
use url::Url;

use super::Facts;
use super::audience::{self, Audience};
use super::draft::{self, Showing};
use super::person::Speaker;
use super::reply;
use super::send::Outgoing;
use super::token::Workspace;
use super::waiting::Waiting;
use crate::ask::live::rests_on_live;
use crate::ask::{Ask, Asker, InConversation};
use crate::channel::receive::Received;
use crate::{App, Error, Result};

/// How many earlier messages of a conversation a question brings along.
const HISTORY: u32 = 12;

/// How long showing that Amebo is at work may take.
const SIGN: Duration = Duration::from_secs(1);
/// How much of a question names its conversation, in characters.
const LONGEST_TITLE: usize = 80;

/// Something said to Amebo.
#[derive(Debug, Clone)]
pub(super) struct Addressed {
    /// Who said it.
    pub(super) author: Author,
    /// Where it was said.
    pub(super) place: Place,
    /// The words.
    pub(super) text: String,
    /// What the platform calls the message; `None` for commands and forms.
    pub(super) message: Option<String>,
    /// When it was said.
    pub(super) at: DateTime<Utc>,
    /// How long whoever said it waits.
    pub(super) waiting: Waiting,
    /// What the messages of its conversation have in common.
    pub(super) key: String,
    /// Where the answer goes.
    pub(super) to: Outgoing,
    /// Who reads the answer.
    pub(super) readers: Readers,
    /// What is searched.
    pub(super) scope: Scope,
    /// Whether it is only meant for Amebo if Amebo takes part in the conversation already.
    pub(super) only_if_under_way: bool,
    /// What allows searching the workspace on behalf of whoever said it.
    pub(super) search_token: Option<String>,
    /// Whether it was said in the container for assistants, which shows that Amebo is at work.
    pub(super) in_assistant: bool,
}

/// Who reads an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readers {
    /// The asker alone.
    Asker,
    /// Everybody who reads the place.
    Place,
}

/// What is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// What administrators chose for the workspace.
    Workspace,
    /// Everything in use in the organisation.
    Organization,
}

/// What there is to say.
struct Outcome {
    reply: Reply,
    /// The question that it answers.
    question: Option<QuestionId>,
    /// Whether the reply holds what is not to be kept.
    passing: bool,
}

/// What is said to somebody who waited in vain.
#[derive(Debug, Clone)]
pub(super) struct Apology {
    /// The words.
    pub(super) text: &'static str,
    /// Where they go.
    pub(super) to: Outgoing,
    /// Who waited.
    pub(super) person: Option<String>,
    /// What the messages of their conversation have in common.
    pub(super) key: String,
}

impl App {
    /// Answers what was said to Amebo, and ends its job.
    pub(super) async fn converse(
        self: &Arc<Self>,
        lease: &Lease,
        received: &Received,
        workspace: &Workspace,
        said: &Addressed,
    ) -> Result<()> {
        let permit = lease.permit();
        let mut tx = self.store.begin(&permit).await?;
        let under_way = tx.conversations().last_of(workspace.id, &said.key).await?;
        let told_before = match &said.message {
            Some(message) => tx.messages().by_external_id(workspace.id, message).await?,
            None => None,
        };
        let draft = tx.delivery_drafts().of(received.event.id).await?;
        tx.commit().await?;
        // The same message comes as a mention and as a message; whichever came first is answered.
        let other = told_before.is_some_and(|message| message.event != Some(received.event.id));
        if other || (said.only_if_under_way && under_way.is_none()) {
            return self.end(lease, received, None).await;
        }
        let speaker = self.slack_speaker(workspace, &permit, &said.author).await?;
        if let Some(untold) = &speaker.untold {
            self.wait_for_slack(&permit, workspace.id, untold, said.waiting)
                .await?;
        }
        let conversation = self.note_said(lease, received, workspace, said, &speaker).await?;
        let event = &received.event;
        let mut showing = Showing::new(self, lease, event, workspace, said, draft.is_some());
        let outcome = self.slack_outcome(lease, workspace, said, &speaker, &conversation, &mut showing);
        let (outcome, ()) = tokio::join!(outcome, show_work(workspace, said, under_way.is_none()));
        let outcome = outcome?;
        self.say(lease, received, &showing, &conversation, outcome).await
    }

    /// Stores what was said.
    async fn note_said(
        &self,
        lease: &Lease,
        received: &Received,
        workspace: &Workspace,
        said: &Addressed,
        speaker: &Speaker,
    ) -> Result<Conversation> {
        let address = json!({ "place": said.place.id });
        let mut tx = self.store.begin(&lease.permit()).await?;
        let conversation = tx
            .conversations()
            .continued(&Said {
                channel: ChannelKind::Slack,
                connection: workspace.id,
                external_key: &said.key,
                address: &address,
                identity: Some(speaker.identity.id),
                who: Some(speaker.identity.who),
                at: said.at,
            })
            .await?;
        let own_name = format!("event:{}", received.event.id);
        tx.messages()
            .insert(&NewMessage {
                conversation: conversation.id,
                connection: workspace.id,
                sender: Sender::User,
                identity: Some(speaker.identity.id),
                content: &said.text,
                external_id: Some(said.message.as_deref().unwrap_or(&own_name)),
                question: None,
                event: Some(received.event.id),
                sent_at: said.at,
            })
            .await?;
        tx.commit().await?;
        Ok(conversation)
    }

    /// Finds what there is to say. An error means that it may be found later.
    async fn slack_outcome(
        self: &Arc<Self>,
        lease: &Lease,
        workspace: &Workspace,
        said: &Addressed,
        speaker: &Speaker,
        conversation: &Conversation,
        showing: &mut Showing<'_>,
    ) -> Result<Outcome> {
        let notice = |text: &str| {
            Ok(Outcome {
                reply: Reply::new(Form::Notice, text),
                question: None,
                passing: false,
            })
        };
        let Some(reader) = &speaker.reader else {
            return notice(reply::SUSPENDED);
        };
        if said.text.trim().is_empty() {
            return notice(reply::GREETING);
        }
        let asks_as = match &speaker.access {
            Some(access) => match access.permit(Resource::Question, Action::Create) {
                Ok(permit) => permit,
                Err(_forbidden) => return notice(reply::NOT_ALLOWED),
            },
            None => lease.permit(),
        };
        let audience = match said.readers {
            Readers::Asker => Audience::of_asker(reader),
            Readers::Place => {
                self.slack_audience(workspace, &lease.permit(), &said.place, said.waiting)
                    .await?
            }
        };
        let mut tx = self.store.begin(&lease.permit()).await?;
        let earlier = tx.messages().before(conversation.id, said.at, HISTORY).await?;
        let in_use = tx.knowledge_bases().names().await?;
        tx.commit().await?;
        let knowledge_bases: Vec<KnowledgeBaseId> = match said.scope {
            Scope::Organization => Vec::new(),
            Scope::Workspace => workspace.settings.knowledge_base_ids.clone(),
        };
        let chosen: Vec<KnowledgeBaseId> = knowledge_bases
            .iter()
            .filter(|id| in_use.iter().any(|(known, _)| known == *id))
            .copied()
            .collect();
        if chosen.is_empty() && !knowledge_bases.is_empty() {
            return notice(
                "The knowledge bases chosen for this workspace are no longer in use. Please ask whoever administers Amebo here to choose others.",
            );
        }
        let live = self.search_slack(lease, workspace, said).await?;
        let asker = Asker {
            permit: asks_as,
            readers: audience.readers.clone(),
            conversation: Some(InConversation {
                id: conversation.id,
                contact: match speaker.identity.who {
                    Who::Contact(contact) => Some(contact),
                    Who::Member(_) => None,
                },
                readers: serde_json::to_value(&audience.explained).map_err(Error::internal)?,
                live: live.clone(),
            }),
        };
        let ask = Ask {
            text: said.text.clone(),
            origin: Origin::Slack,
            session: None,
            knowledge_bases: chosen,
            is_standalone: false,
            history: earlier
                .into_iter()
                .map(|message| Turn {
                    speaker: match message.sender {
                        Sender::User => Voice::Person,
                        _ => Voice::Amebo,
                    },
                    text: message.content,
                })
                .collect(),
        };
        let (question, settled) = match self.ask_for(asker, ask).await {
            Ok(asking) => (asking.question, showing.follow(asking, conversation.id).await?),
            Err(Error::Invalid(fields)) => {
                let wrong: Vec<String> = fields.into_iter().map(|field| field.message).collect();
                return notice(&format!("I cannot answer this: {}.", wrong.join("; ")));
            }
            Err(error @ (Error::QuotaExceeded { .. } | Error::NotAllowed(_) | Error::Forbidden(_))) => {
                return notice(&format!("I cannot answer this: {error}."));
            }
            Err(error) => return Err(error),
        };
        let Some(settled) = settled else {
            return Ok(Outcome {
                reply: showing.stopped(),
                question: Some(question),
                // What it rests on was not found out, and may be what is not to be kept.
                passing: !live.is_empty(),
            });
        };
        let mut links = self
            .links(lease, &reply::documents(&settled.answer.verdict))
            .await?;
        for passage in &live {
            match &passage.url {
                Some(url) => links.insert(passage.document, url.clone()),
                None => links.remove(&passage.document),
            };
        }
        let passing = rests_on_live(&settled.answer, &live);
        let declined = matches!(settled.answer.verdict, Verdict::Declined { .. });
        let untold = match said.readers {
            Readers::Place if !audience.is_told => Some(reply::READERS_NOT_TOLD),
            Readers::Asker if speaker.untold.is_some() => Some(reply::ASKER_NOT_TOLD),
            Readers::Place | Readers::Asker => None,
        };
        let aside = match said.readers {
            _ if untold.is_some() => None,
            Readers::Place if declined && workspace.settings.searches_live => Some(reply::LIVE_ALONE),
            Readers::Place if declined && audience.explained.has_outsiders() => Some(reply::PUBLIC_ONLY),
            Readers::Asker if declined && workspace.settings.searches_live && said.search_token.is_none() => {
                Some(reply::LIVE_DIRECTLY)
            }
            Readers::Place | Readers::Asker => None,
        };
        let mut reply = reply::of_answer(settled.question, &settled.answer, &links, aside);
        if let Some(untold) = untold {
            reply::caution(&mut reply, untold);
        }
        reply.linkable = declined && said.readers == Readers::Asker && speaker.access.is_none();
        if said.to.is_for_one_in_a_shared_place() {
            reply.shareable = reply.form == Form::Answer && !audience::is_private(&said.place);
            reply.asked = said.author.id.clone().map(|person| Asked {
                person,
                text: said.text.clone(),
            });
        }
        Ok(Outcome {
            reply,
            question: Some(question),
            passing,
        })
    }

    /// Where documents can be read: at their source, or on their page in the dashboard.
    pub(super) async fn links(
        &self,
        lease: &Lease,
        documents: &[DocumentId],
    ) -> Result<HashMap<DocumentId, Url>> {
        let mut tx = self.store.begin(&lease.permit()).await?;
        let sources = tx.documents().source_urls(documents).await?;
        tx.commit().await?;
        let mut links: HashMap<DocumentId, Url> = documents
            .iter()
            .filter_map(|id| Some((*id, self.public_url().join(&format!("documents/{id}")).ok()?)))
            .collect();
        links.extend(
            sources
                .into_iter()
                .filter_map(|(id, url)| Some((id, Url::parse(&url).ok()?))),
        );
        Ok(links)
    }

    /// Writes what there is to say, with its delivery, and ends the job: all of it or nothing.
    async fn say(
        &self,
        lease: &Lease,
        received: &Received,
        showing: &Showing<'_>,
        conversation: &Conversation,
        outcome: Outcome,
    ) -> Result<()> {
        let now = self.environment().now();
        let (workspace, said) = (showing.workspace, showing.said);
        let parts = slack::render(&outcome.reply, &CAPABILITIES);
        let closing = showing.closing(&outcome.reply, parts.len());
        let mut tx = self.store.begin(&lease.permit()).await?;
        let draft = tx.delivery_drafts().of(received.event.id).await?;
        let to = draft::outgoing(
            &said.to,
            draft,
            received.event.id,
            workspace.bot_user.clone(),
            closing,
        );
        let payload = to.payload_of(said.author.id.as_deref(), parts, outcome.passing)?;
        let content = if outcome.passing {
            reply::NOT_KEPT
        } else {
            outcome.reply.text.as_str()
        };
        if !tx.deliveries().has_outcome(received.event.id).await? {
            let message = tx
                .messages()
                .insert(&NewMessage {
                    conversation: conversation.id,
                    connection: workspace.id,
                    sender: Sender::Assistant,
                    identity: None,
                    content,
                    external_id: None,
                    question: outcome.question,
                    event: None,
                    sent_at: now,
                })
                .await?;
            tx.conversations().answered(conversation.id).await?;
            tx.deliveries()
                .push(
                    &NewDelivery {
                        connection: workspace.id,
                        conversation: Some(conversation.id),
                        message: message.map(|id| (id, now)),
                        outcome_of: Some(received.event.id),
                        payload: &payload,
                    },
                    &lane_of(workspace.id, &said.key),
                )
                .await?;
        }
        tx.inbound_events().settle(received.event.id, None).await?;
        if tx.jobs().complete(lease).await? {
            tx.commit().await?;
        }
        Ok(())
    }

    /// Says what can be said when finding an answer has failed for good, and ends the job. That takes no token yet: whether there is one
    /// shows when it is sent.
    pub(super) async fn apologize(
        &self,
        lease: &Lease,
        received: &Received,
        connection: &ChannelConnection,
        apology: &Apology,
        error: &str,
    ) -> Result<()> {
        let reply = Reply::new(Form::Failure, apology.text);
        let facts: Facts = serde_json::from_value(connection.facts.clone()).map_err(Error::internal)?;
        let mut tx = self.store.begin(&lease.permit()).await?;
        let draft = tx.delivery_drafts().of(received.event.id).await?;
        let to = draft::outgoing(&apology.to, draft, received.event.id, facts.bot_user_id, None);
        let payload = to.payload(apology.person.as_deref(), &reply)?;
        tx.deliveries()
            .push(
                &NewDelivery {
                    connection: connection.id,
                    conversation: None,
                    message: None,
                    outcome_of: Some(received.event.id),
                    payload: &payload,
                },
                &lane_of(connection.id, &apology.key),
            )
            .await?;
        tx.channel_connections().note_error(connection.id, error).await?;
        tx.inbound_events().settle(received.event.id, Some(error)).await?;
        if tx.jobs().complete(lease).await? {
            tx.commit().await?;
        }
        Ok(())
    }

    /// Ends the job of an event that needs no outcome of its own, or has one.
    pub(super) async fn end(&self, lease: &Lease, received: &Received, error: Option<&str>) -> Result<()> {
        let mut tx = self.store.begin(&lease.permit()).await?;
        if let Some(error) = error {
            tx.channel_connections()
                .note_error(received.event.connection, error)
                .await?;
        }
        tx.inbound_events().settle(received.event.id, error).await?;
        if tx.jobs().complete(lease).await? {
            tx.commit().await?;
        }
        Ok(())
    }
}

/// Shows that Amebo is at work, where that is possible: it ends by itself when the answer comes. And names a conversation of the
/// container for assistants that is `new`.
async fn show_work(workspace: &Workspace, said: &Addressed, new: bool) {
    let Outgoing::To {
        destination: Destination::Place {
            place,
            thread: Some(thread),
        },
    } = &said.to
    else {
        return;
    };
    let api = workspace.api.clone().with_patience(Patience::NONE);
    let work = async {
        if let Err(error) = api.set_status(place, thread, "is looking it up…").await {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "no status could be shown"
            );
        }
        let title: String = said.text.chars().take(LONGEST_TITLE).collect();
        if said.in_assistant && new && !title.trim().is_empty() {
            let named = api.set_title(place, thread, title.trim()).await;
            if let Err(error) = named {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "a conversation could not be named"
                );
            }
        }
    };
    // The answer does not wait for a sign that it is coming.
    let _ = tokio::time::timeout(SIGN, work).await;
}

/// What is sent into one conversation keeps its order.
fn lane_of(connection: ChannelConnectionId, key: &str) -> String {
    let lane = format!("send {connection} {key}");
    lane.chars().take(200).collect()
}
