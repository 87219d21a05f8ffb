//! What happened, for whoever follows: workflows, outgoing webhooks, live pages, counters.
//!
//! An event is written in the transaction that makes it happen, and gets its number after the commit, from [`Store::publish_events`],
//! which one process at a time may run. So numbers become visible in their order, and a follower that remembers the last number it
//! saw misses nothing. (A number drawn while writing may be committed after a greater one. Reading only below the oldest running
//! transaction would do as well, but then any long transaction on the server, even in another database, holds up everybody, and a
//! restore onto another server upsets the order. A number drawn under a lock makes all writers of an organisation queue up.)

use std::fmt;
use std::str::FromStr;

use amebo_core::id::{EventId, Id, OrganizationId};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::error::Result;
use crate::signal::Topic;
use crate::transaction::{Scope, SystemScope};
use crate::{OrgTx, Store, SystemTx};

/// How long events are kept.
const KEPT: TimeDelta = TimeDelta::days(7);
/// How many events are numbered at a time.
const BATCH: i64 = 10_000;
/// The advisory lock of the process that numbers events: "amevent" in ASCII.
const PUBLISHER: i64 = 0x61_6d65_7665_6e74;

/// Something that happened.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    /// The event.
    pub id: EventId,
    /// Where it happened.
    pub organization: OrganizationId,
    /// Such as `document.indexed`.
    pub kind: String,
    /// What it happened to, if that is one thing.
    pub subject: Option<Uuid>,
    /// What else there is to know; no secrets, no texts.
    pub payload: Value,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Where to read on from after this event.
    #[serde(skip)]
    pub cursor: Cursor,
}

/// How far a follower has read. Its text form serves as `Last-Event-ID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(i64);

impl Cursor {
    /// Before everything that is kept.
    pub const START: Self = Self(0);
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A text that is no cursor.
#[derive(Debug, thiserror::Error)]
#[error("not the id of an event; start again without it")]
pub struct InvalidCursor;

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        text.parse().map(Self).map_err(|_| InvalidCursor)
    }
}

type EventRow = (Uuid, Uuid, String, Option<Uuid>, Value, DateTime<Utc>, i64);

fn event((id, organization, kind, subject, payload, created_at, number): EventRow) -> Event {
    Event {
        id: EventId::from_uuid(id),
        organization: OrganizationId::from_uuid(organization),
        kind,
        subject,
        payload,
        created_at,
        cursor: Cursor(number),
    }
}

impl OrgTx {
    /// What happens in the organisation.
    pub fn events(&mut self) -> Events<'_> {
        Events(self.scope())
    }
}

impl SystemTx {
    /// What happens in all organisations.
    pub fn events(&mut self) -> SystemEvents<'_> {
        SystemEvents(self.scope())
    }
}

impl Store {
    /// Gives committed events their numbers, which is what makes them visible to followers. [`Store::announce`] calls it after
    /// commits of this process, maintenance once a second for those of processes that died before they could.
    pub async fn publish_events(&self) -> Result<()> {
        let mut tx = self.begin_system().await?;
        tx.events().publish().await?;
        tx.commit().await
    }
}

/// The events of one organisation.
#[derive(Debug)]
pub struct Events<'a>(Scope<'a>);

impl Events<'_> {
    /// Records that something happened, if this transaction commits.
    pub async fn append(
        &mut self,
        kind: &'static str,
        subject: Option<Uuid>,
        payload: &Value,
    ) -> Result<EventId> {
        let id = self.0.environment.id::<EventId>();
        sqlx::query(
            "insert into outbox_events (id, organization_id, kind, subject_id, payload, created_at) values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id.uuid())
        .bind(self.0.organization.uuid())
        .bind(kind)
        .bind(subject)
        .bind(payload)
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        self.0.written.note(Topic::Events);
        Ok(id)
    }

    /// Where to begin for events from now on.
    pub async fn now(&mut self) -> Result<Cursor> {
        let number: i64 = sqlx::query_scalar(
            "select coalesce(max(number), 0) from outbox_events where organization_id = $1",
        )
        .bind(self.0.organization.uuid())
        .fetch_one(&mut *self.0.connection)
        .await?;
        Ok(Cursor(number))
    }

    /// The next events after `cursor`, at most `limit`.
    pub async fn after(&mut self, cursor: Cursor, limit: u32) -> Result<Vec<Event>> {
        let rows: Vec<EventRow> = sqlx::query_as(
            "select id, organization_id, kind, subject_id, payload, created_at, number
             from outbox_events where organization_id = $1 and number > $2 order by number limit $3",
        )
        .bind(self.0.organization.uuid())
        .bind(cursor.0)
        .bind(i64::from(limit))
        .fetch_all(&mut *self.0.connection)
        .await?;
        Ok(rows.into_iter().map(event).collect())
    }
}

/// The events of all organisations, for lasting followers.
#[derive(Debug)]
pub struct SystemEvents<'a>(SystemScope<'a>);

impl SystemEvents<'_> {
    /// The next events for `follower`, at most `limit`. Its row is locked until the transaction ends, so that two processes never
    /// hand the same event on; without [`SystemEvents::advance`] they come again.
    pub async fn next(&mut self, follower: &'static str, limit: u32) -> Result<Vec<Event>> {
        sqlx::query("insert into event_cursors (follower, number, updated_at) values ($1, 0, $2) on conflict do nothing")
            .bind(follower)
            .bind(self.0.environment.now())
            .execute(&mut *self.0.connection)
            .await?;
        let number: i64 =
            sqlx::query_scalar("select number from event_cursors where follower = $1 for update")
                .bind(follower)
                .fetch_one(&mut *self.0.connection)
                .await?;
        let rows: Vec<EventRow> = sqlx::query_as(
            "select id, organization_id, kind, subject_id, payload, created_at, number
             from outbox_events where number > $1 order by number limit $2",
        )
        .bind(number)
        .bind(i64::from(limit))
        .fetch_all(&mut *self.0.connection)
        .await?;
        Ok(rows.into_iter().map(event).collect())
    }

    /// Notes that `follower` has dealt with everything up to `cursor`.
    pub async fn advance(&mut self, follower: &'static str, cursor: Cursor) -> Result<()> {
        sqlx::query("update event_cursors set number = $2, updated_at = $3 where follower = $1")
            .bind(follower)
            .bind(cursor.0)
            .bind(self.0.environment.now())
            .execute(&mut *self.0.connection)
            .await?;
        Ok(())
    }

    /// Numbers what is committed. The lock is held until this transaction ends, and what the lock waited for is seen because the
    /// numbering is a statement of its own.
    pub(crate) async fn publish(&mut self) -> Result<()> {
        sqlx::query("select pg_advisory_xact_lock($1)")
            .bind(PUBLISHER)
            .execute(&mut *self.0.connection)
            .await?;
        sqlx::query(
            "with published as materialized (
                 select id, nextval('outbox_event_numbers') as number
                 from (select id from outbox_events where number is null order by written limit $1) as unpublished
             )
             update outbox_events set number = published.number from published where outbox_events.id = published.id",
        )
        .bind(BATCH)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Deletes events that are older than a week.
    pub(crate) async fn prune(&mut self) -> Result<()> {
        sqlx::query("delete from outbox_events where created_at < $1")
            .bind(self.0.environment.now() - KEPT)
            .execute(&mut *self.0.connection)
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_text_and_other_text_is_refused() {
        assert_eq!(Cursor(812).to_string().parse::<Cursor>().unwrap(), Cursor(812));
        for text in ["", "812.", "1e3", "b"] {
            assert!(text.parse::<Cursor>().is_err());
        }
    }
}
