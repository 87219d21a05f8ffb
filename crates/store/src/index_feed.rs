//! What index caches follow: a revision for each organisation, and which documents changed since one.
//!
//! Whoever changes what is searchable calls [`record`] in the same transaction. It locks the organisation's counter until the
//! commit, so revisions become visible in their order and a follower that has seen revision *n* has missed nothing up to *n*.
//! It belongs at the end of a transaction: others of the organisation wait for it.

use std::collections::HashMap;

use amebo_core::document::Audience;
use amebo_core::id::{ChunkId, DocumentId, Id, KnowledgeBaseId};
use sqlx::types::Json;
use uuid::Uuid;

use crate::OrgTx;
use crate::error::Result;
use crate::transaction::Scope;

/// What changed since a revision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The revision these changes lead to.
    pub to: i64,
    /// Documents to be loaded anew.
    pub changed: Vec<DocumentId>,
    /// Documents to be forgotten.
    pub gone: Vec<DocumentId>,
}

/// Everything an index keeps of one document.
#[derive(Debug, Clone)]
pub struct FeedDocument {
    /// The document.
    pub id: DocumentId,
    /// The knowledge base it belongs to.
    pub knowledge_base: KnowledgeBaseId,
    /// Who may find it.
    pub audience: Audience,
    /// Its passages in order.
    pub passages: Vec<FeedPassage>,
}

/// Everything an index keeps of one passage.
#[derive(Debug, Clone)]
pub struct FeedPassage {
    /// The passage.
    pub id: ChunkId,
    /// Its vector as little-endian f16; empty when there is none.
    pub embedding: Vec<u8>,
    /// The model that made the vector; empty when there is none.
    pub model: String,
    /// What lexical search counts.
    pub terms: Vec<u8>,
}

/// Document, passage, vector, model, terms.
type PassageRow = (Uuid, Uuid, Vec<u8>, Option<String>, Vec<u8>);

impl OrgTx {
    /// What index caches follow.
    pub fn index_feed(&mut self) -> IndexFeed<'_> {
        IndexFeed(self.scope())
    }
}

/// The feed of the current organisation.
#[derive(Debug)]
pub struct IndexFeed<'a>(pub(crate) Scope<'a>);

impl IndexFeed<'_> {
    /// The organisation's revision; 0 before anything was searchable.
    pub async fn revision(&mut self) -> Result<i64> {
        let revision: Option<i64> =
            sqlx::query_scalar("select revision from index_revisions where organization_id = $1")
                .bind(self.0.organization.uuid())
                .fetch_optional(&mut *self.0.connection)
                .await?;
        Ok(revision.unwrap_or(0))
    }

    /// What changed after revision `after`; with `None` everything there is now.
    pub async fn changes(&mut self, after: Option<i64>) -> Result<Changes> {
        let rows: Vec<(Uuid, i64, bool)> = sqlx::query_as(
            "select document_id, revision, gone from index_changes where organization_id = $1 and revision > $2",
        )
        .bind(self.0.organization.uuid())
        .bind(after.unwrap_or(-1))
        .fetch_all(&mut *self.0.connection)
        .await?;
        let mut changes = Changes {
            to: after.unwrap_or(0),
            ..Changes::default()
        };
        for (document, revision, gone) in rows {
            changes.to = changes.to.max(revision);
            let list = if gone {
                &mut changes.gone
            } else {
                &mut changes.changed
            };
            list.push(DocumentId::from_uuid(document));
        }
        if after.is_none() {
            changes.gone.clear();
        }
        Ok(changes)
    }

    /// What an index keeps of these documents. One that is gone meanwhile is absent.
    pub async fn load(&mut self, documents: &[DocumentId]) -> Result<Vec<FeedDocument>> {
        let ids: Vec<Uuid> = documents.iter().map(|id| id.uuid()).collect();
        let heads: Vec<(Uuid, Uuid, Json<Audience>)> = sqlx::query_as(
            "select id, knowledge_base_id, audience from documents where organization_id = $1 and id = any($2)",
        )
        .bind(self.0.organization.uuid())
        .bind(&ids)
        .fetch_all(&mut *self.0.connection)
        .await?;
        let passages: Vec<PassageRow> = sqlx::query_as(
            "select document_id, id, embedding, embedding_model, terms from chunks
             where organization_id = $1 and document_id = any($2) order by document_id, chunk_index",
        )
        .bind(self.0.organization.uuid())
        .bind(&ids)
        .fetch_all(&mut *self.0.connection)
        .await?;
        let mut by_document: HashMap<Uuid, Vec<FeedPassage>> = HashMap::with_capacity(heads.len());
        for (document, id, embedding, model, terms) in passages {
            by_document.entry(document).or_default().push(FeedPassage {
                id: ChunkId::from_uuid(id),
                embedding,
                model: model.unwrap_or_default(),
                terms,
            });
        }
        Ok(heads
            .into_iter()
            .map(|(id, knowledge_base, Json(audience))| FeedDocument {
                id: DocumentId::from_uuid(id),
                knowledge_base: KnowledgeBaseId::from_uuid(knowledge_base),
                audience,
                passages: by_document.remove(&id).unwrap_or_default(),
            })
            .collect())
    }
}

/// Records that these documents changed or went, under a new revision.
pub(crate) async fn record(scope: &mut Scope<'_>, documents: &[Uuid], gone: bool) -> Result<()> {
    if documents.is_empty() {
        return Ok(());
    }
    let revision: i64 = sqlx::query_scalar(
        "insert into index_revisions (organization_id, revision) values ($1, 1)
         on conflict (organization_id) do update set revision = index_revisions.revision + 1
         returning revision",
    )
    .bind(scope.organization.uuid())
    .fetch_one(&mut *scope.connection)
    .await?;
    sqlx::query(
        "insert into index_changes (organization_id, document_id, revision, gone)
         select $1, document, $3, $4 from unnest($2::uuid[]) as document
         on conflict (organization_id, document_id) do update set revision = excluded.revision, gone = excluded.gone",
    )
    .bind(scope.organization.uuid())
    .bind(documents)
    .bind(revision)
    .bind(gone)
    .execute(&mut *scope.connection)
    .await?;
    Ok(())
}
