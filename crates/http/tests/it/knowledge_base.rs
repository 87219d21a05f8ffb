//! Knowledge bases: made, found by name, archived, moved to another model, removed.

use amebo_testkit::{FakeModel, Fault, Person, TestApp};
use serde_json::{Value, json};

use crate::document::{upload, uploaded};

pub(crate) async fn knowledge_base(person: &Person, name: &str) -> String {
    let made = person
        .client
        .post(&person.path("/knowledge-bases"), &json!({ "name": name }))
        .await
        .expect(201)
        .json();
    made["id"].as_str().unwrap().to_owned()
}

async fn get(person: &Person, id: &str) -> Value {
    let path = person.path(&format!("/knowledge-bases/{id}"));
    person.client.get(&path).await.expect(200).json()
}

#[tokio::test]
async fn a_knowledge_base_takes_the_first_model_and_its_name_is_taken_whatever_its_case() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let id = knowledge_base(&owner, "Handbook").await;
    assert_eq!(get(&owner, &id).await["embedding_model"], "words-1");
    let path = owner.path("/knowledge-bases");
    let again = owner.client.post(&path, &json!({ "name": "HANDBOOK " })).await;
    assert_eq!(again.expect(409).problem(), "conflict");
    let unknown = json!({ "name": "Other", "embedding_model": "none-such" });
    let refused = owner.client.post(&path, &unknown).await.expect(422).json();
    assert_eq!(refused["errors"][0]["pointer"], "/embedding_model");
    let wrong = json!({ "name": "Other", "chunking": { "target": 5 } });
    let refused = owner.client.post(&path, &wrong).await.expect(422).json();
    assert_eq!(refused["errors"][0]["pointer"], "/chunking");
}

#[tokio::test]
async fn another_organizations_knowledge_base_does_not_exist() {
    let app = TestApp::start().await;
    let (owner, other) = (app.owner("Acme").await, app.owner("Other").await);
    let id = knowledge_base(&owner, "Handbook").await;
    let path = other.path(&format!("/knowledge-bases/{id}"));
    assert_eq!(other.client.get(&path).await.expect(404).problem(), "not-found");
    let renamed = other.client.patch(&path, &json!({ "name": "Mine" })).await;
    assert_eq!(renamed.expect(404).problem(), "not-found");
    assert_eq!(
        other.client.delete(&path).await.expect(404).problem(),
        "not-found"
    );
    let taken = upload(&other, &id, "tea.txt", "Tea is at four.").await;
    assert_eq!(taken.expect(404).problem(), "not-found");
}

#[tokio::test]
async fn an_archived_knowledge_base_takes_no_documents_and_is_not_searched() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let id = knowledge_base(&owner, "Handbook").await;
    uploaded(&owner, &id, "tea.txt", "Tea is served at four.").await;
    app.run_jobs().await;
    assert_eq!(app.found(&owner, "tea").await, ["Tea is served at four."]);
    let path = owner.path(&format!("/knowledge-bases/{id}"));
    let archived = owner.client.patch(&path, &json!({ "archived": true })).await;
    assert_eq!(archived.expect(200).json()["status"], "archived");
    assert!(app.found(&owner, "tea").await.is_empty());
    let refused = upload(&owner, &id, "coffee.txt", "Coffee is at nine.").await;
    assert_eq!(refused.expect(409).problem(), "conflict");
    let _ = owner
        .client
        .patch(&path, &json!({ "archived": false }))
        .await
        .expect(200);
    assert_eq!(app.found(&owner, "tea").await, ["Tea is served at four."]);
}

#[tokio::test]
async fn another_model_takes_over_when_every_passage_has_its_vector() {
    let app = TestApp::start_with_models(&["old", "new"]).await;
    let owner = app.owner("Acme").await;
    let id = knowledge_base(&owner, "Handbook").await;
    for number in 0..3 {
        let text = format!("Rule {number}: tea is served at four.");
        uploaded(&owner, &id, &format!("{number}.txt"), &text).await;
    }
    app.run_jobs().await;
    let path = owner.path(&format!("/knowledge-bases/{id}"));
    let moving = owner
        .client
        .patch(&path, &json!({ "embedding_model": "new" }))
        .await
        .expect(200)
        .json();
    assert_eq!(moving["status"], "building");
    assert_eq!(
        moving["embedding_model"], "old",
        "the old vectors are searched until then"
    );
    assert_eq!(
        get(&owner, &id).await["building"],
        json!({ "embedding_model": "new", "passages": 3, "embedded": 0, "given_up": false })
    );
    assert_eq!(app.found(&owner, "tea").await.len(), 3);
    app.run_jobs().await;
    let moved = get(&owner, &id).await;
    assert_eq!(
        (&moved["status"], &moved["embedding_model"]),
        (&json!("active"), &json!("new"))
    );
    assert_eq!(app.models_of_passages().await, ["new", "new", "new"]);
    assert_eq!(app.found(&owner, "tea").await.len(), 3);
}

#[tokio::test]
async fn the_models_to_choose_from_are_the_organizations_own_and_the_servers() {
    let app = TestApp::start_with_models(&["first", "second"]).await;
    let owner = app.owner("Acme").await;
    let fake = FakeModel::start(&app.database).await;
    let form = json!({
        "name": "Ours", "kind": "embedding", "protocol": "openai", "model": "wren", "base_url": fake.url(), "without_key": true,
    });
    let own = owner.client.post(&owner.path("/providers"), &form).await;
    let own = own.expect(201).json()["embedding_model"].clone();
    let path = owner.path("/embedding-models");
    let listed = owner.client.get(&path).await.expect(200).json();
    assert_eq!(
        listed["items"],
        json!([
            { "id": own, "name": "wren", "provider": "Ours", "dimension": 64, "languages": null, "is_first": false },
            { "id": "first", "name": "first", "provider": null, "dimension": 64, "languages": null, "is_first": true },
            { "id": "second", "name": "second", "provider": null, "dimension": 64, "languages": null, "is_first": false },
        ])
    );
    let stranger = app.owner("Other").await;
    let theirs = stranger.client.get(&stranger.path("/embedding-models")).await;
    assert!(!theirs.expect(200).text().contains("wren"));
}

#[tokio::test]
async fn after_a_move_everything_is_found_by_its_meaning_with_the_new_model_alone() {
    let app = TestApp::start_with_models(&["old", "new"]).await;
    let owner = app.owner("Acme").await;
    let id = knowledge_base(&owner, "Handbook").await;
    let texts = [
        "Tea is served at four.",
        "The gate opens at six.",
        "Lamps are lit at dusk.",
    ];
    for (number, text) in texts.iter().enumerate() {
        uploaded(&owner, &id, &format!("{number}.txt"), text).await;
    }
    app.run_jobs().await;
    let path = owner.path(&format!("/knowledge-bases/{id}"));
    let move_to = json!({ "embedding_model": "new" });
    let _ = owner.client.patch(&path, &move_to).await.expect(200);
    app.run_jobs().await;
    let calls = (app.models[0].calls(), app.models[1].calls());
    for text in texts {
        let question = json!({ "text": text });
        let found = owner.client.post(&owner.path("/search"), &question).await;
        let found = found.expect(200).json();
        assert_eq!(found["by_meaning"], true, "{found:#}");
        assert_eq!(found["passages"][0]["content"], text);
    }
    assert_eq!(
        (app.models[0].calls(), app.models[1].calls()),
        (calls.0, calls.1 + 3),
        "only the new model is asked"
    );
}

#[tokio::test]
async fn a_move_that_stands_still_says_why_and_goes_on_when_it_is_chosen_again() {
    let app = TestApp::start_with_models(&["old", "new"]).await;
    let owner = app.owner("Acme").await;
    let id = knowledge_base(&owner, "Handbook").await;
    uploaded(&owner, &id, "tea.txt", "Tea is served at four.").await;
    app.run_jobs().await;
    app.models[1].set_away(true);
    let path = owner.path(&format!("/knowledge-bases/{id}"));
    // A program's key does not end while the model is away for days.
    let program = app
        .program(&owner, &["knowledge_base:read", "knowledge_base:update"])
        .await;
    let choose = async |model: &str| {
        let form = json!({ "embedding_model": model });
        program.patch(&path, &form).await.expect(200).json()
    };
    let standing = async || program.get(&path).await.expect(200).json();
    let wait_for_days = async || {
        for _ in 0..20 {
            app.clock.advance(chrono::TimeDelta::hours(6));
            app.run_jobs().await;
        }
    };
    choose("new").await;
    app.run_jobs().await;
    let building = standing().await["building"].clone();
    assert_eq!(
        (&building["problem"], &building["detail"]),
        (&json!("model_unavailable"), &json!("it was told to be away"))
    );
    assert_eq!(building["given_up"], false);
    assert_eq!(app.found(&owner, "tea").await, ["Tea is served at four."]);
    wait_for_days().await;
    assert_eq!(standing().await["building"]["given_up"], true);
    let stayed = choose("old").await;
    assert_eq!(
        (&stayed["status"], &stayed["embedding_model"]),
        (&json!("active"), &json!("old"))
    );
    assert_eq!(
        app.scalar("select count(*) from jobs").await,
        0,
        "nothing is left of the move"
    );
    choose("new").await;
    wait_for_days().await;
    assert_eq!(standing().await["building"]["given_up"], true);
    app.models[1].set_away(false);
    choose("new").await;
    app.run_jobs().await;
    let moved = standing().await;
    assert_eq!(
        (&moved["embedding_model"], &moved["status"]),
        (&json!("new"), &json!("active"))
    );
    assert_eq!(app.scalar("select count(*) from jobs").await, 0);
}

#[tokio::test]
async fn a_move_tells_apart_a_model_that_refuses_and_one_that_breaks() {
    let app = TestApp::start_with_models(&["old", "new"]).await;
    let owner = app.owner("Acme").await;
    let id = knowledge_base(&owner, "Handbook").await;
    uploaded(&owner, &id, "tea.txt", "Tea is served at four.").await;
    app.run_jobs().await;
    let path = owner.path(&format!("/knowledge-bases/{id}"));
    let move_to = json!({ "embedding_model": "new" });
    app.models[1].set_fault(Some(Fault::Refuses));
    let _ = owner.client.patch(&path, &move_to).await.expect(200);
    app.run_jobs().await;
    let building = get(&owner, &id).await["building"].clone();
    assert_eq!(
        (&building["problem"], &building["detail"]),
        (&json!("model_refused"), &json!("it was told to refuse"))
    );
    app.models[1].set_fault(Some(Fault::Breaks));
    app.clock.advance(chrono::TimeDelta::minutes(10));
    app.run_jobs().await;
    let building = get(&owner, &id).await["building"].clone();
    assert_eq!(building["problem"], "failed", "{building:#}");
    assert_eq!(building.get("detail"), None, "what broke inside is for the log");
    app.models[1].set_fault(None);
    app.clock.advance(chrono::TimeDelta::minutes(10));
    app.run_jobs().await;
    assert_eq!(get(&owner, &id).await["embedding_model"], "new");
}

#[tokio::test]
async fn a_document_that_its_model_refuses_is_set_aside_with_a_code() {
    let app = TestApp::start_with_models(&["words"]).await;
    let owner = app.owner("Acme").await;
    let program = app.program(&owner, &["document:read"]).await;
    let id = knowledge_base(&owner, "Handbook").await;
    app.models[0].set_fault(Some(Fault::Refuses));
    let document = uploaded(&owner, &id, "tea.txt", "Tea is served at four.").await;
    for _ in 0..10 {
        app.run_jobs().await;
        app.clock.advance(chrono::TimeDelta::hours(6));
    }
    let path = owner.path(&format!("/documents/{document}"));
    let failed = program.get(&path).await.expect(200).json();
    assert_eq!(failed["status"], "failed");
    assert_eq!(
        failed["failure"],
        json!({ "code": "model_refused", "detail": "it was told to refuse" })
    );
    let error = failed["error"].as_str().unwrap();
    assert!(error.contains("it was told to refuse. Process"), "{error}");
}

#[tokio::test]
async fn a_move_tells_apart_a_model_that_answers_nonsense_and_one_that_is_gone() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let id = knowledge_base(&owner, "Handbook").await;
    uploaded(&owner, &id, "tea.txt", "Tea is served at four.").await;
    app.run_jobs().await;
    let fake = FakeModel::start(&app.database).await;
    let form = json!({
        "name": "Ours", "kind": "embedding", "protocol": "openai", "model": "wren", "base_url": fake.url(), "without_key": true,
    });
    let own = owner.client.post(&owner.path("/providers"), &form).await;
    let own = own.expect(201).json()["embedding_model"].clone();
    fake.set_dimension(32);
    let path = owner.path(&format!("/knowledge-bases/{id}"));
    let move_to = json!({ "embedding_model": own });
    let _ = owner.client.patch(&path, &move_to).await.expect(200);
    app.run_jobs().await;
    let building = get(&owner, &id).await["building"].clone();
    assert_eq!(building["problem"], "bad_answer", "{building:#}");
    assert!(
        building["detail"].as_str().unwrap().contains("32"),
        "{building:#}"
    );
    app.sql("update knowledge_bases set building_model = 'a model of yesterday'")
        .await;
    let building = get(&owner, &id).await["building"].clone();
    assert_eq!(building["problem"], "model_missing");
    assert_eq!(building.get("detail"), None);
}

#[tokio::test]
async fn a_model_of_a_long_name_can_be_moved_to() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let id = knowledge_base(&owner, "Handbook").await;
    let fake = FakeModel::start(&app.database).await;
    let form = json!({
        "name": "Ours", "kind": "embedding", "protocol": "openai", "model": "w".repeat(200), "base_url": fake.url(), "without_key": true,
    });
    let own = owner.client.post(&owner.path("/providers"), &form).await;
    let own = own.expect(201).json()["embedding_model"].clone();
    let path = owner.path(&format!("/knowledge-bases/{id}"));
    let _ = owner
        .client
        .patch(&path, &json!({ "embedding_model": own }))
        .await
        .expect(200);
    app.run_jobs().await;
    assert_eq!(get(&owner, &id).await["embedding_model"], own);
}

#[tokio::test]
async fn documents_taken_in_without_a_model_get_their_vectors_when_there_is_one() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let id = knowledge_base(&owner, "Handbook").await;
    app.sql("update knowledge_bases set embedding_model = null").await;
    uploaded(&owner, &id, "tea.txt", "Tea is served at four.").await;
    app.run_jobs().await;
    assert_eq!(app.models_of_passages().await, [""]);
    assert_eq!(
        app.found(&owner, "tea").await,
        ["Tea is served at four."],
        "words alone find it"
    );
    app.clock.advance(chrono::TimeDelta::minutes(2));
    app.run_jobs().await;
    assert_eq!(app.models_of_passages().await, ["words-1"]);
    assert_eq!(get(&owner, &id).await["embedding_model"], "words-1");
}

#[tokio::test]
async fn deleting_a_knowledge_base_takes_its_documents_and_gives_their_room_back() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    app.sql(r#"update organizations set limits = '{"documents": 1}'"#)
        .await;
    let id = knowledge_base(&owner, "Handbook").await;
    uploaded(&owner, &id, "tea.txt", "Tea is served at four.").await;
    app.run_jobs().await;
    let second = knowledge_base(&owner, "Second").await;
    let full = upload(&owner, &second, "coffee.txt", "Coffee is at nine.").await;
    assert_eq!(full.expect(403).problem(), "quota-exceeded");
    let path = owner.path(&format!("/knowledge-bases/{id}"));
    let _ = owner.client.delete(&path).await.expect(204);
    assert!(app.found(&owner, "tea").await.is_empty());
    uploaded(&owner, &second, "coffee.txt", "Coffee is at nine.").await;
    app.run_jobs().await;
    assert_eq!(app.stored_files(), 1);
}

#[tokio::test]
async fn an_index_that_stood_still_for_long_forgets_what_was_deleted_meanwhile() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let id = knowledge_base(&owner, "Handbook").await;
    uploaded(&owner, &id, "tea.txt", "Tea is served at four.").await;
    let coffee = uploaded(&owner, &id, "coffee.txt", "Coffee is served at nine.").await;
    app.run_jobs().await;
    let program = app.program(&owner, &["question:read"]).await;
    let searched = async || {
        let body = json!({ "text": "What is served?" });
        let found = program
            .post(&owner.path("/search"), &body)
            .await
            .expect(200)
            .json();
        found["documents_searched"].clone()
    };
    assert_eq!(searched().await, 2);
    let path = owner.path(&format!("/documents/{coffee}"));
    let _ = owner.client.delete(&path).await.expect(204);
    app.clock.advance(chrono::TimeDelta::days(8));
    app.run_maintenance().await;
    assert_eq!(
        app.scalar("select count(*) from index_changes where gone").await,
        0
    );
    assert_eq!(searched().await, 1);
}

#[tokio::test]
async fn the_list_comes_in_pages_of_the_asked_size() {
    let app = TestApp::start().await;
    let owner = app.owner("Paged").await;
    for name in ["One", "Two", "Three"] {
        let _ = owner
            .client
            .post(&owner.path("/knowledge-bases"), &json!({ "name": name }))
            .await
            .expect(201);
    }
    let first = owner
        .client
        .get(&owner.path("/knowledge-bases?limit=2"))
        .await
        .expect(200)
        .json();
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = owner
        .client
        .get(&owner.path(&format!("/knowledge-bases?limit=2&cursor={cursor}")))
        .await
        .expect(200)
        .json();
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
}
