//! Reading a connected workspace: who is there, what was said before, and what events missed.
//!
//! One call at a time, each with its own transaction and no transaction during a call. What was read is stored with how far that was, so
//! a job that stops anywhere goes on there. When Slack asks to wait, the job is put aside for as long and holds nobody up.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use amebo_channels::outcome::Outcome as Answer;
use amebo_channels::slack::api::{CallError, HistoryQuery, Patience, PlaceFilter, Workspace};
use amebo_channels::slack::transcript::Timestamp;
use amebo_core::channel::ConnectionStatus;
use amebo_core::id::{ChannelConnectionId, KnowledgeBaseId, SlackChannelId, SourceId};
use amebo_core::job::Priority;
use amebo_store::Permit;
use amebo_store::job::{Handler, Lease, NewJob, Outcome, Task};
use amebo_store::slack::{Following, SlackChannel, SlackMessage};
use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::compose::Compose;
use super::said::{of_history, of_person, of_place, time};
use crate::slack::Settings;
use crate::{App, Error};

/// How long a list of people or places may wait for its next page.
const LISTING: Patience = Patience(Duration::from_secs(90));
/// How long a call waits that Slack did not say a time for.
const LATER: Duration = Duration::from_secs(30);
/// How far back a channel is compared with what Slack has.
const COMPARED: TimeDelta = TimeDelta::days(7);
/// When a workspace is gone through again.
const NIGHTLY: TimeDelta = TimeDelta::hours(24);
/// How many messages beyond their time are removed in one transaction.
const REMOVED_AT_ONCE: u32 = 1_000;

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

/// Bring people, channels and memberships of a workspace in step, and see that each channel is read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FollowWorkspace {
    /// The connection.
    pub connection: ChannelConnectionId,
    /// Whether it is the daily round rather than an occasion between.
    #[serde(default)]
    pub daily: bool,
}

impl Task for FollowWorkspace {
    const KIND: &'static str = "slack.follow_workspace";
    const PRIORITY: Priority = Priority::Bulk;
}

impl FollowWorkspace {
    /// As soon as possible.
    pub fn now(connection: ChannelConnectionId) -> NewJob {
        Self::of(connection, false)
    }

    /// The daily round.
    fn daily(connection: ChannelConnectionId) -> NewJob {
        Self::of(connection, true)
    }

    fn of(connection: ChannelConnectionId, daily: bool) -> NewJob {
        NewJob::of(&Self { connection, daily }).unique(format!("{connection}:{daily}"))
    }
}

/// Read what was said in a channel.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FollowChannel {
    /// The connection.
    pub connection: ChannelConnectionId,
    /// The channel.
    pub channel: SlackChannelId,
    /// Whether the last days are compared with what Slack has, once its history has been read.
    pub reconcile: bool,
}

impl Task for FollowChannel {
    const KIND: &'static str = "slack.follow_channel";
    const PRIORITY: Priority = Priority::Bulk;
    const MAX_ATTEMPTS: u16 = 20;
}

impl FollowChannel {
    /// Reads the history of a channel as far as it has not been read.
    pub fn backfill(connection: ChannelConnectionId, channel: SlackChannelId) -> NewJob {
        Self::of(connection, channel, false)
    }

    /// Compares the last days of a channel with what Slack has.
    pub fn reconcile(connection: ChannelConnectionId, channel: SlackChannelId) -> NewJob {
        Self::of(connection, channel, true)
    }

    fn of(connection: ChannelConnectionId, channel: SlackChannelId, reconcile: bool) -> NewJob {
        NewJob::of(&Self {
            connection,
            channel,
            reconcile,
        })
        .unique(format!("{channel}:{reconcile}"))
    }
}

/// Handles [`FollowWorkspace`].
#[derive(Debug, Clone)]
pub struct FollowWorkspaceHandler(pub Arc<App>);

/// Handles [`FollowChannel`].
#[derive(Debug, Clone)]
pub struct FollowChannelHandler(pub Arc<App>);

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

impl Handler for FollowWorkspaceHandler {
    type Task = FollowWorkspace;

    async fn run(&self, task: FollowWorkspace, lease: Lease) -> Outcome {
        let ended = tokio::select! {
            () = lease.stopped() => return Outcome::Cancelled,
            ended = self.0.follow_workspace(&lease, task.connection) => ended,
        };
        match ended {
            Ok(()) => Outcome::Done,
            Err(Stop::Over) => self.come_back(&lease, task.connection, None).await,
            Err(Stop::Wait(wait)) => Outcome::Snooze(wait),
            Err(Stop::Refused(reason)) => self.come_back(&lease, task.connection, Some(&reason)).await,
            Err(Stop::Failed(error)) => Outcome::retry(error),
        }
    }
}

impl FollowWorkspaceHandler {
    /// Ends a round that could not be gone; there is another tomorrow if Slack refused this one, for this reason, or if something is to be
    /// forgotten one day.
    async fn come_back(
        &self,
        lease: &Lease,
        connection: ChannelConnectionId,
        refusal: Option<&str>,
    ) -> Outcome {
        let app = &self.0;
        let permit = lease.permit();
        let ended = async {
            if refusal.is_none() && !app.has_to_forget(&permit, connection).await? {
                return Ok(());
            }
            let mut tx = app.store.begin(&permit).await?;
            if let Some(reason) = refusal {
                tx.channel_connections().note_error(connection, reason).await?;
            }
            if tx.jobs().complete(lease).await? {
                let next = FollowWorkspace::daily(connection).at(app.environment().now() + NIGHTLY);
                tx.jobs().push(next).await?;
                tx.commit().await?;
            }
            Ok::<_, amebo_store::Error>(())
        };
        match ended.await {
            Ok(()) => Outcome::Done,
            Err(error) => Outcome::retry(error),
        }
    }
}

impl Handler for FollowChannelHandler {
    type Task = FollowChannel;

    async fn run(&self, task: FollowChannel, lease: Lease) -> Outcome {
        let ended = tokio::select! {
            () = lease.stopped() => return Outcome::Cancelled,
            ended = self.0.follow_channel(&lease, &task) => ended,
        };
        match ended {
            Ok(()) | Err(Stop::Over) => Outcome::Done,
            Err(Stop::Wait(wait)) => Outcome::Snooze(wait),
            Err(Stop::Refused(reason)) => match self
                .0
                .note_slack_refusal(&lease.permit(), task.channel, &reason)
                .await
            {
                Ok(()) => Outcome::Done,
                Err(error) => Outcome::retry(error),
            },
            Err(Stop::Failed(error)) => Outcome::retry(error),
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
    async fn follow_workspace(
        self: &Arc<Self>,
        lease: &Lease,
        connection: ChannelConnectionId,
    ) -> Result<(), Stop> {
        let permit = lease.permit();
        self.forget_what_is_old(&permit, connection).await?;
        let followed = self.followed(&permit, connection).await?;
        let api = followed.api.clone().with_patience(LISTING);
        let mut cursor = None;
        loop {
            let page = api.people(cursor.as_deref()).await?;
            let users: Vec<_> = page.items.iter().filter_map(of_person).collect();
            let mut tx = self.store.begin(&permit).await?;
            tx.slack().put_users(followed.source, &users).await?;
            tx.commit().await?;
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let everything = PlaceFilter {
            private: true,
            archived: true,
            joined: false,
        };
        loop {
            let page = api.conversations(everything, cursor.as_deref()).await?;
            // What Amebo is not in and cannot come into by itself is not shown.
            let places: Vec<_> = page.items.iter().filter_map(of_place).collect();
            let mut tx = self.store.begin(&permit).await?;
            let ids = tx.slack().put_channels(followed.source, &places).await?;
            let chosen: Vec<_> = places
                .iter()
                .filter_map(|place| {
                    let is_new_public = followed.choice.follow_new_public_channels
                        && place.kind == amebo_core::slack::SlackChannelKind::Public
                        && !place.is_archived
                        && !place.is_shared;
                    Some((*ids.get(&place.external)?, is_new_public))
                })
                .collect();
            tx.slack().follow(connection, followed.source, &chosen).await?;
            tx.commit().await?;
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let mut tx = self.store.begin(&permit).await?;
        tx.channel_connections().listed(connection).await?;
        tx.commit().await?;
        self.follow_channels(lease, connection, &api).await
    }

    /// Brings the members of the chosen channels in step, and has each read.
    async fn follow_channels(
        &self,
        lease: &Lease,
        connection: ChannelConnectionId,
        api: &Workspace,
    ) -> Result<(), Stop> {
        let permit = lease.permit();
        let mut tx = self.store.begin(&permit).await?;
        let channels = tx.slack().followed_by(connection).await?;
        tx.commit().await?;
        for channel in channels {
            let mut tx = self.store.begin(&permit).await?;
            let following = tx.slack().following(channel.id).await?;
            tx.commit().await?;
            let Some(following) = following.filter(|following| following.is_selected) else {
                continue;
            };
            let members = match members(api, &channel.described.external).await {
                Err(Stop::Refused(reason)) => {
                    self.note_slack_refusal(&permit, channel.id, &reason).await?;
                    continue;
                }
                members => members?,
            };
            let mut tx = self.store.begin(&permit).await?;
            tx.slack().set_members(channel.id, &members).await?;
            let job = if following.backfilled_at.is_some() {
                FollowChannel::reconcile(connection, channel.id)
            } else {
                FollowChannel::backfill(connection, channel.id)
            };
            tx.jobs().push(job).await?;
            tx.commit().await?;
        }
        let mut tx = self.store.begin(&permit).await?;
        if tx.jobs().complete(lease).await? {
            let next = FollowWorkspace::daily(connection).at(self.environment().now() + NIGHTLY);
            tx.jobs().push(next).await?;
            tx.commit().await?;
        }
        Ok(())
    }

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

    async fn follow_channel(self: &Arc<Self>, lease: &Lease, task: &FollowChannel) -> Result<(), Stop> {
        let permit = lease.permit();
        let followed = self.followed(&permit, task.connection).await?;
        let oldest = followed
            .choice
            .keep_days
            .map(|days| self.environment().now() - TimeDelta::days(i64::from(days)));
        let mut tx = self.store.begin(&permit).await?;
        let channel = tx.slack().channel(task.channel).await?.ok_or(Stop::Over)?;
        tx.commit().await?;
        if let Some(oldest) = oldest {
            self.forget_older(&permit, &channel, oldest).await?;
        }
        loop {
            let mut tx = self.store.begin(&permit).await?;
            let following = tx
                .slack()
                .following(channel.id)
                .await?
                .filter(|following| following.is_selected && following.connection == Some(task.connection))
                .ok_or(Stop::Over)?;
            let thread = tx.slack().open_thread(channel.id).await?;
            tx.commit().await?;
            if let Some((thread, last)) = thread {
                self.read_thread(&permit, &followed.api, &channel, thread, last)
                    .await?;
            } else if following.backfilled_at.is_none() {
                self.read_back(&permit, &followed.api, &channel, &following, oldest)
                    .await?;
            } else {
                break;
            }
        }
        if task.reconcile {
            let patient = followed.api.clone().with_patience(LISTING);
            self.compare(&permit, &patient, &channel, oldest).await?;
        }
        Ok(())
    }

    /// Reads the next older page of a channel's history.
    async fn read_back(
        &self,
        permit: &Permit,
        api: &Workspace,
        channel: &SlackChannel,
        following: &Following,
        oldest: Option<DateTime<Utc>>,
    ) -> Result<(), Stop> {
        if following.backfill_began_at.is_none() {
            let mut tx = self.store.begin(permit).await?;
            tx.slack().begin_backfill(channel.id).await?;
            tx.commit().await?;
        }
        let query = HistoryQuery {
            oldest: oldest.map(id),
            latest: following.backfill_before.map(id),
            ..HistoryQuery::default()
        };
        let page = match api.history(&channel.described.external, &query).await {
            // An open channel can be read once Amebo has come in.
            Err(error) if error.code() == Some("not_in_channel") => {
                api.join(&channel.described.external).await?;
                return Ok(());
            }
            page => page?,
        };
        let reached = page.items.iter().filter_map(|item| time(&item.message.id)).min();
        let messages: Vec<SlackMessage> = page.items.iter().filter_map(of_history).collect();
        let threads: Vec<DateTime<Utc>> = page
            .items
            .iter()
            .filter(|item| item.replies > 0)
            .filter_map(|item| time(&item.message.id))
            .collect();
        let is_all = page.next.is_none() || reached.is_none();
        self.prepare_months_of(&messages).await?;
        let mut tx = self.store.begin(permit).await?;
        still_wanted(&mut tx, channel.id).await?;
        tx.slack().put_messages(channel.id, &distinct(messages)).await?;
        tx.slack().open_threads(channel.id, &threads).await?;
        let read = page.items.len() as u64;
        tx.slack().backfilled(channel.id, reached, read, is_all).await?;
        if is_all {
            // Older messages come last, and conversations begin with the oldest.
            tx.jobs().push(Compose::job(channel.id)).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Reads the replies of a thread that are not known yet, one page.
    async fn read_thread(
        &self,
        permit: &Permit,
        api: &Workspace,
        channel: &SlackChannel,
        thread: DateTime<Utc>,
        last: Option<DateTime<Utc>>,
    ) -> Result<(), Stop> {
        let query = HistoryQuery {
            oldest: last.map(id),
            ..HistoryQuery::default()
        };
        let page = api
            .replies(&channel.described.external, &id(thread), &query)
            .await?;
        let mut messages: Vec<SlackMessage> = page.items.iter().filter_map(of_history).collect();
        for message in &mut messages {
            message.thread = Some(thread);
        }
        let newest = messages.iter().map(|message| message.ts).max();
        let is_all = page.next.is_none() || newest.is_none() || newest <= last;
        self.prepare_months_of(&messages).await?;
        let mut tx = self.store.begin(permit).await?;
        still_wanted(&mut tx, channel.id).await?;
        tx.slack().put_messages(channel.id, &distinct(messages)).await?;
        if is_all {
            tx.slack().close_thread(channel.id, thread).await?;
            tx.jobs().push(Compose::job(channel.id)).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Compares the last days of a channel with what Slack has: adds and changes what events missed, removes what is gone.
    async fn compare(
        &self,
        permit: &Permit,
        api: &Workspace,
        channel: &SlackChannel,
        oldest: Option<DateTime<Utc>>,
    ) -> Result<(), Stop> {
        let mut tx = self.store.begin(permit).await?;
        let since = tx
            .slack()
            .following(channel.id)
            .await?
            .and_then(|following| following.reconciled_at);
        tx.commit().await?;
        let until = self.environment().now();
        // What an outage longer than the usual days left out is read as well.
        let from = since.map_or(until - COMPARED, |since| since.min(until - COMPARED));
        let from = oldest.map_or(from, |oldest| from.max(oldest));
        let mut query = HistoryQuery {
            oldest: Some(id(from)),
            latest: Some(id(until)),
            inclusive: true,
            ..HistoryQuery::default()
        };
        let mut there = BTreeSet::new();
        let mut threads = Vec::new();
        loop {
            let page = api.history(&channel.described.external, &query).await?;
            let messages: Vec<SlackMessage> = page.items.iter().filter_map(of_history).collect();
            there.extend(messages.iter().map(|message| message.ts));
            threads.extend(
                page.items
                    .iter()
                    .filter(|item| item.replies > 0)
                    .filter_map(|item| time(&item.message.id)),
            );
            self.prepare_months_of(&messages).await?;
            let mut tx = self.store.begin(permit).await?;
            still_wanted(&mut tx, channel.id).await?;
            tx.slack().put_messages(channel.id, &distinct(messages)).await?;
            tx.commit().await?;
            if page.next.is_none() || page.next == query.cursor {
                break;
            }
            query.cursor = page.next;
        }
        let mut tx = self.store.begin(permit).await?;
        let known = tx.slack().history(channel.id, from, until).await?;
        let gone: Vec<_> = known.into_iter().filter(|ts| !there.contains(ts)).collect();
        tx.slack().delete_messages(channel.id, &gone).await?;
        tx.slack().open_threads(channel.id, &threads).await?;
        tx.slack().reconciled(channel.id, None).await?;
        tx.slack().retry_files(channel.id).await?;
        tx.jobs().push(Compose::job(channel.id)).await?;
        tx.commit().await?;
        for thread in threads {
            let mut tx = self.store.begin(permit).await?;
            let last = tx.slack().last_reply(channel.id, thread).await?;
            tx.commit().await?;
            self.read_thread(permit, api, channel, thread, last).await?;
        }
        Ok(())
    }

    /// Removes messages that are not to be kept any longer.
    async fn forget_older(
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
    async fn forget_what_is_old(&self, permit: &Permit, connection: ChannelConnectionId) -> Result<(), Stop> {
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
    async fn has_to_forget(
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

    /// Makes the partitions these messages need.
    async fn prepare_months_of(&self, messages: &[SlackMessage]) -> amebo_store::Result<()> {
        let months: BTreeSet<_> = messages
            .iter()
            .filter_map(|message| message.ts.date_naive().with_day(1))
            .collect();
        let months: Vec<_> = months.into_iter().collect();
        self.store.prepare_slack_months(&months).await
    }
}

/// Holds that a channel is chosen until what was read of it is stored; while Slack answered, somebody may have decided otherwise.
async fn still_wanted(tx: &mut amebo_store::OrgTx, channel: SlackChannelId) -> Result<(), Stop> {
    if tx.slack().hold_selected(channel).await? {
        Ok(())
    } else {
        Err(Stop::Over)
    }
}

/// What administrators chose, from a connection's configuration.
pub fn chosen(configuration: &serde_json::Value) -> Synchronisation {
    serde_json::from_value(configuration[SYNCHRONISATION].clone()).unwrap_or_default()
}

/// Everybody in a channel.
async fn members(api: &Workspace, channel: &str) -> Result<Vec<String>, Stop> {
    let (mut members, mut cursor) = (Vec::new(), None);
    loop {
        let page = api.members(channel, cursor.as_deref()).await?;
        members.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(members);
        }
    }
}

/// A time as an id of a message.
fn id(time: DateTime<Utc>) -> String {
    Timestamp::from(time).to_string()
}

/// The last of those that have the same timestamp.
fn distinct(messages: Vec<SlackMessage>) -> Vec<SlackMessage> {
    let messages: std::collections::BTreeMap<_, _> = messages
        .into_iter()
        .map(|message| (message.ts, message))
        .collect();
    messages.into_values().collect()
}
