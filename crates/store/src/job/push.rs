//! Adding jobs, of one organisation or of many, in one statement.

use amebo_core::Environment;
use amebo_core::id::{Id, JobId, OrganizationId};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{NewJob, lane};
use crate::error::{Error, Result};

/// Pushes jobs in this order and returns those that were new. A transaction can hold a few thousand lanes at most.
pub(crate) async fn push(
    connection: &mut PgConnection,
    environment: &Environment,
    jobs: Vec<(OrganizationId, NewJob)>,
) -> Result<Vec<JobId>> {
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    let now = environment.now();
    let count = jobs.len();
    let mut columns = Columns::default();
    let mut lanes = Vec::new();
    for (organization, job) in jobs {
        columns.ids.push(environment.id::<JobId>().uuid());
        columns.organizations.push(organization.uuid());
        columns.kinds.push(job.kind);
        columns.priorities.push(job.priority.as_str());
        lanes.extend(job.lane.clone().map(|lane| (organization, lane)));
        columns.lanes.push(job.lane);
        columns.payloads.push(job.payload.map_err(Error::Corrupt)?);
        columns.run_ats.push(job.run_at.unwrap_or(now));
        columns.max_attempts.push(i32::from(job.max_attempts));
        columns.unique_keys.push(job.unique_key);
    }
    lane::lock(&mut *connection, &lanes).await?;
    // Whether a lane is occupied is asked by the first of its index: `exists` would be answered by reading the whole queue once the
    // planner takes it for short.
    let inserted: Vec<Uuid> = sqlx::query_scalar(
        "insert into jobs (id, organization_id, kind, priority, lane, payload, waiting, run_at, max_attempts, unique_key, created_at, updated_at)
         select new.id, new.organization, new.kind, new.priority, new.lane, new.payload::jsonb,
                case when new.lane is not null
                          and (row_number() over (partition by new.organization, new.lane order by new.place) > 1
                               or (select before.number from jobs before
                                   where before.organization_id = new.organization and before.lane = new.lane
                                     and before.state in ('queued', 'running')
                                   order by before.organization_id, before.lane, before.number limit 1) is not null)
                     then 'lane'
                     when new.run_at > $1 then 'time'
                end,
                new.run_at, new.max_attempts, new.unique_key, $1, $1
         from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::integer[], $10::text[])
              with ordinality as new (id, organization, kind, priority, lane, payload, run_at, max_attempts, unique_key, place)
         order by new.place
         on conflict (organization_id, kind, unique_key) where unique_key is not null and state in ('queued', 'running') do nothing
         returning id",
    )
    .bind(now)
    .bind(columns.ids)
    .bind(columns.organizations)
    .bind(columns.kinds)
    .bind(columns.priorities)
    .bind(columns.lanes)
    .bind(columns.payloads)
    .bind(columns.run_ats)
    .bind(columns.max_attempts)
    .bind(columns.unique_keys)
    .fetch_all(&mut *connection)
    .await?;
    if inserted.len() < count {
        // One that was not inserted may have been counted as the head of its lane.
        lane::release(connection, &lanes, now).await?;
    }
    Ok(inserted.into_iter().map(JobId::from_uuid).collect())
}

#[derive(Default)]
struct Columns {
    ids: Vec<Uuid>,
    organizations: Vec<Uuid>,
    kinds: Vec<String>,
    priorities: Vec<&'static str>,
    lanes: Vec<Option<String>>,
    payloads: Vec<String>,
    run_ats: Vec<DateTime<Utc>>,
    max_attempts: Vec<i32>,
    unique_keys: Vec<Option<String>>,
}
