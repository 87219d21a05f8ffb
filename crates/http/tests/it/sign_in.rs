//! Signing up and in.

use amebo_testkit::{Client, PASSWORD, Reply, TestApp};
use chrono::TimeDelta;
use serde_json::json;

#[tokio::test]
async fn whoever_signs_up_can_sign_in() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme Tools").await;
    assert!(owner.client.bearer().is_some());
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_get_the_same_answer() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let wrong = json!({ "email": owner.email, "password": "not the password at all" });
    let unknown = json!({ "email": "nobody@acme.example", "password": "not the password at all" });
    let (wrong, unknown) = (
        app.anonymous()
            .post("/api/v1/auth/sign-in", &wrong)
            .await
            .expect(401),
        app.anonymous()
            .post("/api/v1/auth/sign-in", &unknown)
            .await
            .expect(401),
    );
    assert_eq!(wrong.problem(), "unauthenticated");
    assert_eq!(wrong.json()["detail"], unknown.json()["detail"]);
}

#[tokio::test]
async fn an_unknown_field_is_named_in_the_problem() {
    let app = TestApp::start().await;
    let reply = app
        .anonymous()
        .post(
            "/api/v1/auth/sign-in",
            &json!({ "email": "a@b.example", "pasword": "x" }),
        )
        .await;
    assert_eq!(reply.expect(422).json()["errors"][0]["pointer"], "/pasword");
}

async fn attempt(app: &TestApp, client: &Client, email: &str, password: &str) -> Reply {
    app.clock.advance(TimeDelta::milliseconds(1));
    let body = json!({ "email": email, "password": password });
    client.post("/api/v1/auth/sign-in", &body).await
}

#[tokio::test]
async fn guessing_at_an_account_is_slowed_down_whether_or_not_it_exists() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    for email in [owner.email.as_str(), "nobody@acme.example"] {
        // From a new address each time: it is the account that is counted.
        for _ in 0..5 {
            let _ = attempt(&app, &app.anonymous(), email, "wrong wrong wrong")
                .await
                .expect(401);
        }
        let refused = attempt(&app, &app.anonymous(), &email.to_uppercase(), PASSWORD)
            .await
            .expect(429);
        assert_eq!(refused.problem(), "rate-limited");
        assert_eq!(refused.headers["retry-after"], "1");
    }
    app.clock.advance(TimeDelta::seconds(1));
    let _ = attempt(&app, &app.anonymous(), &owner.email, PASSWORD)
        .await
        .expect(200);
    // What was forgiven counts no more.
    let _ = attempt(&app, &app.anonymous(), &owner.email, "wrong wrong wrong")
        .await
        .expect(401);
    let _ = attempt(&app, &app.anonymous(), &owner.email, PASSWORD)
        .await
        .expect(200);
}

#[tokio::test]
async fn waits_double_up_to_a_quarter_of_an_hour() {
    let app = TestApp::start().await;
    let mut waits = Vec::new();
    for _ in 0..20 {
        let reply = attempt(&app, &app.anonymous(), "nobody@acme.example", "wrong wrong wrong").await;
        if reply.status == 429 {
            let seconds: i64 = reply.headers["retry-after"].to_str().unwrap().parse().unwrap();
            waits.push(seconds);
            app.clock.advance(TimeDelta::seconds(seconds + 1));
        }
    }
    assert!(waits.is_sorted(), "{waits:?}");
    assert!(waits.ends_with(&[64, 128]), "{waits:?}");
}

#[tokio::test]
async fn one_address_cannot_try_many_accounts() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    for number in 0..30 {
        let email = format!("person-{number}@acme.example");
        let _ = attempt(&app, &client, &email, "wrong wrong wrong")
            .await
            .expect(401);
    }
    let _ = attempt(&app, &client, "another@acme.example", "wrong wrong wrong")
        .await
        .expect(429);
}

#[tokio::test]
async fn every_wrong_field_of_a_sign_up_is_named() {
    let app = TestApp::start().await;
    let body = json!({ "email": "nobody", "name": " ", "password": "short", "organization": "a\nb" });
    let reply = app
        .anonymous()
        .post("/api/v1/auth/sign-up", &body)
        .await
        .expect(422);
    let body = reply.json();
    let pointers: Vec<_> = body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(pointers, ["/email", "/name", "/organization", "/password"]);
}

#[tokio::test]
async fn an_address_has_one_account_whatever_its_case() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let body = json!({
        "email": owner.email.to_uppercase(), "name": "Ada", "password": PASSWORD, "organization": "Other"
    });
    let reply = app.anonymous().post("/api/v1/auth/sign-up", &body).await;
    assert_eq!(reply.expect(409).problem(), "conflict");
}

#[tokio::test]
async fn an_empty_installation_is_entered_once_with_a_link() {
    let app = TestApp::start().await;
    let link = || {
        app.app
            .first_administrator_link("admin@localhost", "My organization")
    };
    let (_, first) = (link().await.unwrap(), link().await.unwrap().unwrap());
    let token = first.fragment().unwrap().strip_prefix("token=").unwrap();
    let body = json!({ "token": token });
    let session = app.anonymous().post("/api/v1/auth/link", &body).await;
    let session = session.expect(200).json();
    let _ = app.anonymous().post("/api/v1/auth/link", &body).await.expect(401);
    let client = app.anonymous().with_bearer(session["access_token"].as_str());
    let account = client.get("/api/v1/me").await.expect(200).json();
    assert_eq!(account["is_superadmin"], true);
    assert_eq!(account["has_password"], false);
    assert_eq!(account["organizations"][0]["role"], "owner");
    let password = json!({ "new_password": PASSWORD });
    let _ = client.put("/api/v1/me/password", &password).await.expect(204);
    app.sign_in("admin@localhost").await;
    assert!(link().await.unwrap().is_none());
}

#[tokio::test]
async fn a_link_works_for_a_day() {
    let app = TestApp::start().await;
    let link = app
        .app
        .first_administrator_link("admin@localhost", "My organization")
        .await
        .unwrap()
        .unwrap();
    app.clock.advance(TimeDelta::days(1));
    let token = link.fragment().unwrap().strip_prefix("token=").unwrap();
    let reply = app
        .anonymous()
        .post("/api/v1/auth/link", &json!({ "token": token }))
        .await;
    let _ = reply.expect(401);
}
