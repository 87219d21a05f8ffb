//! Files in object storage: a local directory, or what a URL names.
//!
//! An object exists for the product only through its row. It is written first, under a key never used before, and then claimed by a
//! row in the transaction that needs it; if that never commits, the sweep removes the object a day later. Deleting removes the row,
//! and a job removes the object after the commit. So a row never points at a missing object, and no reader sees half a file.

mod storage;

use amebo_core::id::{BlobId, Id};
use amebo_core::job::Priority;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::storage::{Error, Settings, Storage, Stored};
use crate::OrgTx;
use crate::error::Result;
use crate::job::{Handler, Lease, NewJob, Outcome, Task};
use crate::transaction::Scope;

/// A stored file.
#[derive(Debug, Clone)]
pub struct Blob {
    /// The file.
    pub id: BlobId,
    /// Where its bytes are.
    pub key: String,
    /// What they are, such as `application/pdf`.
    pub media_type: String,
    /// How many there are.
    pub size_bytes: u64,
    /// Their SHA-256.
    pub sha256: [u8; 32],
    /// When it was stored.
    pub created_at: DateTime<Utc>,
}

impl OrgTx {
    /// The organisation's stored files.
    pub fn blobs(&mut self) -> Blobs<'_> {
        Blobs(self.scope())
    }
}

type BlobRow = (Uuid, String, String, i64, Vec<u8>, DateTime<Utc>);

/// The stored files of one organisation.
#[derive(Debug)]
pub struct Blobs<'a>(pub(crate) Scope<'a>);

impl Blobs<'_> {
    /// Claims an object that was just written, which is what makes it a file of the organisation.
    pub async fn insert(&mut self, stored: &Stored, media_type: &str) -> Result<BlobId> {
        sqlx::query(
            "insert into blobs (id, organization_id, key, media_type, size_bytes, sha256, created_at) values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(stored.id.uuid())
        .bind(self.0.organization.uuid())
        .bind(&stored.key)
        .bind(media_type)
        .bind(i64::try_from(stored.size_bytes).unwrap_or(i64::MAX))
        .bind(stored.sha256.as_slice())
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(stored.id)
    }

    /// One file.
    pub async fn get(&mut self, id: BlobId) -> Result<Option<Blob>> {
        let row: Option<BlobRow> = sqlx::query_as(
            "select id, key, media_type, size_bytes, sha256, created_at from blobs where organization_id = $1 and id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        row.map(|(id, key, media_type, size_bytes, sha256, created_at)| {
            Ok(Blob {
                id: BlobId::from_uuid(id),
                key,
                media_type,
                size_bytes: u64::try_from(size_bytes).unwrap_or_default(),
                sha256: sha256
                    .try_into()
                    .map_err(|_| crate::Error::Corrupt("a blob's digest is not 32 bytes long".to_owned()))?,
                created_at,
            })
        })
        .transpose()
    }

    /// Deletes a file; its object goes when this has committed. False when there is no such file.
    pub async fn delete(&mut self, id: BlobId) -> Result<bool> {
        let key: Option<String> =
            sqlx::query_scalar("delete from blobs where organization_id = $1 and id = $2 returning key")
                .bind(self.0.organization.uuid())
                .bind(id.uuid())
                .fetch_optional(&mut *self.0.connection)
                .await?;
        let Some(key) = key else { return Ok(false) };
        crate::job::Jobs(self.0.again())
            .push(NewJob::of(&RemoveObject { key }))
            .await?;
        Ok(true)
    }

    /// How many bytes the organisation's files take; what its plan's limit is checked against.
    pub async fn total_bytes(&mut self) -> Result<u64> {
        let total: i64 = sqlx::query_scalar(
            "select coalesce(sum(size_bytes), 0)::bigint from blobs where organization_id = $1",
        )
        .bind(self.0.organization.uuid())
        .fetch_one(&mut *self.0.connection)
        .await?;
        Ok(u64::try_from(total).unwrap_or_default())
    }
}

/// Removes an object whose row is gone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RemoveObject {
    key: String,
}

impl Task for RemoveObject {
    const KIND: &'static str = "blob.remove";
    const PRIORITY: Priority = Priority::Bulk;
}

/// Handles [`RemoveObject`].
#[derive(Debug, Clone)]
pub struct Remover(pub Storage);

impl Handler for Remover {
    type Task = RemoveObject;

    async fn run(&self, task: RemoveObject, _: Lease) -> Outcome {
        match self.0.remove(&task.key).await {
            Ok(()) => Outcome::Done,
            Err(error) => Outcome::retry(error),
        }
    }
}
