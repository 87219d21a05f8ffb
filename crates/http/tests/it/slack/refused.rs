//! What Slack refuses for good, and how whoever waits sees an outcome all the same.

use amebo_testkit::slack::{Fault, Ids};
use chrono::TimeDelta;
use serde_json::json;

use super::acme::{Acme, text_of};

const OWNER: &str = "U0OWNER01";
const QUESTION: &str = "When is tea served?";

async fn acme() -> Acme {
    Acme::new(json!({ "people_are_colleagues": true })).await
}

impl Acme {
    /// Time passes in steps, and what is due is done.
    async fn goes_on(&self, steps: u32, seconds: i64) {
        for _ in 0..steps {
            self.app.clock.advance(TimeDelta::seconds(seconds));
            self.app.run_jobs().await;
        }
    }

    fn renewals(&self) -> usize {
        let calls = self.slack.calls("oauth.v2.access");
        calls
            .iter()
            .filter(|call| call.arguments["grant_type"] == "refresh_token")
            .count()
    }
}

#[tokio::test]
async fn whoever_asks_where_nothing_can_be_written_any_more_is_answered_directly_once() {
    let acme = acme().await;
    let direct = acme.slack.world().direct(Ids::TEAM, OWNER);
    acme.mentions(OWNER, QUESTION).await;
    acme.slack.world().archive(Ids::TEAM, Ids::GENERAL, true);
    acme.slack.fail("chat.postMessage", Fault::Error("is_archived"));
    // Whether it arrived directly is not known at first, and is not done twice.
    acme.slack.fail("chat.postMessage", Fault::HangUp.after_doing());
    acme.app.run_jobs().await;
    acme.goes_on(4, 40).await;
    assert!(acme.said(Ids::GENERAL).is_empty());
    let said = acme.said(&direct);
    assert_eq!(said.len(), 1, "{said:?}");
    let answer = text_of(&said[0]);
    assert!(
        answer.contains("kitchen") && answer.contains("cannot write where you asked"),
        "{answer}"
    );
    let sent = "select count(*) from deliveries where state = 'sent'";
    assert_eq!(acme.app.scalar(sent).await, 1);
    let page = acme
        .owner
        .path(&format!("/channel-connections/{}", acme.connection));
    let connection = acme.owner.client.get(&page).await.expect(200).json();
    assert!(text_of(&connection).contains("is_archived"), "{connection}");
}

#[tokio::test]
async fn a_message_whose_blocks_are_refused_is_said_in_plain_words() {
    let acme = acme().await;
    acme.slack
        .fail("chat.postMessage", Fault::Error("invalid_blocks"));
    let message = acme.mentions(OWNER, QUESTION).await;
    acme.app.run_jobs().await;
    let said = acme.said(Ids::GENERAL);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].get("blocks").is_none(), "{said:?}");
    let words = text_of(&said[0]["text"]);
    assert!(words.contains("kitchen") && words.contains("[1] tea"), "{words}");
    assert_eq!(said[0]["thread_ts"], message["ts"]);
}

#[tokio::test]
async fn a_token_that_ends_before_its_time_is_renewed_once_and_nothing_is_lost() {
    for method in ["chat.postMessage", "conversations.members", "users.info"] {
        let acme = acme().await;
        acme.slack.fail(method, Fault::Error("token_expired"));
        acme.mentions(OWNER, QUESTION).await;
        acme.app.run_jobs().await;
        acme.goes_on(3, 4).await;
        let said = acme.said(Ids::GENERAL);
        assert_eq!(said.len(), 1, "{method}: {said:?}");
        assert!(text_of(&said[0]).contains("kitchen"), "{method}: {said:?}");
        assert_eq!(acme.renewals(), 1, "{method}");
    }
}

#[tokio::test]
async fn a_question_that_met_no_token_until_its_deadline_is_apologized_for_when_there_is_one() {
    let acme = acme().await;
    acme.app.clock.advance(TimeDelta::hours(13));
    for _ in 0..40 {
        acme.slack.fail("oauth.v2.access", Fault::Status(503));
    }
    acme.mentions(OWNER, QUESTION).await;
    acme.app.run_jobs().await;
    acme.goes_on(3, 45).await;
    assert!(acme.said(Ids::GENERAL).is_empty());
    acme.slack.heal();
    acme.goes_on(6, 60).await;
    let said = acme.said(Ids::GENERAL);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(text_of(&said[0]).contains("Something went wrong"), "{said:?}");
}

#[tokio::test]
async fn whoever_shares_an_answer_in_vain_is_told_so() {
    let acme = acme().await;
    acme.command(OWNER, "/ask", QUESTION).await;
    acme.app.run_jobs().await;
    let questions = acme.owner.client.get(&acme.owner.path("/questions")).await;
    let questions = questions.expect(200).json();
    let id = questions["items"][0]["id"].as_str().unwrap();
    let shown = acme.slack.world().ephemerals.len();
    acme.app.sql("alter table answers rename to answers_away").await;
    acme.press(OWNER, &json!({}), "amebo_share", id).await;
    acme.app.run_jobs().await;
    acme.goes_on(4, 40).await;
    acme.app.sql("alter table answers_away rename to answers").await;
    acme.goes_on(4, 40).await;
    assert!(acme.said(Ids::GENERAL).is_empty());
    let told = acme.slack.world().ephemerals[shown..].to_vec();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(text_of(&json!(told)).contains("went wrong inside"), "{told:?}");
    // Without a token there still is the address that came with the button.
    acme.app
        .sql("update channel_connections set sealed_credentials = null")
        .await;
    let before = acme.slack.world().callbacks.len();
    acme.press(OWNER, &json!({}), "amebo_share", id).await;
    acme.app.run_jobs().await;
    let answers = acme.slack.world().callbacks[before..].to_vec();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(
        text_of(&json!(answers)).contains("does not work at the moment"),
        "{answers:?}"
    );
}
