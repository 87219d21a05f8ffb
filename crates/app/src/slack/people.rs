//! Getting to know the people of large channels, in the background.
//!
//! An answer in a channel is for everybody who reads it, and whoever is not known counts as somebody from outside. For more people than
//! can be asked about while somebody waits, this asks Slack at the pace that it grants; until it is done, answers there hold what is
//! public. Whoever is known is not asked about again, so a job that stops anywhere goes on there.

use std::sync::Arc;
use std::time::Duration;

use amebo_channels::outcome::Outcome as Answer;
use amebo_channels::slack::api::{CallError, Patience};
use amebo_core::channel::ConnectionStatus;
use amebo_core::id::ChannelConnectionId;
use amebo_core::job::Priority;
use amebo_store::job::{Handler, Lease, NewJob, Outcome, Task};
use serde::{Deserialize, Serialize};

use crate::{App, Error};

/// How long a call waits that Slack did not say a time for.
const LATER: Duration = Duration::from_secs(30);

/// Get to know everybody in a place.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KnowPeople {
    /// The connection.
    pub connection: ChannelConnectionId,
    /// The platform's id of the place.
    pub place: String,
}

impl Task for KnowPeople {
    const KIND: &'static str = "slack.know_people";
    const PRIORITY: Priority = Priority::Bulk;
    const MAX_ATTEMPTS: u16 = 20;
}

impl KnowPeople {
    /// The job; there is one of a place.
    pub fn job(connection: ChannelConnectionId, place: &str) -> NewJob {
        let place = place.to_owned();
        let key = format!("{connection}:{place}");
        NewJob::of(&Self { connection, place }).unique(key)
    }
}

/// Handles [`KnowPeople`].
#[derive(Debug, Clone)]
pub struct KnowPeopleHandler(pub Arc<App>);

/// Why it is not known who people are.
pub(super) enum Stop {
    /// Slack did not tell.
    Slack(CallError),
    /// Something of Amebo's own failed.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Handler for KnowPeopleHandler {
    type Task = KnowPeople;

    async fn run(&self, task: KnowPeople, lease: Lease) -> Outcome {
        let ended = tokio::select! {
            () = lease.stopped() => return Outcome::Cancelled,
            ended = self.0.know_people(&lease, &task) => ended,
        };
        match ended {
            Ok(()) => Outcome::Done,
            Err(Stop::Slack(error)) => match error.outcome {
                Answer::RetryAfter(wait) => Outcome::Snooze(wait),
                outcome if outcome.is_repeatable() => Outcome::Snooze(LATER),
                // Nobody is told who they are; they stay from outside.
                _ => Outcome::Done,
            },
            Err(Stop::Failed(error)) => Outcome::retry(error),
        }
    }
}

impl App {
    async fn know_people(self: &Arc<Self>, lease: &Lease, task: &KnowPeople) -> Result<(), Stop> {
        let permit = lease.permit();
        let mut tx = self.store.begin(&permit).await?;
        let connection = tx.channel_connections().by_id(task.connection).await?;
        tx.commit().await?;
        let Some(connection) = connection.filter(|known| known.status == ConnectionStatus::Active) else {
            return Ok(());
        };
        let workspace = self.slack_workspace(&permit, &connection).await?;
        let api = workspace.api.clone().with_patience(Patience::NONE);
        let mut cursor = None;
        loop {
            let page = api
                .members(&task.place, cursor.as_deref())
                .await
                .map_err(Stop::Slack)?;
            let mut tx = self.store.begin(&permit).await?;
            let known = tx.channel_identities(task.connection).of(&page.items).await?;
            tx.commit().await?;
            for person in &page.items {
                let mut known = known.iter();
                if known.any(|identity| identity.external_id == *person && identity.is_told()) {
                    continue;
                }
                let told = match api.person(person).await {
                    Ok(told) => Some(told),
                    Err(error) if error.outcome.is_repeatable() => return Err(Stop::Slack(error)),
                    Err(_) => None,
                };
                self.keep_slack_identity(&workspace, &permit, person, (told.as_ref(), false), true)
                    .await?;
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        self.slack_places.forget(task.connection, &task.place);
        Ok(())
    }
}
