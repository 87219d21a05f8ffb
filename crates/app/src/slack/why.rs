//! Why the readers of an answer may see what it rests on.

use std::sync::Arc;
use std::time::Duration;

use amebo_channels::slack::api::Patience;
use amebo_core::channel::ConnectionStatus;
use amebo_core::document::{Audience, Reader};
use amebo_core::id::{ChannelConnectionId, DocumentId, QuestionId, UserId};
use amebo_core::permission::{Action, Resource};
use amebo_store::answer::Verdict;

use super::audience::{Explained, ReaderStanding};
use crate::{Access, App, Error, Result};

/// How long Slack may take to tell what a channel is called.
const NAMED_WITHIN: Duration = Duration::from_secs(2);

/// For whose eyes an answer was given, and why they may see what it rests on.
#[derive(Debug, Clone)]
pub struct Why {
    /// For whom.
    pub readers: Explained,
    /// What it rests on, as far as whoever looks may see it.
    pub sources: Vec<Source>,
}

/// A document that an answer rests on.
#[derive(Debug, Clone)]
pub struct Source {
    /// The document.
    pub document: DocumentId,
    /// Its title when the answer was given.
    pub title: String,
    /// Who may see it now.
    pub audience: Audience,
    /// Whether the answer's readers may see it now.
    pub holds: bool,
    /// Why, in words.
    pub because: String,
}

impl App {
    /// Explains for whom a question was answered; for whoever may read the question.
    pub async fn why_seen(&self, access: &Access, id: QuestionId) -> Result<Why> {
        let question = self.question(access, id).await?;
        let permit = access.permit(Resource::Question, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let stored = tx.questions().readers(id).await?;
        let connection = tx.questions().connection_of(id).await?;
        tx.commit().await?;
        let readers = match stored {
            Some(stored) => serde_json::from_value(stored).map_err(Error::internal)?,
            // Asked outside channels: whoever asked reads the answer.
            None => Explained::Asker {
                standing: match question.user {
                    Some(_) => ReaderStanding::Member,
                    None => ReaderStanding::Colleague,
                },
            },
        };
        let reader = self
            .readers_now(access, connection, &readers, question.user)
            .await?;
        let citations = match question.answer.map(|answer| answer.content.verdict) {
            Some(Verdict::Answered { citations, .. }) => citations,
            Some(Verdict::Declined { closest, .. }) => closest,
            _ => Vec::new(),
        };
        let mut sources: Vec<Source> = Vec::new();
        let mut tx = self.store.begin(&permit).await?;
        for citation in citations {
            if sources.iter().any(|source| source.document == citation.document) {
                continue;
            }
            // Gone meanwhile, and with it what was said of it.
            let Some(document) = tx.documents().get(citation.document).await? else {
                continue;
            };
            let holds = reader
                .as_ref()
                .is_some_and(|reader| document.audience.includes(reader));
            sources.push(Source {
                document: document.id,
                title: citation.document_title,
                because: because(&readers, &document.audience, holds),
                audience: document.audience,
                holds,
            });
        }
        tx.commit().await?;
        Ok(Why { readers, sources })
    }

    /// What the place of a channel is called in which a question was answered, for those who may see the channels; `None` when that is
    /// not known and Slack does not tell it at once.
    pub async fn place_name(
        self: &Arc<Self>,
        access: &Access,
        id: QuestionId,
        place: &str,
    ) -> Result<Option<String>> {
        let Ok(permit) = access.permit(Resource::ChannelConnection, Action::Read) else {
            return Ok(None);
        };
        let mut tx = self.store.begin(&permit).await?;
        let Some(connection) = tx.questions().connection_of(id).await? else {
            return Ok(None);
        };
        if let Some(channel) = tx.slack().channel_called(connection, place).await? {
            let channel = tx.slack().channel(channel).await?;
            tx.commit().await?;
            return Ok(channel.map(|channel| channel.described.name));
        }
        let connection = tx.channel_connections().by_id(connection).await?;
        tx.commit().await?;
        let Some(connection) = connection.filter(|known| known.status == ConnectionStatus::Active) else {
            return Ok(None);
        };
        // What is not followed has its name in Slack alone, and the explanation does without.
        let unnamed =
            |error: &(dyn std::error::Error + 'static)| tracing::info!(error, "Slack did not name a place");
        let asked = async {
            let workspace = self.slack_workspace(&permit, &connection).await;
            let workspace = workspace.inspect_err(|error| unnamed(error)).ok()?;
            let api = workspace.api.with_patience(Patience::NONE);
            let named = api.conversation(place).await;
            named.inspect_err(|error| unnamed(error)).ok()?.name
        };
        Ok(tokio::time::timeout(NAMED_WITHIN, asked).await.ok().flatten())
    }

    /// Through whose eyes the answer's readers see documents now; `None` when the asker has lost their place.
    async fn readers_now(
        &self,
        access: &Access,
        connection: Option<ChannelConnectionId>,
        readers: &Explained,
        asker: Option<UserId>,
    ) -> Result<Option<Reader>> {
        Ok(match (readers, asker) {
            (
                Explained::Asker {
                    standing: ReaderStanding::Member,
                },
                Some(user),
            ) => {
                let asker = self.store.access_of_user(user, access.organization()).await?;
                asker.map(|asker| asker.reader().clone())
            }
            (
                Explained::Asker {
                    standing: ReaderStanding::Member,
                },
                None,
            ) => None,
            (Explained::Place { place, .. }, _) => {
                let permit = access.permit(Resource::Question, Action::Read)?;
                let insiders = !readers.has_outsiders();
                match connection {
                    Some(connection) => {
                        Some(self.reader_of_place(&permit, connection, place, insiders).await?)
                    }
                    None => Some(Reader::Outsider),
                }
            }
            (readers, _) if readers.has_outsiders() => Some(Reader::Outsider),
            _ => Some(Reader::Machine),
        })
    }
}

fn because(readers: &Explained, audience: &Audience, holds: bool) -> String {
    if !holds {
        return "They could see it when the answer was given; its audience, or theirs, has changed since."
            .to_owned();
    }
    match (audience, readers) {
        (Audience::Public, _) => "Everybody may see it.".to_owned(),
        (Audience::SlackChannel { .. }, Explained::Place { .. }) => {
            "It was said in the channel the answer was given in, and its readers are the same.".to_owned()
        }
        (
            _,
            Explained::Asker {
                standing: ReaderStanding::Member,
            },
        ) => "Only the asker read the answer, and the asker is in its audience.".to_owned(),
        (_, Explained::Asker { .. }) => {
            "Only the asker read the answer, who may know what every member may know.".to_owned()
        }
        (
            _,
            Explained::Place {
                people,
                members,
                colleagues,
                ..
            },
        ) => format!(
            "All {people} readers of the channel are in its audience: {members} are members of the organization, {colleagues} more count as \
             colleagues."
        ),
    }
}
