//! From passages found to an answer that can be proven: composed, cited, checked, weighed, or honestly declined.
//!
//! There are two composers. The extractive one quotes the best sentences word for word; it needs no language model and cannot
//! invent. The other asks a language model, which sees passages as data between random boundaries, must cite every
//! sentence, and is checked sentence by sentence afterwards: what its citation does not carry is struck. If the model fails, or
//! nothing that it wrote is left, the quotations stand in. What must hold: every sentence of an answer has a citation into a passage that was handed
//! in, every question ends in exactly one [`Verdict`], and the confidence is a probability fitted on evaluation data
//! (docs/quality.md says how).

mod candidate;
pub mod check;
mod code;
pub mod confidence;
pub mod extractive;
mod features;
mod heading;
pub mod model;
pub mod phrase;
mod question;
mod run;

use std::ops::Range;
use std::sync::Arc;

use amebo_core::Environment;
use amebo_core::answer::{Composer, Confidence, DeclineReason, Outcome};
use amebo_core::id::{ChunkId, DocumentId};
use futures::channel::mpsc;
use futures::stream::{BoxStream, select};
use futures::{FutureExt, StreamExt};
use serde::{Deserialize, Serialize};

use crate::embed::Embedder;
use crate::index::analysis::language;
use crate::provider::{LanguageModel, Usage};
use crate::retrieve::Turn;
use extractive::{Extract, Sentences};
use run::Run;

/// A passage found, with what retrieval knows of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The passage.
    pub chunk: ChunkId,
    /// Its document.
    pub document: DocumentId,
    /// The document's title.
    pub title: String,
    /// The headings above the passage, outermost first.
    pub heading_path: Vec<String>,
    /// The passage's text, as stored.
    pub content: String,
    /// Cosine similarity of question and passage.
    pub dense: Option<f32>,
    /// BM25 score of the passage.
    pub lexical: f32,
    /// The fused score that ordered the passages.
    pub score: f32,
}

/// A question with what is needed to answer it.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// As asked.
    pub text: String,
    /// What it was searched for: completed from the conversation. The same as `text` for a first question.
    pub standalone: String,
    /// What was said before, oldest first.
    pub history: Vec<Turn>,
    /// The embedding of `standalone` by the answerer's own embedder, where it is known already.
    pub vector: Option<Vec<f32>>,
}

impl Question {
    /// A question that begins a conversation.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            standalone: text.clone(),
            text,
            ..Self::default()
        }
    }
}

/// What was searched, to be told when nothing is answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Searched {
    /// The names of the knowledge bases.
    pub knowledge_bases: Vec<String>,
    /// How many documents the asker may see in them.
    pub documents: usize,
    /// How many passages those hold.
    pub passages: usize,
}

/// How to answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Below this probability the question is declined.
    pub threshold: f64,
    /// How many sentences are quoted at most.
    pub sentences: usize,
    /// How many passages are shown to the language model at most.
    pub passages: usize,
    /// How many tokens a model's answer may have.
    pub max_tokens: u32,
    /// How freely the model words its answer, 0 to 1; its provider's default where absent.
    pub temperature: Option<f32>,
    /// Further instructions of the organisation or the bot, such as its tone.
    pub instructions: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            threshold: 0.35,
            sentences: 3,
            passages: 8,
            max_tokens: 800,
            temperature: None,
            instructions: String::new(),
        }
    }
}

/// A passage that takes part in an answer, numbered from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    /// The number that citations use.
    pub number: usize,
    /// The passage.
    pub chunk: ChunkId,
    /// Its document.
    pub document: DocumentId,
    /// The document's title.
    pub title: String,
    /// The headings above the passage.
    pub heading_path: Vec<String>,
}

/// What is said while a question is answered: sources first, then tokens, then the verdict.
#[derive(Debug, Clone, PartialEq)]
pub enum AnswerEvent {
    /// The passages that the answer may cite.
    Sources(Vec<Source>),
    /// The next piece of the answer's text.
    Token(String),
    /// The tokens so far do not count: the model broke off or was not supported, and what follows replaces them.
    Restart,
    /// The end. Its text is what counts; it lacks the sentences that the check struck.
    Verdict(Box<Verdict>),
}

/// What became of a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Answered or declined.
    pub outcome: Outcome,
    /// Why it was declined.
    pub reason: Option<DeclineReason>,
    /// How the text came about.
    pub composer: Composer,
    /// The text to show: the answer, or why there is none.
    pub text: String,
    /// A sentence to show beside the answer: that it quotes, and from where.
    pub notice: Option<String>,
    /// The answer's sentences with their citations.
    pub sentences: Vec<Sentence>,
    /// What a model wrote and the check did not let pass.
    pub struck: Vec<check::Struck>,
    /// The probability that the answer is right.
    pub confidence: Confidence,
    /// What to try instead, when declined.
    pub suggestions: Vec<Suggestion>,
    /// What was searched.
    pub searched: Searched,
    /// The language of the question, as an ISO 639-1 code.
    pub language: &'static str,
    /// The language model that was asked, as it calls itself.
    pub model: Option<String>,
    /// What the model read and wrote.
    pub usage: Usage,
    /// What went wrong with the model, in a sentence for a person, when quotations stand in for it.
    pub failure: Option<String>,
}

/// A sentence of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sentence {
    /// Its text, without citation marks.
    pub text: String,
    /// What it rests on; never empty.
    pub citations: Vec<Citation>,
}

/// Where a sentence comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Citation {
    /// The number of the source.
    pub number: usize,
    /// The passage.
    pub chunk: ChunkId,
    /// Its document.
    pub document: DocumentId,
    /// The bytes of the passage's content that carry the sentence.
    pub span: Range<usize>,
    /// Those bytes.
    pub quote: String,
}

/// A next step for someone whose question was declined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Suggestion {
    /// Say it in other words.
    Rephrase {
        /// The suggestion in words.
        text: String,
    },
    /// Look at a document that comes close.
    Read {
        /// The suggestion in words.
        text: String,
        /// The document.
        document: DocumentId,
        /// Its title.
        title: String,
    },
    /// Ask a person.
    AskPerson {
        /// The suggestion in words.
        text: String,
    },
}

/// Answers questions. Cheap to clone.
#[derive(Clone)]
pub struct Answerer {
    environment: Environment,
    sentences: Arc<Sentences>,
    model: Option<Arc<dyn LanguageModel>>,
}

impl std::fmt::Debug for Answerer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answerer")
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

impl Answerer {
    /// An answerer that quotes; `embedder` makes it find better sentences.
    pub fn new(environment: Environment, embedder: Option<Arc<dyn Embedder>>) -> Self {
        Self {
            environment,
            sentences: Arc::new(Sentences::new(embedder)),
            model: None,
        }
    }

    /// The same answerer (sharing its cache) with a language model to compose answers.
    #[must_use]
    pub fn with_model(&self, model: Option<Arc<dyn LanguageModel>>) -> Self {
        Self {
            model,
            ..self.clone()
        }
    }

    /// The same answerer with other constants than those compiled in; for fitting.
    #[must_use]
    pub fn with_parameters(&self, parameters: Arc<confidence::Parameters>) -> Self {
        let embedder = self.sentences.shared_embedder();
        Self {
            sentences: Arc::new(Sentences::with_parameters(embedder, parameters)),
            ..self.clone()
        }
    }

    /// Answers `question` from `evidence` (best first). The stream ends with exactly one [`AnswerEvent::Verdict`]; dropping it
    /// ends the work.
    pub fn answer(
        &self,
        question: Question,
        evidence: Vec<Evidence>,
        searched: Searched,
        options: Options,
    ) -> BoxStream<'static, AnswerEvent> {
        let (events, receiver) = mpsc::channel(16);
        let answerer = self.clone();
        let work = async move {
            let mut run = Run {
                language: language::detect(&question.text),
                answerer,
                question,
                evidence,
                searched,
                options,
                events,
            };
            let verdict = run.verdict().await;
            run.say(AnswerEvent::Verdict(Box::new(verdict))).await;
        };
        select(receiver, work.into_stream().filter_map(|()| async { None })).boxed()
    }

    /// The same without the stream: only the verdict.
    pub async fn verdict(
        &self,
        question: Question,
        evidence: Vec<Evidence>,
        searched: Searched,
        options: Options,
    ) -> Option<Verdict> {
        let mut events = self.answer(question, evidence, searched, options);
        while let Some(event) = events.next().await {
            if let AnswerEvent::Verdict(verdict) = event {
                return Some(*verdict);
            }
        }
        None
    }

    /// The best sentences and their confidence, without any decision; for evaluation.
    pub async fn extract(&self, question: &Question, evidence: &[Evidence], sentences: usize) -> Extract {
        self.sentences.extract(question, evidence, sentences).await
    }
}

/// The citation of some bytes of a passage.
fn citation(evidence: &[Evidence], passage: usize, span: Range<usize>) -> Citation {
    let evidence = &evidence[passage];
    Citation {
        number: passage + 1,
        chunk: evidence.chunk,
        document: evidence.document,
        quote: evidence.content[span.clone()].to_owned(),
        span,
    }
}

/// `part` of `whole`, at most 1; 0 of nothing.
#[expect(clippy::cast_precision_loss, reason = "counts are small")]
fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}
