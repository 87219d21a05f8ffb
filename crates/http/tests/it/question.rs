//! Asking: the one outcome of every question, its citations, its stream, and who may read it.

use std::collections::{BTreeMap, BTreeSet};

use amebo_core::permission::Role;
use amebo_testkit::{FakeModel, Person, Reply, Setup, TestApp, Turn, WordModel};
use axum::body::Body;
use axum::http::{Request, header};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::document::uploaded;
use crate::knowledge_base::knowledge_base;

pub(crate) const HANDBOOK: &str = "# Leave\n\nNew employees receive 25 days of paid leave in a year.\n\n\
                                   # Tea\n\nTea is served at four in the kitchen.";

/// An organisation that knows the handbook.
pub(crate) async fn acme(app: &TestApp) -> Person {
    let owner = app.owner("Acme").await;
    let base = knowledge_base(&owner, "Handbook").await;
    uploaded(&owner, &base, "handbook.md", HANDBOOK).await;
    app.run_jobs().await;
    owner
}

pub(crate) async fn ask(person: &Person, body: &Value) -> Reply {
    person.client.post(&person.path("/questions"), body).await
}

async fn asked(person: &Person, text: &str) -> Value {
    ask(person, &json!({ "text": text })).await.expect(200).json()
}

/// The events of a stream, each with its data.
async fn streamed(person: &Person, text: &str) -> Vec<(String, Value)> {
    let request = Request::post(person.path("/questions"))
        .header(header::ACCEPT, "text/event-stream")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(json!({ "text": text }).to_string()))
        .unwrap();
    let reply = person.client.send(request).await.expect(200);
    let text = reply.text();
    text.split("\n\n")
        .filter_map(|event| {
            let (name, data) = event.split_once('\n')?;
            let name = name.strip_prefix("event: ")?.to_owned();
            Some((name, serde_json::from_str(data.strip_prefix("data: ")?).unwrap()))
        })
        .collect()
}

/// Makes a fake the organisation's language model.
async fn provide(person: &Person, model: &FakeModel, protocol: &str) -> String {
    let provider = json!({ "name": protocol, "protocol": protocol, "base_url": model.url(), "model": "fake",
                           "key": "sk-test", "is_active": true });
    let made = person.client.post(&person.path("/providers"), &provider).await;
    made.expect(201).json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_asked_at_the_terminal_is_told_from_what_programs_ask() {
    let app = TestApp::start().await;
    let (email, organization) = ("admin@localhost", "My organization");
    let link = app.app.first_administrator_link(email, organization).await;
    let link = link.unwrap().unwrap();
    let token = link.fragment().unwrap().strip_prefix("token=").unwrap();
    let session = app
        .anonymous()
        .post("/api/v1/auth/link", &json!({ "token": token }))
        .await;
    let administrator = app
        .anonymous()
        .with_bearer(session.expect(200).json()["access_token"].as_str());
    let (organization, key) = app.app.create_terminal_key().await.unwrap().unwrap();
    let path = |rest: &str| format!("/api/v1/organizations/{organization}{rest}");
    let made = json!({ "name": "program", "scopes": ["question:create"] });
    let made = administrator.post(&path("/api-keys"), &made).await.expect(201);
    let question = json!({ "text": "When is tea?" });
    for key in [Some(key.as_str()), made.json()["key"].as_str()] {
        let caller = app.anonymous().with_bearer(key);
        let _ = caller.post(&path("/questions"), &question).await.expect(200);
    }
    let asked = administrator.get(&path("/questions")).await.expect(200).json();
    let origins: Vec<_> = asked["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|question| &question["origin"])
        .collect();
    assert_eq!(origins, ["api", "terminal"]);
}

#[tokio::test]
async fn a_model_is_not_asked_about_questions_in_languages_it_does_not_know() {
    let models = vec![WordModel::named("words-1").speaking(&["en"])];
    let app = TestApp::start_with(Setup { models, mail: None }).await;
    let owner = acme(&app).await;
    let cases = [
        ("At what time of the day is tea served in the kitchen?", true),
        (
            "Um wie viel Uhr wird in der Küche eigentlich der Tee serviert?",
            false,
        ),
    ];
    for (question, asks_model) in cases {
        let body = json!({ "text": question });
        let before = app.models[0].calls();
        let found = owner.client.post(&owner.path("/search"), &body).await.expect(200);
        assert_eq!(found.json()["by_meaning"], asks_model, "{question}");
        asked(&owner, question).await;
        let set = json!({ "name": question, "cases": [{ "question": question }] });
        let set = owner
            .client
            .post(&owner.path("/evaluation-sets"), &set)
            .await
            .expect(201);
        let runs = format!("/evaluation-sets/{}/runs", set.json()["id"].as_str().unwrap());
        let _ = owner
            .client
            .post(&owner.path(&runs), &Value::Null)
            .await
            .expect(202);
        app.run_jobs().await;
        assert_eq!(app.models[0].calls() > before, asks_model, "{question}");
    }
}

#[tokio::test]
async fn an_answer_quotes_the_document_and_says_where_each_sentence_stands() {
    let app = TestApp::start().await;
    let owner = acme(&app).await;
    let reply = asked(&owner, "How many days of paid leave do new employees receive?").await;
    let answer = &reply["answer"];
    assert_eq!(answer["outcome"], "answered", "{answer:#}");
    assert_eq!(answer["composer"], "extractive");
    assert!(answer["text"].as_str().unwrap().contains("25 days"));
    for sentence in answer["sentences"].as_array().unwrap() {
        assert!(!sentence["citations"].as_array().unwrap().is_empty());
    }
    for citation in answer["citations"].as_array().unwrap() {
        let path = owner.path(&format!(
            "/documents/{}/text?start={}&length={}",
            citation["document_id"].as_str().unwrap(),
            citation["range_start"],
            citation["range_end"].as_u64().unwrap() - citation["range_start"].as_u64().unwrap()
        ));
        let text = owner.client.get(&path).await.expect(200).json();
        assert_eq!(text["content"], citation["quote"]);
    }
    let path = owner.path(&format!("/questions/{}", reply["question_id"].as_str().unwrap()));
    let stored = owner.client.get(&path).await.expect(200).json();
    assert_eq!(&stored["answer"], answer);
}

#[tokio::test]
async fn a_question_without_evidence_is_declined_and_names_what_was_searched() {
    let app = TestApp::start().await;
    let owner = acme(&app).await;
    let reply = asked(&owner, "Which planets have rings?").await;
    let answer = &reply["answer"];
    assert_eq!(answer["outcome"], "declined", "{answer:#}");
    assert_eq!(answer["searched"]["documents"], 1);
    assert!(
        answer["text"].as_str().unwrap().contains("Handbook"),
        "{answer:#}"
    );
    assert_eq!(app.scalar("select count(*) from answers").await, 1);
    let told = "select count(*) from outbox_events where kind = 'question.settled' and payload ->> 'outcome' = 'declined'";
    assert_eq!(app.scalar(told).await, 1);
}

#[tokio::test]
async fn a_question_to_nothing_is_declined() {
    let app = TestApp::start().await;
    let owner = app.owner("Empty").await;
    let reply = asked(&owner, "When is tea?").await;
    assert_eq!(reply["answer"]["reason"], "nothing_to_search");
}

#[tokio::test]
async fn a_stream_begins_with_sources_and_ends_with_the_verdict_that_is_stored() {
    let app = TestApp::start().await;
    let owner = acme(&app).await;
    let events = streamed(&owner, "When is tea served in the kitchen?").await;
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(&names[..2], ["question", "sources"]);
    assert!(names.contains(&"token"));
    let (last, verdict) = events.last().unwrap();
    assert_eq!(last, "verdict");
    let tokens: String = events
        .iter()
        .filter(|(name, _)| name == "token")
        .map(|(_, data)| data["text"].as_str().unwrap())
        .collect();
    assert_eq!(verdict["answer"]["text"].as_str().unwrap(), tokens.trim_end());
    assert_eq!(verdict["question_id"], events[0].1["question_id"]);
}

#[tokio::test]
async fn an_asker_who_leaves_does_not_stop_the_outcome() {
    let app = TestApp::start().await;
    let owner = acme(&app).await;
    let access = app.access(&owner).await;
    let ask = amebo_app::ask::Ask {
        text: "When is tea served?".to_owned(),
        origin: amebo_core::answer::Origin::Api,
        session: None,
        knowledge_bases: Vec::new(),
        history: Vec::new(),
        is_standalone: false,
    };
    drop(app.app.ask(&access, ask).await.unwrap());
    app.app.finish().await;
    assert_eq!(
        app.scalar("select count(*) from questions where state = 'open'")
            .await,
        0
    );
    assert_eq!(app.scalar("select count(*) from answers").await, 1);
}

#[tokio::test]
async fn a_question_that_a_crash_left_open_is_settled_by_maintenance() {
    let app = TestApp::start().await;
    let owner = acme(&app).await;
    let id = asked(&owner, "When is tea served?").await["question_id"].clone();
    app.sql("delete from answers; update questions set state = 'open'")
        .await;
    app.run_maintenance().await;
    let path = owner.path(&format!("/questions/{}", id.as_str().unwrap()));
    assert_eq!(owner.client.get(&path).await.json()["answer"], Value::Null);
    app.clock.advance(TimeDelta::minutes(5));
    app.run_maintenance().await;
    let stored = owner.client.get(&path).await.expect(200).json();
    assert_eq!(stored["answer"]["outcome"], "failed");
}

#[tokio::test]
async fn a_model_composes_from_the_passages_and_what_they_do_not_carry_is_struck() {
    for protocol in ["openai", "anthropic"] {
        let app = TestApp::start().await;
        let owner = acme(&app).await;
        let model = FakeModel::start(&app.database).await;
        provide(&owner, &model, protocol).await;
        model.then(Turn::Says(
            "New employees receive 25 days of paid leave in a year. [1] The moon is made of 99 cheeses. [1]"
                .to_owned(),
        ));
        let reply = asked(&owner, "How many days of paid leave do new employees receive?").await;
        let answer = &reply["answer"];
        assert_eq!(
            (&answer["outcome"], &answer["composer"]),
            (&json!("answered"), &json!("model")),
            "{answer:#}"
        );
        assert!(answer["text"].as_str().unwrap().contains("25 days"));
        assert!(!answer["text"].as_str().unwrap().contains("cheese"));
        assert_eq!(
            answer["usage"],
            json!({ "model": "fake-1", "input_tokens": 11, "output_tokens": 7 })
        );
        assert_eq!(model.requests().len(), 1);
    }
}

#[tokio::test]
async fn whatever_befalls_the_model_quotations_stand_in() {
    let app = TestApp::start().await;
    let owner = acme(&app).await;
    let model = FakeModel::start(&app.database).await;
    provide(&owner, &model, "anthropic").await;
    let faults = [
        Turn::HangsUpAfter("New employees receive".to_owned()),
        Turn::Babbles,
    ];
    for fault in faults {
        model.then(fault.clone());
        let reply = asked(&owner, "How many days of paid leave do new employees receive?").await;
        let answer = &reply["answer"];
        assert_eq!(answer["composer"], "extractive", "{fault:?}: {answer:#}");
        assert!(answer["text"].as_str().unwrap().contains("25 days"));
    }
}

#[tokio::test]
async fn a_model_that_asks_to_come_back_is_asked_again() {
    let app = TestApp::start().await;
    let owner = acme(&app).await;
    let model = FakeModel::start(&app.database).await;
    provide(&owner, &model, "openai").await;
    model.then(Turn::ComeBack(0)).then(Turn::Says(
        "New employees receive 25 days of paid leave in a year. [1]".to_owned(),
    ));
    let reply = asked(&owner, "How many days of paid leave do new employees receive?").await;
    assert_eq!(reply["answer"]["composer"], "model", "{reply:#}");
    assert_eq!(model.requests().len(), 2);
}

#[tokio::test]
async fn a_model_that_never_answers_costs_the_deadline_and_no_more() {
    let app = TestApp::start().await;
    let owner = acme(&app).await;
    let model = FakeModel::start(&app.database).await;
    provide(&owner, &model, "openai").await;
    model.then(Turn::IsSilent);
    let reply = asked(&owner, "How many days of paid leave do new employees receive?").await;
    assert_eq!(reply["answer"]["outcome"], "failed", "{reply:#}");
    assert!(reply["answer"]["text"].as_str().unwrap().contains("3 seconds"));
}

#[tokio::test]
async fn questions_of_others_are_read_only_by_those_who_may_read_transcripts() {
    let app = TestApp::start().await;
    let owner = acme(&app).await;
    let member = app.member(&owner, Role::Member).await;
    let stranger = app.owner("Other").await;
    let id = asked(&owner, "When is tea served?").await["question_id"].clone();
    let path = owner.path(&format!("/questions/{}", id.as_str().unwrap()));
    for other in [&member, &stranger] {
        assert_eq!(other.client.get(&path).await.expect(404).problem(), "not-found");
    }
    let _ = member.client.get(&member.path("/questions")).await.expect(403);
    app.clock.advance(TimeDelta::seconds(1));
    let asked_by_member = asked(&member, "When is tea served?").await["question_id"].clone();
    let listed = owner
        .client
        .get(&owner.path("/questions?limit=1"))
        .await
        .expect(200)
        .json();
    assert_eq!(listed["items"][0]["id"], asked_by_member);
    assert!(listed["next_cursor"].is_string());
    for (origin, count) in [("api", 2), ("slack", 0)] {
        let path = owner.path(&format!("/questions?origin={origin}"));
        let listed = owner.client.get(&path).await.expect(200).json();
        assert_eq!(listed["items"].as_array().unwrap().len(), count, "{origin}");
    }
    let nowhere = owner.client.get(&owner.path("/questions?origin=nowhere")).await;
    assert_eq!(nowhere.status, 400);
}

#[tokio::test]
async fn what_a_reader_may_not_see_is_neither_found_nor_counted() {
    let app = TestApp::start().await;
    let owner = acme(&app).await;
    let member = app.member(&owner, Role::Member).await;
    app.sql(r#"update documents set audience = '{"kind": "members", "roles": ["owner"], "users": []}'"#)
        .await;
    let reply = asked(&member, "How many days of paid leave do new employees receive?").await;
    assert_eq!(reply["answer"]["outcome"], "declined", "{reply:#}");
    assert!(
        !reply.to_string().contains("25 days"),
        "the index was not told, and the text leaked: {reply:#}"
    );
}

#[tokio::test]
async fn the_documents_that_most_answers_rest_on_are_named_to_those_who_may_see_them() {
    let app = TestApp::start().await;
    let owner = acme(&app).await;
    let member = app.member(&owner, Role::Administrator).await;
    let base = knowledge_base(&owner, "Depot").await;
    uploaded(
        &owner,
        &base,
        "gates.md",
        "# Gates\n\nThe gate of the depot opens at six.",
    )
    .await;
    app.run_jobs().await;
    let mut cited: BTreeMap<String, u64> = BTreeMap::new();
    for text in [
        "How many days of paid leave do new employees receive?",
        "How many days of paid leave do new employees receive?",
        "When does the gate of the depot open?",
    ] {
        let reply = asked(&owner, text).await;
        let citations = reply["answer"]["citations"].as_array().unwrap().clone();
        let titles: BTreeSet<String> = citations
            .iter()
            .map(|citation| citation["document_title"].as_str().unwrap().to_owned())
            .collect();
        for title in titles {
            *cited.entry(title).or_default() += 1;
        }
    }
    assert_eq!(cited["gates"], 1);
    assert!(cited["handbook"] >= 2, "{cited:?}");
    app.clock.advance(TimeDelta::seconds(1));
    let named = async |person: &Person| {
        let path = person.path("/analytics/sources");
        let sources = person.client.get(&path).await.expect(200).json();
        let items = sources["items"].as_array().unwrap().clone();
        items
            .iter()
            .map(|source| {
                (
                    source["title"].as_str().unwrap().to_owned(),
                    source["answers"].as_u64().unwrap(),
                )
            })
            .collect::<Vec<_>>()
    };
    let of_all = [
        ("handbook".to_owned(), cited["handbook"]),
        ("gates".to_owned(), 1),
    ];
    assert_eq!(named(&owner).await, of_all, "the most cited first");
    assert_eq!(named(&member).await, of_all);
    app.sql(
        r#"update documents set audience = '{"kind": "members", "roles": ["owner"], "users": []}' where title = 'gates'"#,
    )
    .await;
    assert_eq!(named(&owner).await, of_all);
    assert_eq!(named(&member).await, of_all[..1]);
}

#[tokio::test]
async fn deleting_a_document_takes_its_words_out_of_stored_answers() {
    let app = TestApp::start().await;
    let owner = acme(&app).await;
    let reply = asked(&owner, "How many days of paid leave do new employees receive?").await;
    let document = reply["answer"]["citations"][0]["document_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = owner.path(&format!("/documents/{document}"));
    let _ = owner.client.delete(&path).await.expect(204);
    let path = owner.path(&format!("/questions/{}", reply["question_id"].as_str().unwrap()));
    let stored = owner.client.get(&path).await.expect(200).json();
    assert_eq!(stored["answer"]["redacted"], true);
    assert!(!stored["answer"].to_string().contains("25 days"), "{stored:#}");
}

#[tokio::test]
async fn questions_that_are_empty_or_endless_or_ask_elsewhere_are_refused() {
    let app = TestApp::start().await;
    let owner = acme(&app).await;
    for text in [" ".to_owned(), "x".repeat(8_001)] {
        let reply = ask(&owner, &json!({ "text": text })).await.expect(422);
        assert_eq!(reply.json()["errors"][0]["pointer"], "/text");
    }
    let other = app.owner("Other").await;
    let foreign = knowledge_base(&other, "Foreign").await;
    let body = json!({ "text": "When is tea?", "knowledge_base_ids": [foreign] });
    let reply = ask(&owner, &body).await.expect(422);
    assert_eq!(reply.json()["errors"][0]["pointer"], "/knowledge_base_ids/0");
    assert_eq!(app.scalar("select count(*) from questions").await, 0);
    asked(&owner, "x").await;
}

#[tokio::test]
async fn the_plan_limits_how_many_questions_are_answered_in_a_month() {
    let app = TestApp::start().await;
    let owner = acme(&app).await;
    app.sql(r#"update organizations set limits = '{"ai_answers": 1}'"#)
        .await;
    asked(&owner, "Which planets have rings?").await;
    asked(&owner, "How many days of paid leave do new employees receive?").await;
    let refused = ask(&owner, &json!({ "text": "When is tea?" })).await.expect(403);
    assert_eq!(refused.problem(), "quota-exceeded");
}

#[tokio::test]
async fn feedback_is_kept_replaced_and_taken_back_by_the_asker_alone() {
    let app = TestApp::start().await;
    let owner = acme(&app).await;
    let member = app.member(&owner, Role::Administrator).await;
    let id = asked(&owner, "When is tea served?").await["question_id"].clone();
    let question = owner.path(&format!("/questions/{}", id.as_str().unwrap()));
    let feedback = format!("{question}/feedback");
    let _ = member
        .client
        .put(&feedback, &json!({ "rating": "up" }))
        .await
        .expect(404);
    let body = json!({ "rating": "down", "comment": " which kitchen? " });
    let _ = owner.client.put(&feedback, &body).await.expect(204);
    let stored = owner.client.get(&question).await.json();
    assert_eq!(stored["feedback"]["comment"], "which kitchen?");
    let path = owner.path("/questions?rating=down");
    assert_eq!(owner.client.get(&path).await.json()["items"][0]["id"], id);
    let path = owner.path("/analytics");
    app.clock.advance(TimeDelta::seconds(1));
    let figures = owner.client.get(&path).await.expect(200);
    assert_eq!(figures.json()["total"]["rated_down"], 1);
    assert!(!figures.text().contains("kitchen"));
    let _ = member.client.get(&path).await.expect(200);
    let _ = owner.client.delete(&feedback).await.expect(204);
    assert_eq!(owner.client.get(&question).await.json()["feedback"], Value::Null);
}
