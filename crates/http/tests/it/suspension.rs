//! Whoever is shut out is out at once, with every kind of credential.

use amebo_core::permission::Role;
use amebo_testkit::{Client, PASSWORD, Person, TestApp};
use serde_json::{Value, json};

/// Somebody with every kind of credential.
struct Holder {
    person: Person,
    refresh_token: Value,
    program: Client,
}

impl Holder {
    async fn new(app: &TestApp, owner: &Person) -> Self {
        let person = app.member(owner, Role::Administrator).await;
        let change = json!({ "new_password": PASSWORD });
        let _ = person
            .client
            .put("/api/v1/me/password", &change)
            .await
            .expect(204);
        let credentials = json!({ "email": person.email, "password": PASSWORD });
        let session = app.anonymous().post("/api/v1/auth/sign-in", &credentials).await;
        Self {
            program: app.program(&person, &["member:read"]).await,
            refresh_token: session.expect(200).json()["refresh_token"].clone(),
            person,
        }
    }

    async fn statuses(&self, app: &TestApp) -> [u16; 3] {
        let path = self.person.path("/members");
        let refresh = json!({ "refresh_token": self.refresh_token });
        [
            self.person.client.get(&path).await.status.as_u16(),
            self.program.get(&path).await.status.as_u16(),
            app.anonymous()
                .post("/api/v1/auth/refresh", &refresh)
                .await
                .status
                .as_u16(),
        ]
    }
}

async fn member_path(owner: &Person, person: &Person) -> String {
    let members = owner.client.get(&owner.path("/members")).await.expect(200).json();
    let items = members["items"].as_array().unwrap();
    let member = items
        .iter()
        .find(|item| item["user_id"] == person.user.to_string())
        .unwrap();
    owner.path(&format!("/members/{}", member["id"].as_str().unwrap()))
}

#[tokio::test]
async fn a_suspended_member_is_out_with_every_credential_and_comes_back_when_let() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let holder = Holder::new(&app, &owner).await;
    let path = member_path(&owner, &holder.person).await;
    let suspended = json!({ "status": "suspended" });
    let _ = owner.client.patch(&path, &suspended).await.expect(200);
    // The organisation is hidden from the person, who stays signed in elsewhere; the key is worth nothing.
    assert_eq!(holder.statuses(&app).await, [404, 401, 200]);
    let _ = owner
        .client
        .patch(&path, &json!({ "status": "active" }))
        .await
        .expect(200);
    let members = holder.person.path("/members");
    let _ = holder.person.client.get(&members).await.expect(200);
    let _ = holder.program.get(&members).await.expect(200);
}

#[tokio::test]
async fn a_removed_members_keys_go_with_them() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let holder = Holder::new(&app, &owner).await;
    let path = member_path(&owner, &holder.person).await;
    let _ = owner.client.delete(&path).await.expect(204);
    assert_eq!(holder.statuses(&app).await, [404, 401, 200]);
    let keys = owner
        .client
        .get(&owner.path("/api-keys"))
        .await
        .expect(200)
        .json();
    assert_eq!(keys["items"], json!([]));
}

#[tokio::test]
async fn a_key_loses_what_its_maker_loses() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let holder = Holder::new(&app, &owner).await;
    let path = member_path(&owner, &holder.person).await;
    let denial = json!({ "custom_permissions": { "deny": ["member:read"] } });
    let _ = owner.client.patch(&path, &denial).await.expect(200);
    assert_eq!(holder.statuses(&app).await, [403, 403, 200]);
}

#[tokio::test]
async fn a_person_the_operator_shuts_out_is_out_everywhere() {
    let app = TestApp::start().await;
    let (owner, operator) = (app.owner("Acme").await, app.superadmin().await);
    let holder = Holder::new(&app, &owner).await;
    let path = format!("/api/v1/operator/users/{}", holder.person.user);
    let _ = operator
        .patch(&path, &json!({ "is_active": false }))
        .await
        .expect(204);
    assert_eq!(holder.statuses(&app).await, [401, 401, 401]);
    let credentials = json!({ "email": holder.person.email, "password": PASSWORD });
    let reply = app.anonymous().post("/api/v1/auth/sign-in", &credentials).await;
    assert_eq!(
        reply.expect(401).json()["detail"],
        "the address or the password is wrong"
    );
}

#[tokio::test]
async fn a_resting_organization_is_read_only_and_a_cancelled_one_is_gone() {
    let app = TestApp::start().await;
    let (owner, operator) = (app.owner("Acme").await, app.superadmin().await);
    let holder = Holder::new(&app, &owner).await;
    let path = format!("/api/v1/operator/organizations/{}", owner.organization);
    let inactive = json!({ "subscription_status": "inactive" });
    let _ = operator.patch(&path, &inactive).await.expect(200);
    assert_eq!(holder.statuses(&app).await, [200, 200, 200]);
    let invitation = json!({ "email": "a@people.example", "role": "viewer" });
    let invitations = owner.path("/invitations");
    let _ = owner.client.post(&invitations, &invitation).await.expect(403);
    let over = json!({ "subscription_status": "trial", "trial_ends_at": "2026-01-05T09:00:00Z" });
    let _ = operator.patch(&path, &over).await.expect(200);
    let _ = owner.client.post(&invitations, &invitation).await.expect(403);
    let cancelled = json!({ "subscription_status": "cancelled" });
    let _ = operator.patch(&path, &cancelled).await.expect(200);
    let _ = owner.client.get(&owner.path("")).await.expect(404);
    let _ = holder.program.get(&owner.path("/members")).await.expect(401);
    let active = json!({ "subscription_status": "active" });
    let _ = operator.patch(&path, &active).await.expect(200);
    let _ = owner.client.post(&invitations, &invitation).await.expect(201);
}
