//! How a document lies in its table, and the audience filter as SQL sees it.

use amebo_core::document::{Audience, Reader};
use amebo_core::failure::Failure;
use amebo_core::id::{BlobId, DocumentId, Id, KnowledgeBaseId, SourceId, UserId};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sqlx::types::Json;
use uuid::Uuid;

use super::Document;
use crate::error::{Error, Result, parse};

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    id: Uuid,
    knowledge_base_id: Uuid,
    source_id: Uuid,
    title: String,
    original_name: String,
    mime_type: Option<String>,
    size_bytes: i64,
    content_hash: Vec<u8>,
    source_url: Option<String>,
    blob_id: Option<Uuid>,
    metadata: Json<Map<String, Value>>,
    audience: Json<Audience>,
    version: i32,
    status: String,
    error: Option<String>,
    failure: Option<Json<Value>>,
    pages: i32,
    chunk_count: i32,
    chunks_done: i32,
    started_at: Option<DateTime<Utc>>,
    processed_at: Option<DateTime<Utc>>,
    uploaded_by: Option<Uuid>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select id, knowledge_base_id, source_id, title, original_name, mime_type, size_bytes, content_hash, source_url, blob_id,
             metadata, audience, version, status, error, failure, pages, chunk_count, chunks_done, started_at, processed_at, uploaded_by,
             created_at, updated_at from documents where organization_id = $1 ",
            $rest
        )
    };
}
pub(super) use select;

impl TryFrom<Row> for Document {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: DocumentId::from_uuid(row.id),
            knowledge_base: KnowledgeBaseId::from_uuid(row.knowledge_base_id),
            source: SourceId::from_uuid(row.source_id),
            title: row.title,
            original_name: row.original_name,
            mime_type: row.mime_type,
            size_bytes: row.size_bytes.unsigned_abs(),
            content_hash: row
                .content_hash
                .try_into()
                .map_err(|_| Error::Corrupt("a content hash is not 32 bytes long".to_owned()))?,
            source_url: row.source_url,
            blob: row.blob_id.map(BlobId::from_uuid),
            metadata: row.metadata.0,
            audience: row.audience.0,
            version: row.version,
            status: parse(&row.status)?,
            error: row.error,
            failure: failure(row.failure),
            pages: row.pages.unsigned_abs(),
            chunk_count: row.chunk_count.unsigned_abs(),
            chunks_done: row.chunks_done.unsigned_abs(),
            started_at: row.started_at,
            processed_at: row.processed_at,
            uploaded_by: row.uploaded_by.map(UserId::from_uuid),
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// A reason as it is kept. One that a newer version named has its sentence still.
pub(crate) fn failure(kept: Option<Json<Value>>) -> Option<Failure> {
    kept.and_then(|Json(kept)| serde_json::from_value(kept).ok())
}

/// [`Audience::includes`] in the terms of a query: the kinds that include the reader as such, the role and person that a list may
/// name, and the Slack channels they read.
pub(crate) struct Eyes {
    pub(crate) kinds: &'static [&'static str],
    pub(crate) role: Option<&'static str>,
    pub(crate) user: Option<String>,
    pub(crate) channels: Vec<String>,
}

impl Eyes {
    pub(crate) fn of(reader: &Reader) -> Self {
        const INSIDE: &[&str] = &["organization", "public"];
        const OUTSIDE: &[&str] = &["public"];
        let (kinds, role, user, channels) = match reader {
            Reader::Member { user, role, channels } => (
                INSIDE,
                Some(role.as_str()),
                Some(user.to_string()),
                channels.iter().map(ToString::to_string).collect(),
            ),
            Reader::SlackChannel { channel, insiders } => (
                if *insiders { INSIDE } else { OUTSIDE },
                None,
                None,
                vec![channel.to_string()],
            ),
            Reader::Machine => (INSIDE, None, None, Vec::new()),
            Reader::Outsider => (OUTSIDE, None, None, Vec::new()),
        };
        Self {
            kinds,
            role,
            user,
            channels,
        }
    }
}
