//! Inviting and accepting.

use amebo_core::permission::Role;
use amebo_testkit::{Client, PASSWORD, Person, Reply, TestApp};
use chrono::TimeDelta;
use serde_json::{Value, json};

async fn invite(by: &Person, email: &str, role: &str) -> Reply {
    let body = json!({ "email": email, "role": role });
    by.client.post(&by.path("/invitations"), &body).await
}

fn token(invited: &Value) -> String {
    let (_, token) = invited["link"].as_str().unwrap().split_once("#token=").unwrap();
    token.to_owned()
}

async fn accept(client: &Client, token: &str) -> Reply {
    let body = json!({ "token": token, "name": "Ben Guest", "password": PASSWORD });
    client.post("/api/v1/auth/invitation/accept", &body).await
}

#[tokio::test]
async fn an_invited_person_makes_an_account_and_is_in() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let profile = json!({ "platform": "linkedin", "url": "https://www.linkedin.com/company/acme" });
    let links = json!({ "items": [profile] });
    let _ = owner
        .client
        .put(&owner.path("/social-links"), &links)
        .await
        .expect(200);
    let invited = invite(&owner, "Ben@People.example", "agent")
        .await
        .expect(201)
        .json();
    assert_eq!(invited["delivery"], "not_configured");
    let token = token(&invited);
    let preview = json!({ "token": token });
    let preview = app
        .anonymous()
        .post("/api/v1/auth/invitation/preview", &preview)
        .await
        .expect(200)
        .json();
    assert_eq!(
        preview,
        json!({
            "organization": "Acme", "email": "ben@people.example", "role": "agent", "has_account": false, "social_links": [profile],
        })
    );
    let session = accept(&app.anonymous(), &token).await.expect(200).json();
    let client = app.anonymous().with_bearer(session["access_token"].as_str());
    let organization = client.get(&owner.path("")).await.expect(200).json();
    assert_eq!(organization["your_role"], "agent");
    let _ = accept(&app.anonymous(), &token).await.expect(404);
    let open = owner.client.get(&owner.path("/invitations")).await.expect(200);
    assert_eq!(open.json()["items"], json!([]));
}

#[tokio::test]
async fn somebody_with_an_account_proves_its_password() {
    let app = TestApp::start().await;
    let (owner, other) = (app.owner("Acme").await, app.owner("Other").await);
    let token = token(&invite(&owner, &other.email, "viewer").await.expect(201).json());
    let wrong = json!({ "token": token, "password": "not the password at all" });
    let _ = app
        .anonymous()
        .post("/api/v1/auth/invitation/accept", &wrong)
        .await
        .expect(401);
    let _ = accept(&app.anonymous(), &token).await.expect(200);
    let account = other.client.get("/api/v1/me").await.expect(200).json();
    assert_eq!(account["organizations"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_link_stops_working_when_it_is_revoked_replaced_or_old() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let revoked = invite(&owner, "a@people.example", "viewer")
        .await
        .expect(201)
        .json();
    let path = owner.path(&format!("/invitations/{}", revoked["id"].as_str().unwrap()));
    let _ = owner.client.delete(&path).await.expect(204);
    let replaced = invite(&owner, "b@people.example", "viewer")
        .await
        .expect(201)
        .json();
    let _ = invite(&owner, "b@people.example", "viewer").await.expect(201);
    let old = invite(&owner, "c@people.example", "viewer")
        .await
        .expect(201)
        .json();
    for invited in [revoked, replaced] {
        let _ = accept(&app.anonymous(), &token(&invited)).await.expect(404);
    }
    app.clock.advance(TimeDelta::days(7));
    let _ = accept(&app.anonymous(), &token(&old)).await.expect(404);
}

#[tokio::test]
async fn an_invitation_is_worth_no_more_than_whoever_made_it() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let administrator = app.member(&owner, Role::Administrator).await;
    assert_eq!(
        invite(&administrator, "a@people.example", "owner")
            .await
            .expect(403)
            .problem(),
        "forbidden"
    );
    let invited = invite(&administrator, "a@people.example", "manager").await;
    let token = token(&invited.expect(201).json());
    let members = owner.client.get(&owner.path("/members")).await.json();
    let items = members["items"].as_array().unwrap();
    let member = items.iter().find(|item| item["role"] == "administrator").unwrap();
    let path = owner.path(&format!("/members/{}", member["id"].as_str().unwrap()));
    let change = json!({ "status": "suspended" });
    let _ = owner.client.patch(&path, &change).await.expect(200);
    let _ = accept(&app.anonymous(), &token).await.expect(404);
    let change = json!({ "status": "active", "role": "manager" });
    let _ = owner.client.patch(&path, &change).await.expect(200);
    let _ = accept(&app.anonymous(), &token).await.expect(404);
    let change = json!({ "role": "administrator" });
    let _ = owner.client.patch(&path, &change).await.expect(200);
    let _ = accept(&app.anonymous(), &token).await.expect(200);
}

#[tokio::test]
async fn a_member_is_not_invited_again_and_the_plan_limits_how_many_there_are() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let _ = invite(&owner, &owner.email, "viewer").await.expect(409);
    for number in 0..9 {
        let _ = invite(&owner, &format!("p{number}@people.example"), "viewer")
            .await
            .expect(201);
    }
    let refused = invite(&owner, "p9@people.example", "viewer").await.expect(403);
    assert_eq!(refused.problem(), "quota-exceeded");
    assert!(refused.text().contains("10 members"));
}
