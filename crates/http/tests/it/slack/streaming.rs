//! Answers that appear on Slack while they are written.

use std::sync::Arc;

use amebo_testkit::slack::{Fault, Ids};
use amebo_testkit::{Dictation, FakeModel};
use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::acme::{Acme, text_of};

const PROVEN: &str = "Tea is served at four in the kitchen. [1] ";

/// The organisation with a language model whose answers tests dictate.
struct Dictated {
    acme: Arc<Acme>,
    model: FakeModel,
}

impl Dictated {
    async fn new() -> Self {
        let acme = Acme::new(json!({ "people_are_colleagues": true })).await;
        let model = FakeModel::start(&acme.app.database).await;
        let provider = json!({ "name": "fake", "protocol": "openai", "base_url": model.url(), "model": "fake", "key": "sk-test",
                               "is_active": true });
        let _ = acme
            .owner
            .client
            .post(&acme.owner.path("/providers"), &provider)
            .await
            .expect(201);
        Self {
            acme: Arc::new(acme),
            model,
        }
    }

    /// Somebody asks, and the model is about to answer; the work goes on beside the test.
    async fn asked(&self) -> (Value, Dictation, JoinSet<()>) {
        let dictation = self.model.dictate();
        let message = self.acme.mentions("U0OWNER01", "When is tea served?").await;
        let before = self.model.requests().len();
        let acme = Arc::clone(&self.acme);
        let mut work = JoinSet::new();
        work.spawn(async move { acme.app.run_jobs().await });
        until(|| self.model.requests().len() > before).await;
        self.acme.app.clock.advance(TimeDelta::seconds(1));
        (message, dictation, work)
    }

    fn said(&self) -> Vec<Value> {
        self.acme.said(Ids::GENERAL)
    }

    fn calls(&self, method: &str) -> usize {
        self.acme.slack.calls(method).len()
    }
}

async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_answer_that_takes_its_time_is_streamed_and_ends_with_its_sources() {
    let dictated = Dictated::new().await;
    let (message, dictation, work) = dictated.asked().await;
    let thread = message["ts"].as_str().unwrap();
    let key = format!("{}:{thread}", Ids::GENERAL);
    assert_eq!(dictated.acme.slack.world().statuses[&key], "is looking it up…");
    dictation.say("Tea is served ");
    until(|| dictated.calls("chat.startStream") == 1).await;
    until(|| dictated.said().len() == 1).await;
    assert!(
        dictated.said()[0]["text"]
            .as_str()
            .unwrap()
            .starts_with("Tea is ")
    );
    assert_eq!(dictated.said()[0]["thread_ts"], message["ts"]);
    dictated.acme.app.clock.advance(TimeDelta::seconds(1));
    dictation.say("at four ");
    until(|| dictated.calls("chat.appendStream") == 1).await;
    dictation.say("in the kitchen. [1]");
    drop(dictation);
    work.join_all().await;
    let said = dictated.said();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        text_of(&said[0]["text"]).contains("at four in the kitchen"),
        "{said:?}"
    );
    assert!(text_of(&said[0]["blocks"]).contains("tea"), "{said:?}");
    assert_eq!(
        (dictated.calls("chat.stopStream"), dictated.calls("chat.update")),
        (1, 0)
    );
    assert_eq!(dictated.calls("chat.postMessage"), 0);
}

#[tokio::test]
async fn what_the_check_strikes_out_does_not_stay_in_what_was_streamed() {
    let dictated = Dictated::new().await;
    let (_, dictation, work) = dictated.asked().await;
    dictation.say("The moon is made of 99 cheeses. [1] ");
    until(|| dictated.said().len() == 1).await;
    dictation.say(PROVEN);
    drop(dictation);
    work.join_all().await;
    let said = dictated.said();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        text_of(&said[0]).contains("kitchen") && !text_of(&said[0]).contains("cheese"),
        "{said:?}"
    );
}

#[tokio::test]
async fn where_there_are_no_streams_the_message_is_changed() {
    let dictated = Dictated::new().await;
    dictated
        .acme
        .slack
        .fail("chat.startStream", Fault::Error("channel_type_not_supported"));
    let (_, dictation, work) = dictated.asked().await;
    dictation.say("Tea is served ");
    until(|| dictated.said().len() == 1).await;
    dictated.acme.app.clock.advance(TimeDelta::seconds(2));
    dictation.say("at four ");
    until(|| dictated.calls("chat.update") == 1).await;
    dictation.say("in the kitchen. [1]");
    drop(dictation);
    work.join_all().await;
    let said = dictated.said();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(text_of(&said[0]).contains("in the kitchen"), "{said:?}");
    assert!(text_of(&said[0]["blocks"]).contains("tea"), "{said:?}");
    assert_eq!(dictated.calls("chat.postMessage"), 1);
}

#[tokio::test]
async fn whatever_slack_does_to_a_stream_one_message_is_seen() {
    let faults = [
        ("chat.startStream", Fault::HangUp.after_doing()),
        ("chat.startStream", Fault::Status(503)),
        ("chat.appendStream", Fault::HangUp.after_doing()),
        ("chat.stopStream", Fault::HangUp.after_doing()),
        ("chat.stopStream", Fault::Error("message_not_in_streaming_state")),
        ("chat.stopStream", Fault::RateLimited(5)),
    ];
    for (method, fault) in faults {
        let dictated = Dictated::new().await;
        dictated.acme.slack.fail(method, fault.clone());
        let (_, dictation, work) = dictated.asked().await;
        dictation.say("Tea is served ");
        until(|| dictated.calls("chat.startStream") >= 1).await;
        dictated.acme.app.clock.advance(TimeDelta::seconds(1));
        dictation.say("at four ");
        dictation.say("in the kitchen. [1]");
        drop(dictation);
        work.join_all().await;
        for _ in 0..4 {
            dictated.acme.app.clock.advance(TimeDelta::seconds(40));
            dictated.acme.app.run_jobs().await;
        }
        let said = dictated.said();
        assert_eq!(said.len(), 1, "{method} {fault:?}: {said:?}");
        let text = text_of(&said[0]);
        assert_eq!(
            text_of(&said[0]["text"]).matches("kitchen").count(),
            1,
            "{method} {fault:?}: {text}"
        );
        assert!(
            text.contains("tea.txt") || text.contains("tea"),
            "{method} {fault:?}: {text}"
        );
        let sent = "select count(*) from deliveries where state = 'sent'";
        assert_eq!(dictated.acme.app.scalar(sent).await, 1, "{method} {fault:?}");
    }
}

#[tokio::test]
async fn after_a_kill_in_the_middle_the_stream_becomes_the_answer() {
    for is_named in [true, false] {
        let dictated = Dictated::new().await;
        let (_, dictation, mut work) = dictated.asked().await;
        dictation.say("Tea is served ");
        let named = "select count(*) from delivery_drafts where message is not null";
        while dictated.acme.app.scalar(named).await == 0 {
            tokio::task::yield_now().await;
        }
        // The worker is gone between one step and the next.
        work.shutdown().await;
        if !is_named {
            // As if it had been before it could write down what Slack had said.
            dictated
                .acme
                .app
                .sql("update delivery_drafts set message = null")
                .await;
        }
        drop(dictation);
        dictated.acme.app.clock.advance(TimeDelta::minutes(2));
        for _ in 0..3 {
            dictated.acme.app.run_maintenance().await;
            dictated.acme.app.run_jobs().await;
            dictated.acme.app.clock.advance(TimeDelta::minutes(1));
        }
        let said = dictated.said();
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(!text_of(&said[0]).contains("Tea is served "), "{said:?}");
        assert!(
            text_of(&said[0]["metadata"]).contains("amebo_delivery"),
            "{said:?}"
        );
        let events = "select count(*) from inbound_events where state = 'accepted'";
        assert_eq!(dictated.acme.app.scalar(events).await, 0);
    }
}

#[tokio::test]
async fn a_reader_who_stops_an_answer_is_heard() {
    let dictated = Dictated::new().await;
    let (_, dictation, work) = dictated.asked().await;
    dictation.say("Tea is served ");
    until(|| dictated.said().len() == 1).await;
    dictated
        .acme
        .slack
        .fail("chat.appendStream", Fault::Error("stopped_by_user"));
    dictated.acme.app.clock.advance(TimeDelta::seconds(1));
    dictation.say("at four ");
    until(|| dictated.calls("chat.appendStream") == 1).await;
    dictation.say("in the kitchen. [1]");
    drop(dictation);
    work.join_all().await;
    let said = dictated.said();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(text_of(&said[0]).contains("as you asked"), "{said:?}");
}

#[tokio::test]
async fn a_quotation_comes_whole_after_the_sign_that_it_is_looked_for() {
    let acme = Acme::new(json!({ "people_are_colleagues": true })).await;
    let message = acme.mentions("U0OWNER01", "When is tea served?").await;
    acme.app.run_jobs().await;
    let key = format!("{}:{}", Ids::GENERAL, message["ts"].as_str().unwrap());
    assert_eq!(acme.slack.world().statuses[&key], "is looking it up…");
    assert_eq!(acme.said(Ids::GENERAL).len(), 1);
    assert!(acme.slack.calls("chat.startStream").is_empty());
    let order: Vec<String> = acme
        .slack
        .world()
        .calls
        .iter()
        .map(|call| call.method.clone())
        .collect();
    let at = |method: &str| order.iter().position(|called| called == method).unwrap();
    assert!(
        at("assistant.threads.setStatus") < at("chat.postMessage"),
        "{order:?}"
    );
}
