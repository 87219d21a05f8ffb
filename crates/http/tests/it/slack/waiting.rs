//! Questions whose answer depends on what Slack does not tell at the moment, and how they wait.

use amebo_testkit::slack::{Fault, Ids};
use chrono::TimeDelta;
use serde_json::json;

use super::acme::{Acme, text_of};

const OWNER: &str = "U0OWNER01";
const QUESTION: &str = "When is tea served?";
const NOT_ASKED: &str = "could not be asked";

impl Acme {
    /// Time passes, and what is due is done.
    async fn after(&self, seconds: i64) {
        self.app.clock.advance(TimeDelta::seconds(seconds));
        self.app.run_jobs().await;
    }

    /// So many messages were said in the channel, the last of which answers.
    fn has_answered(&self, messages: usize) {
        let said = self.said(Ids::GENERAL);
        assert_eq!(said.len(), messages, "{said:?}");
        let last = text_of(&said[messages - 1]);
        assert!(last.contains("kitchen") && !last.contains(NOT_ASKED), "{last}");
    }

    fn answers_to_commands(&self) -> usize {
        self.slack.world().callbacks.len()
    }
}

async fn acme() -> Acme {
    Acme::new(json!({ "people_are_colleagues": true })).await
}

#[tokio::test]
async fn while_slack_does_not_tell_who_reads_a_channel_its_questions_wait_in_their_order() {
    for (fault, times) in [
        (Fault::RateLimited(30), 1),
        (Fault::Status(503), 3),
        (Fault::HangUp, 3),
        (Fault::Silent, 3),
    ] {
        let acme = acme().await;
        for _ in 0..times {
            acme.slack.fail("conversations.members", fault.clone());
        }
        let first = acme.mentions(OWNER, QUESTION).await;
        let again = "And where is tea served?";
        acme.says(OWNER, Ids::GENERAL, again, first["ts"].as_str(), false)
            .await;
        acme.app.run_jobs().await;
        assert!(acme.said(Ids::GENERAL).is_empty(), "{fault:?}");
        let asked = acme.app.scalar("select count(*) from questions").await;
        assert_eq!(asked, 0, "{fault:?}");
        acme.slack.heal();
        acme.after(31).await;
        let said = acme.said(Ids::GENERAL);
        assert_eq!(said.len(), 2, "{fault:?}: {said:?}");
        for answer in &said {
            let answer = text_of(answer);
            assert!(
                answer.contains("kitchen") && !answer.contains(NOT_ASKED),
                "{answer}"
            );
        }
        let first = text_of(&said[0]);
        let (_, rest) = first.split_once("up:").unwrap();
        let id: String = rest.chars().take(36).collect();
        let order = format!("select count(*) from questions where id = '{id}' and text like 'When%'");
        assert_eq!(acme.app.scalar(&order).await, 1, "{fault:?}");
    }
}

#[tokio::test]
async fn when_slack_does_not_tell_in_time_who_reads_a_channel_the_answer_says_so_once() {
    let acme = acme().await;
    for _ in 0..40 {
        acme.slack.fail("conversations.members", Fault::RateLimited(10));
    }
    acme.mentions(OWNER, QUESTION).await;
    acme.app.run_jobs().await;
    let mut waited = 0;
    while acme.said(Ids::GENERAL).is_empty() {
        waited += 5;
        assert!(waited < 90, "nothing was seen within the deadline");
        acme.after(5).await;
    }
    assert!(waited >= 60, "after {waited} s there was time left");
    let said = acme.said(Ids::GENERAL);
    let answer = text_of(&said[0]);
    assert!(
        answer.contains(NOT_ASKED) && answer.contains("ask again"),
        "{answer}"
    );
    assert!(!answer.contains("kitchen"), "{answer}");
    acme.slack.heal();
    for _ in 0..4 {
        acme.app.run_maintenance().await;
        acme.after(40).await;
    }
    assert_eq!(acme.said(Ids::GENERAL).len(), 1);
    acme.mentions(OWNER, QUESTION).await;
    acme.app.run_jobs().await;
    acme.has_answered(2);
}

#[tokio::test]
async fn a_time_that_is_too_long_to_wait_is_not_waited_for() {
    let acme = acme().await;
    acme.slack.fail("conversations.members", Fault::RateLimited(600));
    acme.mentions(OWNER, QUESTION).await;
    acme.app.run_jobs().await;
    let said = acme.said(Ids::GENERAL);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(text_of(&said[0]).contains(NOT_ASKED), "{said:?}");
}

#[tokio::test]
async fn an_answer_waits_until_slack_tells_who_asks_and_who_the_readers_are() {
    let acme = acme().await;
    acme.slack.fail("users.info", Fault::RateLimited(20));
    acme.command(OWNER, "/ask", QUESTION).await;
    acme.app.run_jobs().await;
    assert_eq!(acme.answers_to_commands(), 0);
    acme.after(21).await;
    assert_eq!(acme.answers_to_commands(), 1);
    let answer = text_of(&acme.slack.world().callbacks[0]);
    assert!(
        answer.contains("kitchen") && !answer.contains(NOT_ASKED),
        "{answer}"
    );
    // Who asks is known by now, and the others in the channel are not.
    acme.slack.fail("users.info", Fault::RateLimited(20));
    acme.mentions(OWNER, QUESTION).await;
    acme.app.run_jobs().await;
    assert!(acme.said(Ids::GENERAL).is_empty());
    acme.after(21).await;
    acme.has_answered(1);
}

#[tokio::test]
async fn whoever_slack_tells_nothing_of_in_time_is_told_why_little_was_searched() {
    let acme = acme().await;
    acme.slack.fail("users.info", Fault::RateLimited(600));
    acme.command(OWNER, "/ask", QUESTION).await;
    acme.app.run_jobs().await;
    let answers = acme.slack.world().callbacks.clone();
    assert_eq!(answers.len(), 1);
    let answer = text_of(&answers[0]);
    assert!(
        answer.contains("could not be asked who you are") && !answer.contains("kitchen"),
        "{answer}"
    );
}

#[tokio::test]
async fn sharing_waits_until_slack_tells_who_reads_the_channel() {
    let acme = acme().await;
    acme.command(OWNER, "/ask", QUESTION).await;
    acme.app.run_jobs().await;
    let questions = acme.owner.client.get(&acme.owner.path("/questions")).await;
    let questions = questions.expect(200).json();
    let id = questions["items"][0]["id"].as_str().unwrap();
    acme.slack.fail("conversations.members", Fault::RateLimited(20));
    acme.press(OWNER, &json!({}), "amebo_share", id).await;
    acme.app.run_jobs().await;
    assert!(acme.said(Ids::GENERAL).is_empty());
    acme.after(21).await;
    acme.has_answered(1);
    acme.app.clock.advance(TimeDelta::seconds(61));
    acme.slack.fail("conversations.members", Fault::RateLimited(600));
    acme.press(OWNER, &json!({}), "amebo_share", id).await;
    acme.app.run_jobs().await;
    assert_eq!(acme.said(Ids::GENERAL).len(), 1);
    let told = text_of(&json!(acme.slack.world().ephemerals));
    assert!(told.contains("who reads this channel"), "{told}");
}
