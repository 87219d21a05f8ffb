//! What administrators choose for the channels of a connected workspace, and how far each has been read.

use amebo_channels::slack::api::Regime;
use amebo_core::id::{ChannelConnectionId, SlackChannelId};
use amebo_core::permission::{Action, Resource};
use amebo_store::audit::NewEntry;
use amebo_store::slack::{Following, SlackChannel};
use amebo_store::{Metric, OrgTx, Removed};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::compose::audience;
use super::follow::{FollowChannel, FollowWorkspace, SYNCHRONISATION, Synchronisation, chosen};
use crate::{Access, App, Error, Result};

/// Messages a minute that can be read where Slack holds an app to the limits of 2025: one call a minute, of 15.
const RESTRICTED: u64 = 15;
/// Messages a minute otherwise: about 50 calls, of 200.
const ORDINARY: u64 = 10_000;
/// Of how much that was read the rest is reckoned: one part of so many. What was said in the last hours says little about years.
const TOLD_FROM: i64 = 50;
/// How many channels can be chosen at a time.
const CHOSEN_AT_ONCE: usize = 1_000;

/// A channel that a connection knows, and how far it has been read.
#[derive(Debug, Clone)]
pub struct FollowedChannel {
    /// The channel.
    pub channel: SlackChannel,
    /// How far it has been read.
    pub following: Following,
    /// How much has been read of the time in which something can have been said, 0 to 1; `None` before anything was.
    pub progress: Option<f64>,
    /// How long reading its history will take: from how long it took for the part that has been read, and no shorter than Slack allows.
    /// Slack does not tell how much is in a channel, but when it was made. `None` before enough of that time was read to go by.
    pub remaining: Option<TimeDelta>,
}

/// The channels of a connected workspace, and what is still to be done for them.
#[derive(Debug, Clone)]
pub struct FollowedChannels {
    /// The channels, by name.
    pub channels: Vec<FollowedChannel>,
    /// When the workspace's channels were last listed to the end; `None` while the first list is under way.
    pub listed_at: Option<DateTime<Utc>>,
    /// Messages whose document is not written yet.
    pub pending_messages: u64,
    /// Documents that are written and not findable yet.
    pub pending_documents: u64,
}

impl App {
    /// The channels of a connected workspace, by name.
    pub async fn slack_channels(
        &self,
        access: &Access,
        connection: ChannelConnectionId,
    ) -> Result<FollowedChannels> {
        let permit = access.permit(Resource::ChannelConnection, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let known = tx.channel_connections().by_id(connection).await?;
        let known = known.ok_or(Error::NotFound("channel connection"))?;
        let channels = tx.slack().followed_by(connection).await?;
        let mut followings = tx.slack().followings(connection).await?;
        let (pending_messages, pending_documents) = tx.slack().unfinished(connection).await?;
        tx.commit().await?;
        let rate = match self
            .slack_api
            .budgets()
            .regime(known.account.as_deref().unwrap_or_default())
        {
            Regime::Restricted => RESTRICTED,
            Regime::Ordinary | Regime::Unknown => ORDINARY,
        };
        let now = self.environment().now();
        let kept_since = chosen(&known.configuration)
            .keep_days
            .map(|days| now - TimeDelta::days(i64::from(days)));
        let channels = channels
            .into_iter()
            .filter_map(|channel| {
                let following = followings.remove(&channel.id)?;
                let since = kept_since.max(channel.described.began_at);
                Some(FollowedChannel {
                    progress: progress(&following, since, now),
                    remaining: remaining(&following, since, now, rate),
                    channel,
                    following,
                })
            })
            .collect();
        Ok(FollowedChannels {
            channels,
            listed_at: known.listed_at,
            pending_messages,
            pending_documents,
        })
    }

    /// What is kept of a connected workspace, and where.
    pub async fn slack_synchronisation(
        &self,
        access: &Access,
        connection: ChannelConnectionId,
    ) -> Result<Synchronisation> {
        let permit = access.permit(Resource::ChannelConnection, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let known = tx.channel_connections().by_id(connection).await?;
        tx.commit().await?;
        Ok(chosen(
            &known.ok_or(Error::NotFound("channel connection"))?.configuration,
        ))
    }

    /// Chooses what is kept of a connected workspace, and has it gone through.
    pub async fn choose_slack_synchronisation(
        &self,
        access: &Access,
        connection: ChannelConnectionId,
        choice: &Synchronisation,
    ) -> Result<()> {
        let permit = access.permit(Resource::ChannelConnection, Action::Update)?;
        if choice.keep_days == Some(0) {
            return Err(Error::invalid(
                "/keep_days",
                "keep messages for at least one day, or choose no channel",
            ));
        }
        let mut tx = self.store.begin(&permit).await?;
        let known = tx.channel_connections().by_id(connection).await?;
        let known = known.ok_or(Error::NotFound("channel connection"))?;
        if let Some(base) = choice.knowledge_base_id
            && tx.knowledge_bases().get(base).await?.is_none()
        {
            return Err(Error::invalid(
                "/knowledge_base_id",
                "there is no such knowledge base",
            ));
        }
        if known.configuration["searches_live"] == true && choice.knowledge_base_id.is_some() {
            return Err(Error::invalid(
                "/knowledge_base_id",
                "this workspace is searched live and nothing of it is kept; switch that off first",
            ));
        }
        let mut configuration = known.configuration.clone();
        configuration[SYNCHRONISATION] = serde_json::to_value(choice).map_err(Error::internal)?;
        tx.channel_connections()
            .configure(connection, &known.display_name, &configuration)
            .await?;
        tx.jobs().push(FollowWorkspace::now(connection)).await?;
        tx.audit()
            .append(
                NewEntry::new("channel_connection.synchronise", "channel_connection")
                    .of(connection)
                    .details(json!(choice)),
            )
            .await?;
        Ok(tx.commit().await?)
    }

    /// Chooses whether what is said in a channel is kept, and whether every member of the organisation may see it. Private channels are
    /// for their members, whatever is chosen.
    pub async fn choose_slack_channel(
        &self,
        access: &Access,
        id: SlackChannelId,
        is_selected: bool,
        is_open: bool,
    ) -> Result<()> {
        let permit = access.permit(Resource::ChannelConnection, Action::Update)?;
        let mut tx = self.store.begin(&permit).await?;
        choose(&mut tx, id, is_selected, Some(is_open)).await?;
        Ok(tx.commit().await?)
    }

    /// The same for several channels of a connection at once: all of them or none. Who may see them stays where `is_open` is `None`.
    pub async fn choose_slack_channels(
        &self,
        access: &Access,
        connection: ChannelConnectionId,
        ids: &[SlackChannelId],
        is_selected: bool,
        is_open: Option<bool>,
    ) -> Result<()> {
        let permit = access.permit(Resource::ChannelConnection, Action::Update)?;
        if ids.len() > CHOSEN_AT_ONCE {
            return Err(Error::invalid(
                "/channel_ids",
                format!("at most {CHOSEN_AT_ONCE} channels at a time"),
            ));
        }
        let mut tx = self.store.begin(&permit).await?;
        if tx.channel_connections().by_id(connection).await?.is_none() {
            return Err(Error::NotFound("channel connection"));
        }
        for (index, id) in ids.iter().enumerate() {
            let following = tx.slack().following(*id).await?;
            if following.is_none_or(|following| following.connection != Some(connection)) {
                return Err(Error::invalid(
                    format!("/channel_ids/{index}"),
                    "there is no such channel in this workspace",
                ));
            }
            choose(&mut tx, *id, is_selected, is_open).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Ends keeping what is said in a channel, and removes what was: from answers and storage, at once.
    pub async fn forget_slack_channel(&self, access: &Access, id: SlackChannelId) -> Result<()> {
        let permit = access.permit(Resource::ChannelConnection, Action::Delete)?;
        let mut tx = self.store.begin(&permit).await?;
        let (channel, _) = fetch(&mut tx, id).await?;
        let removed = tx.slack().clear_channels(&[id]).await?;
        give_back(&mut tx, &removed).await?;
        tx.audit()
            .append(
                NewEntry::new("slack_channel.forget", "slack_channel")
                    .of(id)
                    .details(json!({ "name": channel.described.name, "documents": removed.documents })),
            )
            .await?;
        Ok(tx.commit().await?)
    }
}

/// Takes what was removed out of storage and out of the plan's usage.
pub(crate) async fn give_back(tx: &mut OrgTx, removed: &Removed) -> Result<()> {
    for blob in &removed.blobs {
        tx.blobs().delete(*blob).await?;
    }
    tx.usage().subtract(Metric::Documents, removed.documents).await?;
    tx.usage().subtract(Metric::StorageBytes, removed.bytes).await?;
    Ok(())
}

async fn choose(tx: &mut OrgTx, id: SlackChannelId, is_selected: bool, is_open: Option<bool>) -> Result<()> {
    let (channel, following) = fetch(tx, id).await?;
    let is_open = is_open.unwrap_or(channel.described.is_open);
    tx.slack().select(id, is_selected, is_open).await?;
    if channel.described.is_open != is_open {
        let channel = tx.slack().channel(id).await?.ok_or(Error::NotFound("channel"))?;
        tx.slack().set_audience(id, &audience(&channel)).await?;
    }
    if let Some(connection) = following.connection.filter(|_| is_selected) {
        tx.jobs().push(FollowChannel::backfill(connection, id)).await?;
        tx.jobs().push(FollowWorkspace::now(connection)).await?;
    }
    tx.audit()
        .append(
            NewEntry::new("slack_channel.choose", "slack_channel")
                .of(id)
                .details(json!({ "selected": is_selected, "open": is_open })),
        )
        .await?;
    Ok(())
}

async fn fetch(tx: &mut OrgTx, id: SlackChannelId) -> Result<(SlackChannel, Following)> {
    let channel = tx.slack().channel(id).await?;
    let following = tx.slack().following(id).await?;
    channel.zip(following).ok_or(Error::NotFound("channel"))
}

/// How many seconds have been read of those in which something can have been said, which began at `since`, and how many those are.
fn extent(following: &Following, since: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<(i64, i64)> {
    let whole = (now - since?).num_seconds().max(1);
    let read = (now - following.backfill_before?).num_seconds();
    Some((read.clamp(1, whole), whole))
}

fn progress(following: &Following, since: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<f64> {
    if following.backfilled_at.is_some() {
        return Some(1.0);
    }
    let (read, whole) = extent(following, since, now)?;
    let seconds = |seconds: i64| TimeDelta::seconds(seconds).as_seconds_f64();
    Some(seconds(read) / seconds(whole))
}

/// `rate` is how many messages Slack lets through in a minute.
fn remaining(
    following: &Following,
    since: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    rate: u64,
) -> Option<TimeDelta> {
    if following.backfilled_at.is_some() {
        return None;
    }
    let (read, whole) = extent(following, since, now)?;
    if read * TOLD_FROM < whole {
        return None;
    }
    let (read, left) = (i128::from(read), i128::from(whole - read));
    let taken = (now - following.backfill_began_at?).num_seconds().max(0);
    let by_time = i128::from(taken) * left / read;
    let by_rate = i128::from(following.backfill_messages) * left / read * 60 / i128::from(rate);
    let seconds = i64::try_from(by_time.max(by_rate)).ok()?;
    TimeDelta::try_seconds(seconds + 1)
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone as _;

    use super::*;

    fn day(day: u32) -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 3, day, 0, 0, 0).unwrap()
    }

    fn read_back_to(before: Option<DateTime<Utc>>, messages: u64) -> Following {
        Following {
            connection: None,
            is_selected: true,
            backfill_before: before,
            backfill_messages: messages,
            backfill_began_at: Some(day(21) - TimeDelta::seconds(60)),
            backfilled_at: None,
            reconciled_at: None,
            error: None,
        }
    }

    #[test]
    fn what_is_left_takes_as_long_as_what_is_read_took_for_its_share_of_the_time() {
        let now = day(21);
        let half = read_back_to(Some(day(11)), 1_000);
        assert_eq!(progress(&half, Some(day(1)), now), Some(0.5));
        assert_eq!(
            remaining(&half, Some(day(1)), now, ORDINARY),
            Some(TimeDelta::seconds(61))
        );
        let quarter = read_back_to(Some(day(16)), 1_000);
        assert_eq!(
            remaining(&quarter, Some(day(1)), now, ORDINARY),
            Some(TimeDelta::seconds(181))
        );
    }

    #[test]
    fn it_never_takes_shorter_than_slack_allows() {
        let half = read_back_to(Some(day(11)), 150);
        assert_eq!(
            remaining(&half, Some(day(1)), day(21), RESTRICTED),
            Some(TimeDelta::seconds(601))
        );
    }

    #[test]
    fn nothing_is_said_of_what_is_not_known_and_nothing_is_left_when_all_is_read() {
        let now = day(21);
        assert_eq!(progress(&read_back_to(None, 0), Some(day(1)), now), None);
        assert_eq!(
            remaining(&read_back_to(Some(day(11)), 1), None, now, ORDINARY),
            None
        );
        let mut all = read_back_to(Some(day(2)), 1);
        all.backfilled_at = Some(now);
        assert_eq!(progress(&all, Some(day(1)), now), Some(1.0));
        assert_eq!(remaining(&all, Some(day(1)), now, ORDINARY), None);
    }
}
