//! A set's corpus as a library in memory: split, embedded and indexed as documents are in production.

use std::collections::HashMap;
use std::sync::Arc;

use amebo_core::document::{Audience, Reader};
use amebo_core::id::{ChunkId, DocumentId, Id, KnowledgeBaseId, OrganizationId};
use half::f16;
use uuid::Uuid;

use super::Error;
use super::set::{Question, Set};
use super::vectors::Vectors;
use crate::chunk;
use crate::embed::{Embedder, Purpose};
use crate::index::embedded::{Embedded, Settings};
use crate::index::{Change, Engine, Hits, IndexedDocument, IndexedPassage, Query, analysis};
use crate::passage::{Extracted, Passage};
use crate::retrieve;

/// How a library is built.
#[derive(Default, Clone)]
pub struct Options {
    /// The embedding model; without one the library is searched by words only.
    pub model: Option<Arc<dyn Embedder>>,
    /// Where vectors are kept between runs.
    pub cache: Option<std::path::PathBuf>,
    /// How documents are split.
    pub chunk: chunk::Settings,
    /// How the engine is set up.
    pub engine: Settings,
}

/// The library.
pub struct Library {
    engine: Embedded,
    passages: HashMap<ChunkId, Held>,
    vectors: Option<Vectors>,
    model: Option<Arc<dyn Embedder>>,
}

/// A passage of the library.
#[derive(Debug, Clone)]
pub struct Held {
    /// The set's entry it belongs to.
    pub entry: String,
    /// The title of its document.
    pub title: String,
    /// The passage itself.
    pub passage: Passage,
    /// Its vector as little-endian f16; empty without a model.
    pub vector: Vec<u8>,
}

impl Library {
    /// Splits, embeds and indexes the corpus of a set.
    ///
    /// Entries that are parts of one document by their ids (`document#part` or `document:part`) become one document, as they
    /// would be if it were uploaded; every part is split on its own, so that each passage belongs to one entry.
    pub async fn build(set: &Set, options: &Options) -> Result<Self, Error> {
        let vectors = options
            .model
            .clone()
            .map(|model| Vectors::open(model, options.cache.as_deref()))
            .transpose()?;
        let engine = Embedded::new(options.engine);
        let mut library = Self {
            engine,
            passages: HashMap::new(),
            vectors,
            model: options.model.clone(),
        };
        let mut held: Vec<(String, Held)> = Vec::new();
        for entry in &set.entries {
            let document = document_of(&entry.id).to_owned();
            let extracted = Extracted {
                text: entry.text.clone(),
                ..Extracted::default()
            };
            for passage in chunk::split(&extracted, &options.chunk) {
                let (entry, title) = (entry.id.clone(), entry.title.clone());
                held.push((
                    document.clone(),
                    Held {
                        entry,
                        title,
                        passage,
                        vector: Vec::new(),
                    },
                ));
            }
        }
        let mut model = String::new();
        if let Some(vectors) = &mut library.vectors {
            model.clone_from(&vectors.model().id);
            let texts: Vec<String> = held
                .iter()
                .map(|(_, held)| chunk::embedding_text(&held.title, &held.passage))
                .collect();
            for ((_, held), vector) in held.iter_mut().zip(vectors.of(&texts, Purpose::Passage).await?) {
                held.vector = vector;
            }
        }
        let mut documents: Vec<IndexedDocument> = Vec::new();
        let mut numbers: HashMap<String, usize> = HashMap::new();
        for (number, (document, held)) in (1_u128..).zip(held) {
            let at = *numbers.entry(document).or_insert(documents.len());
            if at == documents.len() {
                documents.push(IndexedDocument {
                    id: DocumentId::from_uuid(Uuid::from_u128(number)),
                    knowledge_base: knowledge_base(),
                    audience: Audience::Organization,
                    passages: Vec::new(),
                });
            }
            let id = ChunkId::from_uuid(Uuid::from_u128(number));
            documents[at].passages.push(IndexedPassage {
                id,
                vector: held.vector.clone(),
                model: model.clone(),
                terms: analysis::encode_passage(
                    &held.title,
                    &held.passage.heading_path,
                    &held.passage.content,
                ),
            });
            library.passages.insert(id, held);
        }
        let changes = documents.into_iter().map(Change::Put).collect();
        library.engine.apply(organization(), None, 1, changes).await?;
        Ok(library)
    }

    /// Completes a question from its history and embeds it, where the model knows its language.
    pub async fn prepare(&mut self, question: &Question, lexical_only: bool) -> Result<Query, Error> {
        let prepared = retrieve::prepare(&question.text, &question.history, &[]).await;
        let mut query = prepared.query(vec![Reader::Machine], vec![knowledge_base()], 0);
        if let (Some(vectors), Some(model), false) = (&mut self.vectors, &self.model, lexical_only)
            && retrieve::speaks(model.model(), prepared.language)
        {
            let bytes = vectors
                .of(std::slice::from_ref(&query.text), Purpose::Query)
                .await?;
            let vector = bytes
                .concat()
                .as_chunks()
                .0
                .iter()
                .map(|half| f16::from_le_bytes(*half).to_f32())
                .collect();
            query.vectors.insert(model.model().id.clone(), vector);
        }
        Ok(query)
    }

    /// Searches.
    pub async fn search(&self, query: &Query) -> Result<Hits, Error> {
        Ok(self.engine.search(organization(), query).await?)
    }

    /// A passage that was found.
    pub fn passage(&self, chunk: ChunkId) -> Option<&Held> {
        self.passages.get(&chunk)
    }

    /// How many passages there are.
    pub fn passages(&self) -> usize {
        self.passages.len()
    }
}

/// The document an entry is part of, by its id.
fn document_of(entry: &str) -> &str {
    match entry.rfind(['#', ':']) {
        Some(at) if at > 0 && !entry[at..].contains('/') => &entry[..at],
        _ => entry,
    }
}

fn organization() -> OrganizationId {
    OrganizationId::from_uuid(Uuid::from_u128(1))
}

fn knowledge_base() -> KnowledgeBaseId {
    KnowledgeBaseId::from_uuid(Uuid::from_u128(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_document_are_known_by_their_ids() {
        assert_eq!(document_of("Normans#0"), "Normans");
        assert_eq!(document_of("5e4c01:12"), "5e4c01");
        assert_eq!(
            document_of("https://example.org/docs/a#b"),
            "https://example.org/docs/a"
        );
        assert_eq!(
            document_of("https://example.org/docs/a"),
            "https://example.org/docs/a"
        );
        assert_eq!(document_of("4983"), "4983");
    }
}
