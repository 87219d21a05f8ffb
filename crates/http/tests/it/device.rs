//! Signed-in devices and refresh tokens.

use amebo_testkit::{Client, PASSWORD, Person, Reply, TestApp};
use chrono::TimeDelta;
use serde_json::{Value, json};

async fn session(app: &TestApp, person: &Person) -> Value {
    let credentials = json!({ "email": person.email, "password": PASSWORD });
    app.anonymous()
        .post("/api/v1/auth/sign-in", &credentials)
        .await
        .expect(200)
        .json()
}

async fn refresh(app: &TestApp, session: &Value) -> Reply {
    let body = json!({ "refresh_token": session["refresh_token"] });
    app.anonymous().post("/api/v1/auth/refresh", &body).await
}

fn client(app: &TestApp, session: &Value) -> Client {
    app.anonymous().with_bearer(session["access_token"].as_str())
}

#[tokio::test]
async fn an_access_token_serves_half_an_hour_and_is_then_refreshed() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let first = session(&app, &owner).await;
    app.clock.advance(TimeDelta::minutes(29));
    let _ = client(&app, &first).get("/api/v1/me").await.expect(200);
    app.clock.advance(TimeDelta::minutes(1));
    let expired = client(&app, &first).get("/api/v1/me").await.expect(401);
    assert_eq!(expired.problem(), "unauthenticated");
    let second = refresh(&app, &first).await.expect(200).json();
    assert_eq!(second["device_id"], first["device_id"]);
    let _ = client(&app, &second).get("/api/v1/me").await.expect(200);
}

#[tokio::test]
async fn a_refresh_token_that_comes_twice_signs_its_device_out_at_once() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let first = session(&app, &owner).await;
    let second = refresh(&app, &first).await.expect(200).json();
    let _ = refresh(&app, &first).await.expect(401);
    let _ = client(&app, &second).get("/api/v1/me").await.expect(401);
    let _ = refresh(&app, &second).await.expect(401);
    // Another device of the same person is not concerned.
    let _ = owner.client.get("/api/v1/me").await.expect(200);
}

#[tokio::test]
async fn of_two_refreshes_at_once_one_is_refused() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let first = session(&app, &owner).await;
    let (one, other) = tokio::join!(refresh(&app, &first), refresh(&app, &first));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
}

#[tokio::test]
async fn a_device_that_is_not_used_for_a_month_is_signed_out() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let first = session(&app, &owner).await;
    app.clock.advance(TimeDelta::days(29));
    let second = refresh(&app, &first).await.expect(200).json();
    app.clock.advance(TimeDelta::days(30));
    let _ = refresh(&app, &second).await.expect(401);
}

#[tokio::test]
async fn a_person_sees_their_devices_and_signs_out_there() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    app.clock.advance(TimeDelta::seconds(1));
    let lost = session(&app, &owner).await;
    let devices = owner.client.get("/api/v1/me/devices").await.expect(200).json();
    let items = devices["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(items[0]["id"], lost["device_id"]);
    assert_eq!(items[0]["is_current"], false);
    assert_eq!(items[1]["is_current"], true);
    let path = format!("/api/v1/me/devices/{}", lost["device_id"].as_str().unwrap());
    let _ = owner.client.delete(&path).await.expect(204);
    let _ = client(&app, &lost).get("/api/v1/me").await.expect(401);
    let _ = refresh(&app, &lost).await.expect(401);
    let _ = owner.client.delete(&path).await.expect(404);
}

#[tokio::test]
async fn signing_out_ends_the_access_token_too() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let sign_out = owner.client.post("/api/v1/auth/sign-out", &Value::Null).await;
    let _ = sign_out.expect(204);
    let _ = owner.client.get("/api/v1/me").await.expect(401);
}

#[tokio::test]
async fn a_token_signed_for_something_else_is_refused() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let token = owner.client.bearer().unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    let altered = format!("{signed}.{flipped}{}", &signature[1..]);
    // {"alg":"none","typ":"JWT"}
    let (_, claims) = signed.split_once('.').unwrap();
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
    for token in [altered.as_str(), &unsigned, "", "a.b.c"] {
        let client = app.anonymous().with_bearer(Some(token));
        let _ = client.get("/api/v1/me").await.expect(401);
    }
}
