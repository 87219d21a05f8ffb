//! Entries as stored, and what their hashes cover.
//!
//! The hashed form is fixed for ever: a format byte, then every field in a set order, each preceded by its length (absent fields by
//! a length that no field can have), so that no two entries have the same form.

use amebo_core::id::{Id, OrganizationId};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::Result;

/// Stands before the first entry of every chain.
pub(super) const ORIGIN: [u8; 32] = [0; 32];
const FORMAT: u8 = 1;

/// A row of `audit_log`.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Entry {
    pub(super) id: Uuid,
    pub(super) number: i64,
    pub(super) actor_kind: String,
    pub(super) actor_id: Option<Uuid>,
    pub(super) action: String,
    pub(super) resource_type: String,
    pub(super) resource_id: Option<Uuid>,
    pub(super) details: Option<String>,
    pub(super) ip: Option<String>,
    pub(super) request_id: Option<String>,
    pub(super) salt: Option<Vec<u8>>,
    pub(super) details_digest: Vec<u8>,
    pub(super) previous_hash: Vec<u8>,
    pub(super) hash: Vec<u8>,
    pub(super) created_at: DateTime<Utc>,
}

struct Canonical(Sha256);

impl Canonical {
    fn new() -> Self {
        let mut hash = Sha256::new();
        hash.update([FORMAT]);
        Self(hash)
    }

    fn field(mut self, bytes: &[u8]) -> Self {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
        self
    }

    fn optional(mut self, bytes: Option<&[u8]>) -> Self {
        if let Some(bytes) = bytes {
            return self.field(bytes);
        }
        self.0.update(u64::MAX.to_be_bytes());
        self
    }

    fn finish(self) -> Vec<u8> {
        self.0.finalize().to_vec()
    }
}

impl Entry {
    /// Computes both digests of a new entry.
    pub(super) fn seal(&mut self, organization: OrganizationId) {
        if let Some(digest) = self.computed_digest() {
            self.details_digest = digest;
        }
        self.hash = self.computed_hash(organization);
    }

    /// The digest over what can be erased; `None` when it was erased.
    pub(super) fn computed_digest(&self) -> Option<Vec<u8>> {
        let canonical = Canonical::new()
            .field(self.salt.as_deref()?)
            .optional(self.details.as_ref().map(String::as_bytes))
            .optional(self.ip.as_ref().map(String::as_bytes));
        Some(canonical.finish())
    }

    /// The hash over the whole entry and the one before.
    pub(super) fn computed_hash(&self, organization: OrganizationId) -> Vec<u8> {
        Canonical::new()
            .field(&self.previous_hash)
            .field(organization.uuid().as_bytes())
            .field(&self.number.to_be_bytes())
            .field(self.id.as_bytes())
            .field(&self.created_at.timestamp_micros().to_be_bytes())
            .field(self.actor_kind.as_bytes())
            .optional(self.actor_id.as_ref().map(|id| id.as_bytes().as_slice()))
            .field(self.action.as_bytes())
            .field(self.resource_type.as_bytes())
            .optional(self.resource_id.as_ref().map(|id| id.as_bytes().as_slice()))
            .optional(self.request_id.as_ref().map(String::as_bytes))
            .field(&self.details_digest)
            .finish()
    }

    /// Stores the entry and makes it the head of its chain.
    pub(super) async fn insert(
        &self,
        organization: OrganizationId,
        connection: &mut PgConnection,
    ) -> Result<()> {
        sqlx::query(
            "with entry as (
                 insert into audit_log (id, organization_id, number, actor_kind, actor_id, action, resource_type, resource_id,
                                        details, ip, request_id, salt, details_digest, previous_hash, hash, created_at)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9::json, $10, $11, $12, $13, $14, $15, $16)
             )
             update audit_heads set hash = $15 where organization_id = $2",
        )
        .bind(self.id)
        .bind(organization.uuid())
        .bind(self.number)
        .bind(&self.actor_kind)
        .bind(self.actor_id)
        .bind(&self.action)
        .bind(&self.resource_type)
        .bind(self.resource_id)
        .bind(&self.details)
        .bind(&self.ip)
        .bind(&self.request_id)
        .bind(&self.salt)
        .bind(&self.details_digest)
        .bind(&self.previous_hash)
        .bind(&self.hash)
        .bind(self.created_at)
        .execute(connection)
        .await?;
        Ok(())
    }
}
