//! Embedding models that run inside this process.
//!
//! A model is a folder (`amebo.json` or the sentence-transformers files beside it, `tokenizer.json`, and either
//! `model.safetensors` for a network of our own on int8 weights, or `model.onnx` for anything else). It is loaded once and shared.
//! Texts of all callers wait in one bounded line; a few dedicated threads take them in small units, questions before
//! passages, and even break off between two layers of a passage unit when a question arrives.

mod config;
mod encoder;
mod graph;
mod linear;
mod network;
mod ngram;
mod queue;
#[cfg(test)]
mod tests;
mod weights;

use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use async_trait::async_trait;
use tokenizers::{Tokenizer, TruncationParams};
use tokio::sync::{Semaphore, mpsc};

pub(crate) use self::config::{BertShape, CONFIG_FILE, ModelConfig, NgramShape, Pooling};
pub use self::graph::GraphError;
use self::network::Network;
use self::queue::{Job, Queue};
pub(crate) use self::weights::WEIGHTS_FILE;
pub use self::weights::WeightsError;
use super::pair::Pair;
use super::{Embedder, Error, ModelInfo, Purpose};
use crate::models;

/// The file that holds a model's tokenizer.
pub(crate) const TOKENIZER_FILE: &str = "tokenizer.json";

/// A local model, ready to embed. Dropping it ends its threads.
pub struct LocalEmbedder {
    info: ModelInfo,
    query_prefix: String,
    passage_prefix: String,
    tokenizer: Arc<Tokenizer>,
    queue: Arc<Queue>,
    query_room: Arc<Semaphore>,
    passage_room: Arc<Semaphore>,
    threads: Vec<JoinHandle<()>>,
}

/// Why a model folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A description is not valid.
    #[error("{} is not a valid description of a model", path.display())]
    Description {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The tokenizer cannot be used.
    #[error("the tokenizer of the model cannot be used")]
    Tokenizer(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The weights cannot be used.
    #[error("the weights of the model cannot be used")]
    Weights(#[from] WeightsError),
    /// The ONNX graph cannot be used.
    #[error("the graph of the model cannot be used")]
    Graph(#[from] GraphError),
    /// The folder describes something this version cannot run.
    #[error("the model cannot be run: {0}")]
    Unsupported(String),
    /// The threads cannot be started.
    #[error("the threads of the model cannot be started")]
    Threads(#[source] io::Error),
}

/// How many texts may wait at once, of each kind; callers with more wait for room.
const QUEUE_ROOM: usize = 1024;

/// How many texts of one caller are tokenized together.
const TOKENIZE_AT_ONCE: usize = 64;

impl LocalEmbedder {
    /// Loads the model in `folder` and starts `threads` inference threads. Reads files and computes: call it where blocking
    /// is allowed.
    pub fn open(folder: &Path, threads: NonZeroUsize) -> Result<Self, OpenError> {
        let config = ModelConfig::read(folder)?;
        let tokenizer = open_tokenizer(&folder.join(TOKENIZER_FILE), config.max_tokens)?;
        let network = Arc::new(Network::open(folder, &config, threads.get())?);
        let queue = Arc::new(Queue::new(threads.get()));
        let threads = (0..threads.get())
            .map(|number| {
                let (network, queue) = (Arc::clone(&network), Arc::clone(&queue));
                std::thread::Builder::new()
                    .name(format!("embed-{number}"))
                    .spawn(move || network::run(&network, &queue))
                    .map_err(OpenError::Threads)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            info: config.info(),
            query_prefix: config.query_prefix,
            passage_prefix: config.passage_prefix,
            tokenizer: Arc::new(tokenizer),
            queue,
            query_room: Arc::new(Semaphore::new(QUEUE_ROOM)),
            passage_room: Arc::new(Semaphore::new(QUEUE_ROOM)),
            threads,
        })
    }

    /// The tokens of `inputs`, made where blocking is allowed.
    async fn tokenize(&self, inputs: &[String], prefix: &str) -> Result<Vec<Vec<u32>>, Error> {
        let texts: Vec<String> = inputs
            .iter()
            .map(|input| format!("{prefix}{}", cut(input, self.info.max_tokens)))
            .collect();
        let tokenizer = Arc::clone(&self.tokenizer);
        tokio::task::spawn_blocking(move || {
            texts
                .into_iter()
                .map(|text| {
                    tokenizer
                        .encode_fast(text, true)
                        .map(|encoding| encoding.get_ids().to_vec())
                })
                .collect::<Result<_, _>>()
        })
        .await
        .map_err(|error| Error::Failed(error.to_string()))?
        .map_err(|error| Error::Failed(error.to_string()))
    }
}

#[async_trait]
impl Embedder for LocalEmbedder {
    fn model(&self) -> &ModelInfo {
        &self.info
    }

    async fn embed(&self, inputs: &[String], purpose: Purpose) -> Result<Vec<Vec<f32>>, Error> {
        let stopped = || Error::Failed("its threads have ended".into());
        let (prefix, room) = match purpose {
            // As a question: likeness of two sentences is symmetric.
            Purpose::Query | Purpose::Sentence => (&self.query_prefix, &self.query_room),
            Purpose::Passage => (&self.passage_prefix, &self.passage_room),
        };
        let (reply, mut replies) = mpsc::unbounded_channel();
        for (slice, texts) in inputs.chunks(TOKENIZE_AT_ONCE).enumerate() {
            let tokens = self.tokenize(texts, prefix).await?;
            // All at once: callers that each held a part of the room while waiting for the rest could block each other.
            let count = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
            let mut permits = Arc::clone(room)
                .acquire_many_owned(count)
                .await
                .map_err(|_| stopped())?;
            let mut jobs = Vec::with_capacity(tokens.len());
            for (place, tokens) in tokens.into_iter().enumerate() {
                jobs.push(Job {
                    tokens,
                    place: slice * TOKENIZE_AT_ONCE + place,
                    reply: reply.clone(),
                    _permit: permits.split(1).ok_or_else(stopped)?,
                });
            }
            self.queue.push(purpose, jobs);
        }
        drop(reply);
        let mut vectors = vec![Vec::new(); inputs.len()];
        for _ in 0..inputs.len() {
            let (place, vector) = replies.recv().await.ok_or_else(stopped)?;
            vectors[place] = vector?;
        }
        Ok(vectors)
    }
}

impl Drop for LocalEmbedder {
    fn drop(&mut self) {
        self.queue.close();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("an embedding thread had ended by a panic");
            }
        }
    }
}

/// The models installed in a data directory, the one that new knowledge bases should take first: where the model of many languages is
/// there, both as a [`Pair`], then the default model alone. A second model that cannot be used is left out and logged, since the first
/// answers most questions. Reads files and computes: call it where blocking is allowed.
pub fn installed(data: &Path, threads: NonZeroUsize) -> Result<Vec<Arc<dyn Embedder>>, OpenError> {
    let open = |name: &str, threads: NonZeroUsize| {
        let folder = models::local(data, name);
        folder
            .map(|folder| {
                Ok::<_, OpenError>(Arc::new(LocalEmbedder::open(&folder, threads)?) as Arc<dyn Embedder>)
            })
            .transpose()
    };
    let Some(home) = open(models::DEFAULT_MODEL, threads)? else {
        return Ok(Vec::new());
    };
    // It has a third of the work, and its threads would keep questions for the other model waiting.
    let few = NonZeroUsize::new(threads.get() / 2).unwrap_or(NonZeroUsize::MIN);
    Ok(match open(models::MULTILINGUAL_MODEL, few) {
        Ok(Some(abroad)) => vec![Arc::new(Pair::new(home.clone(), abroad)), home],
        Ok(None) => vec![home],
        Err(error) => {
            tracing::error!(
                model = models::MULTILINGUAL_MODEL,
                error = &error as &dyn std::error::Error,
                "the model of many languages cannot be used: delete its folder, then run `amebo models install --multilingual`"
            );
            vec![home]
        }
    })
}

/// The tokenizer, cutting at the model's limit whatever the file says, and never padding.
fn open_tokenizer(path: &Path, max_tokens: usize) -> Result<Tokenizer, OpenError> {
    let bytes = std::fs::read(path).map_err(|source| OpenError::Read {
        path: path.to_owned(),
        source,
    })?;
    let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(OpenError::Tokenizer)?;
    tokenizer
        .with_padding(None)
        .with_truncation(Some(TruncationParams {
            max_length: max_tokens,
            ..TruncationParams::default()
        }))
        .map_err(OpenError::Tokenizer)?;
    Ok(tokenizer)
}

/// The beginning of a text that can matter: no tokenizer makes a token of more than a few dozen bytes of prose, so
/// tokenizing the rest of a huge text would be work for nothing.
fn cut(text: &str, max_tokens: usize) -> &str {
    &text[..text.floor_char_boundary(max_tokens.saturating_mul(32))]
}
