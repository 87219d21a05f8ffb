//! Forgetting what is not to be kept any longer.

use amebo_core::id::ChannelConnectionId;
use amebo_store::Permit;
use amebo_store::slack::SlackChannel;
use chrono::{DateTime, TimeDelta, Utc};

use super::{Stop, chosen};
use crate::mirror::compose::Compose;
use crate::slack::Settings;
use crate::{App, Error};

/// How many messages beyond their time are removed in one transaction.
const REMOVED_AT_ONCE: u32 = 1_000;

impl App {
    /// Removes messages that are not to be kept any longer.
    pub(super) async fn forget_older(
        &self,
        permit: &Permit,
        channel: &SlackChannel,
        oldest: DateTime<Utc>,
    ) -> Result<(), Stop> {
        loop {
            let mut tx = self.store.begin(permit).await?;
            let old = tx.slack().older(channel.id, oldest, REMOVED_AT_ONCE).await?;
            if old.is_empty() {
                return Ok(());
            }
            tx.slack().delete_messages(channel.id, &old).await?;
            tx.jobs().push(Compose::job(channel.id)).await?;
            tx.commit().await?;
        }
    }

    /// Removes what is not to be kept any longer of a connection's channels, whether or not they are still followed; of one that keeps
    /// nothing, everything.
    pub(super) async fn forget_what_is_old(
        &self,
        permit: &Permit,
        connection: ChannelConnectionId,
    ) -> Result<(), Stop> {
        let mut tx = self.store.begin(permit).await?;
        let known = tx
            .channel_connections()
            .by_id(connection)
            .await?
            .ok_or(Stop::Over)?;
        let channels = tx.slack().followed_by(connection).await?;
        tx.commit().await?;
        let settings: Settings =
            serde_json::from_value(known.configuration.clone()).map_err(Error::internal)?;
        let oldest = chosen(&known.configuration)
            .keep_days
            .map(|days| self.environment().now() - TimeDelta::days(i64::from(days)));
        for channel in channels {
            if settings.searches_live {
                let mut tx = self.store.begin(permit).await?;
                tx.slack().delete_channel(channel.id).await?;
                tx.commit().await?;
            } else if let Some(oldest) = oldest {
                self.forget_older(permit, &channel, oldest).await?;
            }
        }
        Ok(())
    }

    /// Whether something of a connection that is not followed any more will have to go one day.
    pub(super) async fn has_to_forget(
        &self,
        permit: &Permit,
        connection: ChannelConnectionId,
    ) -> amebo_store::Result<bool> {
        let mut tx = self.store.begin(permit).await?;
        let known = tx.channel_connections().by_id(connection).await?;
        let keeps_for_a_time = known.is_some_and(|known| chosen(&known.configuration).keep_days.is_some());
        let has = keeps_for_a_time && tx.slack().has_messages_of(connection).await?;
        tx.commit().await?;
        Ok(has)
    }
}
