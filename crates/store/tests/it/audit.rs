//! The audit log: its chain, what breaks it, and who may touch it.

use amebo_core::id::{DocumentId, Id, RequestId, UserId};
use amebo_core::page::PageRequest;
use amebo_core::permission::{Action, Resource};
use amebo_store::audit::{Filter, NewEntry, Reason, Verified};
use amebo_store::{Access, Actor, Permit, RequestOrigin};
use chrono::TimeDelta;
use serde_json::json;
use sqlx::{AssertSqlSafe, Executor};
use uuid::Uuid;

use crate::database::Database;

fn permit(access: &Access) -> Permit {
    access.permit(Resource::Document, Action::Create).unwrap()
}

async fn append(database: &Database, access: &Access, count: u32) {
    let request = RequestOrigin {
        id: RequestId::from_uuid(Uuid::from_u128(7)),
        address: "::ffff:192.0.2.7".parse().unwrap(),
    };
    let permit = permit(&access.clone().from_request(request));
    for number in 0..count {
        let mut tx = database.store.begin(&permit).await.unwrap();
        let entry = NewEntry::new("document.delete", "document")
            .of(database.environment().id::<DocumentId>())
            .details(json!({ "b": 1.0, "a": [null, "ü"], "number": number }));
        tx.audit().append(entry).await.unwrap();
        tx.commit().await.unwrap();
        database.advance(TimeDelta::seconds(1));
    }
}

async fn verify(database: &Database, access: &Access) -> Verified {
    let mut tx = database.store.begin(&permit(access)).await.unwrap();
    tx.audit().verify().await.unwrap()
}

#[tokio::test]
async fn a_chain_is_whole_and_entries_read_back_as_written() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    assert!(matches!(
        verify(&database, &access).await,
        Verified::Whole { entries: 0, .. }
    ));
    append(&database, &access, 5).await;
    assert!(matches!(
        verify(&database, &access).await,
        Verified::Whole {
            entries: 5,
            erased: 0,
            ..
        }
    ));
    let mut tx = database.store.begin(&permit(&access)).await.unwrap();
    let first = tx
        .audit()
        .list(&Filter::default(), &PageRequest::new(None, Some(2)).unwrap())
        .await
        .unwrap();
    assert_eq!(
        first.items.iter().map(|entry| entry.number).collect::<Vec<_>>(),
        [5, 4]
    );
    assert_eq!(first.items[0].actor, Actor::User(access.user().unwrap()));
    assert_eq!(
        first.items[0].details,
        Some(json!({ "b": 1.0, "a": [null, "ü"], "number": 4 }))
    );
    assert_eq!(first.items[0].ip.as_deref(), Some("192.0.2.7"));
    assert_eq!(
        first.items[0].request_id.as_deref(),
        Some("00000000-0000-0000-0000-000000000007")
    );
    let page = PageRequest::new(first.next_cursor.as_deref(), Some(2)).unwrap();
    let second = tx.audit().list(&Filter::default(), &page).await.unwrap();
    assert_eq!(
        second.items.iter().map(|entry| entry.number).collect::<Vec<_>>(),
        [3, 2]
    );
    let nobody = Filter {
        actor: Some(database.environment().id::<UserId>().uuid()),
        ..Filter::default()
    };
    let none = tx
        .audit()
        .list(&nobody, &PageRequest::new(None, None).unwrap())
        .await
        .unwrap();
    assert!(none.items.is_empty());
}

#[tokio::test]
async fn every_kind_of_tampering_is_found_at_its_entry() {
    let cases = [
        (
            "update audit_log set action = 'document.create' where number = 3",
            3,
            Reason::Altered,
        ),
        (
            "update audit_log set actor_id = null where number = 1",
            1,
            Reason::Altered,
        ),
        (
            "update audit_log set created_at = created_at + interval '1 hour' where number = 2",
            2,
            Reason::Altered,
        ),
        (
            "update audit_log set details = '{}' where number = 4",
            4,
            Reason::DetailsAltered,
        ),
        (
            "update audit_log set ip = '192.0.2.8' where number = 4",
            4,
            Reason::DetailsAltered,
        ),
        (
            "update audit_log set salt = null where number = 4",
            4,
            Reason::DetailsAltered,
        ),
        ("delete from audit_log where number = 2", 2, Reason::Missing),
        ("delete from audit_log where number = 5", 5, Reason::Missing),
        (
            "update audit_log set number = 6 where number = 5",
            5,
            Reason::Missing,
        ),
        (
            "update audit_log set previous_hash = sha256('x') where number = 3",
            3,
            Reason::Unlinked,
        ),
        (
            "delete from audit_log where number = 5; update audit_heads set number = 4",
            4,
            Reason::BeyondHead,
        ),
    ];
    let database = Database::new().await;
    for (tampering, entry, reason) in cases {
        let (organization, access) = database.organization("Acme").await;
        append(&database, &access, 5).await;
        let mut raw = database.raw().await;
        let scoped = tampering
            .split("; ")
            .map(|statement| {
                let joint = if statement.contains(" where ") {
                    "and"
                } else {
                    "where"
                };
                format!("{statement} {joint} organization_id = '{organization}'")
            })
            .collect::<Vec<_>>()
            .join("; ");
        raw.execute(AssertSqlSafe(scoped)).await.unwrap();
        assert_eq!(
            verify(&database, &access).await,
            Verified::Broken { entry, reason },
            "{tampering}"
        );
    }
}

#[tokio::test]
async fn erasing_a_person_leaves_the_chain_whole() {
    let database = Database::new().await;
    let (organization, access) = database.organization("Acme").await;
    append(&database, &access, 3).await;
    let mut tx = database.store.begin_system().await.unwrap();
    let erased = tx
        .audit()
        .erase(organization, access.user().unwrap().uuid())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(erased, 3);
    assert!(matches!(
        verify(&database, &access).await,
        Verified::Whole {
            entries: 3,
            erased: 3,
            ..
        }
    ));
    let mut tx = database.store.begin(&permit(&access)).await.unwrap();
    let page = PageRequest::new(None, None).unwrap();
    let entries = tx.audit().list(&Filter::default(), &page).await.unwrap().items;
    assert!(
        entries
            .iter()
            .all(|entry| entry.details.is_none() && entry.ip.is_none())
    );
}

#[tokio::test]
async fn entries_written_at_the_same_time_form_one_chain() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    let writers = (0..8).map(|_| append(&database, &access, 5));
    futures::future::join_all(writers).await;
    assert!(matches!(
        verify(&database, &access).await,
        Verified::Whole { entries: 40, .. }
    ));
}

#[tokio::test]
async fn the_application_can_neither_change_nor_remove_entries_nor_see_those_of_others() {
    let database = Database::new().await;
    let (_, mine) = database.organization("Mine").await;
    let (_, theirs) = database.organization("Theirs").await;
    append(&database, &theirs, 2).await;
    assert!(matches!(
        verify(&database, &mine).await,
        Verified::Whole { entries: 0, .. }
    ));
    let mut raw = database.raw().await;
    let granted: Vec<String> = sqlx::query_scalar(
        "select c.relname || ' ' || privilege from pg_class c, unnest(array['update', 'delete', 'truncate']) as privilege
         where c.relname like 'audit\\_log%' and c.relkind in ('r', 'p') and has_table_privilege('amebo_app', c.oid, privilege)",
    )
    .fetch_all(&mut raw)
    .await
    .unwrap();
    assert!(granted.is_empty(), "{granted:?}");
}

#[tokio::test]
async fn maintenance_makes_partitions_under_row_security() {
    let database = Database::new().await;
    database.advance(TimeDelta::days(400));
    amebo_store::maintenance::run_due(&database.store).await.unwrap();
    let mut raw = database.raw().await;
    let secured: Vec<(String, bool)> = sqlx::query_as(
        "select c.relname::text, c.relrowsecurity and c.relforcerowsecurity
                and exists (select from pg_policy p where p.polrelid = c.oid and p.polwithcheck is not null)
         from pg_inherits i join pg_class c on c.oid = i.inhrelid
         where i.inhparent = 'audit_log'::regclass and c.relname like '%_2027_12' or c.relname = 'audit_log_2028_02'",
    )
    .fetch_all(&mut raw)
    .await
    .unwrap();
    assert_eq!(secured.len(), 2);
    assert!(secured.iter().all(|(_, secured)| *secured), "{secured:?}");
}
