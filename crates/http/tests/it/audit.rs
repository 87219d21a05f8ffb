//! What the audit log shows, and how it proves itself.

use amebo_core::permission::Role;
use amebo_testkit::{PASSWORD, TestApp};
use axum::http::Request;
use serde_json::{Value, json};

use crate::document::{upload, uploaded};
use crate::knowledge_base::knowledge_base;

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
async fn what_becomes_of_documents_and_how_answers_are_made_is_recorded_once() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let base = knowledge_base(&owner, "Handbook").await;
    let id = uploaded(&owner, &base, "tea.txt", "Tea is served at four.").await;
    let _ = upload(&owner, &base, "again.txt", "Tea is served at four.")
        .await
        .expect(200);
    let content = owner.path(&format!("/documents/{id}/content?name=tea2.txt"));
    for _ in 0..2 {
        let request = Request::put(&content)
            .body("Tea is served at five.".into())
            .unwrap();
        let _ = owner.client.send(request).await.expect(200);
    }
    let document = owner.path(&format!("/documents/{id}"));
    let _ = owner
        .client
        .patch(&document, &json!({ "title": "Tea" }))
        .await
        .expect(200);
    let reindex = owner.path(&format!("/documents/{id}/reindex"));
    let _ = owner.client.post(&reindex, &Value::Null).await.expect(202);
    let settings = owner.path("/answer-settings");
    for _ in 0..2 {
        let changed = owner
            .client
            .put(&settings, &json!({ "confidence_threshold": 0.5 }))
            .await;
        let _ = changed.expect(200);
    }
    let set = json!({ "name": "Tea", "cases": [{ "question": "When is tea?" }] });
    let sets = owner.path("/evaluation-sets");
    let set = owner.client.post(&sets, &set).await.expect(201).json();
    let set = owner.path(&format!("/evaluation-sets/{}", set["id"].as_str().unwrap()));
    let _ = owner.client.delete(&set).await.expect(204);
    let audit = owner.client.get(&owner.path("/audit")).await.expect(200).json();
    let entries = audit["items"].as_array().unwrap();
    let actions: Vec<_> = entries.iter().rev().map(|entry| &entry["action"]).collect();
    assert_eq!(
        actions,
        [
            "knowledge_base.create",
            "document.create",
            "document.replace",
            "document.update",
            "document.reindex",
            "organization.answers",
            "evaluation_set.create",
            "evaluation_set.delete",
        ]
    );
    let details: Vec<_> = entries.iter().rev().map(|entry| &entry["details"]).collect();
    assert_eq!(
        *details[1],
        json!({ "title": "tea", "file": "tea.txt", "knowledge_base_id": base })
    );
    assert_eq!(
        *details[3],
        json!({ "before": { "title": "tea", "metadata": {} }, "after": { "title": "Tea", "metadata": {} } })
    );
    assert_eq!(
        *details[5],
        json!({ "before": { "confidence_threshold": null }, "after": { "confidence_threshold": 0.5 } })
    );
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
        (&broken["whole"], &broken["broken_at"], &broken["problem"]),
        (&json!(false), &json!(2), &json!("altered"))
    );
}

#[tokio::test]
async fn every_entry_says_from_where_it_came_and_with_which_request() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let operator = app.superadmin().await;
    let program = app.program(&owner, &["knowledge_base:create"]).await;
    let guest = app.anonymous();
    let invitation = json!({ "email": "a@people.example", "role": "viewer" });
    let invited = owner
        .client
        .post(&owner.path("/invitations"), &invitation)
        .await
        .expect(201);
    let link = invited.json()["link"].as_str().unwrap().to_owned();
    let accepted = json!({
        "token": link.split_once("#token=").unwrap().1, "name": "Ada", "password": PASSWORD,
    });
    let accepted = guest
        .post("/api/v1/auth/invitation/accept", &accepted)
        .await
        .expect(200);
    let joined = format!("/api/v1/operator/organizations/{}/join", owner.organization);
    let joined = operator.post(&joined, &json!(null)).await.expect(201);
    let base = json!({ "name": "Handbook" });
    let made = program
        .post(&owner.path("/knowledge-bases"), &base)
        .await
        .expect(201);
    let renamed = Request::patch(owner.path(""))
        .header("content-type", "application/json")
        .header("idempotency-key", "rename-1")
        .body(json!({ "name": "Acme Tools" }).to_string().into())
        .unwrap();
    let renamed = owner.client.send(renamed).await.expect(200);
    let entries = owner.client.get(&owner.path("/audit")).await.expect(200).json();
    let came = |entry: &Value| {
        let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        [text("action"), text("ip"), text("request_id")]
    };
    let found: Vec<_> = entries["items"].as_array().unwrap().iter().map(came).collect();
    let expected: Vec<_> = [
        ("organization.rename", &owner.client, &renamed),
        ("knowledge_base.create", &program, &made),
        ("operator.join", &operator, &joined),
        ("invitation.accept", &guest, &accepted),
        ("invitation.create", &owner.client, &invited),
    ]
    .into_iter()
    .map(|(action, client, reply)| {
        let request = reply.headers["x-request-id"].to_str().unwrap();
        [
            action.to_owned(),
            client.address().to_string(),
            request.to_owned(),
        ]
    })
    .collect();
    assert_eq!(found[..expected.len()], expected);
    assert!(found.iter().flatten().all(|value| !value.is_empty()));
}
