//! The queue as a worker sees it: claiming, keeping and settling leases over all organisations.

use std::time::Duration;

use amebo_core::id::{Id, JobId, OrganizationId};
use amebo_core::job::Priority;
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
