//! Jobs that come again, at the times of a cron expression in a time zone.
//!
//! A schedule pushes its job unless the one before is still unfinished, so that slow work does not pile up. Times that passed while
//! no process ran are made up for once, not one by one.

use amebo_core::id::{Id, JobId, OrganizationId};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use croner::Cron;
use uuid::Uuid;

use crate::error::Error as Database;
use crate::job::{Jobs, NewJob};
use crate::signal::Written;
use crate::transaction::Scope;
use crate::{Actor, OrgTx, SystemTx};

/// How many due schedules are handled in one transaction.
const BATCH: i64 = 200;

/// Why a schedule is refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The expression cannot be read, or names no time at all.
    #[error("{cron:?} is not a cron expression of five fields (minute, hour, day, month, weekday): {reason}")]
    Cron {
        /// The expression.
        cron: String,
        /// What is wrong.
        reason: String,
    },
    /// No such time zone.
    #[error("{0:?} is not the name of a time zone, such as Europe/Madrid or UTC")]
    Timezone(String),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] Database),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

/// A recurring job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Unique in its organisation.
    pub name: String,
    /// Minute, hour, day, month, weekday.
    pub cron: String,
    /// IANA name.
    pub timezone: String,
    /// The kind of job it pushes.
    pub kind: String,
    /// When it pushes next.
    pub next_run_at: DateTime<Utc>,
    /// When it pushed last.
    pub last_run_at: Option<DateTime<Utc>>,
}

impl OrgTx {
    /// The organisation's schedules.
    pub fn schedules(&mut self) -> Schedules<'_> {
        Schedules(self.scope())
    }
}

/// The schedules of one organisation.
#[derive(Debug)]
pub struct Schedules<'a>(Scope<'a>);

impl Schedules<'_> {
    /// Pushes `job` at the times of `cron` in `timezone` from now on, in place of what had this name.
    pub async fn set(&mut self, name: &str, cron: &str, timezone: &str, job: NewJob) -> Result<(), Error> {
        let now = self.0.environment.now();
        let next = next_after(cron, timezone, now)?;
        sqlx::query(
            "insert into schedules (id, organization_id, name, cron, timezone, kind, priority, lane, payload, max_attempts, next_run_at,
                                    created_at, updated_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb, $10, $11, $12, $12)
             on conflict (organization_id, name) do update
             set cron = excluded.cron, timezone = excluded.timezone, kind = excluded.kind, priority = excluded.priority,
                 lane = excluded.lane, payload = excluded.payload, max_attempts = excluded.max_attempts,
                 next_run_at = excluded.next_run_at, updated_at = excluded.updated_at",
        )
        .bind(self.0.environment.id::<JobId>().uuid())
        .bind(self.0.organization.uuid())
        .bind(name)
        .bind(cron)
        .bind(timezone)
        .bind(job.kind)
        .bind(job.priority.as_str())
        .bind(job.lane)
        .bind(job.payload.map_err(Database::Corrupt)?)
        .bind(i32::from(job.max_attempts))
        .bind(next)
        .bind(now)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// All of them, by name.
    pub async fn list(&mut self) -> Result<Vec<Schedule>, Error> {
        type Row = (
            String,
            String,
            String,
            String,
            DateTime<Utc>,
            Option<DateTime<Utc>>,
        );
        let rows: Vec<Row> = sqlx::query_as(
            "select name, cron, timezone, kind, next_run_at, last_run_at from schedules where organization_id = $1 order by name",
        )
        .bind(self.0.organization.uuid())
        .fetch_all(&mut *self.0.connection)
        .await?;
        Ok(rows
            .into_iter()
            .map(
                |(name, cron, timezone, kind, next_run_at, last_run_at)| Schedule {
                    name,
                    cron,
                    timezone,
                    kind,
                    next_run_at,
                    last_run_at,
                },
            )
            .collect())
    }

    /// Ends a schedule. False when there is none of this name.
    pub async fn remove(&mut self, name: &str) -> Result<bool, Error> {
        let removed = sqlx::query("delete from schedules where organization_id = $1 and name = $2")
            .bind(self.0.organization.uuid())
            .bind(name)
            .execute(&mut *self.0.connection)
            .await?;
        Ok(removed.rows_affected() == 1)
    }
}

#[derive(sqlx::FromRow)]
struct Due {
    id: Uuid,
    organization_id: Uuid,
    cron: String,
    timezone: String,
    kind: String,
    priority: String,
    lane: Option<String>,
    payload: String,
    max_attempts: i32,
}

impl SystemTx {
    /// Pushes the jobs of schedules that are due.
    pub(crate) async fn run_schedules(&mut self) -> Result<(), Database> {
        let scope = self.scope();
        let (connection, environment) = (scope.connection, scope.environment);
        let now = environment.now();
        let due: Vec<Due> = sqlx::query_as(
            "select id, organization_id, cron, timezone, kind, priority, lane, payload::text, max_attempts
             from schedules where next_run_at <= $1 order by next_run_at limit $2 for update skip locked",
        )
        .bind(now)
        .bind(BATCH)
        .fetch_all(&mut *connection)
        .await?;
        for schedule in due {
            let next = next_after(&schedule.cron, &schedule.timezone, now).unwrap_or_else(|error| {
                // It was readable when it was set; one that no longer is must not keep the others from running.
                tracing::error!(schedule = %schedule.id, %error, "a schedule cannot be read; looking at it again in a day");
                now + TimeDelta::days(1)
            });
            sqlx::query(
                "update schedules set next_run_at = $2, last_run_at = $3, updated_at = $3 where id = $1",
            )
            .bind(schedule.id)
            .bind(next)
            .bind(now)
            .execute(&mut *connection)
            .await?;
            let job = NewJob {
                kind: schedule.kind,
                priority: crate::error::parse(&schedule.priority)?,
                max_attempts: u16::try_from(schedule.max_attempts).unwrap_or(u16::MAX),
                payload: Ok(schedule.payload),
                lane: schedule.lane,
                unique_key: Some(format!("schedule {}", schedule.id)),
                run_at: None,
            };
            let scope = Scope {
                connection: &mut *connection,
                organization: OrganizationId::from_uuid(schedule.organization_id),
                actor: Actor::System,
                request: None,
                environment,
                written: &mut Written::default(),
            };
            Jobs(scope).push(job).await?;
        }
        Ok(())
    }
}

/// The first time after `now` that the expression names.
fn next_after(cron: &str, timezone: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, Error> {
    let refused = |reason: String| Error::Cron {
        cron: cron.to_owned(),
        reason,
    };
    let zone: Tz = timezone
        .parse()
        .map_err(|_| Error::Timezone(timezone.to_owned()))?;
    if cron.split_whitespace().count() != 5 {
        return Err(refused("it has another number of fields".to_owned()));
    }
    let expression: Cron = cron
        .parse()
        .map_err(|error: croner::errors::CronError| refused(error.to_string()))?;
    let next = expression
        .find_next_occurrence(&now.with_timezone(&zone), false)
        .map_err(|error| refused(error.to_string()))?;
    Ok(next.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(cron: &str, timezone: &str, now: &str) -> String {
        next_after(cron, timezone, now.parse().unwrap())
            .unwrap()
            .to_rfc3339()
    }

    #[test]
    fn a_daily_job_keeps_its_hour_through_daylight_saving() {
        assert_eq!(
            next("0 8 * * *", "Europe/Madrid", "2026-10-24T12:00:00Z"),
            "2026-10-25T07:00:00+00:00"
        );
        assert_eq!(
            next("0 8 * * *", "Europe/Madrid", "2026-10-23T12:00:00Z"),
            "2026-10-24T06:00:00+00:00"
        );
        assert_eq!(
            next("*/5 * * * *", "UTC", "2026-10-23T12:05:00Z"),
            "2026-10-23T12:10:00+00:00"
        );
    }

    #[test]
    fn what_names_no_time_is_refused_with_its_reason() {
        let now = "2026-10-23T12:00:00Z".parse().unwrap();
        for cron in [
            "",
            "every day",
            "* * * * * *",
            "61 * * * *",
            "0 0 31 2 *",
            "* * * *",
        ] {
            assert!(
                matches!(next_after(cron, "UTC", now), Err(Error::Cron { .. })),
                "{cron}"
            );
        }
        assert!(matches!(
            next_after("0 8 * * *", "Madrid", now),
            Err(Error::Timezone(_))
        ));
    }
}
