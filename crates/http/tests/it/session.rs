//! Sessions: a person's own, with follow-up questions.

use amebo_core::permission::Role;
use amebo_testkit::{Person, TestApp};
use serde_json::{Value, json};

use crate::question::{acme, ask};

async fn session(person: &Person) -> String {
    let made = person.client.post(&person.path("/sessions"), &json!({})).await;
    made.expect(201).json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_session_keeps_what_was_asked_and_takes_its_title_from_the_first_question() {
    let app = TestApp::start().await;
    let owner = acme(&app).await;
    let id = session(&owner).await;
    for text in [
        "How many days of paid leave do new employees receive?",
        "And when is tea served?",
    ] {
        let _ = ask(&owner, &json!({ "text": text, "session_id": id }))
            .await
            .expect(200);
    }
    let path = owner.path(&format!("/sessions/{id}"));
    let stored = owner.client.get(&path).await.expect(200).json();
    assert_eq!(
        stored["title"],
        "How many days of paid leave do new employees receive?"
    );
    let questions = owner
        .client
        .get(&format!("{path}/questions"))
        .await
        .expect(200)
        .json();
    let texts: Vec<&Value> = questions["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["text"])
        .collect();
    assert_eq!(texts[1], "And when is tea served?");
    assert_eq!(questions["items"][0]["answer"]["outcome"], "answered");
    let _ = owner
        .client
        .patch(&path, &json!({ "title": " Leave " }))
        .await
        .expect(200);
    let listed = owner
        .client
        .get(&owner.path("/sessions"))
        .await
        .expect(200)
        .json();
    assert_eq!(listed["items"][0]["title"], "Leave");
    let _ = owner.client.delete(&path).await.expect(204);
    let _ = owner.client.get(&path).await.expect(404);
    assert_eq!(app.scalar("select count(*) from answers").await, 0);
}

#[tokio::test]
async fn nobody_reaches_another_persons_session_whatever_their_role() {
    let app = TestApp::start().await;
    let owner = acme(&app).await;
    let member = app.member(&owner, Role::Member).await;
    let id = session(&member).await;
    let path = owner.path(&format!("/sessions/{id}"));
    let _ = owner.client.get(&path).await.expect(404);
    let _ = owner.client.get(&format!("{path}/questions")).await.expect(404);
    let _ = owner
        .client
        .patch(&path, &json!({ "title": "Mine" }))
        .await
        .expect(404);
    let _ = owner.client.delete(&path).await.expect(404);
    let reply = ask(&owner, &json!({ "text": "When is tea?", "session_id": id })).await;
    assert_eq!(reply.expect(404).problem(), "not-found");
    assert_eq!(
        owner.client.get(&owner.path("/sessions")).await.json()["items"],
        json!([])
    );
}
