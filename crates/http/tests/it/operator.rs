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
