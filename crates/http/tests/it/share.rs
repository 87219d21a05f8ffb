//! Sharing an answer inside the organisation, and what could be asked next.

use amebo_core::permission::Role;
use amebo_testkit::{Person, TestApp};
use serde_json::{Value, json};

use crate::document::uploaded;
use crate::knowledge_base::knowledge_base;
use crate::question::ask;

/// Each part is long enough to be a passage of its own.
const HANDBOOK: &str = "# Leave\n\nNew employees receive 25 days of paid leave in a year. Whoever has not taken all of it by the end of the \
                        year keeps the rest until the end of March, and asks the team lead two weeks before going away for longer.\n\n\
                        # Sick leave\n\nWhoever is sick says so to the team lead by ten in the morning. From the fourth day on the people team \
                        needs the note of a doctor, which can be handed in as a photograph and is kept for as long as the law asks.\n\n\
                        # Equipment\n\nEverybody chooses between two computers, which are replaced after three years. What is lost or stolen is \
                        reported to the service desk within two hours, so that it can be locked from afar before anybody looks into it.";

async fn question(person: &Person, text: &str) -> String {
    let asked = ask(person, &json!({ "text": text })).await.expect(200).json();
    assert_eq!(asked["answer"]["outcome"], "answered");
    asked["question_id"].as_str().unwrap().to_owned()
}

async fn knowing(app: &TestApp, audience: &Value) -> Person {
    let owner = app.owner("Acme").await;
    let base = knowledge_base(&owner, "Handbook").await;
    let document = uploaded(&owner, &base, "handbook.md", HANDBOOK).await;
    let path = owner.path(&format!("/documents/{document}"));
    let _ = owner
        .client
        .patch(&path, &json!({ "audience": audience }))
        .await
        .expect(200);
    app.run_jobs().await;
    owner
}

#[tokio::test]
async fn an_answer_is_its_askers_until_they_share_it_and_again_afterwards() {
    let app = TestApp::start().await;
    let owner = knowing(&app, &json!({ "kind": "organization" })).await;
    let asker = app.member(&owner, Role::Member).await;
    let other = app.member(&owner, Role::Member).await;
    let id = question(&asker, "How many days of paid leave do new employees receive?").await;
    let path = owner.path(&format!("/questions/{id}"));
    let share = format!("{path}/share");
    let rated = asker
        .client
        .put(
            &format!("{path}/feedback"),
            &json!({ "rating": "down", "comment": "hm" }),
        )
        .await;
    let _ = rated.expect(204);
    let _ = other.client.get(&path).await.expect(404);
    let _ = other.client.put(&share, &Value::Null).await.expect(404);
    let _ = owner.client.put(&share, &Value::Null).await.expect(404);

    for _ in 0..2 {
        let _ = asker.client.put(&share, &Value::Null).await.expect(204);
    }
    let seen = other.client.get(&path).await.expect(200).json();
    assert!(seen["answer"]["text"].as_str().unwrap().contains("25 days"));
    assert_eq!(seen["shared_at"], "2026-01-05T09:00:00Z");
    assert_eq!(seen["feedback"], Value::Null, "what the asker thought is theirs");
    let _ = other.client.delete(&share).await.expect(404);

    let _ = asker.client.delete(&share).await.expect(204);
    let _ = other.client.get(&path).await.expect(404);
    let audit = owner.client.get(&owner.path("/audit")).await.expect(200).json();
    let actions: Vec<&str> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|entry| entry["action"].as_str())
        .filter(|action| action.starts_with("question."))
        .collect();
    assert_eq!(
        actions,
        ["question.unshare", "question.share"],
        "each once, however often it was said"
    );
}

#[tokio::test]
async fn a_shared_answer_is_not_there_for_who_may_not_see_its_sources() {
    let app = TestApp::start().await;
    let owner = knowing(&app, &json!({ "kind": "members", "roles": ["owner", "manager"] })).await;
    let manager = app.member(&owner, Role::Manager).await;
    let member = app.member(&owner, Role::Member).await;
    let id = question(&manager, "How many days of paid leave do new employees receive?").await;
    let path = owner.path(&format!("/questions/{id}"));
    let _ = manager
        .client
        .put(&format!("{path}/share"), &Value::Null)
        .await
        .expect(204);
    let _ = owner.client.get(&path).await.expect(200);
    let _ = member.client.get(&path).await.expect(404);
    let _ = member.client.get(&format!("{path}/follow-ups")).await.expect(404);
}

#[tokio::test]
async fn what_could_be_asked_next_is_named_by_the_headings_around_the_answer() {
    let app = TestApp::start().await;
    let owner = knowing(&app, &json!({ "kind": "organization" })).await;
    let id = question(&owner, "How many days of paid leave do new employees receive?").await;
    let path = owner.path(&format!("/questions/{id}/follow-ups"));
    let found = owner.client.get(&path).await.expect(200).json();
    let headings: Vec<&str> = found["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["heading"].as_str().unwrap())
        .collect();
    assert!(headings.contains(&"Sick leave"), "{found}");
    assert!(!headings.contains(&"Leave"), "the answer rests on it: {found}");
    let declined = ask(
        &owner,
        &json!({ "text": "Who won the chess championship of 1972?" }),
    )
    .await
    .expect(200)
    .json();
    let id = declined["question_id"].as_str().unwrap();
    let path = owner.path(&format!("/questions/{id}/follow-ups"));
    assert_eq!(
        owner.client.get(&path).await.expect(200).json()["items"],
        json!([])
    );
}
