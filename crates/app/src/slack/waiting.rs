//! Waiting for Slack to tell what an answer depends on, as long as whoever asked can wait.
//!
//! The job is put off and keeps its lane, so what was said later is answered later. Only when an answer has to be begun is it begun
//! with what is known.

use std::time::Duration;

use amebo_channels::outcome::Outcome;
use amebo_channels::slack::api::CallError;
use amebo_core::id::ChannelConnectionId;
use amebo_store::Permit;
use chrono::{DateTime, TimeDelta, Utc};

use crate::{App, Error, Result};

/// How long before it has to be seen an answer is begun at the latest.
const ANSWERING: TimeDelta = TimeDelta::seconds(20);
/// When Slack is asked again that did not say when.
const AGAIN: Duration = Duration::from_secs(3);

/// How long somebody waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    /// When they must have seen an outcome; those of whom it is not known do not wait.
    pub(super) until: Option<DateTime<Utc>>,
}

impl App {
    /// Puts work off, as [`Error::RateLimited`], while Slack may still tell in time what it did not tell now. `Ok`: to go on without.
    pub(super) async fn wait_for_slack(
        &self,
        permit: &Permit,
        connection: ChannelConnectionId,
        error: &CallError,
        waiting: Waiting,
    ) -> Result<()> {
        self.token_ran_out(permit, connection, &error.outcome).await?;
        let Some(after) = in_time(&error.outcome, waiting.until, self.environment().now()) else {
            return Ok(());
        };
        tracing::debug!(
            error = error as &dyn std::error::Error,
            seconds = after.as_secs(),
            "an answer waits for what Slack tells"
        );
        Err(Error::RateLimited { after })
    }
}

/// When to ask again so that an answer can still be given in time.
fn in_time(outcome: &Outcome, deadline: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<Duration> {
    let wait = match outcome {
        Outcome::RetryAfter(wait) => *wait,
        outcome if outcome.is_repeatable() => AGAIN,
        _ => return None,
    };
    let left = (deadline? - ANSWERING - now).to_std().ok()?;
    (wait <= left).then_some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asking_again_is_worth_it_while_an_answer_can_be_given_in_time() {
        let now = DateTime::UNIX_EPOCH;
        let deadline = Some(now + TimeDelta::seconds(90));
        let told = |seconds| Outcome::RetryAfter(Duration::from_secs(seconds));
        let broken = Outcome::Temporary {
            code: "http_503".to_owned(),
            perhaps_done: true,
        };
        let closed = Outcome::PlaceClosed {
            code: "channel_not_found".to_owned(),
        };
        let later = |seconds| now + TimeDelta::seconds(seconds);
        assert_eq!(in_time(&told(70), deadline, now), Some(Duration::from_secs(70)));
        assert_eq!(in_time(&told(71), deadline, now), None);
        assert_eq!(in_time(&broken, deadline, later(67)), Some(AGAIN));
        assert_eq!(in_time(&broken, deadline, later(68)), None);
        assert_eq!(in_time(&broken, deadline, later(120)), None);
        assert_eq!(in_time(&broken, None, now), None);
        assert_eq!(in_time(&closed, deadline, now), None);
    }
}
