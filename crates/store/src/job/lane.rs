//! Lanes: locking them, and letting their first job go.

use amebo_core::id::{Id, OrganizationId};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::Result;

/// A lane is named within its organisation.
pub(super) type Lane = (OrganizationId, String);

fn columns(lanes: &[Lane]) -> (Vec<Uuid>, Vec<&str>) {
    lanes
        .iter()
        .map(|(organization, lane)| (organization.uuid(), lane.as_str()))
        .unzip()
}

/// Holds lanes until the transaction ends, in one order for everybody.
pub(super) async fn lock(connection: &mut PgConnection, lanes: &[Lane]) -> Result<()> {
    if lanes.is_empty() {
        return Ok(());
    }
    let (organizations, names) = columns(lanes);
    sqlx::query(
        "select pg_advisory_xact_lock(key)
         from (select distinct lane_lock_key(organization, lane) as key
               from unnest($1::uuid[], $2::text[]) as wanted (organization, lane) order by key) as keys",
    )
    .bind(organizations)
    .bind(names)
    .execute(connection)
    .await?;
    Ok(())
}

/// Holds those lanes that nobody else holds, and tells for each whether it is held now.
pub(super) async fn try_lock(connection: &mut PgConnection, lanes: &[Lane]) -> Result<Vec<bool>> {
    if lanes.is_empty() {
        return Ok(Vec::new());
    }
    let (organizations, names) = columns(lanes);
    Ok(sqlx::query_scalar(
        "select pg_try_advisory_xact_lock(lane_lock_key(organization, lane))
         from unnest($1::uuid[], $2::text[]) with ordinality as wanted (organization, lane, place) order by place",
    )
    .bind(organizations)
    .bind(names)
    .fetch_all(connection)
    .await?)
}

/// Lets the first job of each lane go, if it is not on its way already. The lanes must be held.
pub(super) async fn release(connection: &mut PgConnection, lanes: &[Lane], now: DateTime<Utc>) -> Result<()> {
    if lanes.is_empty() {
        return Ok(());
    }
    let (organizations, names) = columns(lanes);
    sqlx::query(
        "update jobs set waiting = case when run_at > $3 then 'time' end
         where id in (
             select first.id
             from (select distinct organization, lane from unnest($1::uuid[], $2::text[]) as freed (organization, lane)) as freed
             cross join lateral (
                 select id, waiting from jobs
                 where organization_id = freed.organization and lane = freed.lane and state in ('queued', 'running')
                 order by number limit 1
             ) as first
             where first.waiting = 'lane'
         )",
    )
    .bind(organizations)
    .bind(names)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}
