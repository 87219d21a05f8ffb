//! Where the documents of a knowledge base come from.

use amebo_core::document::{Audience, Interval, ReadOutcome, SourceKind};
use amebo_core::failure::Failure;
use amebo_core::id::{DocumentId, Id, KnowledgeBaseId, SourceId};
use amebo_core::page::{Page, PageRequest};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::OrgTx;
use crate::document::failure;
use crate::error::{Result, parse};
use crate::transaction::Scope;

/// Where documents come from.
#[derive(Debug, Clone)]
pub struct Source {
    /// The source.
    pub id: SourceId,
    /// The knowledge base it fills.
    pub knowledge_base: KnowledgeBaseId,
    /// What it is.
    pub kind: SourceKind,
    /// As people see it; empty for the one source of documents that were added one by one.
    pub name: String,
    /// The web page it reads, for one that does.
    pub url: Option<String>,
    /// Who may see the documents it makes, where it says so.
    pub audience: Option<Audience>,
    /// How often it is read again; `None` when only on demand.
    pub every: Option<Interval>,
    /// In whose night it is read, as an IANA name.
    pub timezone: Option<String>,
    /// Whether it is left alone until somebody lets it go on.
    pub paused: bool,
    /// Documents that came from it.
    pub document_count: u64,
    /// Whether it is being read, or is about to be.
    pub is_being_read: bool,
    /// When it is read next.
    pub next_read_at: Option<DateTime<Utc>>,
    /// When it was last read.
    pub last_read_at: Option<DateTime<Utc>>,
    /// What came of that.
    pub last_outcome: Option<ReadOutcome>,
    /// Why it failed, in a sentence a person can act on.
    pub last_error: Option<String>,
    /// The same as a code, where it is known.
    pub failure: Option<Failure>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl Source {
    /// The name of its schedule, and of the lane in which it is read.
    pub fn lane(id: SourceId) -> String {
        format!("source:{id}")
    }

    /// What its page is to be called, where somebody chose a name rather than leave its address.
    pub fn title(&self) -> Option<&str> {
        let named_by_address = self
            .url
            .as_deref()
            .is_some_and(|url| address_as_name(url) == self.name);
        (!named_by_address).then_some(self.name.as_str())
    }
}

/// The name of a page's source until somebody chooses one.
pub fn address_as_name(url: &str) -> String {
    url.chars().take(200).collect()
}

/// A web page to be read from time to time.
#[derive(Debug, Clone)]
pub struct NewPageSource {
    /// The knowledge base it fills.
    pub knowledge_base: KnowledgeBaseId,
    /// As people see it, 1 to 200 characters.
    pub name: String,
    /// The page.
    pub url: String,
    /// Who may see its document.
    pub audience: Audience,
    /// How often it is read again.
    pub every: Option<Interval>,
    /// In whose night, as an IANA name.
    pub timezone: String,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    knowledge_base_id: Uuid,
    kind: String,
    name: String,
    url: Option<String>,
    audience: Option<Json<Audience>>,
    schedule: Option<String>,
    timezone: Option<String>,
    paused: bool,
    document_count: i64,
    is_being_read: bool,
    next_read_at: Option<DateTime<Utc>>,
    last_synced_at: Option<DateTime<Utc>>,
    last_outcome: Option<String>,
    last_error: Option<String>,
    failure: Option<Json<Value>>,
    created_at: DateTime<Utc>,
}

impl TryFrom<Row> for Source {
    type Error = crate::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: SourceId::from_uuid(row.id),
            knowledge_base: KnowledgeBaseId::from_uuid(row.knowledge_base_id),
            kind: parse(&row.kind)?,
            name: row.name,
            url: row.url,
            audience: row.audience.map(|Json(audience)| audience),
            every: row.schedule.as_deref().map(parse).transpose()?,
            timezone: row.timezone,
            paused: row.paused,
            document_count: row.document_count.unsigned_abs(),
            is_being_read: row.is_being_read,
            next_read_at: row.next_read_at,
            last_read_at: row.last_synced_at,
            last_outcome: row.last_outcome.as_deref().map(parse).transpose()?,
            last_error: row.last_error,
            failure: failure(row.failure),
            created_at: row.created_at,
        })
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select s.id, s.knowledge_base_id, s.kind, s.name, s.url, s.audience, s.schedule, s.timezone, s.paused, s.last_synced_at,
                    s.last_outcome, s.last_error, s.failure, s.created_at, t.next_run_at as next_read_at,
                    (select count(*) from documents d where d.organization_id = s.organization_id and d.source_id = s.id) as document_count,
                    exists (select from jobs j where j.organization_id = s.organization_id and j.lane = 'source:' || s.id
                            and j.state in ('queued', 'running')) as is_being_read
             from sources s
             left join schedules t on t.organization_id = s.organization_id and t.name = 'source:' || s.id
             where s.organization_id = $1 ",
            $rest
        )
    };
}

impl OrgTx {
    /// Where its documents come from.
    pub fn sources(&mut self) -> Sources<'_> {
        Sources(self.scope())
    }
}

/// The sources of the current organisation.
#[derive(Debug)]
pub struct Sources<'a>(pub(crate) Scope<'a>);

impl Sources<'_> {
    /// The source that mirrors a workspace in a knowledge base; made when it is first needed. A workspace is known by its address, so
    /// that an export of it and a connection to it are one; where the address is not given, by this name.
    pub async fn of_workspace(
        &mut self,
        knowledge_base: KnowledgeBaseId,
        name: &str,
        url: Option<&str>,
    ) -> Result<SourceId> {
        // Whoever asks at the same time waits, and then finds the same.
        sqlx::query("select from knowledge_bases where organization_id = $1 and id = $2 for no key update")
            .bind(self.0.organization.uuid())
            .bind(knowledge_base.uuid())
            .execute(&mut *self.0.connection)
            .await?;
        let known: Option<Uuid> = sqlx::query_scalar(
            "select id from sources
             where organization_id = $1 and knowledge_base_id = $2 and kind = 'slack' and configuration ->> 'workspace_url' = $3
             order by created_at, id limit 1",
        )
        .bind(self.0.organization.uuid())
        .bind(knowledge_base.uuid())
        .bind(url)
        .fetch_optional(&mut *self.0.connection)
        .await?;
        if let Some(known) = known {
            return Ok(SourceId::from_uuid(known));
        }
        let id: Uuid = sqlx::query_scalar(
            "insert into sources as s (id, organization_id, knowledge_base_id, kind, name, configuration, created_at, updated_at)
             values ($1, $2, $3, 'slack', $4, jsonb_strip_nulls(jsonb_build_object('workspace_url', $5::text)), $6, $6)
             on conflict on constraint sources_name do update
                 set configuration = s.configuration || excluded.configuration, updated_at = excluded.updated_at
             returning id",
        )
        .bind(self.0.environment.id::<SourceId>().uuid())
        .bind(self.0.organization.uuid())
        .bind(knowledge_base.uuid())
        .bind(name)
        .bind(url)
        .bind(self.0.environment.now())
        .fetch_one(&mut *self.0.connection)
        .await?;
        Ok(SourceId::from_uuid(id))
    }

    /// The source of documents that are added to a knowledge base one by one; made when it is first needed.
    pub async fn of_single_documents(
        &mut self,
        knowledge_base: KnowledgeBaseId,
        kind: SourceKind,
    ) -> Result<SourceId> {
        let id: Uuid = sqlx::query_scalar(
            "with known as (select id from sources where organization_id = $2 and knowledge_base_id = $3 and kind = $4 and name = ''),
             made as (
                 insert into sources (id, organization_id, knowledge_base_id, kind, name, created_at, updated_at)
                 select $1, $2, $3, $4, '', $5, $5 where not exists (select from known)
                 on conflict on constraint sources_name do update set updated_at = excluded.updated_at
                 returning id)
             select id from known union all select id from made",
        )
        .bind(self.0.environment.id::<SourceId>().uuid())
        .bind(self.0.organization.uuid())
        .bind(knowledge_base.uuid())
        .bind(kind.as_str())
        .bind(self.0.environment.now())
        .fetch_one(&mut *self.0.connection)
        .await?;
        Ok(SourceId::from_uuid(id))
    }

    /// A page of the sources, of one knowledge base when it is given, the newest first. One that nothing came from and nothing reads is
    /// left out.
    pub async fn list(
        &mut self,
        knowledge_base: Option<KnowledgeBaseId>,
        page: &PageRequest<SourceId>,
    ) -> Result<Page<Source>> {
        let rows: Vec<Row> = sqlx::query_as(select!(
            "and ($2::uuid is null or s.knowledge_base_id = $2) and ($3::uuid is null or s.id < $3)
             and (s.name <> '' or exists (select from documents d where d.organization_id = s.organization_id and d.source_id = s.id))
             order by s.id desc limit $4"
        ))
        .bind(self.0.organization.uuid())
        .bind(knowledge_base.map(Id::uuid))
        .bind(page.after.map(Id::uuid))
        .bind(page.rows())
        .fetch_all(&mut *self.0.connection)
        .await?;
        let sources = rows
            .into_iter()
            .map(TryInto::try_into)
            .collect::<Result<Vec<Source>>>()?;
        Ok(Page::from_rows(sources, page.limit, |source| source.id))
    }

    /// One source.
    pub async fn get(&mut self, id: SourceId) -> Result<Option<Source>> {
        let row: Option<Row> = sqlx::query_as(select!("and s.id = $2"))
            .bind(self.0.organization.uuid())
            .bind(id.uuid())
            .fetch_optional(&mut *self.0.connection)
            .await?;
        row.map(TryInto::try_into).transpose()
    }

    /// Adds a page to be read. A conflict on `sources_url` means that the knowledge base reads it already, one on `sources_name` that
    /// the name is taken.
    pub async fn insert_page(&mut self, new: &NewPageSource) -> Result<SourceId> {
        let (id, now) = (self.0.environment.id::<SourceId>(), self.0.environment.now());
        sqlx::query(
            "insert into sources (id, organization_id, knowledge_base_id, kind, name, url, audience, schedule, timezone, created_at, updated_at)
             values ($1, $2, $3, 'web', $4, $5, $6, $7, $8, $9, $9)",
        )
        .bind(id.uuid())
        .bind(self.0.organization.uuid())
        .bind(new.knowledge_base.uuid())
        .bind(&new.name)
        .bind(&new.url)
        .bind(Json(&new.audience))
        .bind(new.every.map(Interval::as_str))
        .bind(&new.timezone)
        .bind(now)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(id)
    }

    /// Changes when a page is read and what its source is called. A conflict on `sources_name` means that the name is taken.
    pub async fn update_page(
        &mut self,
        id: SourceId,
        name: &str,
        every: Option<Interval>,
        timezone: &str,
        paused: bool,
    ) -> Result<()> {
        sqlx::query(
            "update sources set name = $3, schedule = $4, timezone = $5, paused = $6, updated_at = $7
             where organization_id = $1 and id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(name)
        .bind(every.map(Interval::as_str))
        .bind(timezone)
        .bind(paused)
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Keeps what came of reading a source; `failure` says why it failed, as a sentence and as a code.
    pub async fn record(
        &mut self,
        id: SourceId,
        outcome: ReadOutcome,
        failure: Option<(&str, &Failure)>,
    ) -> Result<()> {
        sqlx::query(
            "update sources set last_synced_at = $3, last_outcome = $4, last_error = $5, failure = $6, updated_at = $3
             where organization_id = $1 and id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(self.0.environment.now())
        .bind(outcome.as_str())
        .bind(failure.map(|(sentence, _)| sentence))
        .bind(failure.map(|(_, failure)| Json(failure)))
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Counts a document to a source from now on.
    pub async fn adopt(&mut self, id: SourceId, document: DocumentId) -> Result<()> {
        sqlx::query(
            "update documents set source_id = $3 where organization_id = $1 and id = $2 and source_id <> $3",
        )
        .bind(self.0.organization.uuid())
        .bind(document.uuid())
        .bind(id.uuid())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Takes a source away and counts its documents to `heir`. False when there is none.
    pub async fn dissolve(&mut self, id: SourceId, heir: SourceId) -> Result<bool> {
        sqlx::query("update documents set source_id = $3 where organization_id = $1 and source_id = $2")
            .bind(self.0.organization.uuid())
            .bind(id.uuid())
            .bind(heir.uuid())
            .execute(&mut *self.0.connection)
            .await?;
        let gone = sqlx::query("delete from sources where organization_id = $1 and id = $2")
            .bind(self.0.organization.uuid())
            .bind(id.uuid())
            .execute(&mut *self.0.connection)
            .await?;
        Ok(gone.rows_affected() == 1)
    }
}
