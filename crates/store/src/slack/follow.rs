//! How far the channels of a connected workspace have been read.

use std::collections::HashMap;

use amebo_core::id::{ChannelConnectionId, DocumentId, Id, SlackChannelId, SourceId};
use amebo_core::slack::SlackChannelKind;
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{Slack, SlackChannel, channel, select_channel};
use crate::error::Result;

/// How far a followed channel has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Following {
    /// The connection that follows it.
    pub connection: Option<ChannelConnectionId>,
    /// Whether what is said in it is kept.
    pub is_selected: bool,
    /// Down to which message its history has been read.
    pub backfill_before: Option<DateTime<Utc>>,
    /// How many messages of its history have been read.
    pub backfill_messages: u64,
    /// When reading its history began.
    pub backfill_began_at: Option<DateTime<Utc>>,
    /// When its history had been read to its beginning.
    pub backfilled_at: Option<DateTime<Utc>>,
    /// When it was last compared with what Slack has.
    pub reconciled_at: Option<DateTime<Utc>>,
    /// Why it cannot be followed.
    pub error: Option<String>,
}

#[derive(sqlx::FromRow)]
struct FollowingRow {
    id: Uuid,
    connection_id: Option<Uuid>,
    is_selected: bool,
    backfill_before: Option<DateTime<Utc>>,
    backfill_messages: i64,
    backfill_began_at: Option<DateTime<Utc>>,
    backfilled_at: Option<DateTime<Utc>>,
    reconciled_at: Option<DateTime<Utc>>,
    sync_error: Option<String>,
}

const FOLLOWING: &str = "select id, connection_id, is_selected, backfill_before, backfill_messages, backfill_began_at, backfilled_at,
     reconciled_at, sync_error from slack_channels where organization_id = $1";

impl From<FollowingRow> for Following {
    fn from(row: FollowingRow) -> Self {
        Self {
            connection: row.connection_id.map(ChannelConnectionId::from_uuid),
            is_selected: row.is_selected,
            backfill_before: row.backfill_before,
            backfill_messages: row.backfill_messages.unsigned_abs(),
            backfill_began_at: row.backfill_began_at,
            backfilled_at: row.backfilled_at,
            reconciled_at: row.reconciled_at,
            error: row.sync_error,
        }
    }
}

impl Slack<'_> {
    /// The channel of a connection with this id of Slack's.
    pub async fn followed(
        &mut self,
        connection: ChannelConnectionId,
        external: &str,
    ) -> Result<Option<SlackChannel>> {
        let row = sqlx::query_as(select_channel!("and c.connection_id = $2 and c.external_id = $3"))
            .bind(self.0.organization.uuid())
            .bind(connection.uuid())
            .bind(external)
            .fetch_optional(&mut *self.0.connection)
            .await?;
        row.map(channel).transpose()
    }

    /// The channels that a connection follows, by name.
    pub async fn followed_by(&mut self, connection: ChannelConnectionId) -> Result<Vec<SlackChannel>> {
        let rows = sqlx::query_as(select_channel!("and c.connection_id = $2 order by c.name, c.id"))
            .bind(self.0.organization.uuid())
            .bind(connection.uuid())
            .fetch_all(&mut *self.0.connection)
            .await?;
        rows.into_iter().map(channel).collect()
    }

    /// Has a connection follow channels of a workspace; those that are new to it are selected when `selected` says so.
    pub async fn follow(
        &mut self,
        connection: ChannelConnectionId,
        source: SourceId,
        channels: &[(SlackChannelId, bool)],
    ) -> Result<()> {
        let (ids, selected): (Vec<_>, Vec<_>) = channels.iter().map(|(id, new)| (id.uuid(), *new)).unzip();
        sqlx::query(
            "update slack_channels c set connection_id = $2, is_selected = new.selected, updated_at = $6
             from unnest($4::uuid[], $5::bool[]) as new (id, selected)
             where c.organization_id = $1 and c.source_id = $3 and c.id = new.id and c.connection_id is distinct from $2",
        )
        .bind(self.0.organization.uuid())
        .bind(connection.uuid())
        .bind(source.uuid())
        .bind(ids)
        .bind(selected)
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// How far a channel has been read.
    pub async fn following(&mut self, channel: SlackChannelId) -> Result<Option<Following>> {
        let row: Option<FollowingRow> = sqlx::query_as(AssertSqlSafe(format!("{FOLLOWING} and id = $2")))
            .bind(self.0.organization.uuid())
            .bind(channel.uuid())
            .fetch_optional(&mut *self.0.connection)
            .await?;
        Ok(row.map(Following::from))
    }

    /// How far each channel of a connection has been read.
    pub async fn followings(
        &mut self,
        connection: ChannelConnectionId,
    ) -> Result<HashMap<SlackChannelId, Following>> {
        let rows: Vec<FollowingRow> =
            sqlx::query_as(AssertSqlSafe(format!("{FOLLOWING} and connection_id = $2")))
                .bind(self.0.organization.uuid())
                .bind(connection.uuid())
                .fetch_all(&mut *self.0.connection)
                .await?;
        Ok(rows
            .into_iter()
            .map(|row| (SlackChannelId::from_uuid(row.id), row.into()))
            .collect())
    }

    /// Whether what is said in a channel is kept; nobody can change that until this transaction ends.
    pub async fn hold_selected(&mut self, channel: SlackChannelId) -> Result<bool> {
        let selected: Option<bool> = sqlx::query_scalar(
            "select is_selected from slack_channels where organization_id = $1 and id = $2 for share",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        Ok(selected.unwrap_or(false))
    }

    /// Keeps that reading a channel's history begins now.
    pub async fn begin_backfill(&mut self, channel: SlackChannelId) -> Result<()> {
        sqlx::query(
            "update slack_channels set backfill_began_at = coalesce(backfill_began_at, $3) where organization_id = $1 and id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Messages of what a connection follows whose document is not written yet, and documents from there that wait or are in work.
    pub async fn unfinished(&mut self, connection: ChannelConnectionId) -> Result<(u64, u64)> {
        let (messages, documents): (i64, i64) = sqlx::query_as(
            "with followed as (select id, source_id from slack_channels where organization_id = $1 and connection_id = $2)
             select (select count(*) from slack_messages m join followed f on f.id = m.channel_id
                     where m.organization_id = $1 and m.pending),
                    (select count(*) from documents d where d.organization_id = $1 and d.status not in ('indexed', 'failed')
                     and d.source_id in (select source_id from followed))",
        )
        .bind(self.0.organization.uuid())
        .bind(connection.uuid())
        .fetch_one(&mut *self.0.connection)
        .await?;
        Ok((messages.unsigned_abs(), documents.unsigned_abs()))
    }

    /// Says whether what is said in a channel is kept, and who may see it. False when there is no such channel.
    pub async fn select(
        &mut self,
        channel: SlackChannelId,
        is_selected: bool,
        is_open: bool,
    ) -> Result<bool> {
        let done = sqlx::query(
            "update slack_channels set is_selected = $3, is_open = $4, sync_error = null, updated_at = $5
             where organization_id = $1 and id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(is_selected)
        .bind(is_open)
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Has the replies of these threads read.
    pub async fn open_threads(&mut self, channel: SlackChannelId, threads: &[DateTime<Utc>]) -> Result<()> {
        sqlx::query(
            "insert into slack_open_threads (organization_id, channel_id, thread_ts) select $1, $2, unnest($3::timestamptz[])
             on conflict do nothing",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(threads)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// A thread whose replies are to be read, newest first, and the last reply that is known of it.
    pub async fn open_thread(
        &mut self,
        channel: SlackChannelId,
    ) -> Result<Option<(DateTime<Utc>, Option<DateTime<Utc>>)>> {
        Ok(sqlx::query_as(
            "select t.thread_ts, (select max(m.ts) from slack_messages m
                 where m.organization_id = $1 and m.channel_id = $2 and m.thread_ts = t.thread_ts and m.ts > t.thread_ts)
             from slack_open_threads t where t.organization_id = $1 and t.channel_id = $2 order by t.thread_ts desc limit 1",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .fetch_optional(&mut *self.0.connection)
        .await?)
    }

    /// The replies known of a thread from `from` to `to`, in order.
    pub async fn replies(
        &mut self,
        channel: SlackChannelId,
        thread: DateTime<Utc>,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Vec<DateTime<Utc>>> {
        Ok(sqlx::query_scalar(
            "select ts from slack_messages where organization_id = $1 and channel_id = $2 and thread_ts = $3 and ts > thread_ts
             and ts >= $4 and ts <= $5 order by ts",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(thread)
        .bind(from)
        .bind(to)
        .fetch_all(&mut *self.0.connection)
        .await?)
    }

    /// Threads that began before `from` and were replied to from then on, those replied to last first, at most `limit`.
    pub async fn lively_threads(
        &mut self,
        channel: SlackChannelId,
        from: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<DateTime<Utc>>> {
        Ok(sqlx::query_scalar(
            "select thread_ts from slack_messages where organization_id = $1 and channel_id = $2 and ts >= $3 and thread_ts < $3
             group by thread_ts order by max(ts) desc limit $4",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(from)
        .bind(i64::from(limit))
        .fetch_all(&mut *self.0.connection)
        .await?)
    }

    /// The workspaces that a connection follows channels of.
    pub async fn sources_of(&mut self, connection: ChannelConnectionId) -> Result<Vec<SourceId>> {
        let sources: Vec<Uuid> = sqlx::query_scalar(
            "select distinct source_id from slack_channels where organization_id = $1 and connection_id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(connection.uuid())
        .fetch_all(&mut *self.0.connection)
        .await?;
        Ok(sources.into_iter().map(SourceId::from_uuid).collect())
    }

    /// The replies of a thread have been read.
    pub async fn close_thread(&mut self, channel: SlackChannelId, thread: DateTime<Utc>) -> Result<()> {
        sqlx::query(
            "delete from slack_open_threads where organization_id = $1 and channel_id = $2 and thread_ts = $3",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(thread)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Keeps that a channel's history has been read down to a message, how many messages that were, and whether it is all.
    pub async fn backfilled(
        &mut self,
        channel: SlackChannelId,
        before: Option<DateTime<Utc>>,
        messages: u64,
        is_all: bool,
    ) -> Result<()> {
        let now = self.0.environment.now();
        sqlx::query(
            "update slack_channels set backfill_before = coalesce($3, backfill_before), backfill_messages = backfill_messages + $4,
                 backfilled_at = case when $5 then coalesce(backfilled_at, $6) else backfilled_at end, sync_error = null, updated_at = $6
             where organization_id = $1 and id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(before)
        .bind(i64::try_from(messages).unwrap_or(i64::MAX))
        .bind(is_all)
        .bind(now)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Keeps that a channel was compared with what Slack has, or why it cannot be followed.
    pub async fn reconciled(&mut self, channel: SlackChannelId, error: Option<&str>) -> Result<()> {
        let now = self.0.environment.now();
        sqlx::query(
            "update slack_channels set reconciled_at = case when $3::text is null then $4 else reconciled_at end, sync_error = $3,
                 updated_at = $4
             where organization_id = $1 and id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(error)
        .bind(now)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// The messages of a channel outside threads or beginning one, from `from` to `to`; what its history should hold.
    pub async fn history(
        &mut self,
        channel: SlackChannelId,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Vec<DateTime<Utc>>> {
        Ok(sqlx::query_scalar(
            "select ts from slack_messages where organization_id = $1 and channel_id = $2 and ts >= $3 and ts <= $4
             and (thread_ts is null or thread_ts = ts) order by ts",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(from)
        .bind(to)
        .fetch_all(&mut *self.0.connection)
        .await?)
    }

    /// Messages of a channel older than `before`, at most `limit`, oldest first.
    pub async fn older(
        &mut self,
        channel: SlackChannelId,
        before: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<DateTime<Utc>>> {
        Ok(sqlx::query_scalar(
            "select ts from slack_messages where organization_id = $1 and channel_id = $2 and ts < $3 order by ts limit $4",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(before)
        .bind(i64::from(limit))
        .fetch_all(&mut *self.0.connection)
        .await?)
    }

    /// Whether anything that was said is kept of a connection's channels.
    pub async fn has_messages_of(&mut self, connection: ChannelConnectionId) -> Result<bool> {
        Ok(sqlx::query_scalar(
            "select exists (select from slack_channels c
                 join slack_messages m on m.organization_id = c.organization_id and m.channel_id = c.id
                 where c.organization_id = $1 and c.connection_id = $2)",
        )
        .bind(self.0.organization.uuid())
        .bind(connection.uuid())
        .fetch_one(&mut *self.0.connection)
        .await?)
    }

    /// The channels of which a connection keeps what is said and of which this person may know: open ones, and those they are in.
    pub async fn followed_for(
        &mut self,
        connection: ChannelConnectionId,
        person: &str,
    ) -> Result<Vec<(SlackChannel, Following)>> {
        let channels = self.followed_by(connection).await?;
        let theirs: Vec<Uuid> = sqlx::query_scalar(
            "select m.channel_id from slack_users u
             join slack_channel_members m on m.organization_id = u.organization_id and m.slack_user_id = u.id
             join slack_channels c on c.organization_id = m.organization_id and c.id = m.channel_id and c.connection_id = $2
             where u.organization_id = $1 and u.external_id = $3 and not u.is_deleted",
        )
        .bind(self.0.organization.uuid())
        .bind(connection.uuid())
        .bind(person)
        .fetch_all(&mut *self.0.connection)
        .await?;
        let mut followed = Vec::new();
        for channel in channels {
            let is_open = channel.described.is_open && channel.described.kind == SlackChannelKind::Public;
            if !is_open && !theirs.contains(&channel.id.uuid()) {
                continue;
            }
            let following = self.following(channel.id).await?;
            followed.extend(
                following
                    .filter(|following| following.is_selected)
                    .map(|following| (channel, following)),
            );
        }
        Ok(followed)
    }

    /// A channel goes by another id of Slack's from now on.
    pub async fn rename_channel(&mut self, channel: SlackChannelId, external: &str) -> Result<()> {
        sqlx::query(
            "update slack_channels set external_id = $3, updated_at = $4 where organization_id = $1 and id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(external)
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Removes a channel with its messages and their documents.
    pub async fn delete_channel(&mut self, channel: SlackChannelId) -> Result<()> {
        let documents: Vec<Uuid> = sqlx::query_scalar(
            "select distinct document_id from slack_messages
             where organization_id = $1 and channel_id = $2 and document_id is not null",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .fetch_all(&mut *self.0.connection)
        .await?;
        for document in documents {
            self.remove_document(DocumentId::from_uuid(document)).await?;
        }
        for document in self.documents_of_files(channel).await? {
            self.remove_original(document).await?;
        }
        sqlx::query("delete from slack_channels where organization_id = $1 and id = $2")
            .bind(self.0.organization.uuid())
            .bind(channel.uuid())
            .execute(&mut *self.0.connection)
            .await?;
        Ok(())
    }
}
