//! Exports of workspaces that are or were read in.

use std::collections::BTreeMap;

use amebo_core::id::{BlobId, Id, KnowledgeBaseId, SlackImportId, SourceId, UserId};
use amebo_core::page::{Page, PageRequest};
use amebo_core::slack::SlackImportState;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use uuid::Uuid;

use super::Slack;
use crate::Actor;
use crate::error::{Result, parse};

/// How many problems are kept one by one.
pub const KEPT_PROBLEMS: usize = 100;

/// An import to be begun.
#[derive(Debug, Clone)]
pub struct NewSlackImport {
    /// The workspace.
    pub source: SourceId,
    /// The archive.
    pub blob: BlobId,
    /// The archive's name.
    pub file_name: String,
    /// The workspace's address, where it is known.
    pub workspace_url: Option<String>,
    /// Whether documents of public channels are for every member of the organisation.
    pub is_open: bool,
}

/// An import of an export.
#[derive(Debug, Clone)]
pub struct SlackImport {
    /// The import.
    pub id: SlackImportId,
    /// The workspace.
    pub source: SourceId,
    /// The knowledge base its documents go to.
    pub knowledge_base: KnowledgeBaseId,
    /// The archive, until it has been read.
    pub blob: Option<BlobId>,
    /// The archive's name.
    pub file_name: String,
    /// The workspace's address, where it is known.
    pub workspace_url: Option<String>,
    /// Whether documents of public channels are for every member of the organisation.
    pub is_open: bool,
    /// How far it has come.
    pub state: SlackImportState,
    /// Why it was given up.
    pub error: Option<String>,
    /// What was read and stored.
    pub progress: SlackImportProgress,
    /// Who began it.
    pub created_by: Option<UserId>,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
    /// When reading began.
    pub started_at: Option<DateTime<Utc>>,
    /// When all messages were stored, or it was given up.
    pub finished_at: Option<DateTime<Utc>>,
    /// When it last got on.
    pub updated_at: DateTime<Utc>,
}

/// What an import has read and stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SlackImportProgress {
    /// Files of messages in the archive.
    pub days: u64,
    /// How many of them are stored.
    pub days_done: u64,
    /// Their size packed, in bytes.
    pub bytes: u64,
    /// How much of that is stored.
    pub bytes_done: u64,
    /// Users in the archive.
    pub users: u64,
    /// Channels in the archive.
    pub channels: u64,
    /// Messages that were kept.
    pub messages: u64,
    /// How many of them were not known or not the same before.
    pub messages_new: u64,
    /// How many were not kept, by reason.
    pub left_out: BTreeMap<String, u64>,
    /// Files that could not be read, the first `KEPT_PROBLEMS`.
    pub problems: Vec<SlackImportProblem>,
    /// How many files could not be read.
    pub problem_count: u64,
}

/// A file of an export that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlackImportProblem {
    /// Its name in the archive.
    pub file: String,
    /// Why, in a sentence.
    pub reason: String,
}

impl SlackImportProgress {
    /// Notes a file that could not be read.
    pub fn note(&mut self, file: String, reason: String) {
        self.problem_count += 1;
        if self.problems.len() < KEPT_PROBLEMS {
            self.problems.push(SlackImportProblem { file, reason });
        }
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    source_id: Uuid,
    knowledge_base_id: Uuid,
    blob_id: Option<Uuid>,
    file_name: String,
    workspace_url: Option<String>,
    is_open: bool,
    state: String,
    error: Option<String>,
    days: i64,
    days_done: i64,
    bytes: i64,
    bytes_done: i64,
    users: i64,
    channels: i64,
    messages: i64,
    messages_new: i64,
    left_out: Json<BTreeMap<String, u64>>,
    problems: Json<Vec<SlackImportProblem>>,
    problem_count: i64,
    created_by: Option<Uuid>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<Row> for SlackImport {
    type Error = crate::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: SlackImportId::from_uuid(row.id),
            source: SourceId::from_uuid(row.source_id),
            knowledge_base: KnowledgeBaseId::from_uuid(row.knowledge_base_id),
            blob: row.blob_id.map(BlobId::from_uuid),
            file_name: row.file_name,
            workspace_url: row.workspace_url,
            is_open: row.is_open,
            state: parse(&row.state)?,
            error: row.error,
            progress: SlackImportProgress {
                days: row.days.unsigned_abs(),
                days_done: row.days_done.unsigned_abs(),
                bytes: row.bytes.unsigned_abs(),
                bytes_done: row.bytes_done.unsigned_abs(),
                users: row.users.unsigned_abs(),
                channels: row.channels.unsigned_abs(),
                messages: row.messages.unsigned_abs(),
                messages_new: row.messages_new.unsigned_abs(),
                left_out: row.left_out.0,
                problems: row.problems.0,
                problem_count: row.problem_count.unsigned_abs(),
            },
            created_by: row.created_by.map(UserId::from_uuid),
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
            updated_at: row.updated_at,
        })
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select i.id, i.source_id, s.knowledge_base_id, i.blob_id, i.file_name, i.workspace_url, i.is_open, i.state, i.error, i.days,
                 i.days_done, i.bytes, i.bytes_done, i.users, i.channels, i.messages, i.messages_new, i.left_out, i.problems,
                 i.problem_count, i.created_by, i.created_at, i.started_at, i.finished_at, i.updated_at
             from slack_imports i join sources s on s.organization_id = i.organization_id and s.id = i.source_id
             where i.organization_id = $1 ",
            $rest
        )
    };
}

impl Slack<'_> {
    /// Adds an import that waits for its job.
    pub async fn begin_import(&mut self, new: &NewSlackImport) -> Result<SlackImportId> {
        let id = self.0.environment.id::<SlackImportId>();
        let person = match self.0.actor {
            Actor::User(user) => Some(user.uuid()),
            Actor::ApiKey(_) | Actor::System => None,
        };
        sqlx::query(
            "insert into slack_imports (id, organization_id, source_id, blob_id, file_name, workspace_url, is_open, state, created_by,
                 created_at, updated_at)
             values ($1, $2, $3, $4, $5, $6, $7, 'waiting',
                 (select user_id from organization_members where organization_id = $2 and user_id = $8), $9, $9)",
        )
        .bind(id.uuid())
        .bind(self.0.organization.uuid())
        .bind(new.source.uuid())
        .bind(new.blob.uuid())
        .bind(&new.file_name)
        .bind(&new.workspace_url)
        .bind(new.is_open)
        .bind(person)
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(id)
    }

    /// Has an import that has not stored anything go to another workspace's source.
    pub async fn move_import(
        &mut self,
        id: SlackImportId,
        source: SourceId,
        workspace_url: Option<&str>,
    ) -> Result<()> {
        sqlx::query(
            "update slack_imports set source_id = $3, workspace_url = $4, updated_at = $5 where organization_id = $1 and id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(source.uuid())
        .bind(workspace_url)
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// One import.
    pub async fn import(&mut self, id: SlackImportId) -> Result<Option<SlackImport>> {
        let row: Option<Row> = sqlx::query_as(select!("and i.id = $2"))
            .bind(self.0.organization.uuid())
            .bind(id.uuid())
            .fetch_optional(&mut *self.0.connection)
            .await?;
        row.map(TryInto::try_into).transpose()
    }

    /// A page of the imports, newest first.
    pub async fn imports(&mut self, page: PageRequest<SlackImportId>) -> Result<Page<SlackImport>> {
        let rows: Vec<Row> = sqlx::query_as(select!(
            "and ($2::uuid is null or i.id < $2) order by i.id desc limit $3"
        ))
        .bind(self.0.organization.uuid())
        .bind(page.after.map(Id::uuid))
        .bind(page.rows())
        .fetch_all(&mut *self.0.connection)
        .await?;
        let rows = rows
            .into_iter()
            .map(TryInto::try_into)
            .collect::<Result<Vec<SlackImport>>>()?;
        Ok(Page::from_rows(rows, page.limit, |import| import.id))
    }

    /// Keeps what an import has read and stored, and that it is running; `false` when it is gone or over.
    pub async fn note_import(&mut self, id: SlackImportId, progress: &SlackImportProgress) -> Result<bool> {
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let noted = sqlx::query(
            "update slack_imports set state = 'running', started_at = coalesce(started_at, $3), updated_at = $3, days = $4, days_done = $5,
                 bytes = $6, bytes_done = $7, users = $8, channels = $9, messages = $10, messages_new = $11, left_out = $12,
                 problems = $13, problem_count = $14
             where organization_id = $1 and id = $2 and state in ('waiting', 'running')",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(self.0.environment.now())
        .bind(count(progress.days))
        .bind(count(progress.days_done))
        .bind(count(progress.bytes))
        .bind(count(progress.bytes_done))
        .bind(count(progress.users))
        .bind(count(progress.channels))
        .bind(count(progress.messages))
        .bind(count(progress.messages_new))
        .bind(Json(&progress.left_out))
        .bind(Json(&progress.problems))
        .bind(count(progress.problem_count))
        .execute(&mut *self.0.connection)
        .await?;
        Ok(noted.rows_affected() == 1)
    }

    /// Ends an import: done, or given up with a reason. The archive is not needed any more.
    pub async fn end_import(&mut self, id: SlackImportId, failure: Option<&str>) -> Result<bool> {
        let ended = sqlx::query(
            "update slack_imports set state = case when $4::text is null then 'done' else 'failed' end, error = $4, blob_id = null,
                 finished_at = $3, updated_at = $3
             where organization_id = $1 and id = $2 and state in ('waiting', 'running')",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(self.0.environment.now())
        .bind(failure)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(ended.rows_affected() == 1)
    }
}
