//! Amebo's side of Slack against the fake of it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a preparation that fails should fail its test"
)]

mod delivery;
mod inbound;
mod installing;
mod reading;
mod sdk;
mod socket;

use std::sync::Arc;

use amebo_channels::slack::api::Workspace;
use amebo_core::{Environment, ManualClock};
use amebo_testkit::FakeSlack;
use amebo_testkit::slack::Ids;
use chrono::{DateTime, Utc};
use secrecy::SecretString;

/// When the tests begin.
fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_600_000, 0).unwrap()
}

/// A fake whose clock stands until it is moved.
async fn slack() -> (FakeSlack, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::starting_at(start()));
    let environment = Environment::replayable(clock.clone(), 1);
    (FakeSlack::start(environment).await, clock)
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

/// The workspace that is there from the beginning.
fn workspace(slack: &FakeSlack) -> Workspace {
    slack.api().workspace(Ids::TEAM, secret(Ids::TOKEN))
}
