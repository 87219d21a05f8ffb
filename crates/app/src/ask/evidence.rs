//! From a question to the passages an answer may rest on.

use std::collections::HashMap;

use amebo_core::document::Reader;
use amebo_core::id::ChunkId;
use amebo_knowledge::answer::Evidence;
use amebo_knowledge::index::Hit;
use amebo_knowledge::retrieve::Turn;
use amebo_store::{Passage, Permit};

use crate::library::Scope;
use crate::{App, Result};

/// What was found for a question.
pub(crate) struct Evidences {
    /// The passages, best first.
    pub(crate) evidence: Vec<Evidence>,
    /// The same passages with their places in the documents.
    pub(crate) places: Vec<Passage>,
    /// What was searched for: the question, completed from the conversation.
    pub(crate) standalone: String,
    /// The question's vector by the model that the answerer weighs sentences with.
    pub(crate) vector: Option<Vec<f32>>,
    /// How many documents the readers may see in the scope.
    pub(crate) documents: usize,
    /// How many passages those hold.
    pub(crate) passages: usize,
}

impl App {
    /// Searches for a question and reads back what all readers may see.
    pub(crate) async fn evidence(
        &self,
        permit: &Permit,
        readers: &[Reader],
        scope: &Scope,
        (question, history): (&str, &[Turn]),
        limit: usize,
    ) -> Result<Evidences> {
        let prepared = self.prepare(permit, scope, question, history).await?;
        if scope.knowledge_bases.is_empty() {
            return Ok(Evidences {
                evidence: Vec::new(),
                places: Vec::new(),
                standalone: prepared.text,
                vector: None,
                documents: 0,
                passages: 0,
            });
        }
        let vector = self
            .library
            .embedders()
            .first()
            .and_then(|embedder| prepared.vectors.get(&embedder.model().id).cloned());
        let hits = self
            .library
            .search(permit, scope, &prepared, readers, limit)
            .await?;
        let ids: Vec<ChunkId> = hits.hits.iter().map(|hit| hit.chunk).collect();
        let places: Vec<Passage> = self
            .library
            .read(permit, &ids, readers)
            .await?
            .into_iter()
            // The index could be wrong about the knowledge base, too.
            .filter(|passage| {
                scope
                    .knowledge_bases
                    .iter()
                    .any(|base| base.id == passage.knowledge_base)
            })
            .collect();
        let hit_of: HashMap<ChunkId, Hit> = hits.hits.iter().map(|hit| (hit.chunk, *hit)).collect();
        let evidence = places
            .iter()
            .filter_map(|passage| {
                let hit = hit_of.get(&passage.id)?;
                Some(Evidence {
                    chunk: hit.chunk,
                    document: passage.document,
                    title: passage.title.clone(),
                    heading_path: passage.heading_path.clone(),
                    content: passage.content.clone(),
                    dense: hit.dense,
                    lexical: hit.lexical,
                    score: hit.score,
                })
            })
            .collect();
        Ok(Evidences {
            evidence,
            places,
            standalone: prepared.text,
            vector,
            documents: hits.documents_in_scope,
            passages: hits.passages_in_scope,
        })
    }
}
