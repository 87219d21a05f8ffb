//! The search index: a cache of passages that returns ids, never text.
//!
//! An index belongs to one organisation, follows the organisation's revision, and can be forgotten at any time: whoever
//! searches first asks [`Engine::revision`], loads what changed since, and [`Engine::apply`]s it.

pub mod analysis;
pub mod embedded;
pub mod fusion;

use std::collections::HashMap;

use amebo_core::document::{Audience, Reader};
use amebo_core::id::{ChunkId, DocumentId, KnowledgeBaseId, OrganizationId};
use async_trait::async_trait;

/// Everything the index keeps of one document.
#[derive(Debug, Clone)]
pub struct IndexedDocument {
    /// The document.
    pub id: DocumentId,
    /// The knowledge base it belongs to.
    pub knowledge_base: KnowledgeBaseId,
    /// Who may find it.
    pub audience: Audience,
    /// Its passages in order.
    pub passages: Vec<IndexedPassage>,
}

/// Everything the index keeps of one passage.
#[derive(Debug, Clone)]
pub struct IndexedPassage {
    /// The passage.
    pub id: ChunkId,
    /// Its vector as little-endian f16, of unit length; empty when there is none (no model).
    pub vector: Vec<u8>,
    /// The model that made the vector.
    pub model: String,
    /// Its terms, as encoded by the lexical analysis when the passage was stored.
    pub terms: Vec<u8>,
}

/// A change of one document.
#[derive(Debug, Clone)]
pub enum Change {
    /// The document is new or altered; this is all of it.
    Put(IndexedDocument),
    /// The document is gone or no longer findable.
    Remove(DocumentId),
}

/// A search.
#[derive(Debug, Clone)]
pub struct Query {
    /// The question as asked (or as rewritten from the conversation).
    pub text: String,
    /// The question's vector by model; empty to search lexically only.
    pub vectors: HashMap<String, Vec<f32>>,
    /// How words and meaning are weighed against each other.
    pub balance: Balance,
    /// Who will read what is found. Passages that any of them may not see are neither scored nor counted.
    pub readers: Vec<Reader>,
    /// The knowledge bases to search (never all by default: the caller lists the active ones).
    pub knowledge_bases: Vec<KnowledgeBaseId>,
    /// How many passages at most.
    pub limit: usize,
}

/// How words and meaning are weighed against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Balance {
    /// With weights that were fitted where questions and passages share a language.
    #[default]
    Fitted,
    /// The more of the question's words a passage has, the more words count: where hardly any has one, the passages are in
    /// another language than the question.
    ByWordsFound,
}

/// A passage found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// The passage.
    pub chunk: ChunkId,
    /// Its document.
    pub document: DocumentId,
    /// The fused score that ordered the hits; comparable within one search only.
    pub score: f32,
    /// Cosine similarity to the question, -1 to 1; `None` when not scanned.
    pub dense: Option<f32>,
    /// BM25 score, with what neighbouring words of the question add where they are neighbours here; 0 when no term matched.
    pub lexical: f32,
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hits {
    /// The best passages, best first.
    pub hits: Vec<Hit>,
    /// How many documents the readers may see in the scope.
    pub documents_in_scope: usize,
    /// How many passages those hold.
    pub passages_in_scope: usize,
}

/// Why a search or a change could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The engine cannot be reached.
    #[error("the search engine cannot be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The changes do not start where the index stands; load again from [`Engine::revision`].
    #[error("the index moved on while changes were loaded")]
    Moved,
}

/// A search engine: the embedded one, or a cluster beside Amebo.
#[async_trait]
pub trait Engine: Send + Sync {
    /// Up to which revision this organisation's index has followed; `None` when it is not loaded.
    async fn revision(&self, organization: OrganizationId) -> Result<Option<i64>, Error>;

    /// Applies the changes that lead from revision `from` to revision `to`, all or none. With `None` they are everything there is, and
    /// take the place of what an older revision held.
    async fn apply(
        &self,
        organization: OrganizationId,
        from: Option<i64>,
        to: i64,
        changes: Vec<Change>,
    ) -> Result<(), Error>;

    /// Searches one organisation's index as far as it has followed.
    async fn search(&self, organization: OrganizationId, query: &Query) -> Result<Hits, Error>;

    /// Drops everything held of an organisation.
    async fn forget(&self, organization: OrganizationId) -> Result<(), Error>;

    /// What this process holds in its memory; `None` for an engine that keeps everything elsewhere.
    fn usage(&self) -> Option<embedded::Usage> {
        None
    }
}
