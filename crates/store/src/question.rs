//! Questions: opened, settled by exactly one answer, read back, rated; and the sweep over those that were interrupted.

mod feedback;
mod opening;
mod overdue;
mod reading;
mod settings;

use amebo_core::answer::{Origin, Outcome, Rating};
use amebo_core::id::{ContactId, ConversationId, Id as _, KnowledgeBaseId, QuestionId, SessionId};
use amebo_core::organization::Limits;
use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::provider::Endpoint;
use crate::transaction::Scope;
use crate::{Actor, OrgTx, Searchable};

pub use overdue::{INTERRUPTED, OpenQuestions};
pub use settings::AnswerSettings;

/// A question to be opened.
#[derive(Debug, Clone)]
pub struct NewQuestion<'a> {
    /// As it was asked.
    pub text: &'a str,
    /// Where it was asked.
    pub origin: Origin,
    /// The session it belongs to, which must be the asker's own.
    pub session: Option<SessionId>,
    /// What the session is called if it has no title yet.
    pub title: &'a str,
    /// The knowledge bases to search; `None` for all that are in use.
    pub knowledge_bases: Option<&'a [KnowledgeBaseId]>,
    /// Past it, the question counts as interrupted.
    pub deadline: DateTime<Utc>,
    /// The conversation on a channel it is asked in.
    pub asked_in: Option<AskedIn<'a>>,
}

/// Where on a channel a question is asked, and for whom it is answered there.
#[derive(Debug, Clone, Copy)]
pub struct AskedIn<'a> {
    /// The conversation.
    pub conversation: ConversationId,
    /// The person outside who asks.
    pub contact: Option<ContactId>,
    /// For whose eyes it is answered, as it is to be explained later.
    pub readers: &'a Value,
}

/// A question just opened, with what answering it needs of the organisation.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The question.
    pub id: QuestionId,
    /// The knowledge bases in use among those asked for, by name.
    pub knowledge_bases: Vec<Searchable>,
    /// Their names, in the same order.
    pub names: Vec<String>,
    /// The revision of what is searchable.
    pub revision: i64,
    /// The organisation's own language model.
    pub language_model: Option<Endpoint>,
    /// How the organisation wants to be answered.
    pub settings: AnswerSettings,
    /// What the organisation's plan allows.
    pub limits: Limits,
}

/// Which questions to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct QuestionFilter {
    /// Only those that ended so.
    pub outcome: Option<Outcome>,
    /// Only those rated so.
    pub rating: Option<Rating>,
    /// Only those asked there.
    pub origin: Option<Origin>,
}

/// Where a question stands in a list.
pub type QuestionKey = (DateTime<Utc>, QuestionId);

impl OrgTx {
    /// The questions of the organisation.
    pub fn questions(&mut self) -> Questions<'_> {
        Questions(self.scope())
    }
}

/// The questions of the organisation.
#[derive(Debug)]
pub struct Questions<'a>(pub(crate) Scope<'a>);

fn actor_columns(actor: Actor) -> (Option<Uuid>, Option<Uuid>) {
    match actor {
        Actor::User(user) => (Some(user.uuid()), None),
        Actor::ApiKey(key) => (None, Some(key.uuid())),
        Actor::System => (None, None),
    }
}
