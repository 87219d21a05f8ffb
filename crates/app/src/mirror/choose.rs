//! What administrators choose for the channels of a connected workspace, and how far each has been read.

use amebo_channels::slack::api::Regime;
use amebo_core::id::{ChannelConnectionId, SlackChannelId};
use amebo_core::permission::{Action, Resource};
use amebo_store::OrgTx;
use amebo_store::audit::NewEntry;
use amebo_store::slack::{Following, SlackChannel};
use chrono::TimeDelta;
use serde_json::json;

use super::compose::audience;
use super::follow::{FollowChannel, FollowWorkspace, SYNCHRONISATION, Synchronisation, chosen};
use crate::{Access, App, Error, Result};

/// Messages a minute that can be read where Slack holds an app to the limits of 2025: one call a minute, of 15.
const RESTRICTED: u64 = 15;
/// Messages a minute otherwise: about 50 calls, of 200.
const ORDINARY: u64 = 10_000;

/// A channel that a connection knows, and how far it has been read.
#[derive(Debug, Clone)]
pub struct FollowedChannel {
    /// The channel.
    pub channel: SlackChannel,
    /// How far it has been read.
    pub following: Following,
    /// How long reading its history will take, where that can be told: when messages are kept for a time only, from how much was said in
    /// the part that has been read and the rate that Slack grants. Slack does not tell how much is in a channel.
    pub remaining: Option<TimeDelta>,
}

impl App {
    /// The channels of a connected workspace, by name.
    pub async fn slack_channels(
        &self,
        access: &Access,
        connection: ChannelConnectionId,
    ) -> Result<Vec<FollowedChannel>> {
        let permit = access.permit(Resource::ChannelConnection, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let known = tx.channel_connections().by_id(connection).await?;
        let known = known.ok_or(Error::NotFound("channel connection"))?;
        let keep_days = chosen(&known.configuration).keep_days;
        let rate = match self
            .slack_api
            .budgets()
            .regime(known.account.as_deref().unwrap_or_default())
        {
            Regime::Restricted => RESTRICTED,
            Regime::Ordinary | Regime::Unknown => ORDINARY,
        };
        let mut channels = Vec::new();
        for channel in tx.slack().followed_by(connection).await? {
            let Some(following) = tx.slack().following(channel.id).await? else {
                continue;
            };
            let remaining = self.remaining(&following, keep_days, rate);
            channels.push(FollowedChannel {
                channel,
                following,
                remaining,
            });
        }
        tx.commit().await?;
        Ok(channels)
    }

    fn remaining(&self, following: &Following, keep_days: Option<u32>, rate: u64) -> Option<TimeDelta> {
        let before = following
            .backfill_before
            .filter(|_| following.backfilled_at.is_none())?;
        let now = self.environment().now();
        let read = (now - before).num_seconds().max(1).unsigned_abs();
        let whole = TimeDelta::days(i64::from(keep_days?))
            .num_seconds()
            .unsigned_abs();
        let left = whole.saturating_sub(read);
        let messages = u128::from(following.backfill_messages) * u128::from(left) / u128::from(read);
        let minutes = i64::try_from(messages / u128::from(rate)).ok()?;
        Some(TimeDelta::minutes(minutes + 1))
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
        let (channel, following) = fetch(&mut tx, id).await?;
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
        Ok(tx.commit().await?)
    }
}

async fn fetch(tx: &mut OrgTx, id: SlackChannelId) -> Result<(SlackChannel, Following)> {
    let channel = tx.slack().channel(id).await?;
    let following = tx.slack().following(id).await?;
    channel.zip(following).ok_or(Error::NotFound("channel"))
}
