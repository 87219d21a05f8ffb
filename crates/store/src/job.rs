//! The queue: work that is done after the transaction that asked for it has committed.
//!
//! What holds:
//! - A job is pushed in the transaction that causes it: both happen or neither.
//! - Jobs of one lane run one at a time, in the order in which their transactions committed. Only the first unfinished job of a lane
//!   can be claimed; the others have `waiting = 'lane'` until the one before is gone. Adding to a lane, and taking from it, happen
//!   under the lane's advisory lock, in a statement after the one that locks (so that it sees what the lock waited for).
//! - Organisations take turns, whatever the length of their queues; interactive jobs come before normal ones before bulk ones.
//! - A claim is a lease. A worker that dies loses it, and the job runs again: a job is done at least once, and its effects exactly
//!   once when its handler ends with [`Jobs::complete`] in the transaction that writes them.
//! - Time comes from the caller's clock, never from the database's.

mod handler;
mod lane;
mod lease;
mod push;
mod queue;
mod worker;

use amebo_core::id::{Id, JobId};
use amebo_core::job::{JobState, Priority};
use amebo_core::page::{Page, PageRequest};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

pub use self::handler::{Handler, Outcome, Registry};
pub use self::lease::Lease;
pub(crate) use self::push::push;
pub use self::queue::{Queue, QueuedJob};
pub use self::worker::{Concurrency, Settings, Worker};
use crate::OrgTx;
use crate::error::{Result, parse};
use crate::signal::Topic;
use crate::transaction::Scope;

/// What a kind of job carries. Its serialised form is stored: change it compatibly.
pub trait Task: Serialize + DeserializeOwned + Send + 'static {
    /// The kind's name, such as `document.ingest`; unique in the program and never changed.
    const KIND: &'static str;
    /// Which work goes first.
    const PRIORITY: Priority = Priority::Normal;
    /// How often it is tried before it is dead.
    const MAX_ATTEMPTS: u16 = 10;
}

/// A job to be pushed.
#[derive(Debug, Clone)]
pub struct NewJob {
    pub(crate) kind: String,
    pub(crate) priority: Priority,
    pub(crate) max_attempts: u16,
    pub(crate) payload: Result<String, String>,
    pub(crate) lane: Option<String>,
    pub(crate) unique_key: Option<String>,
    pub(crate) run_at: Option<DateTime<Utc>>,
}

impl NewJob {
    /// A job with the defaults of its kind, to run as soon as possible.
    pub fn of<T: Task>(task: &T) -> Self {
        Self {
            kind: T::KIND.to_owned(),
            priority: T::PRIORITY,
            max_attempts: T::MAX_ATTEMPTS,
            payload: serde_json::to_string(task).map_err(|error| error.to_string()),
            lane: None,
            unique_key: None,
            run_at: None,
        }
    }

    /// Keeps it in order with the other jobs of `lane` in its organisation; at most 200 characters.
    #[must_use]
    pub fn lane(mut self, lane: impl Into<String>) -> Self {
        self.lane = Some(lane.into());
        self
    }

    /// Pushes nothing while an unfinished job of the kind has the same key; at most 200 characters.
    #[must_use]
    pub fn unique(mut self, key: impl Into<String>) -> Self {
        self.unique_key = Some(key.into());
        self
    }

    /// Not before this time. In a lane, what comes behind waits as well.
    #[must_use]
    pub fn at(mut self, time: DateTime<Utc>) -> Self {
        self.run_at = Some(time);
        self
    }

    /// Another priority than its kind's.
    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }
}

/// An unfinished or dead job.
#[derive(Debug, Clone)]
pub struct Job {
    /// The job.
    pub id: JobId,
    /// Its kind.
    pub kind: String,
    /// Where it stands.
    pub state: JobState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it runs next, or was to run last.
    pub run_at: DateTime<Utc>,
    /// What its handler last reported.
    pub progress: Option<Value>,
    /// Why it last failed.
    pub last_error: Option<String>,
    /// When it was pushed.
    pub created_at: DateTime<Utc>,
}

type JobRow = (
    Uuid,
    String,
    String,
    i32,
    DateTime<Utc>,
    Option<Value>,
    Option<String>,
    DateTime<Utc>,
    i64,
);

fn job((id, kind, state, attempts, run_at, progress, last_error, created_at, _): JobRow) -> Result<Job> {
    Ok(Job {
        id: JobId::from_uuid(id),
        kind,
        state: parse(&state)?,
        attempts: u32::try_from(attempts).unwrap_or_default(),
        run_at,
        progress,
        last_error,
        created_at,
    })
}

impl OrgTx {
    /// The organisation's jobs.
    pub fn jobs(&mut self) -> Jobs<'_> {
        Jobs(self.scope())
    }
}

/// The jobs of one organisation.
#[derive(Debug)]
pub struct Jobs<'a>(pub(crate) Scope<'a>);

impl Jobs<'_> {
    /// Pushes a job; `None` when an unfinished one has the same unique key.
    ///
    /// Pushing into a lane holds the lane until the transaction ends; two transactions that push into the same two lanes in opposite
    /// order can deadlock, and one of them is then refused. Use [`Jobs::push_all`] for several.
    pub async fn push(&mut self, job: NewJob) -> Result<Option<JobId>> {
        Ok(self.push_all(vec![job]).await?.pop())
    }

    /// Pushes jobs in this order and returns those that were new. A transaction can hold a few thousand lanes at most.
    pub async fn push_all(&mut self, jobs: Vec<NewJob>) -> Result<Vec<JobId>> {
        let organization = self.0.organization;
        let jobs = jobs.into_iter().map(|job| (organization, job)).collect();
        let inserted = push::push(&mut *self.0.connection, self.0.environment, jobs).await?;
        if !inserted.is_empty() {
            self.0.written.note(Topic::Jobs);
        }
        Ok(inserted)
    }

    /// Ends the leased job in this transaction, together with what its handler writes in it: the job's effects happen exactly once.
    ///
    /// False when the lease was lost meanwhile; the transaction must then be dropped.
    pub async fn complete(&mut self, lease: &Lease) -> Result<bool> {
        let lanes: Vec<_> = lease
            .lane
            .iter()
            .map(|lane| (self.0.organization, lane.clone()))
            .collect();
        lane::lock(&mut *self.0.connection, &lanes).await?;
        let gone = sqlx::query(
            "delete from jobs where organization_id = $1 and id = $2 and locked_by = $3 and attempts = $4 and state = 'running'",
        )
        .bind(self.0.organization.uuid())
        .bind(lease.job.uuid())
        .bind(lease.worker)
        .bind(lease.attempts)
        .execute(&mut *self.0.connection)
        .await?;
        lane::release(&mut *self.0.connection, &lanes, self.0.environment.now()).await?;
        Ok(gone.rows_affected() == 1)
    }

    /// Records how far a job has come, for those who watch it.
    pub async fn report(&mut self, id: JobId, progress: &Value) -> Result<()> {
        sqlx::query("update jobs set progress = $3, updated_at = $4 where organization_id = $1 and id = $2")
            .bind(self.0.organization.uuid())
            .bind(id.uuid())
            .bind(progress)
            .bind(self.0.environment.now())
            .execute(&mut *self.0.connection)
            .await?;
        Ok(())
    }

    /// One job; `None` when it is finished or never was.
    pub async fn get(&mut self, id: JobId) -> Result<Option<Job>> {
        let row: Option<JobRow> = sqlx::query_as(
            "select id, kind, state, attempts, run_at, progress, last_error, created_at, number
             from jobs where organization_id = $1 and id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        row.map(job).transpose()
    }

    /// The youngest job of a kind, unfinished or dead, that has one of these unique keys.
    pub async fn youngest(&mut self, kind: &str, keys: &[String]) -> Result<Option<Job>> {
        let row: Option<JobRow> = sqlx::query_as(
            "select id, kind, state, attempts, run_at, progress, last_error, created_at, number
             from jobs where organization_id = $1 and kind = $2 and unique_key = any($3) order by number desc limit 1",
        )
        .bind(self.0.organization.uuid())
        .bind(kind)
        .bind(keys)
        .fetch_optional(&mut *self.0.connection)
        .await?;
        row.map(job).transpose()
    }

    /// The jobs given up, oldest first.
    pub async fn dead(&mut self, page: &PageRequest<i64>) -> Result<Page<Job>> {
        let rows: Vec<JobRow> = sqlx::query_as(
            "select id, kind, state, attempts, run_at, progress, last_error, created_at, number
             from jobs where organization_id = $1 and state = 'dead' and number > $2 order by number limit $3",
        )
        .bind(self.0.organization.uuid())
        .bind(page.after.unwrap_or(0))
        .bind(page.rows())
        .fetch_all(&mut *self.0.connection)
        .await?;
        let page = Page::from_rows(rows, page.limit, |row| row.8);
        Ok(Page {
            items: page.items.into_iter().map(job).collect::<Result<_>>()?,
            next_cursor: page.next_cursor,
        })
    }

    /// Gives a dead job its attempts back; in its lane it comes last. False when there is no such dead job.
    pub async fn revive(&mut self, id: JobId) -> Result<bool> {
        let lane: Option<Option<String>> = sqlx::query_scalar(
            "select lane from jobs where organization_id = $1 and id = $2 and state = 'dead' for update",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        let Some(lane) = lane else { return Ok(false) };
        let lanes: Vec<_> = lane.map(|lane| (self.0.organization, lane)).into_iter().collect();
        lane::lock(&mut *self.0.connection, &lanes).await?;
        let now = self.0.environment.now();
        sqlx::query(
            "update jobs set state = 'queued', waiting = case when lane is not null then 'lane' end, number = default,
                             attempts = 0, cancel_requested = false, run_at = $3, updated_at = $3
             where organization_id = $1 and id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(now)
        .execute(&mut *self.0.connection)
        .await?;
        lane::release(&mut *self.0.connection, &lanes, now).await?;
        self.0.written.note(Topic::Jobs);
        Ok(true)
    }

    /// Calls a job off: one that waits or is dead goes at once, one that runs is told to stop and is not tried again. False when there
    /// is no such job.
    pub async fn cancel(&mut self, id: JobId) -> Result<bool> {
        let lane: Option<Option<String>> =
            sqlx::query_scalar("select lane from jobs where organization_id = $1 and id = $2")
                .bind(self.0.organization.uuid())
                .bind(id.uuid())
                .fetch_optional(&mut *self.0.connection)
                .await?;
        let Some(lane) = lane else { return Ok(false) };
        let lanes: Vec<_> = lane.map(|lane| (self.0.organization, lane)).into_iter().collect();
        lane::lock(&mut *self.0.connection, &lanes).await?;
        let now = self.0.environment.now();
        let gone =
            sqlx::query("delete from jobs where organization_id = $1 and id = $2 and state <> 'running'")
                .bind(self.0.organization.uuid())
                .bind(id.uuid())
                .execute(&mut *self.0.connection)
                .await?
                .rows_affected();
        let told = sqlx::query(
            "update jobs set cancel_requested = true, updated_at = $3 where organization_id = $1 and id = $2 and state = 'running'",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(now)
        .execute(&mut *self.0.connection)
        .await?
        .rows_affected();
        lane::release(&mut *self.0.connection, &lanes, now).await?;
        self.0.written.note(Topic::Jobs);
        Ok(gone + told > 0)
    }
}
