//! Writes that a client repeats under one key are done once.

use amebo_store::Access;
pub use amebo_store::idempotency::Claim;
use serde_json::Value;

use crate::{App, Result};

impl App {
    /// Claims a key for a request, of which `request_hash` is the SHA-256.
    pub async fn claim_request(&self, access: &Access, key: &str, request_hash: &[u8; 32]) -> Result<Claim> {
        let mut tx = self.store.begin(&access.permit_to_repeat()).await?;
        let claim = tx.idempotency().claim(key, request_hash).await?;
        tx.commit().await?;
        Ok(claim)
    }

    /// Keeps the answer to a claimed request.
    pub async fn record_answer(&self, access: &Access, key: &str, answer: &Value) -> Result<()> {
        let mut tx = self.store.begin(&access.permit_to_repeat()).await?;
        tx.idempotency().record(key, answer).await?;
        Ok(tx.commit().await?)
    }

    /// Gives a claimed key back, because nothing was done.
    pub async fn release_request(&self, access: &Access, key: &str) -> Result<()> {
        let mut tx = self.store.begin(&access.permit_to_repeat()).await?;
        tx.idempotency().release(key).await?;
        Ok(tx.commit().await?)
    }
}
