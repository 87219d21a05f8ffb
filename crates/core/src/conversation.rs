//! The life of a conversation.
//!
//! ```text
//!   (a person writes)            assistant or agent answers
//!  ──────────────────▶ new ─────────────────────────────────▶ active ◀──── handed back ──── escalated
//!                                                              │  │ ────── escalated ────────▶  │
//!                                  writes within the window    │  ▼                             ▼
//!                                 completed ◀────────────── completed ◀──────────────────────────
//! ```
//! A person who writes after the re-open window begins a new conversation.

use chrono::{DateTime, TimeDelta, Utc};

use crate::permission::named_enum;

named_enum! {
    /// Where a conversation stands.
    pub enum ConversationStatus {
        /// Somebody wrote; nothing was answered yet.
        New = "new",
        /// The assistant has the conversation.
        Active = "active",
        /// A colleague has it, or is to take it.
        Escalated = "escalated",
        /// Ended.
        Completed = "completed",
    }
}

/// For how long a completed conversation is taken up again when the person writes.
pub const REOPEN_WINDOW: TimeDelta = TimeDelta::hours(24);

impl ConversationStatus {
    /// Whether a conversation may move from this status to `next`.
    pub fn may_become(self, next: Self) -> bool {
        use ConversationStatus as S;
        matches!(
            (self, next),
            (S::New, S::Active | S::Escalated | S::Completed)
                | (S::Active, S::Escalated | S::Completed)
                | (S::Escalated, S::Active | S::Completed)
                | (S::Completed, S::Active)
        )
    }

    /// What the status is after the person wrote at `now`; `None` when that begins another conversation. `completed_at` is when this
    /// one ended.
    pub fn after_writing(self, completed_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<Self> {
        match self {
            Self::Completed => completed_at
                .is_some_and(|ended| now - ended <= REOPEN_WINDOW)
                .then_some(Self::Active),
            other => Some(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nothing_becomes_new_again_and_nothing_becomes_itself(
            from in prop::sample::select(ConversationStatus::ALL), to in prop::sample::select(ConversationStatus::ALL)
        ) {
            if from.may_become(to) {
                prop_assert!(to != ConversationStatus::New && to != from);
            }
        }

        #[test]
        fn writing_takes_up_a_completed_conversation_only_within_the_window(minutes in 0i64..10_000) {
            let ended = DateTime::UNIX_EPOCH;
            let now = ended + TimeDelta::minutes(minutes);
            let next = ConversationStatus::Completed.after_writing(Some(ended), now);
            prop_assert_eq!(next.is_some(), TimeDelta::minutes(minutes) <= REOPEN_WINDOW);
        }
    }

    #[test]
    fn an_escalated_conversation_stays_with_the_colleague_when_the_person_writes() {
        let status = ConversationStatus::Escalated;
        assert_eq!(status.after_writing(None, DateTime::UNIX_EPOCH), Some(status));
    }
}
