use std::sync::Arc;

use amebo_channels::Outcome;
use amebo_channels::inbound::{Immediate, Inbound};
use amebo_channels::slack::inbound::parse_object;
use amebo_channels::slack::socket::{Receive, SocketStatus, run};
use amebo_testkit::FakeSlack;
use amebo_testkit::slack::{Fault, Ids};
use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{secret, slack};

/// Keeps what comes, save the first time it is told not to.
#[derive(Default)]
struct Kept {
    events: Mutex<Vec<Inbound>>,
    refuse: Mutex<u32>,
}

#[async_trait]
impl Receive for Kept {
    async fn receive(&self, payload: Value, _: u32) -> Option<Immediate> {
        let mut refuse = self.refuse.lock();
        if *refuse > 0 {
            *refuse -= 1;
            return None;
        }
        let inbound = parse_object(&payload).unwrap();
        let answer = inbound.answer.clone();
        self.events.lock().push(inbound);
        Some(answer)
    }
}

struct Running {
    kept: Arc<Kept>,
    status: watch::Receiver<SocketStatus>,
    stop: CancellationToken,
    task: JoinHandle<Option<Outcome>>,
}

#[expect(clippy::disallowed_methods, reason = "the test waits for its task")]
fn start(slack: &FakeSlack, token: &str) -> Running {
    let kept = Arc::new(Kept::default());
    let app = slack.api().workspace(Ids::APP, secret(token));
    let (sender, status) = watch::channel(SocketStatus::Connecting);
    let stop = CancellationToken::new();
    let (receiver, stopping) = (kept.clone(), stop.clone());
    let task = tokio::spawn(async move {
        let outcome = run(&app, receiver, &sender, stopping).await;
        outcome.err().map(|error| error.outcome)
    });
    Running {
        kept,
        status,
        stop,
        task,
    }
}

impl Running {
    async fn until(&mut self, wanted: fn(&SocketStatus) -> bool) {
        self.status.wait_for(wanted).await.unwrap();
    }

    async fn connected(&mut self) {
        self.until(|status| *status == SocketStatus::Connected).await;
    }

    async fn stopped(self) -> Option<Outcome> {
        self.stop.cancel();
        self.task.await.unwrap()
    }
}

fn mention(slack: &FakeSlack) -> Value {
    let mut world = slack.world();
    let said = world.say(Ids::TEAM, Ids::GENERAL, Ids::USER, "<@U0BOT0001> how long?", None);
    world.message_event(Ids::TEAM, Ids::GENERAL, &said, true)
}

#[tokio::test]
async fn events_come_over_the_socket_and_are_acknowledged() {
    let (slack, _) = slack().await;
    let mut running = start(&slack, Ids::APP_TOKEN);
    running.connected().await;
    for _ in 0..3 {
        assert!(slack.send_over_socket("events_api", &mention(&slack)));
    }
    slack.wait_for_acknowledgements(3).await;
    assert_eq!(running.kept.events.lock().len(), 3);
    assert_eq!(running.stopped().await, None);
}

#[tokio::test]
async fn what_could_not_be_kept_is_not_acknowledged() {
    let (slack, _) = slack().await;
    let mut running = start(&slack, Ids::APP_TOKEN);
    *running.kept.refuse.lock() = 1;
    running.connected().await;
    let event = mention(&slack);
    assert!(slack.send_over_socket("events_api", &event));
    assert!(slack.send_over_socket("events_api", &event));
    slack.wait_for_acknowledgements(1).await;
    assert_eq!(running.kept.events.lock().len(), 1);
    assert_eq!(running.stopped().await, None);
}

#[tokio::test]
async fn a_new_connection_is_there_before_the_old_one_goes() {
    let (slack, _) = slack().await;
    let mut running = start(&slack, Ids::APP_TOKEN);
    running.connected().await;
    running.status.mark_unchanged();
    slack.disconnect_socket("warning");
    running.status.changed().await.unwrap();
    // Both are open, and what comes over either is heard.
    assert_eq!(slack.open_sockets(), 2);
    for _ in 0..4 {
        assert!(slack.send_over_socket("events_api", &mention(&slack)));
    }
    slack.wait_for_acknowledgements(4).await;
    assert_eq!(slack.calls("apps.connections.open").len(), 2);
    assert_eq!(running.stopped().await, None);
}

#[tokio::test]
async fn a_connection_that_ends_is_made_anew_through_failures() {
    let (slack, _) = slack().await;
    let mut running = start(&slack, Ids::APP_TOKEN);
    running.connected().await;
    slack
        .fail("apps.connections.open", Fault::Error("internal_error"))
        .fail("apps.connections.open", Fault::Status(503));
    running.status.mark_unchanged();
    slack.disconnect_socket("refresh_requested");
    running.status.changed().await.unwrap();
    running.connected().await;
    assert!(slack.send_over_socket("events_api", &mention(&slack)));
    slack.wait_for_acknowledgements(1).await;
    assert_eq!(running.stopped().await, None);
}

#[tokio::test]
async fn a_wrong_token_and_a_disabled_socket_end_it() {
    let (slack, _) = slack().await;
    let wrong = start(&slack, "xapp-wrong");
    assert!(matches!(
        wrong.task.await.unwrap(),
        Some(Outcome::CredentialRevoked { .. })
    ));
    let mut running = start(&slack, Ids::APP_TOKEN);
    running.connected().await;
    slack.disconnect_socket("link_disabled");
    assert!(matches!(running.task.await.unwrap(), Some(Outcome::Refused(_))));
}
