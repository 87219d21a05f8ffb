//! The outbox: nothing is skipped, whatever the order of commits.

use amebo_core::permission::{Action, Resource};
use amebo_store::event::{Cursor, Event};
use amebo_store::{Access, Permit};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::database::Database;

fn permit(access: &Access) -> Permit {
    access.permit(Resource::Document, Action::Create).unwrap()
}

fn numbers(events: &[Event]) -> Vec<i64> {
    events
        .iter()
        .map(|event| event.payload["number"].as_i64().unwrap())
        .collect()
}

fn number(number: i64) -> Value {
    json!({ "number": number })
}

async fn append(database: &Database, access: &Access, numbers: std::ops::Range<i64>) {
    for value in numbers {
        let mut tx = database.store.begin(&permit(access)).await.unwrap();
        tx.events()
            .append("document.indexed", None, &number(value))
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
}

async fn after(database: &Database, access: &Access, cursor: Cursor) -> Vec<Event> {
    database.store.publish_events().await.unwrap();
    let mut tx = database.store.begin(&permit(access)).await.unwrap();
    tx.events().after(cursor, 100).await.unwrap()
}

#[tokio::test]
async fn what_commits_late_comes_late_and_is_not_skipped() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    let mut slow = database.store.begin(&permit(&access)).await.unwrap();
    slow.events()
        .append("document.indexed", None, &number(1))
        .await
        .unwrap();
    append(&database, &access, 2..4).await;
    let events = after(&database, &access, Cursor::START).await;
    assert_eq!(numbers(&events), [2, 3]);
    slow.commit().await.unwrap();
    assert_eq!(numbers(&after(&database, &access, events[1].cursor).await), [1]);
    assert_eq!(
        numbers(&after(&database, &access, events[0].cursor).await),
        [3, 1]
    );
}

#[tokio::test]
async fn a_follower_beside_many_writers_and_publishers_sees_every_event_once() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    let writers = futures::future::join_all((0..6).map(|writer| {
        let (database, access) = (&database, &access);
        async move {
            for value in 0..30 {
                append(database, access, writer * 100 + value..writer * 100 + value + 1).await;
                if value % 3 == 0 {
                    database.store.publish_events().await.unwrap();
                }
            }
        }
    }));
    let follower = async {
        let (mut cursor, mut seen) = (Cursor::START, Vec::new());
        while seen.len() < 180 {
            let events = after(&database, &access, cursor).await;
            cursor = events.last().map_or(cursor, |event| event.cursor);
            seen.extend(numbers(&events));
        }
        seen
    };
    let (_, seen) = tokio::join!(writers, follower);
    for writer in 0..6 {
        let of_writer: Vec<_> = seen
            .iter()
            .copied()
            .filter(|value| value / 100 == writer)
            .collect();
        assert_eq!(of_writer, (writer * 100..writer * 100 + 30).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn from_now_on_means_neither_what_was_nor_less_than_what_comes() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    append(&database, &access, 1..3).await;
    database.store.publish_events().await.unwrap();
    let mut tx = database.store.begin(&permit(&access)).await.unwrap();
    let now = tx.events().now().await.unwrap();
    drop(tx);
    assert!(after(&database, &access, now).await.is_empty());
    append(&database, &access, 3..5).await;
    let cursor: Cursor = now.to_string().parse().unwrap();
    assert_eq!(numbers(&after(&database, &access, cursor).await), [3, 4]);
}

#[tokio::test]
async fn an_organization_reads_only_its_own_and_a_system_follower_all_once() {
    let database = Database::new().await;
    let (_, mine) = database.organization("Mine").await;
    let (_, theirs) = database.organization("Theirs").await;
    append(&database, &mine, 1..2).await;
    append(&database, &theirs, 2..4).await;
    assert_eq!(numbers(&after(&database, &mine, Cursor::START).await), [1]);
    let mut tx = database.store.begin_system().await.unwrap();
    let events = tx.events().next("counter", 2).await.unwrap();
    assert_eq!(numbers(&events), [1, 2]);
    drop(tx);
    let mut tx = database.store.begin_system().await.unwrap();
    let events = tx.events().next("counter", 2).await.unwrap();
    assert_eq!(numbers(&events), [1, 2], "what was not advanced over comes again");
    tx.events().advance("counter", events[1].cursor).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = database.store.begin_system().await.unwrap();
    assert_eq!(numbers(&tx.events().next("counter", 2).await.unwrap()), [3]);
}

#[tokio::test]
async fn events_go_after_a_week() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    append(&database, &access, 1..2).await;
    database.advance(TimeDelta::days(6));
    append(&database, &access, 2..3).await;
    database.advance(TimeDelta::days(2));
    amebo_store::maintenance::run_due(&database.store).await.unwrap();
    assert_eq!(numbers(&after(&database, &access, Cursor::START).await), [2]);
}
