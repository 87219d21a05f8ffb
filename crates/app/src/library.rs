//! Searching what an organisation knows.
//!
//! The search engine is a cache that answers ids. Before it is asked it is brought to the revision that the database had when the
//! question came, so a document is findable, and a deleted one is not, from the moment of the commit. What it answers is read back
//! from the database for the eyes of everyone who will read the answer. No transaction is open while a model or the engine works.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use amebo_core::document::Reader;
use amebo_core::id::{ChunkId, KnowledgeBaseId, OrganizationId};
use amebo_core::permission::{Action, Resource};
use amebo_knowledge::index::{self, Change, Engine, Hit, Hits, IndexedDocument, IndexedPassage, embedded};
use amebo_knowledge::retrieve::Prepared;
use amebo_store::{FeedDocument, Passage, Permit, Searchable, Store};
use parking_lot::Mutex;

use crate::embedders::Embedders;
use crate::{Access, App, Error, Result};

/// How many documents are loaded into an index at a time.
const LOADED_AT_ONCE: usize = 500;

/// What an organisation knows, searchable.
pub struct Library {
    store: Store,
    engine: Arc<dyn Engine>,
    embedders: Embedders,
    /// One loads an organisation's changes while others who need them wait.
    loading: Mutex<HashMap<OrganizationId, Arc<tokio::sync::Mutex<()>>>>,
}

/// What is searched: fixed when the question came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The organisation's revision then.
    pub revision: i64,
    /// The knowledge bases, each with the model of its vectors.
    pub knowledge_bases: Vec<Searchable>,
}

/// What to find.
#[derive(Debug, Clone)]
pub struct Search {
    /// The question, or words of it.
    pub text: String,
    /// Where; everywhere that takes part in answers when empty.
    pub knowledge_bases: Vec<KnowledgeBaseId>,
    /// Who else will read what is found.
    pub readers: Vec<Reader>,
    /// How many passages at most.
    pub limit: usize,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Findings {
    /// The passages, best first.
    pub passages: Vec<(Hit, Passage)>,
    /// How many documents the readers may see in the scope.
    pub documents_in_scope: usize,
    /// How many passages those hold.
    pub passages_in_scope: usize,
    /// Whether meaning was searched too, and not words alone.
    pub by_meaning: bool,
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Library")
            .field("embedders", &self.embedders)
            .finish_non_exhaustive()
    }
}

impl Scope {
    /// The models of its vectors, each once.
    pub fn models(&self) -> impl Iterator<Item = &str> {
        let models: BTreeSet<&str> = self
            .knowledge_bases
            .iter()
            .filter_map(|base| base.embedding_model.as_deref())
            .collect();
        models.into_iter()
    }
}

impl Library {
    /// A library over the database and a search engine.
    pub fn new(store: Store, engine: Arc<dyn Engine>, embedders: Embedders) -> Self {
        Self {
            store,
            engine,
            embedders,
            loading: Mutex::default(),
        }
    }

    /// The server's embedding models.
    pub fn embedders(&self) -> &Embedders {
        &self.embedders
    }

    /// What the search index of this process holds; `None` when it is kept elsewhere.
    pub fn usage(&self) -> Option<embedded::Usage> {
        self.engine.usage()
    }

    /// What a question asked now searches. Of the knowledge bases wanted (all when empty) those count that take part in answers.
    pub async fn scope(&self, permit: &Permit, wanted: &[KnowledgeBaseId]) -> Result<Scope> {
        let mut tx = self.store.begin(permit).await?;
        let mut knowledge_bases = tx.knowledge_bases().searchable().await?;
        let revision = tx.index_feed().revision().await?;
        tx.commit().await?;
        if !wanted.is_empty() {
            knowledge_bases.retain(|base| wanted.contains(&base.id));
        }
        Ok(Scope {
            revision,
            knowledge_bases,
        })
    }

    /// Searches the index for what all of `readers` may see, after bringing it to the scope's revision.
    pub async fn search(
        &self,
        permit: &Permit,
        scope: &Scope,
        prepared: &Prepared,
        readers: &[Reader],
        limit: usize,
    ) -> Result<Hits> {
        self.follow(permit, scope.revision).await?;
        let bases = scope.knowledge_bases.iter().map(|base| base.id).collect();
        let query = prepared.query(readers.to_vec(), bases, limit);
        self.engine
            .search(permit.organization(), &query)
            .await
            .map_err(|error| unavailable(&error))
    }

    /// Passages by id, in the order asked, without those that are gone or that a reader may not see.
    pub async fn read(&self, permit: &Permit, ids: &[ChunkId], readers: &[Reader]) -> Result<Vec<Passage>> {
        let mut tx = self.store.begin(permit).await?;
        let passages = tx.chunks().read(ids, readers).await?;
        tx.commit().await?;
        Ok(passages)
    }

    /// Brings an organisation's index to at least `revision`.
    async fn follow(&self, permit: &Permit, revision: i64) -> Result<()> {
        let organization = permit.organization();
        if self.standing(organization).await? >= Some(revision) {
            return Ok(());
        }
        let turn = self.loading.lock().entry(organization).or_default().clone();
        let followed = {
            let _turn = turn.lock().await;
            self.catch_up(permit, revision).await
        };
        let mut loading = self.loading.lock();
        drop(turn);
        if loading
            .get(&organization)
            .is_some_and(|turn| Arc::strong_count(turn) == 1)
        {
            loading.remove(&organization);
        }
        followed
    }

    async fn catch_up(&self, permit: &Permit, revision: i64) -> Result<()> {
        let organization = permit.organization();
        // Whoever had the turn before may have loaded enough. An engine shared with other processes may move meanwhile.
        for _ in 0..3 {
            let standing = self.standing(organization).await?;
            if standing >= Some(revision) {
                return Ok(());
            }
            let (from, to, changes) = self.changes(permit, standing).await?;
            match self.engine.apply(organization, from, to, changes).await {
                Ok(()) => return Ok(()),
                Err(index::Error::Moved) => {}
                Err(error) => return Err(unavailable(&error)),
            }
        }
        Err(Error::Unavailable("the search index"))
    }

    async fn standing(&self, organization: OrganizationId) -> Result<Option<i64>> {
        self.engine
            .revision(organization)
            .await
            .map_err(|error| unavailable(&error))
    }

    /// The changes after a revision, or everything when nobody remembers them any more; from where, to where, and what.
    async fn changes(&self, permit: &Permit, after: Option<i64>) -> Result<(Option<i64>, i64, Vec<Change>)> {
        let mut tx = self.store.begin(permit).await?;
        let feed = tx.index_feed().changes(after).await?;
        let mut changes: Vec<Change> = feed.gone.into_iter().map(Change::Remove).collect();
        for part in feed.changed.chunks(LOADED_AT_ONCE) {
            let loaded = tx.index_feed().load(part).await?;
            // One that went since the list was read goes now; the feed will say so again.
            let missing = part
                .iter()
                .filter(|id| !loaded.iter().any(|document| document.id == **id));
            changes.extend(missing.map(|id| Change::Remove(*id)));
            changes.extend(loaded.into_iter().map(put));
        }
        tx.commit().await?;
        Ok((feed.from, feed.to, changes))
    }
}

fn put(document: FeedDocument) -> Change {
    Change::Put(IndexedDocument {
        id: document.id,
        knowledge_base: document.knowledge_base,
        audience: document.audience,
        passages: document
            .passages
            .into_iter()
            .map(|passage| IndexedPassage {
                id: passage.id,
                vector: passage.embedding,
                model: passage.model,
                terms: passage.terms,
            })
            .collect(),
    })
}

fn unavailable(error: &index::Error) -> Error {
    tracing::error!(
        error = error as &dyn std::error::Error,
        "the search engine failed"
    );
    Error::Unavailable("the search engine")
}

impl App {
    /// Finds passages that the caller, and everyone else who will read them, may see.
    pub async fn find(&self, access: &Access, search: Search) -> Result<Findings> {
        let permit = access.permit(Resource::Question, Action::Read)?;
        let scope = self.library.scope(&permit, &search.knowledge_bases).await?;
        if let Some(missing) = search
            .knowledge_bases
            .iter()
            .find(|wanted| !scope.knowledge_bases.iter().any(|base| base.id == **wanted))
        {
            return Err(Error::invalid(
                "/knowledge_bases",
                format!("there is no knowledge base {missing} that takes part in answers"),
            ));
        }
        let prepared = self.prepare(&permit, &scope, &search.text, &[]).await?;
        let mut readers = search.readers;
        readers.push(access.reader().clone());
        let hits = self
            .library
            .search(&permit, &scope, &prepared, &readers, search.limit)
            .await?;
        let ids: Vec<ChunkId> = hits.hits.iter().map(|hit| hit.chunk).collect();
        let mut passages: HashMap<ChunkId, Passage> = self
            .library
            .read(&permit, &ids, &readers)
            .await?
            .into_iter()
            .map(|passage| (passage.id, passage))
            .collect();
        Ok(Findings {
            passages: hits
                .hits
                .into_iter()
                .filter_map(|hit| Some((hit, passages.remove(&hit.chunk)?)))
                .collect(),
            documents_in_scope: hits.documents_in_scope,
            passages_in_scope: hits.passages_in_scope,
            by_meaning: !prepared.vectors.is_empty(),
        })
    }
}
