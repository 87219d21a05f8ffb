//! Writes repeated under one key.

use amebo_testkit::{Client, Reply, TestApp};
use axum::http::Request;
use chrono::TimeDelta;
use serde_json::{Value, json};

async fn write(client: &Client, method: &str, path: &str, key: &str, body: &Value) -> Reply {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .header("idempotency-key", key)
        .body(body.to_string().into());
    client.send(request.unwrap()).await
}

#[tokio::test]
async fn a_repeated_write_is_done_once_and_answered_alike() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let path = owner.path("");
    let body = json!({ "name": "Acme Tools" });
    let first = write(&owner.client, "PATCH", &path, "one", &body)
        .await
        .expect(200);
    let again = write(&owner.client, "PATCH", &path, "one", &body)
        .await
        .expect(200);
    assert_eq!(first.json(), again.json());
    assert!(!first.headers.contains_key("idempotency-replayed"));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let audit = owner.client.get(&owner.path("/audit")).await.expect(200).json();
    assert_eq!(audit["items"].as_array().unwrap().len(), 1);
    app.clock.advance(TimeDelta::hours(24));
    let client = app.sign_in(&owner.email).await;
    let later = write(&client, "PATCH", &path, "one", &body).await.expect(200);
    assert!(!later.headers.contains_key("idempotency-replayed"));
}

#[tokio::test]
async fn a_key_is_for_one_request_of_one_caller() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let program = app
        .program(&owner, &["organization:update", "organization:read"])
        .await;
    let path = owner.path("");
    let one = json!({ "name": "One" });
    let _ = write(&owner.client, "PATCH", &path, "key", &one)
        .await
        .expect(200);
    let other = json!({ "name": "Other" });
    let _ = write(&owner.client, "PATCH", &path, "key", &other)
        .await
        .expect(422);
    let reply = write(&program, "PATCH", &path, "key", &other).await.expect(200);
    assert_eq!(reply.json()["name"], "Other");
    let _ = write(&owner.client, "PATCH", &path, &"k".repeat(201), &one)
        .await
        .expect(400);
}

#[tokio::test]
async fn what_was_refused_may_be_tried_again() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let path = owner.path("/api-keys");
    let wrong = json!({ "name": "", "scopes": ["member:read"] });
    let _ = write(&owner.client, "POST", &path, "key", &wrong)
        .await
        .expect(422);
    let right = json!({ "name": "key", "scopes": ["member:read"] });
    let made = write(&owner.client, "POST", &path, "key", &right)
        .await
        .expect(201);
    assert!(made.json()["key"].is_string());
}

#[tokio::test]
async fn an_answer_that_shows_a_secret_is_not_kept() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let path = owner.path("/api-keys");
    let body = json!({ "name": "key", "scopes": ["member:read"] });
    let _ = write(&owner.client, "POST", &path, "key", &body)
        .await
        .expect(201);
    let again = write(&owner.client, "POST", &path, "key", &body)
        .await
        .expect(409);
    assert_eq!(again.problem(), "conflict");
    let keys = owner.client.get(&path).await.expect(200).json();
    assert_eq!(keys["items"].as_array().unwrap().len(), 1);
}
