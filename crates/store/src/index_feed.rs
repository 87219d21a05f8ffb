//! What index caches follow: a revision for each organisation, and which documents changed since one.
//!
//! Whoever changes what is searchable calls [`record`] in the same transaction. It locks the organisation's counter until the
//! commit, so revisions become visible in their order and a follower that has seen revision *n* has missed nothing up to *n*.
//! It belongs at the end of a transaction: others of the organisation wait for it.
//!
//! That a document is gone is remembered for [`GONE_FOR`]. A cache that stood still for longer cannot be told what went, and loads
//! everything.

use std::collections::HashMap;

use amebo_core::document::Audience;
use amebo_core::id::{ChunkId, DocumentId, Id, KnowledgeBaseId};
use chrono::TimeDelta;
use sqlx::types::Json;
use uuid::Uuid;

use crate::error::Result;
use crate::transaction::{Scope, SystemScope};
use crate::{OrgTx, SystemTx};

/// How long it is remembered that a document is gone.
pub const GONE_FOR: TimeDelta = TimeDelta::days(7);

/// Of how many organisations what is remembered too long is removed at a time.
const PRUNED_AT_ONCE: i64 = 1_000;

/// What changed since a revision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The revision these changes start from; `None` when they are everything there is, and what was known before does not count.
    pub from: Option<i64>,
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

/// The organisation's revision, where the changes start, a document, whether it is gone.
type ChangeRow = (i64, Option<i64>, Option<Uuid>, Option<bool>);

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

    /// What changed after revision `after`; everything there is now with `None`, or when it is not remembered any more.
    pub async fn changes(&mut self, after: Option<i64>) -> Result<Changes> {
        // One statement, so that revision and changes are those of one moment.
        let rows: Vec<ChangeRow> = sqlx::query_as(
            "with head as (
                select revision, case when $2::bigint >= pruned_to then $2 end as after from index_revisions where organization_id = $1
             )
             select head.revision, head.after, c.document_id, c.gone
             from head left join index_changes c
                 on c.organization_id = $1 and c.revision > coalesce(head.after, -1) and (head.after is not null or not c.gone)",
        )
        .bind(self.0.organization.uuid())
        .bind(after)
        .fetch_all(&mut *self.0.connection)
        .await?;
        let mut changes = Changes {
            from: after,
            to: after.unwrap_or(0),
            ..Changes::default()
        };
        for (revision, from, document, gone) in rows {
            (changes.from, changes.to) = (from, revision);
            let list = match gone {
                Some(true) => &mut changes.gone,
                _ => &mut changes.changed,
            };
            list.extend(document.map(DocumentId::from_uuid));
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

impl SystemTx {
    /// Forgets which documents of all organisations have been gone for longer than [`GONE_FOR`].
    pub(crate) async fn prune_index_changes(&mut self) -> Result<()> {
        let SystemScope {
            connection,
            environment,
            ..
        } = self.scope();
        let before = environment.now() - GONE_FOR;
        // Whoever records changes locks the revision first, and so does this.
        let organizations: Vec<Uuid> = sqlx::query_scalar(
            "select organization_id from index_revisions
             where organization_id in (select organization_id from index_changes where gone and gone_at < $1)
             limit $2 for update skip locked",
        )
        .bind(before)
        .bind(PRUNED_AT_ONCE)
        .fetch_all(&mut *connection)
        .await?;
        sqlx::query(
            "with forgotten as (
                delete from index_changes where organization_id = any($1) and gone and gone_at < $2
                returning organization_id, revision
             )
             update index_revisions r set pruned_to = greatest(r.pruned_to, f.revision)
             from (select organization_id, max(revision) as revision from forgotten group by organization_id) f
             where r.organization_id = f.organization_id",
        )
        .bind(organizations)
        .bind(before)
        .execute(connection)
        .await?;
        Ok(())
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
        "insert into index_changes (organization_id, document_id, revision, gone, gone_at)
         select $1, document, $3, $4, $5 from unnest($2::uuid[]) as document
         on conflict (organization_id, document_id)
         do update set revision = excluded.revision, gone = excluded.gone, gone_at = excluded.gone_at",
    )
    .bind(scope.organization.uuid())
    .bind(documents)
    .bind(revision)
    .bind(gone)
    .bind(gone.then(|| scope.environment.now()))
    .execute(&mut *scope.connection)
    .await?;
    Ok(())
}
