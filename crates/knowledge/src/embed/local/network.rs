//! The ways a local model computes, and the threads that run them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::OpenError;
use super::config::ModelConfig;
use super::encoder::{Encoder, Scratch};
use super::graph::Graph;
use super::ngram::Ngrams;
use super::queue::{Job, Queue};
use super::weights::{WEIGHTS_FILE, Weights};
use crate::embed::{Error, Purpose, to_unit_length};

/// A loaded model.
pub(super) enum Network {
    /// A BERT encoder on int8 weights.
    Encoder(Box<Encoder>),
    /// Convolutions over words on int8 weights.
    Ngrams(Box<Ngrams>),
    /// An ONNX graph.
    Graph(Box<Graph>),
}

impl Network {
    /// Loads what `config` describes.
    pub(super) fn open(folder: &Path, config: &ModelConfig, threads: usize) -> Result<Self, OpenError> {
        let read = || {
            let path = folder.join(WEIGHTS_FILE);
            std::fs::read(&path).map_err(|source| OpenError::Read { path, source })
        };
        Ok(match (&config.bert, &config.ngram) {
            (Some(shape), _) => {
                let file = read()?;
                Self::Encoder(Box::new(Encoder::new(
                    shape,
                    config.pooling,
                    &Weights::parse(&file)?,
                )?))
            }
            (None, Some(shape)) => {
                let file = read()?;
                Self::Ngrams(Box::new(Ngrams::new(shape, &Weights::parse(&file)?)?))
            }
            (None, None) => Self::Graph(Box::new(Graph::open(folder, config, threads)?)),
        })
    }

    /// The vectors of the texts, of unit length. `pause` is called where the work can be broken off for a moment.
    fn encode(
        &self,
        texts: &[&[u32]],
        scratch: &mut Scratch,
        pause: &mut dyn FnMut(),
    ) -> Result<Vec<Vec<f32>>, Error> {
        let mut vectors = match self {
            Self::Encoder(encoder) => encoder.encode(texts, scratch, pause)?,
            Self::Ngrams(ngrams) => ngrams.encode(texts, scratch, pause)?,
            Self::Graph(graph) => graph.encode(texts, pause)?,
        };
        if !vectors.iter_mut().all(|vector| to_unit_length(vector)) {
            return Err(Error::Failed("a vector has no length".into()));
        }
        Ok(vectors)
    }

    /// Runs jobs and answers them.
    fn answer(&self, jobs: Vec<Job>, scratch: &mut Scratch, pause: &mut dyn FnMut()) {
        let texts: Vec<&[u32]> = jobs.iter().map(|job| job.tokens.as_slice()).collect();
        let result = self.encode(&texts, scratch, pause);
        // A caller that has left does not want its answer.
        match result {
            Ok(vectors) => {
                for (job, vector) in jobs.into_iter().zip(vectors) {
                    let _ = job.reply.send((job.place, Ok(vector)));
                }
            }
            Err(error) => {
                let reason = error.to_string();
                tracing::error!(%reason, "embedding failed");
                for job in jobs {
                    let _ = job.reply.send((job.place, Err(Error::Failed(reason.clone()))));
                }
            }
        }
    }
}

/// The life of an inference thread.
pub(super) fn run(network: &Network, queue: &Queue) {
    // Threads work on units of their own; matrix products within a unit stay on this thread.
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .use_current_thread()
        .build();
    if let Err(error) = &pool {
        tracing::warn!(%error, "an embedding thread shares the global thread pool");
    }
    let mut scratches = <(Scratch, Scratch)>::default();
    while let Some((purpose, jobs)) = queue.take() {
        let (scratch, query_scratch) = &mut scratches;
        let unit = AssertUnwindSafe(|| match purpose {
            Purpose::Query | Purpose::Sentence => network.answer(jobs, query_scratch, &mut || ()),
            Purpose::Passage => network.answer(jobs, scratch, &mut || {
                let queries = queue.take_queries();
                if !queries.is_empty() {
                    network.answer(queries, query_scratch, &mut || ());
                }
            }),
        });
        // The callers of a unit that panics learn of it, since their jobs are dropped; others must not lose this thread.
        if catch_unwind(unit).is_err() {
            tracing::error!("a unit of texts could not be embedded because of a panic");
            scratches = <(Scratch, Scratch)>::default();
        }
    }
}
