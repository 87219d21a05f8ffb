//! Workspaces of which nothing is kept: searched live, for the one who asks.

use amebo_testkit::slack::{Fault, Ids};
use serde_json::{Value, json};

use super::acme::{Acme, text_of};
use super::follow::{ADA, Followed};

const SECRET: &str = "The parking code is 4711.";

impl Acme {
    /// Somebody writes to Amebo directly, with what allows searching.
    async fn asks_directly(&self, user: &str, text: &str) -> String {
        let (place, request) = {
            let mut world = self.slack.world();
            let place = world.direct(Ids::TEAM, user);
            let message = world.say(Ids::TEAM, &place, user, text, None);
            let mut event = world.message_event(Ids::TEAM, &place, &message, false);
            event["event"]["assistant_thread"] = json!({ "action_token": "10-fake" });
            drop(world);
            (place, self.slack.signed_json(&event))
        };
        self.hear("events", request).await;
        self.app.run_jobs().await;
        text_of(self.said(&place).last().unwrap())
    }
}

#[tokio::test]
async fn what_is_said_is_found_for_the_asker_cited_and_kept_nowhere() {
    let acme = Acme::new(json!({ "searches_live": true, "people_are_colleagues": true })).await;
    let message = acme.says(Ids::USER, Ids::GENERAL, SECRET, None, false).await;
    acme.app.run_jobs().await;
    let answer = acme.asks_directly("U0OWNER01", "What is the parking code?").await;
    assert!(answer.contains("4711"), "{answer}");
    let link = format!(
        "https://acme.slack.com/archives/{}/p{}",
        Ids::GENERAL,
        message["ts"].as_str().unwrap().replace('.', "")
    );
    assert!(answer.contains(&link), "{answer}");
    assert!(answer.contains("#general"), "{answer}");
    for kept in [
        "select count(*) from citations where quote like '%4711%'",
        "select count(*) from answers where sentences::text like '%4711%'",
        "select count(*) from messages where content like '%4711%'",
        "select count(*) from deliveries where payload::text like '%4711%'",
        "select count(*) from slack_messages",
        "select count(*) from chunks where content like '%4711%'",
    ] {
        assert_eq!(acme.app.scalar(kept).await, 0, "{kept}");
    }
    // What is written down still answers, and a channel gets nothing of what was found for one.
    let answer = acme.asks_directly("U0OWNER01", "When is tea served?").await;
    assert!(answer.contains("kitchen"), "{answer}");
    acme.mentions("U0OWNER01", "What is the parking code?").await;
    acme.app.run_jobs().await;
    let said = acme.said(Ids::GENERAL);
    assert!(!text_of(&said[0]).contains("4711"), "{said:?}");
    assert!(text_of(&said[0]).contains("write to me directly"), "{said:?}");
}

#[tokio::test]
async fn a_workspace_that_does_not_offer_it_says_so_in_its_health() {
    let acme = Acme::new(json!({ "searches_live": true })).await;
    acme.slack
        .fail("assistant.search.context", Fault::Error("feature_not_enabled"));
    let answer = acme.asks_directly("U0OWNER01", "When is tea served?").await;
    assert!(answer.contains("kitchen"), "{answer}");
    let path = acme
        .owner
        .path(&format!("/channel-connections/{}", acme.connection));
    let connection: Value = acme.owner.client.get(&path).await.expect(200).json();
    let error = connection["health"]["last_error"].as_str().unwrap();
    assert!(error.contains("does not offer live search"), "{connection}");
    assert_eq!(connection["scopes"]["missing"], json!([]));
}

#[tokio::test]
async fn from_the_moment_it_is_chosen_nothing_is_kept_and_what_was_is_forgotten() {
    let acme = Followed::new().await;
    acme.say(ADA, SECRET, None);
    acme.follow(None).await;
    assert_eq!(acme.stored().await, 1);
    let connection = acme
        .owner
        .path(&format!("/channel-connections/{}", acme.connection));
    let choice = json!({ "settings": { "searches_live": true } });
    let changed = acme
        .owner
        .client
        .patch(&connection, &choice)
        .await
        .expect(200)
        .json();
    assert_eq!(changed["settings"]["searches_live"], true);
    acme.app.run_jobs().await;
    assert_eq!(acme.stored().await, 0);
    assert_eq!(acme.app.scalar("select count(*) from documents").await, 0);
    let choice = json!({ "knowledge_base_id": acme.base });
    let path = format!("{connection}/synchronisation");
    let refused = acme.owner.client.put(&path, &choice).await;
    assert_eq!(refused.status, 422, "{}", refused.text());
}
