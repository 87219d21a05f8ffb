//! The life of a unit of background work.
//!
//! ```text
//!            push                claim
//!  (nothing) ────▶ queued ──────────────▶ running ──▶ done
//!                    ▲  ▲                  │ │ │
//!                    │  └── retry, snooze ─┘ │ └────▶ cancelled
//!                    └───── lease expired ───┘
//!                                  attempts used up ─▶ dead ──(a person retries)──▶ queued
//! ```

use std::time::Duration;

use crate::permission::named_enum;

named_enum! {
    /// Where a job stands.
    pub enum JobState {
        /// Waiting for its time and for its lane.
        Queued = "queued",
        /// Leased to a worker.
        Running = "running",
        /// Finished.
        Done = "done",
        /// Called off before it finished.
        Cancelled = "cancelled",
        /// Given up, with a reason; a person may retry it.
        Dead = "dead",
    }
}

named_enum! {
    /// Which work goes first. Every interactive job is taken before any bulk job.
    pub enum Priority {
        /// Somebody is waiting for it.
        Interactive = "interactive",
        /// Ordinary background work.
        Normal = "normal",
        /// Ingestion, synchronisation, re-embedding.
        Bulk = "bulk",
    }
}

/// How long to wait before attempt number `attempt + 1`, after `attempt` failures: exponential from 2 s to 15 min, spread by
/// `jitter` (0 to 1) over the upper half of the interval so that failures of one cause do not return together.
pub fn backoff(attempt: u32, jitter: f64) -> Duration {
    let ceiling = Duration::from_mins(15)
        .min(Duration::from_secs(2).saturating_mul(1 << attempt.min(9).saturating_sub(1)));
    ceiling.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn waiting_grows_with_each_failure_and_stays_bounded(attempt in 0u32..1_000, jitter in 0.0f64..1.0) {
            let wait = backoff(attempt, jitter);
            prop_assert!(wait >= Duration::from_secs(1) && wait <= Duration::from_mins(15));
            prop_assert!(backoff(attempt + 1, 1.0) >= wait);
        }
    }
}
