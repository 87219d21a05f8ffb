//! Reading a connected workspace: who is there, what was said before, and what events missed.
//!
//! One call at a time, each with its own transaction and no transaction during a call. What was read is stored with how far that was, so
//! a job that stops anywhere goes on there. When Slack asks to wait, the job is put aside for as long and holds nobody up.

mod channel;
mod forget;
mod workspace;

use std::sync::Arc;
use std::time::Duration;

use amebo_channels::outcome::Outcome as Answer;
use amebo_channels::slack::api::{CallError, Patience, Workspace};
use amebo_core::channel::ConnectionStatus;
use amebo_core::id::{ChannelConnectionId, KnowledgeBaseId, SlackChannelId, SourceId};
use amebo_store::Permit;
use serde::{Deserialize, Serialize};

pub use channel::{FollowChannel, FollowChannelHandler};
pub use workspace::{FollowWorkspace, FollowWorkspaceHandler};

use crate::slack::Settings;
use crate::{App, Error};

/// How long a list of people or places may wait for its next page.
const LISTING: Patience = Patience(Duration::from_secs(90));

/// How long a call waits that Slack did not say a time for.
const LATER: Duration = Duration::from_secs(30);

/// What administrators choose for the channels of a connection; kept in its configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Synchronisation {
    /// Where what is said goes; nothing is kept without.
    pub knowledge_base_id: Option<KnowledgeBaseId>,
    /// Whether public channels are followed as they come.
    pub follow_new_public_channels: bool,
    /// For how many days messages are kept; for ever when absent.
    pub keep_days: Option<u32>,
}

/// The name of [`Synchronisation`] in a connection's configuration.
pub const SYNCHRONISATION: &str = "synchronisation";

/// Why a job does not go on now.
pub(super) enum Stop {
    /// There is nothing to follow any more.
    Over,
    /// Slack asks to wait.
    Wait(Duration),
    /// Slack refuses, and what can be done.
    Refused(String),
    /// Something else failed.
    Failed(Error),
}

impl From<amebo_store::Error> for Stop {
    fn from(error: amebo_store::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<CallError> for Stop {
    fn from(error: CallError) -> Self {
        match &error.outcome {
            Answer::RetryAfter(wait) => Self::Wait(*wait),
            outcome if outcome.is_repeatable() => Self::Wait(LATER),
            _ => Self::Refused(error.to_string()),
        }
    }
}

/// A workspace that is followed.
struct Followed {
    api: Workspace,
    choice: Synchronisation,
    source: SourceId,
}

impl App {
    /// What is needed to read a connection's workspace, if administrators chose to.
    async fn followed(
        self: &Arc<Self>,
        permit: &Permit,
        connection: ChannelConnectionId,
    ) -> Result<Followed, Stop> {
        let mut tx = self.store.begin(permit).await?;
        let connection = tx
            .channel_connections()
            .by_id(connection)
            .await?
            .filter(|connection| connection.status == ConnectionStatus::Active)
            .ok_or(Stop::Over)?;
        let settings: Settings =
            serde_json::from_value(connection.configuration.clone()).map_err(Error::internal)?;
        if settings.searches_live {
            return Err(Stop::Over);
        }
        let choice = chosen(&connection.configuration);
        let base = choice.knowledge_base_id.ok_or(Stop::Over)?;
        if tx.knowledge_bases().get(base).await?.is_none() {
            return Err(Stop::Over);
        }
        let url = connection.facts["url"]
            .as_str()
            .map(|url| url.trim_end_matches('/').to_owned());
        let name = connection.account.clone().unwrap_or_default();
        let source = tx.sources().of_workspace(base, &name, url.as_deref()).await?;
        tx.commit().await?;
        let workspace = self.slack_workspace(permit, &connection).await?;
        Ok(Followed {
            api: workspace.api.with_patience(Patience::NONE),
            choice,
            source,
        })
    }

    async fn note_slack_refusal(
        &self,
        permit: &Permit,
        channel: SlackChannelId,
        reason: &str,
    ) -> amebo_store::Result<()> {
        let mut tx = self.store.begin(permit).await?;
        tx.slack().reconciled(channel, Some(reason)).await?;
        tx.commit().await
    }
}

/// What administrators chose, from a connection's configuration.
pub fn chosen(configuration: &serde_json::Value) -> Synchronisation {
    serde_json::from_value(configuration[SYNCHRONISATION].clone()).unwrap_or_default()
}
