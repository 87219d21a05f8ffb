//! One's own account: profile and password.

use amebo_testkit::{PASSWORD, TestApp};
use chrono::TimeDelta;
use serde_json::json;

const NEW: &str = "another good password";

#[tokio::test]
async fn changing_the_password_signs_out_the_other_devices() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let other = app.sign_in(&owner.email).await;
    let change = json!({ "current_password": PASSWORD, "new_password": NEW });
    let _ = owner.client.put("/api/v1/me/password", &change).await.expect(204);
    let _ = owner.client.get("/api/v1/me").await.expect(200);
    let _ = other.get("/api/v1/me").await.expect(401);
    let old = json!({ "email": owner.email, "password": PASSWORD });
    let _ = app
        .anonymous()
        .post("/api/v1/auth/sign-in", &old)
        .await
        .expect(401);
    let new = json!({ "email": owner.email, "password": NEW });
    let _ = app
        .anonymous()
        .post("/api/v1/auth/sign-in", &new)
        .await
        .expect(200);
}

#[tokio::test]
async fn a_password_is_changed_only_with_the_present_one() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    for change in [
        json!({ "new_password": NEW }),
        json!({ "current_password": "not it, not it", "new_password": NEW }),
    ] {
        let reply = owner.client.put("/api/v1/me/password", &change).await.expect(422);
        assert_eq!(reply.json()["errors"][0]["pointer"], "/current_password");
    }
    let same_as_address = json!({ "current_password": PASSWORD, "new_password": owner.email });
    let reply = owner.client.put("/api/v1/me/password", &same_as_address).await;
    assert_eq!(reply.expect(422).json()["errors"][0]["pointer"], "/new_password");
}

#[tokio::test]
async fn the_operator_hands_over_a_link_with_which_a_password_is_chosen_once() {
    let app = TestApp::start().await;
    let (owner, operator) = (app.owner("Acme").await, app.superadmin().await);
    let path = format!("/api/v1/operator/users/{}/password-link", owner.user);
    let made = operator
        .post(&path, &serde_json::Value::Null)
        .await
        .expect(201)
        .json();
    let (_, token) = made["link"].as_str().unwrap().split_once("#token=").unwrap();
    let as_address = json!({ "token": token, "password": owner.email });
    let _ = app
        .anonymous()
        .put("/api/v1/auth/password", &as_address)
        .await
        .expect(422);
    let choice = json!({ "token": token, "password": NEW });
    let _ = app
        .anonymous()
        .put("/api/v1/auth/password", &choice)
        .await
        .expect(204);
    let _ = owner.client.get("/api/v1/me").await.expect(401);
    let _ = app
        .anonymous()
        .put("/api/v1/auth/password", &choice)
        .await
        .expect(401);
    // A link to choose a password does not sign anybody in.
    let made = operator
        .post(&path, &serde_json::Value::Null)
        .await
        .expect(201)
        .json();
    let (_, token) = made["link"].as_str().unwrap().split_once("#token=").unwrap();
    let _ = app
        .anonymous()
        .post("/api/v1/auth/link", &json!({ "token": token }))
        .await
        .expect(401);
    app.clock.advance(TimeDelta::hours(1));
    let late = json!({ "token": token, "password": NEW });
    let _ = app
        .anonymous()
        .put("/api/v1/auth/password", &late)
        .await
        .expect(401);
}

#[tokio::test]
async fn without_mail_a_person_is_told_whom_to_ask_for_a_new_password() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    for email in [owner.email.as_str(), "nobody@acme.example"] {
        let reply = app
            .anonymous()
            .post("/api/v1/auth/password-reset", &json!({ "email": email }))
            .await
            .expect(403);
        assert!(reply.text().contains("operator"));
    }
}

#[tokio::test]
async fn a_person_renames_themselves() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let reply = owner
        .client
        .patch("/api/v1/me", &json!({ "name": " Ada Lovelace " }))
        .await;
    assert_eq!(reply.expect(200).json()["name"], "Ada Lovelace");
}

#[tokio::test]
async fn an_organizations_pages_take_the_colour_that_its_administrators_choose() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let here = owner.path("");
    let before = owner.client.get(&here).await.expect(200).json();
    assert!(before["accent_hue"].is_null());
    let changed = owner
        .client
        .patch(&here, &json!({ "accent_hue": 265 }))
        .await
        .expect(200);
    assert_eq!(
        (&changed.json()["accent_hue"], &changed.json()["name"]),
        (&json!(265), &json!("Acme"))
    );
    // A change of something else leaves it.
    let renamed = owner
        .client
        .patch(&here, &json!({ "name": "Acme Ltd" }))
        .await
        .expect(200);
    assert_eq!(renamed.json()["accent_hue"], 265);
    assert_eq!(owner.client.get(&here).await.expect(200).json(), renamed.json());
    let beyond = owner
        .client
        .patch(&here, &json!({ "accent_hue": 360 }))
        .await
        .expect(422);
    assert_eq!(beyond.json()["errors"][0]["pointer"], "/accent_hue");
}
