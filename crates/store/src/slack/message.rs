//! What people said in mirrored channels.

use amebo_core::id::{DocumentId, Id, SlackChannelId};
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::Slack;
use crate::Store;
use crate::error::Result;

/// A message, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackMessage {
    /// When it was posted, to the microsecond: Slack's id of it.
    pub ts: DateTime<Utc>,
    /// The message that begins its thread.
    pub thread: Option<DateTime<Utc>>,
    /// Slack's id of the user.
    pub author: String,
    /// In mrkdwn, as Slack escapes it.
    pub content: String,
    /// Files that came with it, as a list.
    pub files: Option<Value>,
    /// When it was last edited.
    pub edited: Option<DateTime<Utc>>,
}

impl Store {
    /// Makes the partitions that messages of these months need. Nothing is lost without: such messages lie in the default partition.
    pub async fn prepare_slack_months(&self, months: &[NaiveDate]) -> Result<()> {
        let mut tx = self.begin_system().await?;
        sqlx::query(
            "select ensure_month_partitions('slack_messages', month, 1)
             from unnest($1::date[]) as month where to_regclass('slack_messages_' || to_char(month, 'YYYY_MM')) is null",
        )
        .bind(months)
        .execute(&mut *tx.scope().connection)
        .await?;
        tx.commit().await
    }
}

impl Slack<'_> {
    /// Adds messages to a channel, or brings known ones in step; no two have the same timestamp. An older state than the known one, by
    /// the time of its last edit, changes nothing. Answers how many were new or changed.
    pub async fn put_messages(&mut self, channel: SlackChannelId, messages: &[SlackMessage]) -> Result<u64> {
        if messages.is_empty() {
            return Ok(0);
        }
        self.share_channel(channel).await?;
        let times: Vec<DateTime<Utc>> = messages.iter().map(|message| message.ts).collect();
        let files_before = self.files_of(channel, &times).await?;
        let done = sqlx::query(
            "insert into slack_messages as m (organization_id, channel_id, ts, thread_ts, author, content, files, edited_at)
             select $1, $2, new.* from unnest($3::timestamptz[], $4::timestamptz[], $5::text[], $6::text[], $7::jsonb[], $8::timestamptz[])
                 as new (ts, thread, author, content, files, edited)
             on conflict (organization_id, channel_id, ts) do update
                 set thread_ts = coalesce(excluded.thread_ts, m.thread_ts), content = excluded.content, files = excluded.files,
                     edited_at = excluded.edited_at, pending = true
                 where (m.thread_ts, m.content, m.files)
                         is distinct from (coalesce(excluded.thread_ts, m.thread_ts), excluded.content, excluded.files)
                   and (m.edited_at is null or excluded.edited_at >= m.edited_at)",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(messages.iter().map(|message| message.ts).collect::<Vec<_>>())
        .bind(messages.iter().map(|message| message.thread).collect::<Vec<_>>())
        .bind(messages.iter().map(|message| message.author.as_str()).collect::<Vec<_>>())
        .bind(messages.iter().map(|message| message.content.as_str()).collect::<Vec<_>>())
        .bind(messages.iter().map(|message| message.files.as_ref()).collect::<Vec<_>>())
        .bind(messages.iter().map(|message| message.edited).collect::<Vec<_>>())
        .execute(&mut *self.0.connection)
        .await?;
        let begun: Vec<DateTime<Utc>> = messages
            .iter()
            .filter_map(|message| message.thread.filter(|thread| *thread != message.ts))
            .collect();
        if !begun.is_empty() {
            // The first reply makes a message the beginning of a thread.
            sqlx::query(
                "update slack_messages set thread_ts = ts, pending = true
                 where organization_id = $1 and channel_id = $2 and ts = any($3) and thread_ts is null",
            )
            .bind(self.0.organization.uuid())
            .bind(channel.uuid())
            .bind(begun)
            .execute(&mut *self.0.connection)
            .await?;
        }
        self.note_files(channel, messages, &files_before).await?;
        Ok(done.rows_affected())
    }

    /// Keeps others from finding the channel without pending messages until this transaction, which makes some, has ended.
    async fn share_channel(&mut self, channel: SlackChannelId) -> Result<()> {
        sqlx::query("select from slack_channels where organization_id = $1 and id = $2 for key share")
            .bind(self.0.organization.uuid())
            .bind(channel.uuid())
            .execute(&mut *self.0.connection)
            .await?;
        Ok(())
    }

    /// Removes messages of a channel. Their documents are to be written anew, or are gone with their last message, from the next time
    /// the channel's documents are written. Answers how many there were.
    pub async fn delete_messages(
        &mut self,
        channel: SlackChannelId,
        messages: &[DateTime<Utc>],
    ) -> Result<u64> {
        self.share_channel(channel).await?;
        let files = self.files_of(channel, messages).await?;
        self.note_files(channel, &[], &files).await?;
        let documents: Vec<Option<Uuid>> = sqlx::query_scalar(
            "delete from slack_messages where organization_id = $1 and channel_id = $2 and ts = any($3) returning document_id",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(messages)
        .fetch_all(&mut *self.0.connection)
        .await?;
        let touched: Vec<Uuid> = documents.iter().flatten().copied().collect();
        sqlx::query(
            "update slack_messages set pending = true where organization_id = $1 and channel_id = $2 and document_id = any($3)",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(&touched)
        .execute(&mut *self.0.connection)
        .await?;
        let emptied: Vec<Uuid> = sqlx::query_scalar(
            "select document from unnest($3::uuid[]) as document
             where not exists (select from slack_messages m where m.organization_id = $1 and m.document_id = document and m.channel_id = $2)",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(&touched)
        .fetch_all(&mut *self.0.connection)
        .await?;
        for document in emptied {
            self.remove_document(DocumentId::from_uuid(document)).await?;
        }
        Ok(documents.len() as u64)
    }

    /// How many messages of a workspace wait for their document to be written.
    pub async fn pending(&mut self, source: amebo_core::id::SourceId) -> Result<u64> {
        let count: i64 = sqlx::query_scalar(
            "select count(*) from slack_messages m
             join slack_channels c on c.organization_id = m.organization_id and c.id = m.channel_id
             where m.organization_id = $1 and c.source_id = $2 and m.pending",
        )
        .bind(self.0.organization.uuid())
        .bind(source.uuid())
        .fetch_one(&mut *self.0.connection)
        .await?;
        Ok(count.unsigned_abs())
    }
}
