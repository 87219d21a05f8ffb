//! How questions and answers look in the API; shared by everything that shows them.

use amebo_app::ask::{Citation, NewAnswer, Settled, StoredQuestion, Verdict};
use amebo_core::answer::{Composer, Confidence, ConfidenceLevel, DeclineReason, Origin, Outcome, Rating};
use amebo_core::id::{ApiKeyId, ChunkId, DocumentId, KnowledgeBaseId, QuestionId, SessionId, UserId};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// A question and what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuestionResponse {
    id: QuestionId,
    /// The session it was asked in.
    session_id: Option<SessionId>,
    /// The member who asked.
    user_id: Option<UserId>,
    /// The key a program asked with.
    api_key_id: Option<ApiKeyId>,
    /// Where it was asked.
    origin: Origin,
    text: String,
    /// What was searched.
    knowledge_base_ids: Vec<KnowledgeBaseId>,
    created_at: DateTime<Utc>,
    /// When the asker shared it with the organization; absent while it is theirs alone.
    shared_at: Option<DateTime<Utc>>,
    /// What became of it; absent while it is open.
    answer: Option<AnswerResponse>,
    /// What the asker thought of the answer.
    feedback: Option<FeedbackResponse>,
}

/// The outcome of a question just asked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AnsweredResponse {
    /// The question, for feedback and for reading it again.
    question_id: QuestionId,
    answer: AnswerResponse,
}

/// What became of a question.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AnswerResponse {
    outcome: Outcome,
    /// Why it was declined.
    reason: Option<DeclineReason>,
    /// What to show: the answer with its marks `[1]`, `[2]`, or what is said instead of one.
    text: String,
    /// What to show beside the answer, such as that it quotes.
    notice: Option<String>,
    /// The answer sentence by sentence.
    sentences: Vec<SentenceResponse>,
    /// What the sentences rest on.
    citations: Vec<CitationResponse>,
    /// Of a declined question: the passages that came closest.
    closest: Vec<CitationResponse>,
    /// How the text came about.
    composer: Option<Composer>,
    /// The probability that the answer is right.
    confidence: Option<Confidence>,
    confidence_level: Option<ConfidenceLevel>,
    /// The language of the question (ISO 639-1).
    language: Option<String>,
    searched: SearchedResponse,
    usage: ModelUsageResponse,
    latency: LatencyResponse,
    /// Whether sentences are missing, because a document they rest on was deleted or is not for you.
    redacted: bool,
    /// Of a failed question: whether nothing broke, but whoever asked stopped the answer while it was written.
    stopped: bool,
}

/// One sentence of an answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SentenceResponse {
    text: String,
    /// The numbers of the citations that carry it.
    citations: Vec<u32>,
}

/// A place in a document, with the words as they stood when the answer was made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CitationResponse {
    /// By which sentences name it, from 0.
    number: u32,
    /// As in the marks of the text, from 1.
    source: u32,
    chunk_id: ChunkId,
    document_id: DocumentId,
    document_title: String,
    /// The headings above the place, outermost first.
    heading_path: Vec<String>,
    /// The page, from 1.
    page: Option<u32>,
    /// The words.
    quote: String,
    /// The first byte of the words in the document's extracted text (UTF-8).
    range_start: u64,
    /// The byte after their last.
    range_end: u64,
}

/// How much was searched.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SearchedResponse {
    knowledge_bases: u32,
    documents: u32,
    passages: u32,
}

/// What a language model used.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModelUsageResponse {
    /// The model; absent when none was called.
    model: Option<String>,
    input_tokens: u64,
    output_tokens: u64,
}

/// Where the time went, in microseconds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LatencyResponse {
    /// Finding passages and reading them back.
    #[serde(rename = "retrieval_us")]
    retrieval: u64,
    /// Composing and checking.
    #[serde(rename = "composition_us")]
    composition: u64,
    /// From the question's arrival to its outcome.
    #[serde(rename = "total_us")]
    total: u64,
}

/// What the asker thought of an answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FeedbackResponse {
    rating: Rating,
    comment: Option<String>,
    rated_at: DateTime<Utc>,
}

impl From<StoredQuestion> for QuestionResponse {
    fn from(question: StoredQuestion) -> Self {
        let (answer, feedback) = match question.answer {
            Some(answer) => (
                Some(AnswerResponse::new(answer.content, answer.redacted)),
                answer.feedback.map(|feedback| FeedbackResponse {
                    rating: feedback.rating,
                    comment: feedback.comment,
                    rated_at: feedback.rated_at,
                }),
            ),
            None => (None, None),
        };
        Self {
            id: question.id,
            session_id: question.session,
            user_id: question.user,
            api_key_id: question.api_key,
            origin: question.origin,
            text: question.text,
            knowledge_base_ids: question.knowledge_bases,
            created_at: question.created_at,
            shared_at: question.shared_at,
            answer,
            feedback,
        }
    }
}

impl From<Settled> for AnsweredResponse {
    fn from(settled: Settled) -> Self {
        Self {
            question_id: settled.question,
            answer: AnswerResponse::new(settled.answer, false),
        }
    }
}

impl AnswerResponse {
    fn new(answer: NewAnswer, redacted: bool) -> Self {
        let outcome = answer.verdict.outcome();
        let text = answer.verdict.text();
        let mut response = Self {
            outcome,
            reason: None,
            text,
            notice: None,
            sentences: Vec::new(),
            citations: Vec::new(),
            closest: Vec::new(),
            composer: None,
            confidence: None,
            confidence_level: None,
            language: answer.language,
            searched: SearchedResponse {
                knowledge_bases: answer.searched.knowledge_bases,
                documents: answer.searched.documents,
                passages: answer.searched.passages,
            },
            usage: ModelUsageResponse {
                model: answer.usage.model,
                input_tokens: answer.usage.input_tokens,
                output_tokens: answer.usage.output_tokens,
            },
            latency: LatencyResponse {
                retrieval: answer.latency.retrieval_us,
                composition: answer.latency.composition_us,
                total: answer.latency.total_us,
            },
            redacted,
            stopped: false,
        };
        match answer.verdict {
            Verdict::Answered {
                sentences,
                citations,
                composer,
                confidence,
                notice,
            } => {
                response.sentences = sentences
                    .into_iter()
                    .map(|sentence| SentenceResponse {
                        text: sentence.text,
                        citations: sentence.citations,
                    })
                    .collect();
                response.citations = citations.into_iter().map(CitationResponse::from).collect();
                response.composer = Some(composer);
                response.notice = notice;
                response.confidence = Some(confidence);
            }
            Verdict::Declined {
                reason,
                confidence,
                closest,
                ..
            } => {
                response.reason = Some(reason);
                response.closest = closest.into_iter().map(CitationResponse::from).collect();
                response.confidence = Some(confidence);
            }
            Verdict::Failed { stopped, .. } => response.stopped = stopped,
            Verdict::Escalated { .. } => {}
        }
        response.confidence_level = response.confidence.map(Confidence::level);
        response
    }
}

impl From<Citation> for CitationResponse {
    fn from(citation: Citation) -> Self {
        Self {
            number: citation.number,
            source: citation.source,
            chunk_id: citation.chunk,
            document_id: citation.document,
            document_title: citation.document_title,
            heading_path: citation.heading_path,
            page: citation.page,
            quote: citation.quote,
            range_start: citation.range_start,
            range_end: citation.range_end,
        }
    }
}
