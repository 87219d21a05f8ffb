//! Writes that a client repeats are done once: the first answer is kept for a day and given again.
//!
//! Claim, do, record. All three may share the write's transaction (a repetition then waits for it), or be transactions of their own
//! around work that takes several; a claim whose process died is open again after two minutes.

use amebo_core::id::{ApiKeyId, Id, UserId};
use chrono::TimeDelta;
use serde_json::Value;
use uuid::Uuid;

use crate::error::Result;
use crate::transaction::{Scope, SystemScope};
use crate::{Actor, OrgTx, SystemTx};

/// How long an answer is kept.
const KEPT: TimeDelta = TimeDelta::hours(24);
/// How long a claim without an answer is respected.
const ABANDONED: TimeDelta = TimeDelta::minutes(2);

/// What a key means for the request that carries it.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// It is new: do the work, then record the answer.
    New,
    /// The first request with it is still under way: answer 409, to be tried again.
    UnderWay,
    /// It was used for another request: answer 422.
    Mismatch,
    /// The work is done: give this answer again.
    Done(Value),
}

impl OrgTx {
    /// The idempotency keys of whoever acts.
    pub fn idempotency(&mut self) -> Idempotency<'_> {
        Idempotency(self.scope())
    }
}

/// The idempotency keys of whoever acts in one organisation.
#[derive(Debug)]
pub struct Idempotency<'a>(Scope<'a>);

impl Idempotency<'_> {
    /// Claims a key of 1 to 200 characters for a request, of which `request_hash` is the SHA-256.
    pub async fn claim(&mut self, key: &str, request_hash: &[u8; 32]) -> Result<Claim> {
        let now = self.0.environment.now();
        let claimed = sqlx::query(
            "insert into idempotency_keys as stored (id, organization_id, actor, key, request_hash, created_at, expires_at)
             values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (organization_id, actor, key) do update
             set request_hash = excluded.request_hash, response = null, created_at = excluded.created_at, expires_at = excluded.expires_at
             where stored.expires_at <= $6 or (stored.response is null and stored.created_at <= $8)",
        )
        .bind(self.0.environment.id::<UserId>().uuid())
        .bind(self.0.organization.uuid())
        .bind(actor(self.0.actor))
        .bind(key)
        .bind(request_hash.as_slice())
        .bind(now)
        .bind(now + KEPT)
        .bind(now - ABANDONED)
        .execute(&mut *self.0.connection)
        .await?;
        if claimed.rows_affected() == 1 {
            return Ok(Claim::New);
        }
        let stored: Option<(Vec<u8>, Option<Value>)> = sqlx::query_as(
            "select request_hash, response from idempotency_keys where organization_id = $1 and actor = $2 and key = $3",
        )
        .bind(self.0.organization.uuid())
        .bind(actor(self.0.actor))
        .bind(key)
        .fetch_optional(&mut *self.0.connection)
        .await?;
        Ok(match stored {
            Some((hash, _)) if hash != request_hash => Claim::Mismatch,
            Some((_, Some(response))) => Claim::Done(response),
            // Also when it was released just now.
            Some((_, None)) | None => Claim::UnderWay,
        })
    }

    /// Keeps the answer to a claimed request.
    pub async fn record(&mut self, key: &str, response: &Value) -> Result<()> {
        sqlx::query(
            "update idempotency_keys set response = $4 where organization_id = $1 and actor = $2 and key = $3 and response is null",
        )
        .bind(self.0.organization.uuid())
        .bind(actor(self.0.actor))
        .bind(key)
        .bind(response)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Gives a claimed key back, because nothing was done.
    pub async fn release(&mut self, key: &str) -> Result<()> {
        sqlx::query(
            "delete from idempotency_keys where organization_id = $1 and actor = $2 and key = $3 and response is null",
        )
        .bind(self.0.organization.uuid())
        .bind(actor(self.0.actor))
        .bind(key)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }
}

impl SystemTx {
    /// Deletes the expired keys of all organisations.
    pub(crate) async fn prune_idempotency_keys(&mut self) -> Result<()> {
        let SystemScope {
            connection,
            environment,
            ..
        } = self.scope();
        sqlx::query("delete from idempotency_keys where expires_at <= $1")
            .bind(environment.now())
            .execute(connection)
            .await?;
        Ok(())
    }
}

fn actor(actor: Actor) -> String {
    let id = |id: Uuid| id.to_string();
    match actor {
        Actor::User(user) => format!("user {}", id(UserId::uuid(user))),
        Actor::ApiKey(key) => format!("api_key {}", id(ApiKeyId::uuid(key))),
        Actor::System => "system".to_owned(),
    }
}
