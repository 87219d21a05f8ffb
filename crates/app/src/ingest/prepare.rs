//! What happens to a text between extraction and the database: passages, terms, vectors.

use std::sync::Arc;

use amebo_core::failure::FailureCode;
use amebo_knowledge::chunk;
use amebo_knowledge::embed::{Embedder, Error, Purpose};
use amebo_knowledge::extract;
use amebo_knowledge::index::analysis;
use amebo_knowledge::passage::{Extracted, Passage};
use amebo_store::{NewChunk, NewText};
use futures::{Stream, StreamExt as _};
use half::f16;
use serde_json::Value;

use super::Stop;
use crate::reason::Reason;

/// How many texts go to the model in one call.
const SLICE: usize = 64;
/// How many calls of one document are under way at a time, so that the model never waits for the next.
const AHEAD: usize = 2;

/// A document on its way to the database.
pub(super) struct Prepared {
    text: NewText,
    /// What is embedded for each passage.
    inputs: Vec<Vec<String>>,
    chunks: Vec<NewChunk>,
}

impl Prepared {
    /// Splits a text into passages and finds their terms, off the async threads.
    pub(super) async fn make(extracted: Extracted, title: String, settings: &Value) -> Result<Self, Stop> {
        // Settings are checked when they are set; what an older version wrote counts as absent.
        let settings: chunk::Settings = serde_json::from_value(settings.clone()).unwrap_or_default();
        let prepared = tokio::task::spawn_blocking(move || Self::compute(extracted, &title, &settings)).await;
        let prepared = prepared.map_err(|error| {
            Stop::Unfit(Reason::new(
                format!("The text could not be split: {error}"),
                FailureCode::Failed,
            ))
        })?;
        if prepared.chunks.is_empty() {
            return Err(Stop::Unfit(Reason::from(&extract::Error::from(
                extract::Refusal::NoText,
            ))));
        }
        Ok(prepared)
    }

    fn compute(extracted: Extracted, title: &str, settings: &chunk::Settings) -> Self {
        let passages = chunk::split(&extracted, settings);
        let inputs: Vec<String> = passages
            .iter()
            .map(|passage| chunk::embedding_text(title, passage))
            .collect();
        Self {
            inputs: inputs.chunks(SLICE).map(<[String]>::to_vec).collect(),
            chunks: passages
                .into_iter()
                .map(|passage| new_chunk(title, passage))
                .collect(),
            text: NewText {
                content: extracted.text,
                blocks: serde_json::to_value(extracted.blocks).unwrap_or_default(),
                warnings: extracted.warnings,
            },
        }
    }

    /// How many passages there are.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.chunks.len()).unwrap_or(u32::MAX)
    }

    /// The vectors of all passages, in order, some at a time.
    pub(super) fn vectors<'a>(
        &'a self,
        embedder: &'a Arc<dyn Embedder>,
    ) -> impl Stream<Item = Result<Vec<Vec<u8>>, Error>> + Unpin + 'a {
        futures::stream::iter(&self.inputs)
            .map(move |slice| embed(embedder, slice))
            .buffered(AHEAD)
            .boxed()
    }

    /// Gives each passage its vector.
    pub(super) fn set_vectors(&mut self, vectors: Vec<Vec<u8>>) {
        for (chunk, vector) in self.chunks.iter_mut().zip(vectors) {
            chunk.embedding = vector;
        }
    }

    /// What is stored.
    pub(super) fn into_parts(self) -> (NewText, Vec<NewChunk>) {
        (self.text, self.chunks)
    }
}

/// The vectors of some texts, as they are stored.
pub(super) async fn embed(embedder: &Arc<dyn Embedder>, texts: &[String]) -> Result<Vec<Vec<u8>>, Error> {
    let vectors = embedder.embed(texts, Purpose::Passage).await?;
    Ok(vectors.iter().map(|vector| stored(vector)).collect())
}

/// A vector as little-endian f16.
fn stored(vector: &[f32]) -> Vec<u8> {
    vector
        .iter()
        .flat_map(|number| f16::from_f32(*number).to_le_bytes())
        .collect()
}

fn new_chunk(title: &str, passage: Passage) -> NewChunk {
    NewChunk {
        terms: analysis::encode_passage(title, &passage.heading_path, &passage.content),
        content: passage.content,
        range: passage.range,
        page: passage.page,
        heading_path: passage.heading_path,
        embedding: Vec::new(),
    }
}
