//! Language models that an organisation brings.

use amebo_testkit::{FakeModel, TestApp, Turn};
use serde_json::{Value, json};

#[tokio::test]
async fn a_key_is_sealed_never_shown_and_goes_nowhere_else() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let path = owner.path("/providers");
    let form = json!({ "name": "Claude", "protocol": "anthropic", "model": "claude", "key": "sk-secret-1", "is_active": true });
    let made = owner.client.post(&path, &form).await.expect(201);
    assert!(!made.text().contains("sk-secret-1"));
    assert_eq!(made.json()["has_key"], true);
    let leaked = "select count(*) from providers where position('sk-secret-1'::bytea in sealed_key) > 0";
    assert_eq!(app.scalar(leaked).await, 0);
    let one = format!("{path}/{}", made.json()["id"].as_str().unwrap());
    let elsewhere = json!({ "name": "Claude", "protocol": "anthropic", "model": "claude", "base_url": "https://evil.example/v1" });
    let refused = owner.client.put(&one, &elsewhere).await.expect(422);
    assert_eq!(refused.json()["errors"][0]["pointer"], "/key");
    let renamed = json!({ "name": "Opus", "protocol": "anthropic", "model": "claude" });
    assert_eq!(
        owner.client.put(&one, &renamed).await.expect(200).json()["has_key"],
        true
    );
    let _ = owner.client.delete(&one).await.expect(204);
    assert_eq!(owner.client.get(&path).await.json()["items"], json!([]));
}

#[tokio::test]
async fn one_provider_at_a_time_writes_answers_and_names_are_unique() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let path = owner.path("/providers");
    for name in ["One", "Two"] {
        let form = json!({ "name": name, "protocol": "openai", "model": "m", "is_active": true });
        let _ = owner.client.post(&path, &form).await.expect(201);
    }
    let list = owner.client.get(&path).await.json();
    let active: Vec<&Value> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["is_active"])
        .collect();
    assert_eq!(active, [&json!(false), &json!(true)]);
    let again = json!({ "name": "One", "protocol": "openai", "model": "m" });
    assert_eq!(
        owner.client.post(&path, &again).await.expect(409).problem(),
        "conflict"
    );
    let odd = json!({ "name": "Odd", "protocol": "openai", "model": "m", "base_url": "file:///etc/passwd" });
    assert_eq!(
        owner.client.post(&path, &odd).await.expect(422).json()["errors"][0]["pointer"],
        "/base_url"
    );
}

#[tokio::test]
async fn a_test_says_whether_the_model_can_be_asked() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let model = FakeModel::start(&app.database).await;
    let form =
        json!({ "name": "Local", "protocol": "openai", "model": "m", "base_url": model.url(), "key": "sk" });
    let made = owner
        .client
        .post(&owner.path("/providers"), &form)
        .await
        .expect(201)
        .json();
    let test = owner.path(&format!("/providers/{}/test", made["id"].as_str().unwrap()));
    model.then(Turn::Says("yes".to_owned()));
    let tested = owner.client.post(&test, &Value::Null).await.expect(200).json();
    assert_eq!(tested["last_test_error"], Value::Null);
    assert!(tested["last_tested_at"].is_string());
    model.then(Turn::Babbles);
    let tested = owner.client.post(&test, &Value::Null).await.expect(200).json();
    assert!(tested["last_test_error"].is_string());
}
