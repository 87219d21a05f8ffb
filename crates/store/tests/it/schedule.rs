//! Recurring jobs.

use amebo_core::permission::{Action, Resource};
use amebo_store::job::{NewJob, Task};
use amebo_store::schedule::Error;
use amebo_store::{Access, Permit};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::database::Database;

#[derive(Serialize, Deserialize)]
struct Sync {
    source: u32,
}

impl Task for Sync {
    const KIND: &'static str = "test.sync";
}

fn permit(access: &Access) -> Permit {
    access.permit(Resource::Document, Action::Create).unwrap()
}

async fn jobs(database: &Database) -> i64 {
    amebo_store::maintenance::run_due(&database.store).await.unwrap();
    sqlx::query_scalar("select count(*) from jobs where kind = 'test.sync' and payload = '{\"source\": 3}'")
        .fetch_one(&mut database.raw().await)
        .await
        .unwrap()
}

async fn finish_jobs(database: &Database) {
    sqlx::query("delete from jobs")
        .execute(&mut database.raw().await)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_schedule_pushes_at_its_times_never_piles_up_and_ends() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    let mut tx = database.store.begin(&permit(&access)).await.unwrap();
    tx.schedules()
        .set("sync", "0 * * * *", "UTC", NewJob::of(&Sync { source: 3 }))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(jobs(&database).await, 0);
    database.advance(TimeDelta::hours(1));
    assert_eq!(jobs(&database).await, 1);
    database.advance(TimeDelta::hours(1));
    assert_eq!(jobs(&database).await, 1, "the one before is not finished");
    finish_jobs(&database).await;
    assert_eq!(jobs(&database).await, 0, "it is not its time");
    database.advance(TimeDelta::hours(50));
    assert_eq!(jobs(&database).await, 1, "missed times are made up for once");
    finish_jobs(&database).await;
    let mut tx = database.store.begin(&permit(&access)).await.unwrap();
    let listed = tx.schedules().list().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert!(listed[0].next_run_at > database.environment().now());
    assert!(tx.schedules().remove("sync").await.unwrap());
    assert!(!tx.schedules().remove("sync").await.unwrap());
    tx.commit().await.unwrap();
    database.advance(TimeDelta::hours(1));
    assert_eq!(jobs(&database).await, 0);
}

#[tokio::test]
async fn a_schedule_that_names_no_time_is_refused() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    let mut tx = database.store.begin(&permit(&access)).await.unwrap();
    let refused = tx
        .schedules()
        .set("sync", "often", "UTC", NewJob::of(&Sync { source: 3 }))
        .await;
    assert!(matches!(refused, Err(Error::Cron { .. })));
    assert!(tx.schedules().list().await.unwrap().is_empty());
}
