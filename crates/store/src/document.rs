//! Documents: from their upload to being findable, and who may see them.
//!
//! What a person asks for goes through [`Documents::fetch_for`] and [`Documents::list`], which find nothing that the reader is not
//! in the audience of. What a job does names the version it works on, and is thrown away when that is no longer wanted.

mod row;

use amebo_core::document::{Audience, DocumentStatus, Reader};
use amebo_core::failure::Failure;
use amebo_core::id::{BlobId, DocumentId, Id, KnowledgeBaseId, SourceId, UserId};
use amebo_core::page::{Page, PageRequest};
use amebo_core::permission::Action;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sqlx::types::Json;

pub(crate) use self::row::{Eyes, failure};
use self::row::{Row, select};
use uuid::Uuid;

use crate::error::Result;
use crate::index_feed;
use crate::transaction::Scope;
use crate::{Actor, OrgTx};

/// One document.
#[derive(Debug, Clone)]
pub struct Document {
    /// The document.
    pub id: DocumentId,
    /// The knowledge base it belongs to.
    pub knowledge_base: KnowledgeBaseId,
    /// Where it came from.
    pub source: SourceId,
    /// As people see it.
    pub title: String,
    /// The file's name when it was uploaded.
    pub original_name: String,
    /// Decided by content; `None` until the text is extracted.
    pub mime_type: Option<String>,
    /// Of the original.
    pub size_bytes: u64,
    /// SHA-256 of the original.
    pub content_hash: [u8; 32],
    /// Where it was fetched from.
    pub source_url: Option<String>,
    /// The original; `None` for what is written down from synchronised messages.
    pub blob: Option<BlobId>,
    /// What is said of it: author, date, tags.
    pub metadata: Map<String, Value>,
    /// Who may see it.
    pub audience: Audience,
    /// Grows when the bytes are replaced or processed anew.
    pub version: i32,
    /// How far it has come.
    pub status: DocumentStatus,
    /// Why processing failed, in a sentence a person can act on.
    pub error: Option<String>,
    /// The same as a code, where it is known.
    pub failure: Option<Failure>,
    /// Pages, slides or sheets; 0 where there are none.
    pub pages: u32,
    /// Passages.
    pub chunk_count: u32,
    /// How many of them have been embedded.
    pub chunks_done: u32,
    /// When the embedding of the version in work began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it last became findable or failed.
    pub processed_at: Option<DateTime<Utc>>,
    /// Who uploaded it; `None` for programs and people who have left.
    pub uploaded_by: Option<UserId>,
    /// When it was uploaded.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// The bytes of a document, as stored.
#[derive(Debug, Clone)]
pub struct Original {
    /// The file's name.
    pub name: String,
    /// How long it is.
    pub size_bytes: u64,
    /// SHA-256.
    pub content_hash: [u8; 32],
    /// Where it is kept; `None` for what is written down from synchronised messages.
    pub blob: Option<BlobId>,
}

/// A document to be added.
#[derive(Debug, Clone)]
pub struct NewDocument {
    /// The knowledge base it goes to.
    pub knowledge_base: KnowledgeBaseId,
    /// Where it came from.
    pub source: SourceId,
    /// As people see it, 1 to 500 characters.
    pub title: String,
    /// Its bytes.
    pub original: Original,
    /// Where it was fetched from.
    pub source_url: Option<String>,
    /// What is said of it.
    pub metadata: Map<String, Value>,
    /// Who may see it.
    pub audience: Audience,
}

/// Which documents to list; what is absent does not restrict.
#[derive(Debug, Clone, Default)]
pub struct DocumentFilter {
    /// Of this knowledge base.
    pub knowledge_base: Option<KnowledgeBaseId>,
    /// That have come this far.
    pub status: Option<DocumentStatus>,
    /// Whose title or file name contains this, whatever its case.
    pub text: Option<String>,
}

/// What extraction learnt of a document.
#[derive(Debug, Clone)]
pub struct Learnt {
    /// The title to show.
    pub title: String,
    /// The type decided by content.
    pub mime_type: String,
    /// Pages, slides or sheets; 0 where there are none.
    pub pages: u32,
    /// What the document says of itself; what a person said stays.
    pub metadata: Map<String, Value>,
}

impl OrgTx {
    /// Its documents.
    pub fn documents(&mut self) -> Documents<'_> {
        Documents(self.scope())
    }
}

/// The documents of the current organisation.
#[derive(Debug)]
pub struct Documents<'a>(pub(crate) Scope<'a>);

impl Documents<'_> {
    /// Adds a document. A conflict on `documents_content` means its knowledge base already holds the same bytes.
    pub async fn insert(&mut self, new: &NewDocument) -> Result<DocumentId> {
        let id = self.0.environment.id::<DocumentId>();
        let person = match self.0.actor {
            Actor::User(user) => Some(user.uuid()),
            Actor::ApiKey(_) | Actor::System => None,
        };
        sqlx::query(
            "insert into documents (id, organization_id, knowledge_base_id, source_id, title, original_name, size_bytes,
                 content_hash, source_url, blob_id, metadata, audience, status, uploaded_by, created_at, updated_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'uploaded',
                 (select user_id from organization_members where organization_id = $2 and user_id = $13), $14, $14)",
        )
        .bind(id.uuid())
        .bind(self.0.organization.uuid())
        .bind(new.knowledge_base.uuid())
        .bind(new.source.uuid())
        .bind(&new.title)
        .bind(&new.original.name)
        .bind(i64::try_from(new.original.size_bytes).unwrap_or(i64::MAX))
        .bind(&new.original.content_hash[..])
        .bind(&new.source_url)
        .bind(new.original.blob.map(Id::uuid))
        .bind(Json(&new.metadata))
        .bind(Json(&new.audience))
        .bind(person)
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(id)
    }

    /// One document that `reader` may see; for anything but reading it is locked until this transaction ends.
    pub async fn fetch_for(
        &mut self,
        id: DocumentId,
        action: Action,
        reader: &Reader,
    ) -> Result<Option<Document>> {
        let document = match action {
            Action::Read => self.get(id).await?,
            _ => self.lock(id).await?,
        };
        Ok(document.filter(|document| document.audience.includes(reader)))
    }

    /// One document, for work that nobody reads.
    pub async fn get(&mut self, id: DocumentId) -> Result<Option<Document>> {
        let row: Option<Row> = sqlx::query_as(select!("and id = $2"))
            .bind(self.0.organization.uuid())
            .bind(id.uuid())
            .fetch_optional(&mut *self.0.connection)
            .await?;
        row.map(TryInto::try_into).transpose()
    }

    /// One document, which nobody else can change until this transaction ends; for work that nobody reads.
    pub async fn lock(&mut self, id: DocumentId) -> Result<Option<Document>> {
        let row: Option<Row> = sqlx::query_as(select!("and id = $2 for update"))
            .bind(self.0.organization.uuid())
            .bind(id.uuid())
            .fetch_optional(&mut *self.0.connection)
            .await?;
        row.map(TryInto::try_into).transpose()
    }

    /// The document of a knowledge base that consists of the same bytes.
    pub async fn by_content(
        &mut self,
        knowledge_base: KnowledgeBaseId,
        content_hash: &[u8; 32],
    ) -> Result<Option<Document>> {
        let row: Option<Row> = sqlx::query_as(select!("and knowledge_base_id = $2 and content_hash = $3"))
            .bind(self.0.organization.uuid())
            .bind(knowledge_base.uuid())
            .bind(&content_hash[..])
            .fetch_optional(&mut *self.0.connection)
            .await?;
        row.map(TryInto::try_into).transpose()
    }

    /// The document of a knowledge base that was fetched from this address.
    pub async fn by_source_url(
        &mut self,
        knowledge_base: KnowledgeBaseId,
        url: &str,
    ) -> Result<Option<Document>> {
        let row: Option<Row> = sqlx::query_as(select!("and knowledge_base_id = $2 and source_url = $3"))
            .bind(self.0.organization.uuid())
            .bind(knowledge_base.uuid())
            .bind(url)
            .fetch_optional(&mut *self.0.connection)
            .await?;
        row.map(TryInto::try_into).transpose()
    }

    /// A page of the documents that `reader` may see, newest first.
    pub async fn list(
        &mut self,
        page: PageRequest<DocumentId>,
        filter: &DocumentFilter,
        reader: &Reader,
    ) -> Result<Page<Document>> {
        let eyes = Eyes::of(reader);
        let rows: Vec<Row> = sqlx::query_as(select!(
            "and (audience ->> 'kind' = any($2) or audience -> 'roles' ? $3 or audience -> 'users' ? $4 or audience ->> 'channel' = any($5))
             and ($6::uuid is null or id < $6) and ($7::uuid is null or knowledge_base_id = $7) and ($8::text is null or status = $8)
             and ($9::text is null or strpos(lower(title), lower($9)) > 0 or strpos(lower(original_name), lower($9)) > 0)
             order by id desc limit $10"
        ))
        .bind(self.0.organization.uuid())
        .bind(eyes.kinds)
        .bind(eyes.role)
        .bind(eyes.user)
        .bind(eyes.channels)
        .bind(page.after.map(Id::uuid))
        .bind(filter.knowledge_base.map(Id::uuid))
        .bind(filter.status.map(DocumentStatus::as_str))
        .bind(&filter.text)
        .bind(page.rows())
        .fetch_all(&mut *self.0.connection)
        .await?;
        let rows = rows
            .into_iter()
            .map(TryInto::try_into)
            .collect::<Result<Vec<Document>>>()?;
        Ok(Page::from_rows(rows, page.limit, |document| document.id))
    }

    /// The documents that `reader` may see and that changed at or after `since` (or are `unsettled`), in the order of their changes. A
    /// change may come to light a little later than its time says, so whoever follows asks again from a little earlier.
    pub async fn changed_since(
        &mut self,
        since: DateTime<Utc>,
        filter: &DocumentFilter,
        reader: &Reader,
        unsettled: bool,
        limit: u32,
    ) -> Result<Vec<Document>> {
        let eyes = Eyes::of(reader);
        let rows: Vec<Row> = sqlx::query_as(select!(
            "and (audience ->> 'kind' = any($2) or audience -> 'roles' ? $3 or audience -> 'users' ? $4 or audience ->> 'channel' = any($5))
             and (updated_at >= $6 or $8 and status not in ('indexed', 'failed'))
             and ($7::uuid is null or knowledge_base_id = $7) order by updated_at, id limit $9"
        ))
        .bind(self.0.organization.uuid())
        .bind(eyes.kinds)
        .bind(eyes.role)
        .bind(eyes.user)
        .bind(eyes.channels)
        .bind(since)
        .bind(filter.knowledge_base.map(Id::uuid))
        .bind(unsettled)
        .bind(i64::from(limit))
        .fetch_all(&mut *self.0.connection)
        .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// Changes the title and what is said of a document.
    pub async fn describe(
        &mut self,
        id: DocumentId,
        title: &str,
        metadata: &Map<String, Value>,
    ) -> Result<()> {
        sqlx::query(
            "update documents set title = $3, metadata = $4, updated_at = $5 where organization_id = $1 and id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(title)
        .bind(Json(metadata))
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Where documents can be read at their source, for those that can.
    pub async fn source_urls(&mut self, ids: &[DocumentId]) -> Result<Vec<(DocumentId, String)>> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        let rows: Vec<(Uuid, String)> = sqlx::query_as(
            "select id, source_url from documents where organization_id = $1 and id = any ($2) and source_url is not null",
        )
        .bind(self.0.organization.uuid())
        .bind(ids)
        .fetch_all(&mut *self.0.connection)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(id, url)| (DocumentId::from_uuid(id), url))
            .collect())
    }

    /// Changes who may see a document; searches heed it from the commit on.
    pub async fn set_audience(&mut self, id: DocumentId, audience: &Audience) -> Result<()> {
        sqlx::query(
            "update documents set audience = $3, updated_at = $4 where organization_id = $1 and id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(Json(audience))
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        index_feed::record(&mut self.0, &[id.uuid()], false).await
    }

    /// Puts other bytes in a document's place, or processes the same anew with `None`; what is findable stays so until the new
    /// version is. Returns the new version. A conflict on `documents_content` means another document consists of these bytes.
    pub async fn renew(&mut self, id: DocumentId, original: Option<&Original>) -> Result<i32> {
        let version = sqlx::query_scalar(
            "update documents set version = version + 1, status = 'processing', error = null, failure = null, chunks_done = 0, started_at = null,
                 original_name = coalesce($3, original_name), size_bytes = coalesce($4, size_bytes),
                 content_hash = coalesce($5, content_hash), blob_id = coalesce($6, blob_id), updated_at = $7
             where organization_id = $1 and id = $2 returning version",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(original.map(|original| original.name.as_str()))
        .bind(original.map(|original| i64::try_from(original.size_bytes).unwrap_or(i64::MAX)))
        .bind(original.map(|original| &original.content_hash[..]))
        .bind(original.and_then(|original| original.blob.map(Id::uuid)))
        .bind(self.0.environment.now())
        .fetch_one(&mut *self.0.connection)
        .await?;
        Ok(version)
    }

    /// Removes a document with its text and passages from everything that is searched; `false` when it is not there.
    pub async fn delete(&mut self, id: DocumentId) -> Result<bool> {
        let deleted = sqlx::query("delete from documents where organization_id = $1 and id = $2")
            .bind(self.0.organization.uuid())
            .bind(id.uuid())
            .execute(&mut *self.0.connection)
            .await?;
        if deleted.rows_affected() == 0 {
            return Ok(false);
        }
        index_feed::record(&mut self.0, &[id.uuid()], true).await?;
        Ok(true)
    }

    /// Moves a version in work on; `false` when it is no longer wanted or may not move there.
    pub async fn advance(&mut self, id: DocumentId, version: i32, status: DocumentStatus) -> Result<bool> {
        let from: Vec<&str> = DocumentStatus::ALL
            .iter()
            .filter(|from| from.may_become(status))
            .map(|from| from.as_str())
            .collect();
        let moved = sqlx::query(
            "update documents set status = $4, error = null, failure = null, updated_at = $5
             where organization_id = $1 and id = $2 and version = $3 and status = any($6)",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(version)
        .bind(status.as_str())
        .bind(self.0.environment.now())
        .bind(from)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(moved.rows_affected() == 1)
    }

    /// Keeps what extraction learnt of a version in work; `false` when it is no longer wanted.
    pub async fn learn(&mut self, id: DocumentId, version: i32, learnt: &Learnt) -> Result<bool> {
        let kept = sqlx::query(
            "update documents set mime_type = $4, pages = $5, metadata = $6 || metadata, updated_at = $7, title = $8
             where organization_id = $1 and id = $2 and version = $3",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(version)
        .bind(&learnt.mime_type)
        .bind(i32::try_from(learnt.pages).unwrap_or(i32::MAX))
        .bind(Json(&learnt.metadata))
        .bind(self.0.environment.now())
        .bind(&learnt.title)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(kept.rows_affected() == 1)
    }

    /// Records how many of a version's passages are embedded; `false` when it is no longer wanted.
    pub async fn progress(&mut self, id: DocumentId, version: i32, done: u32, of: u32) -> Result<bool> {
        let noted = sqlx::query(
            "update documents set chunks_done = $4, chunk_count = $5, started_at = coalesce(started_at, $6), updated_at = $6
             where organization_id = $1 and id = $2 and version = $3",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(version)
        .bind(i32::try_from(done).unwrap_or(i32::MAX))
        .bind(i32::try_from(of).unwrap_or(i32::MAX))
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(noted.rows_affected() == 1)
    }

    /// Sets a version aside with a reason a person can act on; `false` when it is no longer wanted or already settled.
    pub async fn fail(
        &mut self,
        id: DocumentId,
        version: i32,
        reason: &str,
        failure: &Failure,
    ) -> Result<bool> {
        let failed = sqlx::query(
            "update documents set status = 'failed', error = $4, failure = $6, processed_at = $5, updated_at = $5,
                 chunk_count = (select count(*) from chunks where organization_id = $1 and document_id = $2), chunks_done = 0
             where organization_id = $1 and id = $2 and version = $3 and status not in ('indexed', 'failed')",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(version)
        .bind(reason)
        .bind(self.0.environment.now())
        .bind(Json(failure))
        .execute(&mut *self.0.connection)
        .await?;
        Ok(failed.rows_affected() == 1)
    }

    /// How much is waiting or in work, and how fast passages became findable lately.
    pub async fn backlog(&mut self) -> Result<Backlog> {
        let now = self.0.environment.now();
        let (documents, bytes, chunks): (i64, i64, i64) = sqlx::query_as(
            "select count(*), coalesce(sum(size_bytes), 0)::bigint, coalesce(sum(chunk_count - chunks_done), 0)::bigint
             from documents where organization_id = $1 and status not in ('indexed', 'failed')",
        )
        .bind(self.0.organization.uuid())
        .fetch_one(&mut *self.0.connection)
        .await?;
        let (recent, since): (i64, Option<DateTime<Utc>>) = sqlx::query_as(
            "select coalesce(sum(size_bytes), 0)::bigint, min(coalesce(started_at, created_at)) from documents
             where organization_id = $1 and updated_at >= $2 and status = 'indexed' and processed_at >= $2",
        )
        .bind(self.0.organization.uuid())
        .bind(now - chrono::TimeDelta::seconds(60))
        .fetch_one(&mut *self.0.connection)
        .await?;
        Ok(Backlog {
            documents: documents.unsigned_abs(),
            bytes: bytes.unsigned_abs(),
            chunks: chunks.unsigned_abs(),
            recent_bytes: recent.unsigned_abs(),
            recent_since: since,
        })
    }
}

/// What is waiting or in work in an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// Documents.
    pub documents: u64,
    /// Bytes of their originals.
    pub bytes: u64,
    /// Their passages not yet embedded, as far as they have been counted.
    pub chunks: u64,
    /// Bytes of the documents that became findable in the last minute.
    pub recent_bytes: u64,
    /// When work on the first of those began.
    pub recent_since: Option<DateTime<Utc>>,
}
