//! Removing what was mirrored: of channels, or everything that came over a connection.

use amebo_core::id::{ChannelConnectionId, Id, SlackChannelId};
use uuid::Uuid;

use super::Slack;
use crate::error::Result;
use crate::{Removed, index_feed};

/// Document, original, size in bytes.
type Gone = (Uuid, Option<Uuid>, i64);

impl Slack<'_> {
    /// Ends keeping what is said in channels and removes what was: messages and documents. The channels are there as if nobody had
    /// ever chosen them. Taking it out of the plan's usage and removing originals is the caller's part.
    pub async fn clear_channels(&mut self, channels: &[SlackChannelId]) -> Result<Removed> {
        let gone = self.clear(channels).await?;
        self.removed(&gone).await
    }

    /// Removes everything that came over a connection: its channels, and workspaces that have none left. The same is the caller's part.
    pub async fn erase_connection(&mut self, connection: ChannelConnectionId) -> Result<Removed> {
        let sources: Vec<Uuid> = self
            .sources_of(connection)
            .await?
            .into_iter()
            .map(Id::uuid)
            .collect();
        let channels: Vec<SlackChannelId> = self
            .followed_by(connection)
            .await?
            .into_iter()
            .map(|channel| channel.id)
            .collect();
        let mut gone = self.clear(&channels).await?;
        sqlx::query("delete from slack_channels where organization_id = $1 and connection_id = $2")
            .bind(self.0.organization.uuid())
            .bind(connection.uuid())
            .execute(&mut *self.0.connection)
            .await?;
        let empty: Vec<Uuid> = sqlx::query_scalar(
            "select s.id from sources s where s.organization_id = $1 and s.id = any($2)
             and not exists (select from slack_channels c where c.organization_id = $1 and c.source_id = s.id)",
        )
        .bind(self.0.organization.uuid())
        .bind(sources)
        .fetch_all(&mut *self.0.connection)
        .await?;
        let rest: Vec<Gone> = sqlx::query_as(
            "delete from documents where organization_id = $1 and source_id = any($2) returning id, blob_id, size_bytes",
        )
        .bind(self.0.organization.uuid())
        .bind(&empty)
        .fetch_all(&mut *self.0.connection)
        .await?;
        gone.extend(rest);
        sqlx::query("delete from sources where organization_id = $1 and id = any($2)")
            .bind(self.0.organization.uuid())
            .bind(&empty)
            .execute(&mut *self.0.connection)
            .await?;
        self.removed(&gone).await
    }

    async fn clear(&mut self, channels: &[SlackChannelId]) -> Result<Vec<Gone>> {
        let channels: Vec<Uuid> = channels.iter().map(|channel| channel.uuid()).collect();
        // Locks them, so that nothing is added to them behind this transaction's back.
        sqlx::query(
            "update slack_channels set is_selected = false, backfill_before = null, backfill_messages = 0, backfill_began_at = null,
                 backfilled_at = null, reconciled_at = null, sync_error = null, updated_at = $3
             where organization_id = $1 and id = any($2)",
        )
        .bind(self.0.organization.uuid())
        .bind(&channels)
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        // Documents that somebody uploaded and showed to a channel are not the channel's.
        let gone: Vec<Gone> = sqlx::query_as(
            "delete from documents d where d.organization_id = $1
             and d.source_id in (select source_id from slack_channels where organization_id = $1 and id = any($2))
             and (d.id in (select document_id from slack_messages
                     where organization_id = $1 and channel_id = any($2) and document_id is not null)
                  or d.id in (select document_id from slack_files
                     where organization_id = $1 and channel_id = any($2) and document_id is not null)
                  or d.audience ->> 'kind' = 'slack_channel' and d.audience ->> 'channel' = any($2::text[]))
             returning d.id, d.blob_id, d.size_bytes",
        )
        .bind(self.0.organization.uuid())
        .bind(&channels)
        .fetch_all(&mut *self.0.connection)
        .await?;
        for table in ["slack_messages", "slack_open_threads", "slack_files"] {
            sqlx::query(sqlx::AssertSqlSafe(format!(
                "delete from {table} where organization_id = $1 and channel_id = any($2)"
            )))
            .bind(self.0.organization.uuid())
            .bind(&channels)
            .execute(&mut *self.0.connection)
            .await?;
        }
        Ok(gone)
    }

    async fn removed(&mut self, gone: &[Gone]) -> Result<Removed> {
        let ids: Vec<Uuid> = gone.iter().map(|(id, _, _)| *id).collect();
        index_feed::record(&mut self.0, &ids, true).await?;
        Ok(Removed {
            documents: ids.len() as u64,
            bytes: gone.iter().map(|(_, _, size)| size.unsigned_abs()).sum(),
            blobs: gone
                .iter()
                .filter_map(|(_, blob, _)| blob.map(Id::from_uuid))
                .collect(),
        })
    }
}
