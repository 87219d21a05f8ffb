//! Embedding models: text in, unit vectors out.
//!
//! Everything that embeds goes through [`Embedder`], so a local model and a provider's endpoint are interchangeable. Vectors
//! of different models are not: whoever stores one stores [`ModelInfo::id`] and [`ModelInfo::dimension`] with it.

pub mod local;
pub mod pair;
pub mod remote;

use std::time::Duration;

use async_trait::async_trait;

/// Turns texts into vectors with one model. Cheap to share as `Arc<dyn Embedder>`.
#[async_trait]
pub trait Embedder: Send + Sync {
    /// What the vectors are made with.
    fn model(&self) -> &ModelInfo;

    /// Embeds every input, in order; a text longer than [`ModelInfo::max_tokens`] is cut there. The product of a question's vector
    /// with another one is the cosine of the two texts: vectors have unit length, or are made of such ones ([`pair::Pair`]).
    ///
    /// A vector depends on its own text and `purpose` only, never on the inputs beside it. Dropping the future withdraws
    /// what has not begun.
    async fn embed(&self, inputs: &[String], purpose: Purpose) -> Result<Vec<Vec<f32>>, Error>;
}

/// A model, as callers and stored vectors know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelInfo {
    /// The model's name, which also names its set of vectors.
    pub id: String,
    /// How many numbers a vector has.
    pub dimension: usize,
    /// The languages it was made for.
    pub languages: Languages,
    /// How many tokens of a text it reads.
    pub max_tokens: usize,
}

/// The languages a model covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Languages {
    /// Any: a multilingual model that does not say more.
    Any,
    /// These, as ISO 639-1 codes.
    Only(Vec<String>),
}

impl Languages {
    /// Whether text in `language` (an ISO 639-1 code such as `en`) gets meaningful vectors.
    pub fn include(&self, language: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Only(codes) => codes.iter().any(|code| code == language),
        }
    }
}

/// What a text is embedded for: models may treat the two differently, and a query is served before waiting passages, as are sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// A question someone waits for.
    Query,
    /// A sentence to be compared with a question while someone waits.
    Sentence,
    /// A passage to be found later.
    Passage,
}

/// Why texts could not be embedded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The model's service is unreachable, overloaded or faltering; the same call may succeed later.
    #[error("the embedding model is not available at the moment: {reason}")]
    Unavailable {
        /// What happened, in words.
        reason: String,
        /// How long the service asks to wait.
        retry_after: Option<Duration>,
    },
    /// The service refused the call; it will refuse it again.
    #[error("the embedding model refused the texts: {0}")]
    Refused(String),
    /// The service's answer cannot be used; usually the address or the model name in the configuration is wrong.
    #[error("the embedding model gave an unusable answer: {0}")]
    BadAnswer(String),
    /// The local model stopped working.
    #[error("the local embedding model failed: {0}")]
    Failed(String),
}

impl Error {
    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// Scales a vector to length 1; `false` when it has no direction.
fn to_unit_length(vector: &mut [f32]) -> bool {
    let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
    for number in vector {
        *number /= length;
    }
    length.is_normal()
}
