//! Machine access.

use amebo_core::permission::Role;
use amebo_testkit::TestApp;
use chrono::TimeDelta;
use serde_json::{Value, json};

#[tokio::test]
async fn a_key_does_what_its_scopes_say_and_nothing_else() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let program = app.program(&owner, &["member:read"]).await;
    let _ = program.get(&owner.path("/members")).await.expect(200);
    let refused = program.get(&owner.path("/invitations")).await.expect(403);
    assert!(refused.text().contains("invitation:read"));
    let _ = program.get("/api/v1/me").await.expect(403);
}

#[tokio::test]
async fn nobody_makes_a_key_that_can_do_more_than_they() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let administrator = app.member(&owner, Role::Administrator).await;
    let path = owner.path("/api-keys");
    for (scopes, reason) in [
        (json!(["organization:delete"]), "organization:delete"),
        (json!([]), "at least one"),
        (json!(["nonsense:read"]), "expected one of"),
    ] {
        let body = json!({ "name": "key", "scopes": scopes });
        let reply = administrator.client.post(&path, &body).await.expect(422);
        assert!(reply.text().contains(reason), "{}", reply.text());
    }
    let program = app.program(&owner, &["api_key:create", "member:read"]).await;
    let body = json!({ "name": "key", "scopes": ["member:read"] });
    let _ = program.post(&path, &body).await.expect(403);
}

#[tokio::test]
async fn a_key_is_shown_once_and_known_by_its_beginning() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let body = json!({ "name": "key", "scopes": ["member:read"] });
    let path = owner.path("/api-keys");
    let made = owner.client.post(&path, &body).await.expect(201).json();
    let key = made["key"].as_str().unwrap();
    assert!(key.starts_with("amebo_") && key.len() == 49);
    let list = owner.client.get(&path).await.expect(200);
    assert!(!list.text().contains(key));
    let list = list.json();
    assert!(key.starts_with(list["items"][0]["prefix"].as_str().unwrap()));
    assert_eq!(list["items"][0]["last_used_at"], Value::Null);
    let program = app.anonymous().with_bearer(Some(key));
    let _ = program.get(&owner.path("/members")).await.expect(200);
    let list = owner.client.get(&path).await.expect(200).json();
    assert_eq!(list["items"][0]["last_used_at"], "2026-01-05T09:00:00Z");
    let mut connection = app.database.administrator().await;
    let stored: bool =
        sqlx::query_scalar("select exists (select from api_keys k where k::text like '%' || $1 || '%')")
            .bind(key)
            .fetch_one(&mut connection)
            .await
            .unwrap();
    assert!(!stored);
}

#[tokio::test]
async fn a_key_ends_when_it_is_revoked_or_its_time_is_over() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let (path, members) = (owner.path("/api-keys"), owner.path("/members"));
    let expiring = json!({ "name": "a", "scopes": ["member:read"], "expires_at": "2026-01-05T10:00:00Z" });
    let expiring = owner.client.post(&path, &expiring).await.expect(201).json();
    let revoked = json!({ "name": "b", "scopes": ["member:read"] });
    let revoked = owner.client.post(&path, &revoked).await.expect(201).json();
    let (first, second) = (
        app.anonymous().with_bearer(expiring["key"].as_str()),
        app.anonymous().with_bearer(revoked["key"].as_str()),
    );
    let _ = first.get(&members).await.expect(200);
    let _ = second.get(&members).await.expect(200);
    let one = format!("{path}/{}", revoked["id"].as_str().unwrap());
    let _ = owner.client.delete(&one).await.expect(204);
    let _ = second.get(&members).await.expect(401);
    app.clock.advance(TimeDelta::hours(1));
    let _ = first.get(&members).await.expect(401);
    let past = json!({ "name": "c", "scopes": ["member:read"], "expires_at": "2026-01-05T10:00:00Z" });
    let client = app.sign_in(&owner.email).await;
    let reply = client.post(&path, &past).await.expect(422);
    assert_eq!(reply.json()["errors"][0]["pointer"], "/expires_at");
}
