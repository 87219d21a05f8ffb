//! What was said in a channel: its history, its threads, and what events missed.

use std::collections::BTreeSet;
use std::sync::Arc;

use amebo_channels::slack::api::{HistoryQuery, Workspace};
use amebo_channels::slack::transcript::Timestamp;
use amebo_core::id::{ChannelConnectionId, SlackChannelId};
use amebo_core::job::Priority;
use amebo_store::Permit;
use amebo_store::job::{Handler, Lease, NewJob, Outcome, Task};
use amebo_store::slack::{Following, SlackChannel, SlackMessage};
use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{LISTING, Stop};
use crate::App;
use crate::mirror::compose::Compose;
use crate::mirror::said::{of_history, time};

/// How far back a channel is compared with what Slack has.
const COMPARED: TimeDelta = TimeDelta::days(7);
/// How many threads that began before and went on since are compared; each takes a call.
const OLDER_THREADS: u32 = 50;

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

/// Handles [`FollowChannel`].
#[derive(Debug, Clone)]
pub struct FollowChannelHandler(pub Arc<App>);

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

impl App {
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
        threads.extend(tx.slack().lively_threads(channel.id, from, OLDER_THREADS).await?);
        tx.slack().reconciled(channel.id, None).await?;
        tx.slack().retry_files(channel.id).await?;
        tx.jobs().push(Compose::job(channel.id)).await?;
        tx.commit().await?;
        for thread in threads {
            self.compare_thread(permit, api, channel, thread, (from, until))
                .await?;
        }
        Ok(())
    }

    /// The same for the replies of a thread.
    async fn compare_thread(
        &self,
        permit: &Permit,
        api: &Workspace,
        channel: &SlackChannel,
        thread: DateTime<Utc>,
        (from, until): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<(), Stop> {
        let mut query = HistoryQuery {
            oldest: Some(id(from)),
            latest: Some(id(until)),
            inclusive: true,
            ..HistoryQuery::default()
        };
        let mut there = BTreeSet::new();
        loop {
            let page = match api
                .replies(&channel.described.external, &id(thread), &query)
                .await
            {
                // Its first message was deleted meanwhile, and with it the thread.
                Err(error) if error.code() == Some("thread_not_found") => break,
                page => page?,
            };
            let mut messages: Vec<SlackMessage> = page.items.iter().filter_map(of_history).collect();
            // How a thread began comes along, however long ago that was.
            messages.retain(|message| message.ts >= from);
            for message in &mut messages {
                message.thread = Some(thread);
            }
            there.extend(messages.iter().map(|message| message.ts));
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
        let known = tx.slack().replies(channel.id, thread, (from, until)).await?;
        let gone: Vec<_> = known.into_iter().filter(|ts| !there.contains(ts)).collect();
        tx.slack().delete_messages(channel.id, &gone).await?;
        tx.slack().close_thread(channel.id, thread).await?;
        tx.jobs().push(Compose::job(channel.id)).await?;
        Ok(tx.commit().await?)
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
