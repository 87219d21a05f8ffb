//! The operator of the platform.

use amebo_testkit::TestApp;
use serde_json::{Value, json};

#[tokio::test]
async fn the_operator_sees_no_tenant_content_until_joining_which_is_audited() {
    let app = TestApp::start().await;
    let (owner, operator) = (app.owner("Acme").await, app.superadmin().await);
    let list = operator
        .get("/api/v1/operator/organizations")
        .await
        .expect(200)
        .json();
    assert_eq!(list["items"][0]["name"], "Acme");
    let _ = operator.get(&owner.path("/members")).await.expect(404);
    let join = format!("/api/v1/operator/organizations/{}/join", owner.organization);
    let _ = operator.post(&join, &Value::Null).await.expect(201);
    let _ = operator.post(&join, &Value::Null).await.expect(409);
    let _ = operator.get(&owner.path("/members")).await.expect(200);
    let audit = owner.client.get(&owner.path("/audit")).await.expect(200).json();
    assert_eq!(audit["items"][0]["action"], "operator.join");
}

#[tokio::test]
async fn nobody_else_reaches_what_is_for_the_operator() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let reply = owner.client.get("/api/v1/operator/users").await.expect(403);
    assert_eq!(reply.problem(), "forbidden");
}

#[tokio::test]
async fn the_operator_provisions_an_organization_whose_owner_enters_by_link() {
    let app = TestApp::start().await;
    let operator = app.superadmin().await;
    let body = json!({ "name": "New Co", "owner_email": "boss@new.example", "owner_name": "Boss", "plan": "starter" });
    let made = operator
        .post("/api/v1/operator/organizations", &body)
        .await
        .expect(201)
        .json();
    let (_, token) = made["link"].as_str().unwrap().split_once("#token=").unwrap();
    let session = app
        .anonymous()
        .post("/api/v1/auth/link", &json!({ "token": token }))
        .await
        .expect(200)
        .json();
    let client = app.anonymous().with_bearer(session["access_token"].as_str());
    let path = format!(
        "/api/v1/organizations/{}",
        made["organization_id"].as_str().unwrap()
    );
    let organization = client.get(&path).await.expect(200).json();
    assert_eq!(organization["your_role"], "owner");
    assert_eq!(organization["subscription_plan"], "starter");
}

#[tokio::test]
async fn limits_agreed_with_an_organization_go_over_its_plan_and_are_kept_to() {
    let app = TestApp::start().await;
    let (owner, operator) = (app.owner("Acme").await, app.superadmin().await);
    let path = format!("/api/v1/operator/organizations/{}", owner.organization);
    let terms = json!({ "limits": { "requests_per_minute": 2, "members": 3 } });
    let organization = operator.patch(&path, &terms).await.expect(200).json();
    assert_eq!(organization["limits"]["members"], 3);
    assert_eq!(organization["limits"]["documents"], 2000);
    let path = owner.path("");
    let _ = owner.client.get(&path).await.expect(200);
    let _ = owner.client.get(&path).await.expect(200);
    let refused = owner.client.get(&path).await.expect(429);
    assert_eq!(refused.problem(), "rate-limited");
    let wait: i64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    app.clock.advance(chrono::TimeDelta::seconds(wait));
    let _ = owner.client.get(&path).await.expect(200);
}

/// A job given up in somebody's organisation.
async fn dead_job(app: &TestApp, owner: &amebo_testkit::Person) -> String {
    let id: amebo_core::id::JobId = app.store.environment().id();
    app.sql(&format!(
        "insert into jobs (id, organization_id, kind, priority, payload, state, run_at, attempts, max_attempts, last_error, created_at, updated_at)
         values ('{id}', '{}', 'source.read', 'bulk', '{{\"source\": \"01890a5d-ac96-774b-bcce-b302099a8057\"}}', 'dead', now(), 4, 4,
                 'the page answered 500', now(), now())",
        owner.organization
    ))
    .await;
    id.to_string()
}

#[tokio::test]
async fn jobs_that_were_given_up_are_shown_with_their_reason_alone_and_tried_again_or_thrown_away() {
    let app = TestApp::start().await;
    let (owner, operator) = (app.owner("Acme").await, app.superadmin().await);
    let (first, second) = (dead_job(&app, &owner).await, dead_job(&app, &owner).await);
    let jobs = operator.get("/api/v1/operator/jobs").await.expect(200);
    assert!(
        !jobs.text().contains("01890a5d"),
        "what a job carries is its organization's: {}",
        jobs.text()
    );
    let job = &jobs.json()["items"][0];
    assert_eq!(
        (&job["organization_name"], &job["last_error"]),
        (&json!("Acme"), &json!("the page answered 500"))
    );
    let health = operator.get("/api/v1/operator/health").await.expect(200).json();
    assert_eq!(health["queue"]["dead"], 2);

    let path = format!("/api/v1/operator/jobs/{first}");
    let _ = operator
        .post(&format!("{path}/retry"), &Value::Null)
        .await
        .expect(204);
    let _ = operator.delete(&path).await.expect(409);
    app.run_jobs().await;
    let _ = operator.delete(&path).await.expect(404);
    let path = format!("/api/v1/operator/jobs/{second}");
    let _ = operator.delete(&path).await.expect(204);
    let jobs = operator.get("/api/v1/operator/jobs").await.expect(200).json();
    assert_eq!(jobs["items"], json!([]));
    let audit = owner.client.get(&owner.path("/audit")).await.expect(200).json();
    assert_eq!(audit["items"][0]["action"], "job.discard");
    assert_eq!(audit["items"][1]["action"], "job.retry");
}

#[tokio::test]
async fn the_operator_sees_how_the_platform_is_doing() {
    let app = TestApp::start().await;
    let (owner, operator) = (app.owner("Acme").await, app.superadmin().await);
    let base = crate::knowledge_base::knowledge_base(&owner, "Handbook").await;
    crate::document::uploaded(&owner, &base, "tea.txt", "Tea is served at four.").await;
    app.run_jobs().await;
    assert_eq!(app.found(&owner, "tea").await.len(), 1);
    let health = operator.get("/api/v1/operator/health").await.expect(200).json();
    assert_eq!(health["index"]["organizations"], 1);
    assert_eq!(health["index"]["passages"], 1);
    assert!(health["database"]["size_bytes"].as_u64().unwrap() > 1_000_000);
    assert_eq!(health["database"]["pending_migrations"], json!([]));
    assert_eq!(health["embedding_models"][0]["name"], "words-1");
    assert_eq!(health["embedding_models"][0]["error"], Value::Null);
}
