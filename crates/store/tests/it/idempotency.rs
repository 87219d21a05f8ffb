//! Repeated writes are done once.

use amebo_core::permission::{Action, Resource};
use amebo_store::idempotency::Claim;
use amebo_store::{Access, Permit};
use chrono::TimeDelta;
use serde_json::json;

use crate::database::Database;

fn permit(access: &Access) -> Permit {
    access.permit(Resource::Document, Action::Create).unwrap()
}

async fn claim(database: &Database, access: &Access, hash: u8) -> Claim {
    let mut tx = database.store.begin(&permit(access)).await.unwrap();
    let claim = tx.idempotency().claim("key-1", &[hash; 32]).await.unwrap();
    tx.commit().await.unwrap();
    claim
}

#[tokio::test]
async fn the_first_answer_is_given_again_to_the_same_request_of_the_same_person() {
    let database = Database::new().await;
    let (_, mine) = database.organization("Mine").await;
    let (_, theirs) = database.organization("Theirs").await;
    assert_eq!(claim(&database, &mine, 1).await, Claim::New);
    assert_eq!(claim(&database, &mine, 1).await, Claim::UnderWay);
    assert_eq!(claim(&database, &mine, 2).await, Claim::Mismatch);
    assert_eq!(claim(&database, &theirs, 1).await, Claim::New);
    let answer = json!({ "status": 201, "body": { "id": 7 } });
    let mut tx = database.store.begin(&permit(&mine)).await.unwrap();
    tx.idempotency().record("key-1", &answer).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(claim(&database, &mine, 1).await, Claim::Done(answer));
    assert_eq!(claim(&database, &mine, 2).await, Claim::Mismatch);
    database.advance(TimeDelta::hours(24));
    amebo_store::maintenance::run_due(&database.store).await.unwrap();
    assert_eq!(claim(&database, &mine, 2).await, Claim::New);
}

#[tokio::test]
async fn a_claim_is_open_again_when_released_dropped_or_abandoned() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    let mut tx = database.store.begin(&permit(&access)).await.unwrap();
    assert_eq!(
        tx.idempotency().claim("key-1", &[1; 32]).await.unwrap(),
        Claim::New
    );
    drop(tx);
    assert_eq!(claim(&database, &access, 2).await, Claim::New);
    let mut tx = database.store.begin(&permit(&access)).await.unwrap();
    tx.idempotency().release("key-1").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(claim(&database, &access, 3).await, Claim::New);
    database.advance(TimeDelta::minutes(2));
    assert_eq!(claim(&database, &access, 4).await, Claim::New);
}

#[tokio::test]
async fn of_requests_that_arrive_together_one_is_done() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    let claims = futures::future::join_all((0..8).map(|_| claim(&database, &access, 1))).await;
    assert_eq!(claims.iter().filter(|claim| **claim == Claim::New).count(), 1);
}
