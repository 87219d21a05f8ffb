//! A claimed job, as its handler sees it.

use std::time::Duration;

use amebo_core::id::{JobId, OrganizationId};
use amebo_core::job::Priority;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Permit;

/// Proof that this process holds a job for now, and with it the right to work for the job's organisation.
#[derive(Debug, Clone)]
pub struct Lease {
    pub(super) job: JobId,
    pub(super) organization: OrganizationId,
    pub(super) worker: Uuid,
    pub(super) attempts: i32,
    pub(super) max_attempts: i32,
    pub(super) kind: String,
    pub(super) priority: Priority,
    pub(super) lane: Option<String>,
    pub(super) payload: Value,
    pub(super) last_error: Option<String>,
    pub(super) stopped: CancellationToken,
}

impl Lease {
    /// The job.
    pub fn job(&self) -> JobId {
        self.job
    }

    /// Whose job it is.
    pub fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// Opens transactions in the job's organisation.
    pub fn permit(&self) -> Permit {
        Permit::of_system(self.organization)
    }

    /// Its kind.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Which try this is, from 1.
    pub fn attempt(&self) -> u32 {
        u32::try_from(self.attempts).unwrap_or(u32::MAX)
    }

    /// Whether failing now would be final.
    pub fn is_last_attempt(&self) -> bool {
        self.attempts >= self.max_attempts
    }

    /// Resolves when the job was cancelled or the lease was lost: what is done from then on may be done twice, or in vain.
    pub async fn stopped(&self) {
        self.stopped.cancelled().await;
    }

    /// Whether the job was cancelled or the lease was lost.
    pub fn is_stopped(&self) -> bool {
        self.stopped.is_cancelled()
    }

    /// After the waiting that follows `attempts` failures.
    pub(super) fn backoff(&self, jitter: f64) -> Duration {
        amebo_core::job::backoff(self.attempt(), jitter)
    }
}
