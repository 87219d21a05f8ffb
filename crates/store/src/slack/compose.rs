//! Which messages make up which document, and writing the documents down.

use std::collections::HashMap;

use amebo_core::document::Audience;
use amebo_core::id::{DocumentId, Id, SlackChannelId, SourceId};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};
use sqlx::types::Json;
use uuid::Uuid;

use super::{Slack, SlackChannel, SlackMessage};
use crate::document::Documents;
use crate::error::Result;
use crate::index_feed;
use crate::usage::{Metric, Usage};

/// A message with the document it belongs to.
#[derive(Debug, Clone)]
pub struct PlacedSlackMessage {
    /// The message.
    pub message: SlackMessage,
    /// Its document, when one was written.
    pub document: Option<DocumentId>,
    /// Whether it came or changed since.
    pub pending: bool,
}

/// A thread or conversation as a document.
#[derive(Debug, Clone)]
pub struct SlackDocument {
    /// A new id, or that of the document to be written anew.
    pub id: DocumentId,
    /// 1 to 500 characters.
    pub title: String,
    /// A name for the text as a file, at most 255 characters.
    pub file_name: String,
    /// Of the text.
    pub size_bytes: u64,
    /// SHA-256 of what identifies text and place.
    pub content_hash: [u8; 32],
    /// Where it begins in Slack.
    pub link: Option<String>,
    /// Channel, time and people.
    pub metadata: Map<String, Value>,
    /// Who may see it.
    pub audience: Audience,
}

type Row = (
    DateTime<Utc>,
    Option<DateTime<Utc>>,
    String,
    String,
    Option<Value>,
    Option<DateTime<Utc>>,
    Option<Uuid>,
    bool,
);

fn placed((ts, thread, author, content, files, edited, document, pending): Row) -> PlacedSlackMessage {
    PlacedSlackMessage {
        message: SlackMessage {
            ts,
            thread,
            author,
            content,
            files,
            edited,
        },
        document: document.map(DocumentId::from_uuid),
        pending,
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select ts, thread_ts, author, content, files, edited_at, document_id, pending from slack_messages
             where organization_id = $1 and channel_id = $2 ",
            $rest
        )
    };
}

impl Slack<'_> {
    /// All messages of some threads that have pending ones, thread by thread, and nobody else can change them until this transaction
    /// ends. Threads are taken whole until `limit` messages are passed.
    pub async fn pending_threads(
        &mut self,
        channel: SlackChannelId,
        limit: u32,
    ) -> Result<Vec<PlacedSlackMessage>> {
        let rows: Vec<Row> = sqlx::query_as(select!(
            "and thread_ts = any(array(
                 select thread_ts from (
                     select m.thread_ts, sum(count(*)) over (order by m.thread_ts) - count(*) as before
                     from slack_messages m
                     where m.organization_id = $1 and m.channel_id = $2 and m.thread_ts in (
                         select p.thread_ts from slack_messages p
                         where p.organization_id = $1 and p.channel_id = $2 and p.pending and p.thread_ts is not null
                         order by p.ts limit $3)
                     group by m.thread_ts) threads
                 where before < $3))
             order by thread_ts, ts for update"
        ))
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(i64::from(limit))
        .fetch_all(&mut *self.0.connection)
        .await?;
        Ok(rows.into_iter().map(placed).collect())
    }

    /// The messages outside threads from the first pending one on, at most `limit`, in order, which nobody else can change until this
    /// transaction ends; and before them, in order, those whose conversations may go on: everything of the conversations that were
    /// spoken in within `horizon` before.
    pub async fn pending_outside_threads(
        &mut self,
        channel: SlackChannelId,
        limit: u32,
        horizon: TimeDelta,
    ) -> Result<(Vec<PlacedSlackMessage>, Vec<PlacedSlackMessage>)> {
        let first: Option<DateTime<Utc>> = sqlx::query_scalar(
            "select min(ts) from slack_messages where organization_id = $1 and channel_id = $2 and pending and thread_ts is null",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .fetch_one(&mut *self.0.connection)
        .await?;
        let Some(first) = first else {
            return Ok((Vec::new(), Vec::new()));
        };
        let rows: Vec<Row> = sqlx::query_as(select!(
            "and thread_ts is null and ts >= $3 order by ts limit $4 for update"
        ))
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(first)
        .bind(i64::from(limit))
        .fetch_all(&mut *self.0.connection)
        .await?;
        let before: Vec<Row> = sqlx::query_as(select!(
            "and thread_ts is null and ts < $3 and document_id = any(array(
                 select m.document_id from slack_messages m
                 where m.organization_id = $1 and m.channel_id = $2 and m.thread_ts is null and m.document_id is not null
                   and m.ts >= $4 and m.ts < $3))
             order by ts"
        ))
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(first)
        .bind(first - horizon)
        .fetch_all(&mut *self.0.connection)
        .await?;
        let all = |rows: Vec<Row>| rows.into_iter().map(placed).collect();
        Ok((all(before), all(rows)))
    }

    /// The messages of some documents of a channel, in order.
    pub async fn messages_of(
        &mut self,
        channel: SlackChannelId,
        documents: &[DocumentId],
    ) -> Result<Vec<PlacedSlackMessage>> {
        let rows: Vec<Row> = sqlx::query_as(select!("and document_id = any($3) order by ts"))
            .bind(self.0.organization.uuid())
            .bind(channel.uuid())
            .bind(documents.iter().map(|id| id.uuid()).collect::<Vec<_>>())
            .fetch_all(&mut *self.0.connection)
            .await?;
        Ok(rows.into_iter().map(placed).collect())
    }

    /// The channel whose messages a document is made of.
    pub async fn channel_of(&mut self, document: DocumentId) -> Result<Option<SlackChannel>> {
        let channel: Option<Uuid> = sqlx::query_scalar(
            "select channel_id from slack_messages where organization_id = $1 and document_id = $2 limit 1",
        )
        .bind(self.0.organization.uuid())
        .bind(document.uuid())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        match channel {
            Some(channel) => self.channel(SlackChannelId::from_uuid(channel)).await,
            None => Ok(None),
        }
    }

    /// How these users and channels of a workspace are called, by Slack's ids.
    pub async fn names(
        &mut self,
        source: SourceId,
        users: &[&str],
        channels: &[&str],
    ) -> Result<(HashMap<String, String>, HashMap<String, String>)> {
        let people: Vec<(String, String)> = sqlx::query_as(
            "select external_id, name from slack_users where organization_id = $1 and source_id = $2 and external_id = any($3)",
        )
        .bind(self.0.organization.uuid())
        .bind(source.uuid())
        .bind(users)
        .fetch_all(&mut *self.0.connection)
        .await?;
        let places: Vec<(String, String)> = sqlx::query_as(
            "select external_id, name from slack_channels
             where organization_id = $1 and source_id = $2 and external_id = any($3) and kind = 'public'",
        )
        .bind(self.0.organization.uuid())
        .bind(source.uuid())
        .bind(channels)
        .fetch_all(&mut *self.0.connection)
        .await?;
        Ok((people.into_iter().collect(), places.into_iter().collect()))
    }

    /// Says which documents messages belong to, none for what is not worth one; they are not pending any more.
    pub async fn place(
        &mut self,
        channel: SlackChannelId,
        messages: &[(DateTime<Utc>, Option<DocumentId>)],
    ) -> Result<()> {
        let (times, documents): (Vec<_>, Vec<_>) = messages
            .iter()
            .map(|(ts, document)| (*ts, document.map(Id::uuid)))
            .unzip();
        sqlx::query(
            "update slack_messages m set document_id = new.document, pending = false
             from unnest($3::timestamptz[], $4::uuid[]) as new (ts, document)
             where m.organization_id = $1 and m.channel_id = $2 and m.ts = new.ts",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(times)
        .bind(documents)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Which of these documents already say the same for the same audience.
    pub async fn unchanged(&mut self, documents: &[SlackDocument]) -> Result<Vec<DocumentId>> {
        let rows: Vec<Uuid> = sqlx::query_scalar(
            "select d.id from documents d
             join unnest($2::uuid[], $3::bytea[], $4::jsonb[]) as new (id, hash, audience) on new.id = d.id
             where d.organization_id = $1 and d.content_hash = new.hash and d.audience = new.audience",
        )
        .bind(self.0.organization.uuid())
        .bind(documents.iter().map(|new| new.id.uuid()).collect::<Vec<_>>())
        .bind(
            documents
                .iter()
                .map(|new| new.content_hash.to_vec())
                .collect::<Vec<_>>(),
        )
        .bind(
            documents
                .iter()
                .map(|new| Json(&new.audience))
                .collect::<Vec<_>>(),
        )
        .fetch_all(&mut *self.0.connection)
        .await?;
        Ok(rows.into_iter().map(DocumentId::from_uuid).collect())
    }

    /// Adds documents of a channel or writes known ones anew, and answers each one's version to be processed; the others stay findable
    /// as they were until then.
    pub async fn write_documents(
        &mut self,
        channel: &SlackChannel,
        documents: &[SlackDocument],
    ) -> Result<Vec<(DocumentId, i32)>> {
        let ids: Vec<Uuid> = documents.iter().map(|new| new.id.uuid()).collect();
        // A thread takes over the link of the conversation it came out of.
        sqlx::query("update documents set source_url = null where organization_id = $1 and id = any($2)")
            .bind(self.0.organization.uuid())
            .bind(&ids)
            .execute(&mut *self.0.connection)
            .await?;
        let rows: Vec<(Uuid, i32)> = sqlx::query_as(
            "insert into documents as d (id, organization_id, knowledge_base_id, source_id, title, original_name, size_bytes,
                 content_hash, source_url, metadata, audience, status, created_at, updated_at)
             select new.id, $1, $2, $3, new.title, new.name, new.size, new.hash, new.link, new.metadata, new.audience, 'uploaded', $4, $4
             from unnest($5::uuid[], $6::text[], $7::text[], $8::bigint[], $9::bytea[], $10::text[], $11::jsonb[], $12::jsonb[])
                 as new (id, title, name, size, hash, link, metadata, audience)
             on conflict (id) do update
                 set title = excluded.title, original_name = excluded.original_name, size_bytes = excluded.size_bytes,
                     content_hash = excluded.content_hash, source_url = excluded.source_url, metadata = excluded.metadata,
                     audience = excluded.audience, version = d.version + 1, status = 'processing', error = null, chunks_done = 0,
                     started_at = null, updated_at = excluded.updated_at
             returning id, version",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.knowledge_base.uuid())
        .bind(channel.source.uuid())
        .bind(self.0.environment.now())
        .bind(ids)
        .bind(documents.iter().map(|new| new.title.as_str()).collect::<Vec<_>>())
        .bind(
            documents
                .iter()
                .map(|new| new.file_name.as_str())
                .collect::<Vec<_>>(),
        )
        .bind(
            documents
                .iter()
                .map(|new| i64::try_from(new.size_bytes).unwrap_or(i64::MAX))
                .collect::<Vec<_>>(),
        )
        .bind(
            documents
                .iter()
                .map(|new| new.content_hash.to_vec())
                .collect::<Vec<_>>(),
        )
        .bind(documents.iter().map(|new| new.link.as_deref()).collect::<Vec<_>>())
        .bind(
            documents
                .iter()
                .map(|new| Json(&new.metadata))
                .collect::<Vec<_>>(),
        )
        .bind(
            documents
                .iter()
                .map(|new| Json(&new.audience))
                .collect::<Vec<_>>(),
        )
        .fetch_all(&mut *self.0.connection)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(id, version)| (DocumentId::from_uuid(id), version))
            .collect())
    }

    /// The sizes of those of these documents that exist.
    pub async fn sizes(&mut self, documents: &[DocumentId]) -> Result<HashMap<DocumentId, u64>> {
        let rows: Vec<(Uuid, i64)> = sqlx::query_as(
            "select id, size_bytes from documents where organization_id = $1 and id = any($2)",
        )
        .bind(self.0.organization.uuid())
        .bind(documents.iter().map(|id| id.uuid()).collect::<Vec<_>>())
        .fetch_all(&mut *self.0.connection)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(id, size)| (DocumentId::from_uuid(id), size.unsigned_abs()))
            .collect())
    }

    /// Changes who may see the documents of a channel; searches heed it from the commit on.
    pub async fn set_audience(&mut self, channel: SlackChannelId, audience: &Audience) -> Result<()> {
        let changed: Vec<Uuid> = sqlx::query_scalar(
            "update documents set audience = $3, updated_at = $4
             where organization_id = $1 and audience is distinct from $3 and id in (
                 select document_id from slack_messages where organization_id = $1 and channel_id = $2 and document_id is not null
                 union all
                 select document_id from slack_files where organization_id = $1 and channel_id = $2 and document_id is not null)
             returning id",
        )
        .bind(self.0.organization.uuid())
        .bind(channel.uuid())
        .bind(Json(audience))
        .bind(self.0.environment.now())
        .fetch_all(&mut *self.0.connection)
        .await?;
        index_feed::record(&mut self.0, &changed, false).await
    }

    /// Removes a document whose messages are gone from everything that is searched, and gives back what it took of the plan.
    pub async fn remove_document(&mut self, document: DocumentId) -> Result<()> {
        let size = self.sizes(&[document]).await?.remove(&document);
        if Documents(self.0.again()).delete(document).await? {
            let mut usage = Usage(self.0.again());
            usage.subtract(Metric::Documents, 1).await?;
            usage
                .subtract(Metric::StorageBytes, size.unwrap_or_default())
                .await?;
        }
        Ok(())
    }
}
