//! Signing up and in.

use amebo_testkit::TestApp;
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
