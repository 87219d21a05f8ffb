//! Language models that an organisation brings.

use amebo_testkit::{FakeModel, Person, TestApp, Turn};
use serde_json::{Value, json};

use crate::document::uploaded;
use crate::question::acme;

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

/// An embedding model of the organisation's own behind this fake, added with this name.
async fn embedding(owner: &Person, model: &FakeModel, name: &str, protocol: &str) -> Value {
    let form = json!({
        "name": name, "kind": "embedding", "protocol": protocol, "model": "acme/wren-2", "base_url": model.url(), "key": "sk-secret-2",
    });
    let made = owner.client.post(&owner.path("/providers"), &form).await;
    made.expect(201).json()
}

#[tokio::test]
async fn a_knowledge_base_moves_to_an_own_embedding_model_of_another_size() {
    for (protocol, purpose) in [("openai", Value::Null), ("voyage", json!("query"))] {
        let app = TestApp::start().await;
        let owner = acme(&app).await;
        let model = FakeModel::start(&app.database).await;
        model.set_dimension(48);
        let own = embedding(&owner, &model, "Own", protocol).await;
        assert_eq!((&own["dimension"], &own["has_key"]), (&json!(48), &json!(true)));
        let bases = owner.client.get(&owner.path("/knowledge-bases")).await.json();
        let base = owner.path(&format!(
            "/knowledge-bases/{}",
            bases["items"][0]["id"].as_str().unwrap()
        ));
        let form = json!({ "embedding_model": own["embedding_model"] });
        let moving = owner.client.patch(&base, &form).await.expect(200).json();
        assert_eq!(moving["embedding_model"], "words-1");
        app.run_jobs().await;
        let moved = owner.client.get(&base).await.expect(200).json();
        assert_eq!(
            (&moved["status"], &moved["embedding_model"]),
            (&json!("active"), &own["embedding_model"])
        );
        uploaded(
            &owner,
            bases["items"][0]["id"].as_str().unwrap(),
            "coffee.txt",
            "Coffee is served at nine.",
        )
        .await;
        app.run_jobs().await;
        let vectors = app
            .scalar("select count(*) from chunks where octet_length(embedding) = 96")
            .await;
        assert_eq!(vectors, app.scalar("select count(*) from chunks").await);
        let calls = app.models[0].calls();
        let body = json!({ "text": "What is served at nine?" });
        let found = owner
            .client
            .post(&owner.path("/search"), &body)
            .await
            .expect(200)
            .json();
        assert_eq!(found["by_meaning"], true);
        assert_eq!(found["passages"][0]["content"], "Coffee is served at nine.");
        assert_eq!(
            app.models[0].calls(),
            calls,
            "the server's model has no part in it"
        );
        let last = model.requests().pop().unwrap();
        assert_eq!(
            (&last["model"], &last["input"], &last["input_type"]),
            (
                &json!("acme/wren-2"),
                &json!(["What is served at nine?"]),
                &purpose
            )
        );
        let asked = owner
            .client
            .post(&owner.path("/questions"), &body)
            .await
            .expect(200)
            .json();
        assert!(
            asked["answer"]["text"].as_str().unwrap().contains("Coffee"),
            "{asked:#}"
        );
    }
}

#[tokio::test]
async fn an_embedding_model_in_use_stays_the_model_it_is() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let model = FakeModel::start(&app.database).await;
    let own = embedding(&owner, &model, "Own", "openai").await;
    let base = json!({ "name": "Handbook", "embedding_model": own["embedding_model"] });
    let base = owner.client.post(&owner.path("/knowledge-bases"), &base).await;
    let base = base.expect(201).json();
    assert_eq!(base["embedding_model"], own["embedding_model"]);
    let path = owner.path(&format!("/providers/{}", own["id"].as_str().unwrap()));
    let form = |name: &str, model_name: &str| {
        json!({
            "name": name, "kind": "embedding", "protocol": "openai", "model": model_name, "base_url": model.url(), "key": "sk-3",
        })
    };
    let _ = owner
        .client
        .put(&path, &form("Renamed", "acme/wren-2"))
        .await
        .expect(200);
    let other = owner.client.put(&path, &form("Renamed", "acme/wren-3")).await;
    assert_eq!(other.expect(409).problem(), "conflict");
    model.set_dimension(32);
    let shrunk = owner.client.put(&path, &form("Renamed", "acme/wren-2")).await;
    assert_eq!(shrunk.expect(409).problem(), "conflict");
    let tested = owner.client.post(&format!("{path}/test"), &Value::Null).await;
    let error = tested.expect(200).json()["last_test_error"].clone();
    assert!(
        error.as_str().unwrap().contains("32 numbers instead of 64"),
        "{error}"
    );
    assert_eq!(owner.client.delete(&path).await.expect(409).problem(), "conflict");
    let to_language =
        json!({ "name": "Own", "protocol": "openai", "model": "acme/wren-2", "base_url": model.url() });
    let changed = owner.client.put(&path, &to_language).await.expect(422);
    assert_eq!(changed.json()["errors"][0]["pointer"], "/kind");
    let base = owner.path(&format!("/knowledge-bases/{}", base["id"].as_str().unwrap()));
    let moved = json!({ "embedding_model": "words-1" });
    let _ = owner.client.patch(&base, &moved).await.expect(200);
    app.run_jobs().await;
    let _ = owner.client.delete(&path).await.expect(204);
}

#[tokio::test]
async fn the_active_embedding_model_is_what_new_knowledge_bases_take() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let model = FakeModel::start(&app.database).await;
    let writes = json!({ "name": "Writer", "protocol": "openai", "model": "m", "base_url": model.url(), "is_active": true });
    let _ = owner
        .client
        .post(&owner.path("/providers"), &writes)
        .await
        .expect(201);
    let own = json!({
        "name": "Own", "kind": "embedding", "protocol": "voyage", "model": "wren-2", "base_url": model.url(), "is_active": true,
    });
    let own = owner
        .client
        .post(&owner.path("/providers"), &own)
        .await
        .expect(201)
        .json();
    let listed = owner
        .client
        .get(&owner.path("/providers"))
        .await
        .expect(200)
        .json();
    let active = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .all(|item| item["is_active"] == true);
    assert!(active, "each kind has its own: {listed:#}");
    let base = json!({ "name": "Handbook" });
    let base = owner
        .client
        .post(&owner.path("/knowledge-bases"), &base)
        .await
        .expect(201)
        .json();
    assert_eq!(base["embedding_model"], own["embedding_model"]);
    let stranger = app.owner("Other").await;
    let theirs = json!({ "name": "Theirs", "embedding_model": own["embedding_model"] });
    let refused = stranger
        .client
        .post(&stranger.path("/knowledge-bases"), &theirs)
        .await;
    let refused = refused.expect(422);
    assert_eq!(refused.json()["errors"][0]["pointer"], "/embedding_model");
    assert!(!refused.text().contains("wren-2"), "{}", refused.text());
}

#[tokio::test]
async fn an_embedding_model_that_gives_no_vector_is_not_added() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let form = |protocol: &str, url: &str| json!({ "name": "Own", "kind": "embedding", "protocol": protocol, "model": "m", "base_url": url, "key": "sk-secret-4" });
    let cases = [
        ("openai", "http://127.0.0.1:9/v1", "/model"),
        ("openai", "http://169.254.169.254/v1", "/model"),
        ("anthropic", "https://models.example.com/v1", "/protocol"),
    ];
    for (protocol, url, pointer) in cases {
        let refused = owner
            .client
            .post(&owner.path("/providers"), &form(protocol, url))
            .await;
        let refused = refused.expect(422);
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer, "{url}");
        assert!(!refused.text().contains("sk-secret-4"));
    }
    assert_eq!(app.scalar("select count(*) from providers").await, 0);
}
