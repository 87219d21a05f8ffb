//! What the audit log shows, and how it proves itself.

use amebo_core::permission::Role;
use amebo_testkit::TestApp;
use serde_json::json;

#[tokio::test]
async fn governance_is_recorded_in_order_with_who_and_what() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    app.program(&owner, &["member:read"]).await;
    let _ = owner
        .client
        .patch(&owner.path(""), &json!({ "name": "Acme Tools" }))
        .await
        .expect(200);
    let invitation = json!({ "email": "a@people.example", "role": "viewer" });
    let _ = owner
        .client
        .post(&owner.path("/invitations"), &invitation)
        .await
        .expect(201);
    let audit = owner.client.get(&owner.path("/audit")).await.expect(200).json();
    let actions: Vec<_> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["action"].as_str().unwrap())
        .collect();
    assert_eq!(
        actions,
        ["invitation.create", "organization.rename", "api_key.create"]
    );
    assert_eq!(
        audit["items"][1]["details"],
        json!({ "before": "Acme", "after": "Acme Tools" })
    );
    assert_eq!(
        audit["items"][1]["actor"],
        json!({ "kind": "user", "id": owner.user.to_string() })
    );
    let filtered = owner.path("/audit?action=organization.rename");
    let filtered = owner.client.get(&filtered).await.expect(200).json();
    assert_eq!(filtered["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_altered_entry_is_found_and_named() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    app.member(&owner, Role::Viewer).await;
    for name in ["One", "Two", "Three"] {
        let _ = owner
            .client
            .patch(&owner.path(""), &json!({ "name": name }))
            .await
            .expect(200);
    }
    let path = owner.path("/audit/verification");
    let whole = owner.client.get(&path).await.expect(200).json();
    assert_eq!((&whole["whole"], &whole["entries"]), (&json!(true), &json!(3)));
    let mut connection = app.database.administrator().await;
    sqlx::query("update audit_log set action = 'organization.read' where number = 2")
        .execute(&mut connection)
        .await
        .unwrap();
    let broken = owner.client.get(&path).await.expect(200).json();
    assert_eq!(
        (&broken["whole"], &broken["broken_at"]),
        (&json!(false), &json!(2))
    );
}
