//! Answers as they are stored and read back: sentences, what each rests on, and what it took to make them.

use amebo_core::answer::{Composer, Confidence, DeclineReason, Origin, Outcome, Rating};
use amebo_core::document::{Audience, Reader};
use amebo_core::id::{
    AnswerId, ApiKeyId, ChunkId, DocumentId, Id, KnowledgeBaseId, QuestionId, SessionId, UserId,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use uuid::Uuid;

use crate::error::{Result, parse};

/// How a question ends.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAnswer {
    /// How it ended.
    pub verdict: Verdict,
    /// The language of the question, as an ISO 639-1 code.
    pub language: Option<String>,
    /// What was searched.
    pub searched: Searched,
    /// The language model that was called, and what it used.
    pub usage: Usage,
    /// Where the time went.
    pub latency: Latency,
}

/// The one outcome of a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Answered.
    Answered {
        /// The answer, sentence by sentence.
        sentences: Vec<Sentence>,
        /// What the sentences rest on, in the order of their numbers.
        citations: Vec<Citation>,
        /// How the text came about.
        composer: Composer,
        /// How likely it is right.
        confidence: Confidence,
        /// What is to be shown beside it, such as that it quotes.
        notice: Option<String>,
    },
    /// Not answered for want of evidence.
    Declined {
        /// Why.
        reason: DeclineReason,
        /// What was searched and what to do next.
        message: String,
        /// How likely the best answer would have been right.
        confidence: Confidence,
        /// The passages that came closest.
        closest: Vec<Citation>,
    },
    /// Handed to a person.
    Escalated {
        /// Who takes over and when to expect them.
        message: String,
    },
    /// Something broke.
    Failed {
        /// What broke and what to do, for the asker.
        message: String,
        /// Whether nothing broke, but whoever asked wanted no more of it.
        stopped: bool,
    },
}

impl Verdict {
    /// The outcome by its name.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Answered { .. } => Outcome::Answered,
            Self::Declined { .. } => Outcome::Declined,
            Self::Escalated { .. } => Outcome::Escalated,
            Self::Failed { .. } => Outcome::Failed,
        }
    }
}

impl Verdict {
    /// What to show: one sentence a line, each with its marks `[1]`, `[2]`, or what is said instead of an answer.
    pub fn text(&self) -> String {
        match self {
            Self::Answered {
                sentences, citations, ..
            } => {
                let mut lines = Vec::with_capacity(sentences.len());
                for sentence in sentences {
                    let mut sources: Vec<u32> = sentence
                        .citations
                        .iter()
                        .filter_map(|number| citations.iter().find(|citation| citation.number == *number))
                        .map(|citation| citation.source)
                        .collect();
                    sources.dedup();
                    let marks: Vec<String> = sources.iter().map(|source| format!("[{source}]")).collect();
                    lines.push(format!("{} {}", sentence.text, marks.concat()));
                }
                lines.join("\n")
            }
            Self::Declined { message, .. } | Self::Escalated { message } | Self::Failed { message, .. } => {
                message.clone()
            }
        }
    }
}

/// One sentence of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sentence {
    /// Its words.
    pub text: String,
    /// The numbers of the citations that carry it.
    pub citations: Vec<u32>,
}

/// A place in a document, with the words as they stood when the answer was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Citation {
    /// The number by which sentences name it, from 0.
    pub number: u32,
    /// The number of the passage in the answer, from 1, as in the marks `[1]`, `[2]` of its text.
    pub source: u32,
    /// The passage, as it was then.
    #[serde(rename = "chunk_id")]
    pub chunk: ChunkId,
    /// The document.
    #[serde(rename = "document_id")]
    pub document: DocumentId,
    /// Its title then.
    pub document_title: String,
    /// The headings above the place, outermost first.
    pub heading_path: Vec<String>,
    /// The page, from 1.
    pub page: Option<u32>,
    /// The words.
    pub quote: String,
    /// Their first byte in the document's extracted text.
    pub range_start: u64,
    /// The byte after their last.
    pub range_end: u64,
}

/// How much was searched for an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Searched {
    /// Knowledge bases in scope.
    pub knowledge_bases: u32,
    /// Documents the asker may see there.
    pub documents: u32,
    /// Their passages.
    pub passages: u32,
}

/// What a language model was asked to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// The model; `None` when none was called.
    pub model: Option<String>,
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
}

/// Where the time of an answer went, in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Latency {
    /// Finding passages and reading them back.
    pub retrieval_us: u64,
    /// Composing and checking.
    pub composition_us: u64,
    /// From the question's arrival to its outcome.
    pub total_us: u64,
}

/// What the asker thought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feedback {
    /// Helpful or not.
    pub rating: Rating,
    /// In their words.
    pub comment: Option<String>,
    /// When.
    pub rated_at: DateTime<Utc>,
}

/// An answer as stored.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The answer.
    pub id: AnswerId,
    /// What it says.
    pub content: NewAnswer,
    /// Sentences are missing because a document they rest on was deleted, or is not for whoever reads this.
    pub redacted: bool,
    /// What the asker thought.
    pub feedback: Option<Feedback>,
    /// When it was given.
    pub created_at: DateTime<Utc>,
}

/// A question as stored, with its answer once it has one.
#[derive(Debug, Clone)]
pub struct Question {
    /// The question.
    pub id: QuestionId,
    /// The session it belongs to.
    pub session: Option<SessionId>,
    /// The member who asked.
    pub user: Option<UserId>,
    /// The key a program asked with.
    pub api_key: Option<ApiKeyId>,
    /// Where it was asked.
    pub origin: Origin,
    /// As it was asked.
    pub text: String,
    /// What was searched.
    pub knowledge_bases: Vec<KnowledgeBaseId>,
    /// When it was asked.
    pub created_at: DateTime<Utc>,
    /// When the asker shared it with the organisation; `None` while it is theirs alone.
    pub shared_at: Option<DateTime<Utc>>,
    /// What became of it; `None` while it is open.
    pub answer: Option<Answer>,
}

/// What every reading of questions selects, as [`QuestionRow`] reads it; the caller adds `where` and `order by`.
pub(crate) const SELECT: &str = "
    select q.id, q.session_id, q.user_id, q.api_key_id, q.origin, q.text, q.knowledge_base_ids, q.created_at, q.shared_at,
           a.id as answer_id, a.outcome, a.stopped, a.reason, a.message, a.notice, a.language, a.sentences, a.composer, a.model, a.confidence,
           a.knowledge_bases_searched, a.documents_searched, a.passages_searched, a.input_tokens, a.output_tokens,
           a.retrieval_us, a.composition_us, a.total_us, a.redacted, a.rating, a.comment, a.rated_at,
           a.created_at as answered_at,
           (select jsonb_agg(jsonb_build_object('number', c.number, 'source', c.source, 'chunk_id', c.chunk_id, 'document_id', c.document_id,
                       'document_title', c.document_title, 'heading_path', c.heading_path, 'page', c.page,
                       'quote', c.quote, 'range_start', c.range_start, 'range_end', c.range_end,
                       'audience', d.audience) order by c.number)
            from citations c left join documents d on d.organization_id = c.organization_id and d.id = c.document_id
            where c.organization_id = a.organization_id and c.answer_id = a.id) as citations
    from questions q
    left join answers a on a.organization_id = q.organization_id and a.question_id = q.id ";

/// A row of [`SELECT`].
#[derive(sqlx::FromRow)]
pub(crate) struct QuestionRow {
    id: Uuid,
    session_id: Option<Uuid>,
    user_id: Option<Uuid>,
    api_key_id: Option<Uuid>,
    origin: String,
    text: String,
    knowledge_base_ids: Vec<Uuid>,
    created_at: DateTime<Utc>,
    shared_at: Option<DateTime<Utc>>,
    answer_id: Option<Uuid>,
    #[sqlx(flatten)]
    answer: AnswerRow,
}

#[derive(sqlx::FromRow)]
struct AnswerRow {
    outcome: Option<String>,
    stopped: Option<bool>,
    reason: Option<String>,
    message: Option<String>,
    notice: Option<String>,
    language: Option<String>,
    sentences: Option<Json<Vec<Sentence>>>,
    composer: Option<String>,
    model: Option<String>,
    confidence: Option<f64>,
    knowledge_bases_searched: Option<i32>,
    documents_searched: Option<i32>,
    passages_searched: Option<i32>,
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
    retrieval_us: Option<i64>,
    composition_us: Option<i64>,
    total_us: Option<i64>,
    redacted: Option<bool>,
    rating: Option<String>,
    comment: Option<String>,
    rated_at: Option<DateTime<Utc>>,
    answered_at: Option<DateTime<Utc>>,
    citations: Option<Json<Vec<CitationRow>>>,
}

/// A citation with the present audience of its document; none when the document is gone.
#[derive(Deserialize)]
struct CitationRow {
    #[serde(flatten)]
    citation: Citation,
    audience: Option<Audience>,
}

impl QuestionRow {
    /// The question as `reader` may see it: without sentences that rest on documents they may not see, now that they read.
    pub(crate) fn seen_by(self, reader: &Reader) -> Result<Question> {
        let row = self;
        Ok(Question {
            id: QuestionId::from_uuid(row.id),
            session: row.session_id.map(SessionId::from_uuid),
            user: row.user_id.map(UserId::from_uuid),
            api_key: row.api_key_id.map(ApiKeyId::from_uuid),
            origin: parse(&row.origin)?,
            text: row.text,
            knowledge_bases: row
                .knowledge_base_ids
                .into_iter()
                .map(KnowledgeBaseId::from_uuid)
                .collect(),
            created_at: row.created_at,
            shared_at: row.shared_at,
            answer: row
                .answer_id
                .map(|id| row.answer.seen_by(AnswerId::from_uuid(id), reader))
                .transpose()?,
        })
    }
}

impl AnswerRow {
    fn seen_by(self, id: AnswerId, reader: &Reader) -> Result<Answer> {
        let feedback = match (self.rating.as_deref(), self.rated_at) {
            (Some(rating), Some(rated_at)) => Some(Feedback {
                rating: parse(rating)?,
                comment: self.comment,
                rated_at,
            }),
            _ => None,
        };
        let confidence = Confidence::new(self.confidence.unwrap_or_default());
        let message = self.message.unwrap_or_default();
        let mut redacted = self.redacted.unwrap_or_default();
        let citations: Vec<Citation> = self
            .citations
            .map(|Json(list)| list)
            .unwrap_or_default()
            .into_iter()
            .filter(|row| {
                row.audience
                    .as_ref()
                    .is_some_and(|audience| audience.includes(reader))
            })
            .map(|row| row.citation)
            .collect();
        let verdict = match parse(self.outcome.as_deref().unwrap_or_default())? {
            Outcome::Answered => {
                let mut sentences = self.sentences.map(|Json(list)| list).unwrap_or_default();
                let all = sentences.len();
                let seen = |number: &u32| citations.iter().any(|citation| citation.number == *number);
                sentences.retain(|sentence| sentence.citations.iter().all(seen));
                redacted |= sentences.len() < all;
                Verdict::Answered {
                    sentences,
                    citations,
                    composer: parse(self.composer.as_deref().unwrap_or_default())?,
                    confidence,
                    notice: self.notice.filter(|_| !redacted),
                }
            }
            Outcome::Declined => Verdict::Declined {
                reason: parse(self.reason.as_deref().unwrap_or_default())?,
                message,
                confidence,
                closest: citations,
            },
            Outcome::Escalated => Verdict::Escalated { message },
            Outcome::Failed => Verdict::Failed {
                message,
                stopped: self.stopped.unwrap_or_default(),
            },
        };
        Ok(Answer {
            id,
            content: NewAnswer {
                verdict,
                language: self.language,
                searched: Searched {
                    knowledge_bases: unsigned(self.knowledge_bases_searched),
                    documents: unsigned(self.documents_searched),
                    passages: unsigned(self.passages_searched),
                },
                usage: Usage {
                    model: self.model,
                    input_tokens: unsigned(self.input_tokens),
                    output_tokens: unsigned(self.output_tokens),
                },
                latency: Latency {
                    retrieval_us: unsigned(self.retrieval_us),
                    composition_us: unsigned(self.composition_us),
                    total_us: unsigned(self.total_us),
                },
            },
            redacted,
            feedback,
            created_at: self.answered_at.unwrap_or_default(),
        })
    }
}

/// An amount as stored, which is never negative.
pub(crate) fn unsigned<S, U: TryFrom<S> + Default>(stored: Option<S>) -> U {
    stored
        .and_then(|amount| U::try_from(amount).ok())
        .unwrap_or_default()
}

/// An amount as it can be stored.
pub(crate) fn signed<U, S: TryFrom<U> + Bounded>(amount: U) -> S {
    S::try_from(amount).unwrap_or(S::MAX)
}

/// An integer type with a largest value.
pub(crate) trait Bounded {
    /// The largest value.
    const MAX: Self;
}

impl Bounded for i32 {
    const MAX: Self = i32::MAX;
}

impl Bounded for i64 {
    const MAX: Self = i64::MAX;
}
