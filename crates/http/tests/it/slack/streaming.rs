//! Answers that appear on Slack while they are written.

use std::sync::Arc;
use std::time::Duration;

use amebo_testkit::slack::{Fault, Ids};
use amebo_testkit::{Dictation, FakeModel};
use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::acme::{Acme, text_of};

const OWNER: &str = "U0OWNER01";
const QUESTION: &str = "When is tea served?";
const NO_STREAMS: Fault = Fault::Error("channel_type_not_supported");
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

    /// Somebody asks in the channel, and the model is about to answer; the work goes on beside the test.
    async fn asked(&self) -> Asked {
        self.asking(self.acme.mentions(OWNER, QUESTION)).await
    }

    /// The same, for a question that `said` says.
    async fn asking(&self, said: impl Future<Output = Value>) -> Asked {
        let dictation = self.model.dictate();
        let message = said.await;
        let before = self.model.requests().len();
        let acme = Arc::clone(&self.acme);
        let mut work = JoinSet::new();
        work.spawn(async move { acme.app.run_jobs().await });
        until(async || self.model.requests().len() > before).await;
        self.pass(1);
        Asked {
            message,
            dictation,
            work,
        }
    }

    /// The same, and the beginning of the answer is shown.
    async fn began(&self) -> Asked {
        let asked = self.asked().await;
        asked.dictation.say("Tea is served ");
        until(async || self.said().len() == 1).await;
        asked
    }

    /// Seconds pass.
    fn pass(&self, seconds: i64) {
        self.acme.app.clock.advance(TimeDelta::seconds(seconds));
    }

    /// Somebody presses the button that stops what Amebo writes in a thread.
    async fn stop(&self, place: &str, thread: &Value) {
        let event = self.acme.slack.world().envelope(
            Ids::TEAM,
            &json!({ "type": "agent_session_stopped", "channel": place, "thread_ts": thread, "user": OWNER,
                     "streaming_message_ts": [], "event_ts": "1767603600.000900" }),
        );
        self.acme
            .hear("events", self.acme.slack.signed_json(&event))
            .await;
        self.acme.app.run_jobs().await;
    }

    fn said(&self) -> Vec<Value> {
        self.acme.said(Ids::GENERAL)
    }

    /// The one message that Amebo said.
    fn only(&self) -> Value {
        let mut said = self.said();
        assert_eq!(said.len(), 1, "{said:?}");
        said.remove(0)
    }

    fn calls(&self, method: &str) -> usize {
        self.acme.slack.calls(method).len()
    }
}

/// A question that the model is about to answer.
struct Asked {
    message: Value,
    dictation: Dictation,
    work: JoinSet<()>,
}

impl Asked {
    fn say(&self, words: &str) {
        self.dictation.say(words);
    }

    /// The work comes to its end, whatever the model still has to say.
    async fn settles(&mut self) {
        while let Some(ended) = self.work.join_next().await {
            ended.unwrap();
        }
    }

    /// The model has said everything; what follows is done.
    async fn finish(self) {
        drop(self.dictation);
        self.work.join_all().await;
    }
}

/// Waits until something holds that the work beside the test brings about; where it does not come to that, the test fails.
async fn until(holds: impl AsyncFn() -> bool) {
    let held = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    let held = tokio::time::timeout(Duration::from_mins(1), held).await;
    held.expect("it does not come to what is waited for");
}

#[tokio::test]
async fn an_answer_that_takes_its_time_is_streamed_and_ends_with_its_sources() {
    let dictated = Dictated::new().await;
    let asked = dictated.asked().await;
    let message = asked.message.clone();
    let thread = message["ts"].as_str().unwrap();
    let key = format!("{}:{thread}", Ids::GENERAL);
    assert_eq!(dictated.acme.slack.world().statuses[&key], "is looking it up…");
    asked.say("Tea is served ");
    until(async || dictated.calls("chat.startStream") == 1).await;
    until(async || dictated.said().len() == 1).await;
    let beginning = dictated.only();
    assert!(beginning["text"].as_str().unwrap().starts_with("Tea is "));
    assert_eq!(beginning["thread_ts"], message["ts"]);
    dictated.pass(1);
    asked.say("at four ");
    until(async || dictated.calls("chat.appendStream") == 1).await;
    asked.say("in the kitchen. [1]");
    asked.finish().await;
    let said = dictated.only();
    assert!(
        text_of(&said["text"]).contains("at four in the kitchen"),
        "{said}"
    );
    assert!(text_of(&said["blocks"]).contains("tea"), "{said}");
    assert_eq!(
        (dictated.calls("chat.stopStream"), dictated.calls("chat.update")),
        (1, 0)
    );
    assert_eq!(dictated.calls("chat.postMessage"), 0);
}

#[tokio::test]
async fn what_the_check_strikes_out_does_not_stay_in_what_was_streamed() {
    let dictated = Dictated::new().await;
    let asked = dictated.asked().await;
    asked.say("The moon is made of 99 cheeses. [1] ");
    until(async || dictated.said().len() == 1).await;
    asked.say(PROVEN);
    asked.finish().await;
    let said = text_of(&dictated.only());
    assert!(said.contains("kitchen") && !said.contains("cheese"), "{said}");
}

#[tokio::test]
async fn where_there_are_no_streams_the_message_is_changed() {
    let dictated = Dictated::new().await;
    dictated.acme.slack.fail("chat.startStream", NO_STREAMS);
    let asked = dictated.began().await;
    dictated.pass(2);
    asked.say("at four ");
    until(async || dictated.calls("chat.update") == 1).await;
    asked.say("in the kitchen. [1]");
    asked.finish().await;
    let said = dictated.only();
    assert!(text_of(&said).contains("in the kitchen"), "{said}");
    assert!(text_of(&said["blocks"]).contains("tea"), "{said}");
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
        let asked = dictated.asked().await;
        asked.say("Tea is served ");
        until(async || dictated.calls("chat.startStream") >= 1).await;
        dictated.pass(1);
        asked.say("at four ");
        asked.say("in the kitchen. [1]");
        asked.finish().await;
        for _ in 0..4 {
            dictated.pass(40);
            dictated.acme.app.run_jobs().await;
        }
        let said = dictated.only();
        let text = text_of(&said);
        let times = text_of(&said["text"]).matches("kitchen").count();
        assert_eq!(times, 1, "{method} {fault:?}: {text}");
        assert!(text.contains("tea"), "{method} {fault:?}: {text}");
        let sent = "select count(*) from deliveries where state = 'sent'";
        assert_eq!(dictated.acme.app.scalar(sent).await, 1, "{method} {fault:?}");
    }
}

#[tokio::test]
async fn after_a_kill_in_the_middle_the_stream_becomes_the_answer() {
    for is_named in [true, false] {
        let dictated = Dictated::new().await;
        let app = &dictated.acme.app;
        let mut asked = dictated.asked().await;
        asked.say("Tea is served ");
        let named = "select count(*) from delivery_drafts where message is not null";
        until(async || app.scalar(named).await > 0).await;
        // The worker is gone between one step and the next.
        asked.work.shutdown().await;
        if !is_named {
            // As if it had been before it could write down what Slack had said.
            app.sql("update delivery_drafts set message = null").await;
        }
        drop(asked);
        dictated.pass(120);
        for _ in 0..3 {
            app.run_maintenance().await;
            app.run_jobs().await;
            dictated.pass(60);
        }
        let said = dictated.only();
        assert!(!text_of(&said).contains("Tea is served "), "{said}");
        assert!(text_of(&said["metadata"]).contains("amebo_delivery"), "{said}");
        let events = "select count(*) from inbound_events where state = 'accepted'";
        assert_eq!(app.scalar(events).await, 0);
    }
}

#[tokio::test]
async fn an_answer_that_was_stopped_stays_so_although_its_worker_was_killed() {
    let dictated = Dictated::new().await;
    let mut asked = dictated.began().await;
    let thread = asked.message["ts"].clone();
    asked.work.shutdown().await;
    drop(asked);
    dictated.stop(Ids::GENERAL, &thread).await;
    dictated.pass(70);
    dictated.acme.app.run_maintenance().await;
    dictated.acme.app.run_jobs().await;
    let said = text_of(&dictated.only());
    assert!(said.contains("I stopped, as you asked"), "{said}");
}

#[tokio::test]
async fn a_reader_who_stops_a_stream_keeps_what_slack_took_of_it() {
    let dictated = Dictated::new().await;
    let mut asked = dictated.began().await;
    let stopped = Fault::Error("stopped_by_user");
    dictated.acme.slack.fail("chat.appendStream", stopped);
    dictated.pass(1);
    asked.say("at four ");
    // Nobody waits for the model to come to its end.
    asked.settles().await;
    let said = text_of(&dictated.only());
    assert!(
        said.contains("Tea is") && said.contains("stopped here, as you asked"),
        "{said}"
    );
    assert!(!said.contains("at four"), "{said}");
}

#[tokio::test]
async fn a_reader_who_presses_stop_keeps_what_was_written_marked_once() {
    for is_streamed in [true, false] {
        let dictated = Dictated::new().await;
        if !is_streamed {
            dictated.acme.slack.fail("chat.startStream", NO_STREAMS);
        }
        let mut asked = dictated.began().await;
        let thread = asked.message["ts"].clone();
        dictated.stop(Ids::GENERAL, &thread).await;
        // Nobody waits for the model to come to its end.
        asked.settles().await;
        let said = dictated.only();
        let text = text_of(&said);
        assert!(
            text.contains("Tea is") && text.contains("stopped here, as you asked"),
            "{said}"
        );
        assert!(text_of(&said["metadata"]).contains("amebo_delivery"), "{said}");
        let calls = (dictated.calls("chat.stopStream"), dictated.calls("chat.update"));
        assert_eq!(calls, if is_streamed { (1, 0) } else { (0, 1) });
        let app = &dictated.acme.app;
        let sent = "select count(*) from deliveries where state = 'sent'";
        assert_eq!(app.scalar(sent).await, 1);
        until(async || app.scalar("select count(*) from answers where stopped").await == 1).await;
        let owner = &dictated.acme.owner;
        let figures = owner.client.get(&owner.path("/analytics")).await.expect(200);
        let total = &figures.json()["total"];
        assert_eq!(
            (&total["stopped"], &total["failed"]),
            (&json!(1), &json!(0)),
            "{total}"
        );
        let asked_of_all = owner.client.get(&owner.path("/questions?outcome=failed")).await;
        let items = asked_of_all.expect(200).json()["items"].clone();
        assert_eq!(items[0]["answer"]["stopped"], true, "{items:#}");
        // What is asked afterwards is answered to its end.
        dictated.pass(5);
        let thread = thread.as_str();
        let next = dictated
            .asking(dictated.acme.says(OWNER, Ids::GENERAL, QUESTION, thread, false))
            .await;
        next.say(PROVEN);
        next.finish().await;
        let said = dictated.said();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(text_of(&said[1]).contains("kitchen"), "{said:?}");
        assert!(!text_of(&said[1]).contains("as you asked"), "{said:?}");
    }
}

#[tokio::test]
async fn a_reader_who_presses_stop_before_anything_is_written_reads_nothing_but_that() {
    let dictated = Dictated::new().await;
    let place = dictated.acme.slack.world().direct(Ids::TEAM, OWNER);
    let said = async {
        let (message, request) = {
            let mut world = dictated.acme.slack.world();
            let message = world.say(Ids::TEAM, &place, OWNER, QUESTION, None);
            let mut event = world.message_event(Ids::TEAM, &place, &message, false);
            event["event"]["assistant_thread"] = json!({ "action_token": "10-fake" });
            drop(world);
            (message, dictated.acme.slack.signed_json(&event))
        };
        dictated.acme.hear("events", request).await;
        message
    };
    let mut asked = dictated.asking(said).await;
    let thread = asked.message["ts"].clone();
    dictated.stop(&place, &thread).await;
    asked.settles().await;
    let said = dictated.acme.said(&place);
    assert_eq!(said.len(), 1, "{said:?}");
    let text = text_of(&said[0]);
    assert!(
        text.contains("I stopped, as you asked") && !text.contains("kitchen"),
        "{said:?}"
    );
}

#[tokio::test]
async fn a_quotation_comes_whole_after_the_sign_that_it_is_looked_for() {
    let acme = Acme::new(json!({ "people_are_colleagues": true })).await;
    let message = acme.mentions(OWNER, QUESTION).await;
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
