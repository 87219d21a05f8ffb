//! Sources: where the documents of a knowledge base come from, and web pages that are read again from time to time.
//!
//! A page is read by one job, whether its time has come or somebody asks for it. What came of it is kept with the source: a page that
//! is away is said so where people look, and read again at its next time; it never becomes a dead job.

use std::sync::Arc;

use amebo_core::document::{Audience, Interval, ReadOutcome};
use amebo_core::id::{Id as _, KnowledgeBaseId, SourceId};
use amebo_core::job::Priority;
use amebo_core::page::{Page, PageRequest};
use amebo_core::permission::{Action, Resource};
use amebo_store::audit::NewEntry;
use amebo_store::job::{Handler, Lease, NewJob, Outcome, Task};
use amebo_store::source::{NewPageSource, address_as_name};
use amebo_store::{OrgTx, schedule};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use amebo_store::source::Source;

use crate::document::{Unread, check_audience, web_address};
use crate::{Access, App, Error, Result};

/// The longest name, in characters.
const LONGEST_NAME: usize = 200;

/// A web page to be read from time to time.
#[derive(Debug, Clone)]
pub struct PageSourceForm {
    /// The knowledge base it fills.
    pub knowledge_base: KnowledgeBaseId,
    /// Where the page is.
    pub url: String,
    /// As people see it; the address when absent.
    pub name: Option<String>,
    /// Who may see its document.
    pub audience: Audience,
    /// How often it is read again; `None` for only on demand.
    pub every: Option<Interval>,
    /// In whose night, as an IANA name.
    pub timezone: String,
}

/// What to change of a page's source; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct SourceChange {
    /// As people see it.
    pub name: Option<String>,
    /// How often it is read again; `Some(None)` for only on demand.
    pub every: Option<Option<Interval>>,
    /// In whose night, as an IANA name.
    pub timezone: Option<String>,
    /// Whether it is left alone until somebody lets it go on.
    pub paused: Option<bool>,
}

/// Read a source.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReadSource {
    /// The source.
    pub source: SourceId,
}

impl Task for ReadSource {
    const KIND: &'static str = "source.read";
    const PRIORITY: Priority = Priority::Bulk;
    const MAX_ATTEMPTS: u16 = 4;
}

/// Handles [`ReadSource`].
#[derive(Debug, Clone)]
pub(crate) struct ReadSourceHandler(pub(crate) Arc<App>);

impl App {
    /// Where documents come from: of one knowledge base or of all, the newest first.
    pub async fn sources(
        &self,
        access: &Access,
        knowledge_base: Option<KnowledgeBaseId>,
        page: &PageRequest<SourceId>,
    ) -> Result<Page<Source>> {
        let permit = access.permit(Resource::KnowledgeBase, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let sources = tx.sources().list(knowledge_base, page).await?;
        tx.commit().await?;
        Ok(sources)
    }

    /// Adds a web page to be read, at once and then at its times.
    pub async fn create_source(&self, access: &Access, form: &PageSourceForm) -> Result<Source> {
        access.permit(Resource::Document, Action::Create)?;
        let permit = access.permit(Resource::KnowledgeBase, Action::Update)?;
        let url = web_address(&form.url)?.to_string();
        check_audience(&form.audience, access.reader())?;
        self.open_knowledge_base(&permit, form.knowledge_base).await?;
        let new = NewPageSource {
            knowledge_base: form.knowledge_base,
            name: form
                .name
                .as_deref()
                .map_or_else(|| Ok(address_as_name(&url)), checked_name)?,
            url,
            audience: form.audience.clone(),
            every: form.every,
            timezone: form.timezone.clone(),
        };
        let mut tx = self.store.begin(&permit).await?;
        let id = tx.sources().insert_page(&new).await.map_err(taken)?;
        schedule(&mut tx, id, new.every, &new.timezone).await?;
        push_read(&mut tx, id).await?;
        tx.audit()
            .append(NewEntry::new("source.create", "source").of(id).details(
                json!({ "knowledge_base_id": new.knowledge_base, "url": new.url, "every": new.every, "audience": new.audience }),
            ))
            .await?;
        let source = tx.sources().get(id).await?.ok_or(Error::NotFound("source"))?;
        tx.commit().await?;
        Ok(source)
    }

    /// Changes when a page is read, pauses it, or calls its source otherwise.
    pub async fn update_source(
        &self,
        access: &Access,
        id: SourceId,
        change: &SourceChange,
    ) -> Result<Source> {
        let permit = access.permit(Resource::KnowledgeBase, Action::Update)?;
        let mut tx = self.store.begin(&permit).await?;
        let before = page_source(&mut tx, id).await?;
        let name = change
            .name
            .as_deref()
            .map_or_else(|| Ok(before.name.clone()), checked_name)?;
        let every = change.every.unwrap_or(before.every);
        let timezone = change
            .timezone
            .clone()
            .or_else(|| before.timezone.clone())
            .unwrap_or_else(|| "UTC".to_owned());
        let paused = change.paused.unwrap_or(before.paused);
        tx.sources()
            .update_page(id, &name, every, &timezone, paused)
            .await
            .map_err(taken)?;
        schedule(&mut tx, id, every.filter(|_| !paused), &timezone).await?;
        let after = tx.sources().get(id).await?.ok_or(Error::NotFound("source"))?;
        tx.audit()
            .append(
                NewEntry::new("source.update", "source")
                    .of(id)
                    .details(json!({ "before": described(&before), "after": described(&after) })),
            )
            .await?;
        tx.commit().await?;
        Ok(after)
    }

    /// Has a page read now, whether or not it is paused.
    pub async fn read_source_now(&self, access: &Access, id: SourceId) -> Result<Source> {
        let permit = access.permit(Resource::KnowledgeBase, Action::Update)?;
        let mut tx = self.store.begin(&permit).await?;
        page_source(&mut tx, id).await?;
        push_read(&mut tx, id).await?;
        let source = tx.sources().get(id).await?.ok_or(Error::NotFound("source"))?;
        tx.commit().await?;
        Ok(source)
    }

    /// Takes a page's source away. Its document stays.
    pub async fn delete_source(&self, access: &Access, id: SourceId) -> Result<()> {
        let permit = access.permit(Resource::KnowledgeBase, Action::Update)?;
        let mut tx = self.store.begin(&permit).await?;
        let source = page_source(&mut tx, id).await?;
        let heir = tx
            .sources()
            .of_single_documents(source.knowledge_base, source.kind)
            .await?;
        schedule(&mut tx, id, None, "UTC").await?;
        tx.sources().dissolve(id, heir).await?;
        tx.audit()
            .append(
                NewEntry::new("source.delete", "source")
                    .of(id)
                    .details(json!({ "knowledge_base_id": source.knowledge_base, "url": source.url })),
            )
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Reads a source and keeps what came of it. The reason, when it may succeed later.
    async fn read_source(&self, lease: &Lease, task: &ReadSource) -> Result<Option<String>> {
        let permit = lease.permit();
        let mut tx = self.store.begin(&permit).await?;
        let source = tx.sources().get(task.source).await?;
        if source.is_none() {
            // It went with its knowledge base.
            schedule(&mut tx, task.source, None, "UTC").await?;
        }
        tx.commit().await?;
        let Some((source, url)) = source.and_then(|source| {
            let url = source.url.clone()?;
            Some((source, url))
        }) else {
            return Ok(None);
        };
        let (outcome, failure) = match self.read_page(&permit, &source, &url).await {
            Ok(true) => (ReadOutcome::Changed, None),
            Ok(false) => (ReadOutcome::Unchanged, None),
            Err(failure) => (ReadOutcome::Failed, Some(failure)),
        };
        let reason = failure
            .as_ref()
            .map(|Unread { reason, .. }| (reason.sentence.as_str(), &reason.failure));
        let mut tx = self.store.begin(&permit).await?;
        tx.sources().record(source.id, outcome, reason).await?;
        tx.events()
            .append(
                "source.read",
                Some(source.id.uuid()),
                &json!({ "outcome": outcome, "reason": reason.map(|(sentence, _)| sentence), "failure": reason.map(|(_, failure)| failure) }),
            )
            .await?;
        tx.commit().await?;
        Ok(failure.and_then(|Unread { reason, is_temporary }| is_temporary.then_some(reason.sentence)))
    }
}

impl Handler for ReadSourceHandler {
    type Task = ReadSource;

    async fn run(&self, task: ReadSource, lease: Lease) -> Outcome {
        let ended = tokio::select! {
            () = lease.stopped() => return Outcome::Cancelled,
            ended = self.0.read_source(&lease, &task) => ended,
        };
        match ended {
            Ok(Some(reason)) if !lease.is_last_attempt() => Outcome::retry(reason),
            Ok(_) => Outcome::Done,
            Err(error) => Outcome::retry(error),
        }
    }
}

/// A source that reads a page; others have times of their own.
async fn page_source(tx: &mut OrgTx, id: SourceId) -> Result<Source> {
    let source = tx.sources().get(id).await?.ok_or(Error::NotFound("source"))?;
    if source.url.is_none() {
        return Err(Error::Conflict(
            "only web pages are read again at times you choose; this source follows its own".to_owned(),
        ));
    }
    Ok(source)
}

async fn push_read(tx: &mut OrgTx, id: SourceId) -> Result<()> {
    let job = job(id).priority(Priority::Normal).unique(id.to_string());
    tx.jobs().push(job).await?;
    Ok(())
}

fn job(id: SourceId) -> NewJob {
    NewJob::of(&ReadSource { source: id }).lane(Source::lane(id))
}

/// Sets or ends the times at which a page is read: at night, each at a minute of its own, so that not all come at once.
async fn schedule(tx: &mut OrgTx, id: SourceId, every: Option<Interval>, timezone: &str) -> Result<()> {
    let name = Source::lane(id);
    let minute = id.uuid().as_u128() % 60;
    let hour = 2 + id.uuid().as_u128() / 60 % 3;
    let cron = match every {
        Some(Interval::Day) => format!("{minute} {hour} * * *"),
        Some(Interval::Week) => format!("{minute} {hour} * * 1"),
        None => {
            tx.schedules().remove(&name).await.map_err(unscheduled)?;
            return Ok(());
        }
    };
    tx.schedules()
        .set(&name, &cron, timezone, job(id))
        .await
        .map_err(unscheduled)
}

fn unscheduled(error: schedule::Error) -> Error {
    match error {
        schedule::Error::Timezone(_) => Error::invalid("/timezone", error.to_string()),
        schedule::Error::Database(error) => error.into(),
        schedule::Error::Cron { .. } => Error::internal(error),
    }
}

fn checked_name(name: &str) -> Result<String> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Error::invalid(
            "/name",
            format!("a name has 1 to {LONGEST_NAME} characters"),
        ));
    }
    Ok(name.to_owned())
}

fn taken(error: amebo_store::Error) -> Error {
    if error.is_conflict_on("sources_url") {
        Error::Conflict("this knowledge base reads that page already".to_owned())
    } else if error.is_conflict_on("sources_name") {
        Error::Conflict("there is already a page of this name in the knowledge base".to_owned())
    } else {
        error.into()
    }
}

fn described(source: &Source) -> serde_json::Value {
    json!({ "name": source.name, "every": source.every, "timezone": source.timezone, "paused": source.paused })
}
