//! The queue as a worker sees it: claiming, keeping and settling leases over all organisations.

use std::time::Duration;

use amebo_core::id::{Id, JobId, OrganizationId};
use amebo_core::job::{JobState, Priority};
use amebo_core::page::{Page, PageRequest};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::lane::{self, Lane};
use super::{Lease, Outcome};
use crate::SystemTx;
use crate::error::{Result, parse};
use crate::transaction::SystemScope;

/// How many jobs whose time has come, or whose lease has expired, one statement frees.
const BATCH: i64 = 1_000;
/// How much of a reason is kept, in characters.
const LONGEST_REASON: usize = 2_000;

/// Which of a worker's leases still stand.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) held: Vec<JobId>,
    pub(super) cancelled: Vec<JobId>,
}

/// A job as the operator of the platform sees it: without what it carries.
#[derive(Debug, Clone)]
pub struct QueuedJob {
    /// The job.
    pub id: JobId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// What that is called.
    pub organization_name: String,
    /// Its kind.
    pub kind: String,
    /// Where it stands.
    pub state: JobState,
    /// How urgent it is.
    pub priority: Priority,
    /// How often it was tried.
    pub attempts: u32,
    /// How often it is tried at most.
    pub max_attempts: u32,
    /// When it runs next, or was to run last.
    pub run_at: DateTime<Utc>,
    /// Why it last failed.
    pub last_error: Option<String>,
    /// When it was pushed.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct QueuedRow {
    number: i64,
    id: Uuid,
    organization_id: Uuid,
    organization_name: String,
    kind: String,
    state: String,
    priority: String,
    attempts: i32,
    max_attempts: i32,
    run_at: DateTime<Utc>,
    last_error: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<QueuedRow> for QueuedJob {
    type Error = crate::Error;

    fn try_from(row: QueuedRow) -> Result<Self> {
        Ok(Self {
            id: JobId::from_uuid(row.id),
            organization: OrganizationId::from_uuid(row.organization_id),
            organization_name: row.organization_name,
            kind: row.kind,
            state: parse(&row.state)?,
            priority: parse(&row.priority)?,
            attempts: row.attempts.unsigned_abs(),
            max_attempts: row.max_attempts.unsigned_abs(),
            run_at: row.run_at,
            last_error: row.last_error,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl SystemTx {
    /// The jobs of all organisations.
    pub fn queue(&mut self) -> Queue<'_> {
        Queue(self.scope())
    }
}

/// The jobs of all organisations.
#[derive(Debug)]
pub struct Queue<'a>(SystemScope<'a>);

type LeaseRow = (
    Uuid,
    Uuid,
    i32,
    i32,
    String,
    String,
    Option<String>,
    Value,
    Option<String>,
    bool,
);

impl Queue<'_> {
    /// How many jobs of each state and priority there are; for metrics.
    pub async fn depth(&mut self) -> Result<Vec<(String, Priority, i64)>> {
        let rows: Vec<(String, String, i64)> =
            sqlx::query_as("select state, priority, count(*) from jobs group by state, priority")
                .fetch_all(&mut *self.0.connection)
                .await?;
        rows.into_iter()
            .map(|(state, priority, count)| Ok((state, parse(&priority)?, count)))
            .collect()
    }

    /// When the job was pushed that has waited longest of those that nothing keeps from running; `None` when none waits.
    pub async fn oldest_waiting(&mut self) -> Result<Option<DateTime<Utc>>> {
        Ok(
            sqlx::query_scalar("select min(run_at) from jobs where state = 'queued' and waiting is null")
                .fetch_one(&mut *self.0.connection)
                .await?,
        )
    }

    /// Jobs in one state, in the order they came, without what they carry.
    pub async fn list(&mut self, state: JobState, page: &PageRequest<i64>) -> Result<Page<QueuedJob>> {
        let rows: Vec<QueuedRow> = sqlx::query_as(
            "select j.number, j.id, j.organization_id, o.name as organization_name, j.kind, j.state, j.priority, j.attempts, j.max_attempts,
                    j.run_at, j.last_error, j.created_at, j.updated_at
             from jobs j join organizations o on o.id = j.organization_id
             where j.state = $1 and j.number > $2 order by j.number limit $3",
        )
        .bind(state.as_str())
        .bind(page.after.unwrap_or(0))
        .bind(page.rows())
        .fetch_all(&mut *self.0.connection)
        .await?;
        let page = Page::from_rows(rows, page.limit, |row| row.number);
        Ok(Page {
            items: page
                .items
                .into_iter()
                .map(TryInto::try_into)
                .collect::<Result<_>>()?,
            next_cursor: page.next_cursor,
        })
    }

    /// Whose a job is; `None` when it is finished or never was.
    pub async fn organization_of(&mut self, job: JobId) -> Result<Option<OrganizationId>> {
        let found: Option<Uuid> = sqlx::query_scalar("select organization_id from jobs where id = $1")
            .bind(job.uuid())
            .fetch_optional(&mut *self.0.connection)
            .await?;
        Ok(found.map(OrganizationId::from_uuid))
    }

    /// Lets jobs go whose time has come.
    pub(super) async fn wake_due(&mut self) -> Result<()> {
        sqlx::query(
            "update jobs set waiting = null
             where id in (select id from jobs where waiting = 'time' and run_at <= $1 order by run_at limit $2 for update skip locked)",
        )
        .bind(self.0.environment.now())
        .bind(BATCH)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Claims up to `count` jobs of one priority, taking turns over organisations from the one after `cursor`, which is moved on.
    ///
    /// When fewer organisations have jobs than are wanted, each gives its share; what a short queue leaves is taken by the next call.
    pub(super) async fn claim(
        &mut self,
        worker: Uuid,
        kinds: &[&'static str],
        priority: Priority,
        count: usize,
        lease: Duration,
        cursor: &mut Uuid,
    ) -> Result<Vec<Lease>> {
        let now = self.0.environment.now();
        let rows: Vec<LeaseRow> = sqlx::query_as(
            "with recursive turn (organization_id, first, place) as (
                 select begun.organization_id, begun.organization_id, 1::bigint
                 from (select coalesce(next_claimable_organization($1, $2, $3),
                                       next_claimable_organization($1, $2, '00000000-0000-0000-0000-000000000000')) as organization_id) as begun
                 where begun.organization_id is not null
                 union all
                 select following.organization_id, turn.first, turn.place + 1
                 from turn cross join lateral (
                     select coalesce(next_claimable_organization($1, $2, turn.organization_id),
                                     next_claimable_organization($1, $2, '00000000-0000-0000-0000-000000000000')) as organization_id
                 ) as following
                 where turn.place < $4 and following.organization_id <> turn.first
             ),
             share as (select (($4 + count(*) - 1) / greatest(count(*), 1)) as jobs from turn),
             chosen as (
                 select job.id from turn cross join lateral (
                     select id from jobs
                     where state = 'queued' and waiting is null and priority = $1 and kind = any ($2)
                       and organization_id = turn.organization_id
                     order by number limit (select jobs from share) for update skip locked
                 ) as job
                 order by turn.place limit $4
             )
             update jobs set state = 'running', attempts = attempts + 1, locked_by = $5, locked_until = $6, updated_at = $7
             from chosen where jobs.id = chosen.id
             returning jobs.id, organization_id, attempts, max_attempts, kind, priority, lane, payload, last_error, cancel_requested",
        )
        .bind(priority.as_str())
        .bind(kinds)
        .bind(*cursor)
        .bind(i64::try_from(count).unwrap_or(i64::MAX))
        .bind(worker)
        .bind(end_of(lease, now))
        .bind(now)
        .fetch_all(&mut *self.0.connection)
        .await?;
        // The farthest in the order of turns: the greatest after the cursor, or after wrapping round the greatest not after it.
        let wrapped = rows
            .iter()
            .map(|row| row.1)
            .filter(|organization| *organization <= *cursor)
            .max();
        if let Some(last) = wrapped.or_else(|| rows.iter().map(|row| row.1).max()) {
            *cursor = last;
        }
        rows.into_iter()
            .map(
                |(
                    id,
                    organization,
                    attempts,
                    max_attempts,
                    kind,
                    priority,
                    lane,
                    payload,
                    last_error,
                    cancelled,
                )| {
                    let stopped = CancellationToken::new();
                    if cancelled {
                        stopped.cancel();
                    }
                    Ok(Lease {
                        job: JobId::from_uuid(id),
                        organization: OrganizationId::from_uuid(organization),
                        worker,
                        attempts,
                        max_attempts,
                        kind,
                        priority: parse(&priority)?,
                        lane,
                        payload,
                        last_error,
                        stopped,
                    })
                },
            )
            .collect()
    }

    /// Extends a worker's leases and tells which still stand and which are of cancelled jobs.
    pub(super) async fn keep(&mut self, worker: Uuid, jobs: &[Uuid], lease: Duration) -> Result<Kept> {
        let rows: Vec<(Uuid, bool)> = sqlx::query_as(
            "update jobs set locked_until = $3 where id = any ($2) and locked_by = $1 returning id, cancel_requested",
        )
        .bind(worker)
        .bind(jobs)
        .bind(end_of(lease, self.0.environment.now()))
        .fetch_all(&mut *self.0.connection)
        .await?;
        let mut kept = Kept::default();
        for (id, cancelled) in rows {
            kept.held.push(JobId::from_uuid(id));
            if cancelled {
                kept.cancelled.push(JobId::from_uuid(id));
            }
        }
        Ok(kept)
    }

    /// Records how jobs ended and lets the next of their lanes go. Returns those whose lane somebody is pushing into at the moment:
    /// they are to be settled again shortly, rather than let everything behind them wait for that transaction.
    pub(super) async fn settle(&mut self, ended: Vec<(Lease, Outcome)>) -> Result<Vec<(Lease, Outcome)>> {
        let now = self.0.environment.now();
        let (mut gone, mut again, mut dead) = (Rows::default(), Rows::default(), Rows::default());
        let (leaving, staying): (Vec<_>, Vec<_>) = ended
            .into_iter()
            .map(|(lease, outcome)| {
                (
                    End::of(&lease, &outcome, now, self.0.environment.fraction()),
                    lease,
                    outcome,
                )
            })
            .partition(|(end, ..)| !matches!(end, End::Again { .. }));
        let lanes: Vec<Lane> = leaving
            .iter()
            .filter_map(|(_, lease, _)| Some((lease.organization, lease.lane.clone()?)))
            .collect();
        let mut held = lane::try_lock(&mut *self.0.connection, &lanes).await?.into_iter();
        let (mut freed, mut postponed) = (Vec::new(), Vec::new());
        for (end, lease, outcome) in leaving {
            if lease.lane.is_some() && !held.next().unwrap_or(false) {
                postponed.push((lease, outcome));
                continue;
            }
            match end {
                End::Dead { reason } => dead.push(&lease, Some(reason), now, false),
                End::Gone | End::Again { .. } => gone.push(&lease, None, now, false),
            }
            freed.extend(lease.lane.map(|lane| (lease.organization, lane)));
        }
        for (end, lease, _) in staying {
            if let End::Again { at, reason, counted } = end {
                again.push(&lease, reason, at, counted);
            }
        }
        self.delete(gone).await?;
        self.requeue(again, now).await?;
        self.bury(dead, now).await?;
        lane::release(&mut *self.0.connection, &freed, now).await?;
        Ok(postponed)
    }

    /// Frees jobs whose worker let the lease expire.
    pub(crate) async fn rescue(&mut self) -> Result<u64> {
        let now = self.0.environment.now();
        let rescued = sqlx::query(
            "update jobs set state = 'queued', locked_by = null, locked_until = null, updated_at = $1, run_at = $1,
                             last_error = 'the worker that ran it stopped without a word'
             where id in (select id from jobs where state = 'running' and locked_until < $1 limit $2 for update skip locked)",
        )
        .bind(now)
        .bind(BATCH)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(rescued.rows_affected())
    }

    async fn delete(&mut self, rows: Rows) -> Result<()> {
        if !rows.ids.is_empty() {
            sqlx::query(
                "delete from jobs using unnest($1::uuid[], $2::uuid[], $3::integer[]) as ended (id, worker, attempts)
                 where jobs.id = ended.id and locked_by = ended.worker and jobs.attempts = ended.attempts",
            )
            .bind(rows.ids)
            .bind(rows.workers)
            .bind(rows.attempts)
            .execute(&mut *self.0.connection)
            .await?;
        }
        Ok(())
    }

    async fn requeue(&mut self, rows: Rows, now: DateTime<Utc>) -> Result<()> {
        if !rows.ids.is_empty() {
            sqlx::query(
                "update jobs set state = 'queued', locked_by = null, locked_until = null, run_at = ended.run_at, updated_at = $7,
                                 waiting = case when ended.run_at > $7 then 'time' end,
                                 attempts = jobs.attempts - case when ended.counted then 0 else 1 end,
                                 last_error = coalesce(ended.reason, last_error)
                 from unnest($1::uuid[], $2::uuid[], $3::integer[], $4::text[], $5::timestamptz[], $6::boolean[])
                      as ended (id, worker, attempts, reason, run_at, counted)
                 where jobs.id = ended.id and locked_by = ended.worker and jobs.attempts = ended.attempts",
            )
            .bind(rows.ids)
            .bind(rows.workers)
            .bind(rows.attempts)
            .bind(rows.reasons)
            .bind(rows.run_ats)
            .bind(rows.counted)
            .bind(now)
            .execute(&mut *self.0.connection)
            .await?;
        }
        Ok(())
    }

    async fn bury(&mut self, rows: Rows, now: DateTime<Utc>) -> Result<()> {
        if !rows.ids.is_empty() {
            sqlx::query(
                "update jobs set state = 'dead', locked_by = null, locked_until = null, last_error = ended.reason, updated_at = $5
                 from unnest($1::uuid[], $2::uuid[], $3::integer[], $4::text[]) as ended (id, worker, attempts, reason)
                 where jobs.id = ended.id and locked_by = ended.worker and jobs.attempts = ended.attempts",
            )
            .bind(rows.ids)
            .bind(rows.workers)
            .bind(rows.attempts)
            .bind(rows.reasons)
            .bind(now)
            .execute(&mut *self.0.connection)
            .await?;
        }
        Ok(())
    }
}

fn end_of(lease: Duration, now: DateTime<Utc>) -> DateTime<Utc> {
    now + TimeDelta::from_std(lease).unwrap_or(TimeDelta::MAX)
}

/// What an outcome means for the row.
enum End {
    Gone,
    Dead {
        reason: String,
    },
    Again {
        at: DateTime<Utc>,
        reason: Option<String>,
        counted: bool,
    },
}

impl End {
    fn of(lease: &Lease, outcome: &Outcome, now: DateTime<Utc>, jitter: f64) -> Self {
        let cut = |reason: &str| reason.chars().take(LONGEST_REASON).collect::<String>();
        match outcome {
            Outcome::Done | Outcome::Cancelled => Self::Gone,
            Outcome::Fail { reason } => Self::Dead { reason: cut(reason) },
            Outcome::Retry { reason, .. } if lease.is_last_attempt() => Self::Dead { reason: cut(reason) },
            Outcome::Retry { reason, after } => Self::Again {
                at: end_of(after.unwrap_or_else(|| lease.backoff(jitter)), now),
                reason: Some(cut(reason)),
                counted: true,
            },
            Outcome::Snooze(after) => Self::Again {
                at: end_of(*after, now),
                reason: None,
                counted: false,
            },
        }
    }
}

/// Rows of one statement, column by column.
#[derive(Default)]
struct Rows {
    ids: Vec<Uuid>,
    workers: Vec<Uuid>,
    attempts: Vec<i32>,
    reasons: Vec<Option<String>>,
    run_ats: Vec<DateTime<Utc>>,
    counted: Vec<bool>,
}

impl Rows {
    fn push(&mut self, lease: &Lease, reason: Option<String>, run_at: DateTime<Utc>, counted: bool) {
        self.ids.push(lease.job.uuid());
        self.workers.push(lease.worker);
        self.attempts.push(lease.attempts);
        self.reasons.push(reason);
        self.run_ats.push(run_at);
        self.counted.push(counted);
    }
}
