//! Files that were shared in mirrored channels.

use std::collections::BTreeSet;

use amebo_core::id::{BlobId, ChannelConnectionId, DocumentId, Id, SlackChannelId, SlackFileId};
use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::{Slack, SlackMessage};
use crate::blob::Blobs;
use crate::document::Documents;
use crate::error::Result;

/// A file of a mirrored channel that something is to be done about.
#[derive(Debug, Clone)]
pub struct DueSlackFile {
    /// The file.
    pub id: SlackFileId,
    /// Slack's id of it.
    pub external: String,
    /// When it was shared.
    pub shared_at: DateTime<Utc>,
    /// Whether a message with it is gone, so that it is only wanted if another one has it.
    pub is_doubted: bool,
    /// The document it became.
    pub document: Option<DocumentId>,
    /// Sealed: where an export says that it lies.
    pub sealed_address: Option<Vec<u8>>,
}

/// What becomes of a file that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlackFileEnd<'a> {
    /// It is this document.
    Stored(DocumentId),
    /// It is not to be read, for this reason.
    LeftOut(&'a str),
    /// It cannot be fetched for now, for this reason.
    Unreachable(&'a str),
    /// It is to be fetched.
    Waiting,
}

#[derive(sqlx::FromRow)]
struct DueRow {
    id: Uuid,
    external_id: String,
    shared_at: DateTime<Utc>,
    state: String,
    document_id: Option<Uuid>,
    sealed_address: Option<Vec<u8>>,
}

impl From<DueRow> for DueSlackFile {
    fn from(row: DueRow) -> Self {
        Self {
            id: SlackFileId::from_uuid(row.id),
            external: row.external_id,
            shared_at: row.shared_at,
            is_doubted: row.state == "doubted",
            document: row.document_id.map(DocumentId::from_uuid),
            sealed_address: row.sealed_address,
        }
    }
}

impl Slack<'_> {
    /// Notes the files of messages that are new or changed; `before` are those of the same messages as they were.
    pub(super) async fn note_files(
        &mut self,
        channel: SlackChannelId,
        messages: &[SlackMessage],
        before: &[Value],
    ) -> Result<()> {
        let mut shared: Vec<(String, DateTime<Utc>)> = Vec::new();
        for message in messages {
            let files = message.files.as_ref().map(ids).unwrap_or_default();
            shared.extend(files.into_iter().map(|id| (id, message.ts)));
        }
        let now: BTreeSet<&str> = shared.iter().map(|(id, _)| id.as_str()).collect();
        let gone: BTreeSet<String> = before
            .iter()
            .flat_map(ids)
            .filter(|id| !now.contains(id.as_str()))
            .collect();
        self.doubt_files(channel, &gone.into_iter().collect::<Vec<_>>())
            .await?;
        if shared.is_empty() {
            return Ok(());
        }
        let new: Vec<Uuid> = shared
            .iter()
            .map(|_| self.0.environment.id::<SlackFileId>().uuid())
            .collect();
        let (externals, times): (Vec<String>, Vec<DateTime<Utc>>) = shared.into_iter().unzip();
        sqlx::query(
            "insert into slack_files (id, organization_id, channel_id, external_id, shared_at, state, created_at, updated_at)
             select distinct on (new.external) new.id, $1, $2, new.external, new.shared_at, 'waiting', $3, $3
             from unnest($4::uuid[], $5::text[], $6::timestamptz[]) as new (id, external, shared_at)
             order by new.external, new.shared_at
             on conflict on constraint slack_files_external do nothing",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(self.0.environment.now())
        .bind(new)
        .bind(externals)
        .bind(times)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Has it looked whether these files, which messages had that are gone or changed, are still shared in the channel.
    pub(super) async fn doubt_files(&mut self, channel: SlackChannelId, files: &[String]) -> Result<()> {
        if files.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "update slack_files set state = 'doubted', updated_at = $4
             where organization_id = $1 and channel_id = $2 and external_id = any($3)",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(files)
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Files that the messages at these times have.
    pub(super) async fn files_of(
        &mut self,
        channel: SlackChannelId,
        messages: &[DateTime<Utc>],
    ) -> Result<Vec<Value>> {
        Ok(sqlx::query_scalar(
            "select files from slack_messages
             where organization_id = $1 and channel_id = $2 and ts = any($3) and files is not null",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(messages)
        .fetch_all(&mut *self.0.connection)
        .await?)
    }

    /// The next file of a channel that something is to be done about, the latest first.
    pub async fn due_file(&mut self, channel: SlackChannelId) -> Result<Option<DueSlackFile>> {
        let row: Option<DueRow> = sqlx::query_as(
            "select id, external_id, shared_at, state, document_id, sealed_address from slack_files
             where organization_id = $1 and channel_id = $2 and state in ('waiting', 'doubted')
             order by state = 'doubted' desc, shared_at desc, id limit 1",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        Ok(row.map(DueSlackFile::from))
    }

    /// Whether a message of the channel has this file.
    pub async fn is_shared(&mut self, channel: SlackChannelId, external: &str) -> Result<bool> {
        Ok(sqlx::query_scalar(
            "select exists (select from slack_messages where organization_id = $1 and channel_id = $2 and files is not null
                 and files @> jsonb_build_array(jsonb_build_object('id', $3::text)))",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(external)
        .fetch_one(&mut *self.0.connection)
        .await?)
    }

    /// Keeps what became of a file that was due; `false` when something else was noted of it meanwhile.
    pub async fn end_file(&mut self, due: &DueSlackFile, end: SlackFileEnd<'_>) -> Result<bool> {
        let (state, problem, document) = match end {
            SlackFileEnd::Stored(document) => ("stored", None, Some(document)),
            SlackFileEnd::LeftOut(reason) => ("left_out", Some(reason), due.document),
            SlackFileEnd::Unreachable(reason) => ("unreachable", Some(reason), due.document),
            SlackFileEnd::Waiting => ("waiting", None, due.document),
        };
        let done = sqlx::query(
            "update slack_files set state = $4, problem = $5, document_id = $6, updated_at = $7
             where organization_id = $1 and id = $2 and state = $3",
        )
        .bind(self.0.organization.uuid())
        .bind(due.id.uuid())
        .bind(if due.is_doubted { "doubted" } else { "waiting" })
        .bind(state)
        .bind(problem.map(|reason| reason.chars().take(1_000).collect::<String>()))
        .bind(document.map(Id::uuid))
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Removes a file with its document, as it is no longer shared.
    pub async fn remove_file(&mut self, id: SlackFileId) -> Result<()> {
        let document: Option<Option<Uuid>> = sqlx::query_scalar(
            "delete from slack_files where organization_id = $1 and id = $2 returning document_id",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        if let Some(document) = document.flatten() {
            self.remove_original(DocumentId::from_uuid(document)).await?;
        }
        Ok(())
    }

    /// Removes a file wherever a connection shared it.
    pub async fn delete_file(&mut self, connection: ChannelConnectionId, external: &str) -> Result<()> {
        for (file, _) in self.files_called(connection, external).await? {
            self.remove_file(file).await?;
        }
        Ok(())
    }

    /// Has a file fetched anew wherever a connection shared it; answers the channels it is in.
    pub async fn renew_file(
        &mut self,
        connection: ChannelConnectionId,
        external: &str,
    ) -> Result<Vec<SlackChannelId>> {
        let files = self.files_called(connection, external).await?;
        let ids: Vec<Uuid> = files.iter().map(|(file, _)| file.uuid()).collect();
        sqlx::query(
            "update slack_files set state = 'waiting', updated_at = $3 where organization_id = $1 and id = any($2)",
        )
        .bind(self.0.organization.uuid())
        .bind(ids)
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(files.into_iter().map(|(_, channel)| channel).collect())
    }

    /// The channels in which a connection shared this file.
    pub async fn channels_with_file(
        &mut self,
        connection: ChannelConnectionId,
        external: &str,
    ) -> Result<Vec<SlackChannelId>> {
        let files = self.files_called(connection, external).await?;
        Ok(files.into_iter().map(|(_, channel)| channel).collect())
    }

    /// Has the files of a channel tried again that could not be fetched.
    pub async fn retry_files(&mut self, channel: SlackChannelId) -> Result<()> {
        sqlx::query(
            "update slack_files set state = 'waiting', updated_at = $3
             where organization_id = $1 and channel_id = $2 and state = 'unreachable'",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Files of a channel whose address an export tells and is not known here, by Slack's id.
    pub async fn files_without_address(
        &mut self,
        channel: SlackChannelId,
        externals: &[&str],
    ) -> Result<Vec<(SlackFileId, String)>> {
        let rows: Vec<(Uuid, String)> = sqlx::query_as(
            "select id, external_id from slack_files
             where organization_id = $1 and channel_id = $2 and external_id = any($3) and state <> 'stored' and sealed_address is null",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(externals)
        .fetch_all(&mut *self.0.connection)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(id, external)| (SlackFileId::from_uuid(id), external))
            .collect())
    }

    /// Keeps where a file lies, sealed, and has it fetched.
    pub async fn set_file_address(&mut self, id: SlackFileId, sealed: &[u8]) -> Result<()> {
        sqlx::query(
            "update slack_files set sealed_address = $3, state = case when state = 'unreachable' then 'waiting' else state end, updated_at = $4
             where organization_id = $1 and id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(sealed)
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// The documents that files of a channel became.
    pub(super) async fn documents_of_files(&mut self, channel: SlackChannelId) -> Result<Vec<DocumentId>> {
        let rows: Vec<Uuid> = sqlx::query_scalar(
            "select document_id from slack_files where organization_id = $1 and channel_id = $2 and document_id is not null",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .fetch_all(&mut *self.0.connection)
        .await?;
        Ok(rows.into_iter().map(DocumentId::from_uuid).collect())
    }

    /// Removes a document with its original.
    pub(super) async fn remove_original(&mut self, document: DocumentId) -> Result<()> {
        let original: Option<BlobId> = Documents(self.0.again())
            .get(document)
            .await?
            .and_then(|document| document.blob);
        self.remove_document(document).await?;
        if let Some(original) = original {
            Blobs(self.0.again()).delete(original).await?;
        }
        Ok(())
    }

    async fn files_called(
        &mut self,
        connection: ChannelConnectionId,
        external: &str,
    ) -> Result<Vec<(SlackFileId, SlackChannelId)>> {
        let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
            "select f.id, f.channel_id from slack_files f
             join slack_channels c on c.organization_id = f.organization_id and c.id = f.channel_id and c.connection_id = $2
             where f.organization_id = $1 and f.external_id = $3",
        )
        .bind(self.0.organization.uuid())
        .bind(connection.uuid())
        .bind(external)
        .fetch_all(&mut *self.0.connection)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(file, channel)| (SlackFileId::from_uuid(file), SlackChannelId::from_uuid(channel)))
            .collect())
    }
}

/// Slack's ids of the files of a message.
fn ids(files: &Value) -> Vec<String> {
    let files = files.as_array().map(Vec::as_slice).unwrap_or_default();
    files
        .iter()
        .filter_map(|file| file["id"].as_str().map(str::to_owned))
        .collect()
}
