use amebo_channels::DeliveryStatus;
use amebo_channels::Outcome;
use amebo_channels::outbound::{Citation, Destination, Form, OutboundPayload, Reply};
use amebo_channels::slack::api::{Delivery, StreamTarget};
use amebo_channels::slack::outbound::{
    Home, RecentQuestion, SyncedPlace, ask_form, comment_form, home, render_below, suggested_prompts,
};
use amebo_channels::slack::{CAPABILITIES, render};
use amebo_core::answer::ConfidenceLevel;
use amebo_testkit::FakeSlack;
use amebo_testkit::slack::{Fault, Ids};
use chrono::TimeDelta;
use url::Url;

use crate::{slack, start, workspace};

fn answer(text: &str) -> Reply {
    Reply {
        citations: vec![Citation {
            number: 1,
            title: "Refunds".into(),
            heading_path: vec!["Policy".into()],
            quote: "Refunds take 14 days.".into(),
            url: Some(Url::parse("https://acme.slack.com/archives/C1/p1").unwrap()),
        }],
        confidence: Some(ConfidenceLevel::Medium),
        reference: Some("019a9b".into()),
        rateable: true,
        shareable: true,
        ..Reply::new(Form::Answer, text)
    }
}

fn one(text: &str) -> OutboundPayload {
    render(&answer(text), &CAPABILITIES).remove(0)
}

fn general() -> Destination {
    Destination::Place {
        place: Ids::GENERAL.into(),
        thread: None,
    }
}

async fn joined() -> (FakeSlack, std::sync::Arc<amebo_core::ManualClock>) {
    let (slack, clock) = slack().await;
    workspace(&slack).join(Ids::GENERAL).await.unwrap();
    (slack, clock)
}

fn delivery<'a>(destination: &'a Destination, payload: &'a OutboundPayload) -> Delivery<'a> {
    Delivery {
        id: "delivery-1",
        destination,
        payload,
        perhaps_sent_since: None,
    }
}

#[tokio::test]
async fn an_answer_is_posted_and_can_be_replaced() {
    let (slack, _) = joined().await;
    let workspace = workspace(&slack);
    let (destination, payload) = (general(), one("Refunds take 14 days [1]."));
    let sent = workspace.deliver(delivery(&destination, &payload)).await;
    assert_eq!(sent.status(), DeliveryStatus::Sent);
    let posted = sent.posted.unwrap();
    let edit = Destination::Message {
        place: posted.place.clone(),
        message: posted.message.clone(),
    };
    let better = one("Refunds take 30 days [1].");
    assert!(
        workspace
            .deliver(delivery(&edit, &better))
            .await
            .outcome
            .is_accepted()
    );
    let stored = slack.world().message(Ids::TEAM, Ids::GENERAL, &posted.message);
    assert_eq!(stored["blocks"], better.body["blocks"]);
    assert_eq!(slack.world().messages(Ids::TEAM, Ids::GENERAL).len(), 1);
}

#[tokio::test]
async fn what_was_sent_although_no_answer_came_is_not_sent_twice() {
    for fault in [
        Fault::HangUp,
        Fault::Silent,
        Fault::Status(500),
        Fault::Error("internal_error"),
    ] {
        for threaded in [false, true] {
            let (slack, clock) = joined().await;
            let workspace = workspace(&slack);
            let root = slack
                .world()
                .say(Ids::TEAM, Ids::GENERAL, Ids::USER, "How long?", None);
            let destination = Destination::Place {
                place: Ids::GENERAL.into(),
                thread: threaded.then(|| root["ts"].as_str().unwrap().to_owned()),
            };
            let payload = one("14 days [1].");
            slack.fail("chat.postMessage", fault.clone().after_doing());
            let first = workspace.deliver(delivery(&destination, &payload)).await;
            assert!(
                matches!(
                    first.outcome,
                    Outcome::Temporary {
                        perhaps_done: true,
                        ..
                    }
                ),
                "{first:?}"
            );
            assert_eq!(first.status(), DeliveryStatus::Queued);
            clock.advance(TimeDelta::seconds(10));
            let again = Delivery {
                perhaps_sent_since: Some(start()),
                ..delivery(&destination, &payload)
            };
            let second = workspace.deliver(again).await;
            assert_eq!(second.status(), DeliveryStatus::Sent);
            assert_eq!(slack.world().messages(Ids::TEAM, Ids::GENERAL).len(), 2);
        }
    }
}

#[tokio::test]
async fn what_was_not_sent_is_sent_again() {
    let (slack, clock) = joined().await;
    let workspace = workspace(&slack);
    let (destination, payload) = (general(), one("14 days [1]."));
    slack.fail("chat.postMessage", Fault::HangUp);
    let first = workspace.deliver(delivery(&destination, &payload)).await;
    assert_eq!(first.status(), DeliveryStatus::Queued);
    clock.advance(TimeDelta::seconds(10));
    let again = Delivery {
        perhaps_sent_since: Some(start()),
        ..delivery(&destination, &payload)
    };
    assert_eq!(workspace.deliver(again).await.status(), DeliveryStatus::Sent);
    assert_eq!(slack.world().messages(Ids::TEAM, Ids::GENERAL).len(), 1);
}

#[tokio::test]
async fn a_place_that_cannot_be_written_to_is_told() {
    let (slack, _) = slack().await;
    let payload = one("14 days [1].");
    slack
        .world()
        .add_channel(Ids::TEAM, "C0CLOSED1", "closed", false, &[Ids::BOT_USER]);
    slack.world().archive(Ids::TEAM, "C0CLOSED1", true);
    for (place, code) in [("C0CLOSED1", "is_archived"), ("C0NOWHERE", "channel_not_found")] {
        let destination = Destination::Place {
            place: place.into(),
            thread: None,
        };
        let sent = workspace(&slack).deliver(delivery(&destination, &payload)).await;
        assert_eq!(sent.outcome, Outcome::PlaceClosed { code: code.into() });
        assert_eq!(sent.status(), DeliveryStatus::Failed);
    }
}

#[tokio::test]
async fn answers_reach_one_person_privately() {
    let (slack, _) = joined().await;
    let workspace = workspace(&slack);
    let payload = one("14 days [1].");
    let ephemeral = Destination::Ephemeral {
        place: Ids::GENERAL.into(),
        person: Ids::USER.into(),
        thread: None,
    };
    assert!(
        workspace
            .deliver(delivery(&ephemeral, &payload))
            .await
            .outcome
            .is_accepted()
    );
    assert_eq!(slack.world().ephemerals[0].1, Ids::USER);
    let direct = Destination::Person {
        person: Ids::USER.into(),
    };
    let sent = workspace.deliver(delivery(&direct, &payload)).await;
    let place = sent.posted.unwrap().place;
    assert!(place.starts_with('D'));
    assert_eq!(slack.world().messages(Ids::TEAM, &place).len(), 1);
}

#[tokio::test]
async fn the_address_of_a_command_takes_five_answers_for_half_an_hour() {
    let (slack, clock) = slack().await;
    let workspace = workspace(&slack);
    let base = slack.url().to_owned();
    let payload = one("14 days [1].");
    let callback = |slack: &FakeSlack| Destination::Callback {
        url: slack
            .world()
            .callback(&base, Ids::TEAM, Ids::GENERAL, Ids::USER)
            .parse()
            .unwrap(),
        public: false,
        replace: false,
    };
    let first = callback(&slack);
    for _ in 0..5 {
        assert!(
            workspace
                .deliver(delivery(&first, &payload))
                .await
                .outcome
                .is_accepted()
        );
    }
    let sixth = workspace.deliver(delivery(&first, &payload)).await;
    assert_eq!(
        sixth.outcome,
        Outcome::PlaceClosed {
            code: "used_url".into()
        }
    );
    let late = callback(&slack);
    clock.advance(TimeDelta::minutes(31));
    let late = workspace.deliver(delivery(&late, &payload)).await;
    assert_eq!(
        late.outcome,
        Outcome::PlaceClosed {
            code: "expired_url".into()
        }
    );
    let foreign = Destination::Callback {
        url: "https://evil.example/hooks".parse().unwrap(),
        public: true,
        replace: false,
    };
    let foreign = workspace.deliver(delivery(&foreign, &payload)).await;
    assert_eq!(foreign.status(), DeliveryStatus::Failed);
}

#[tokio::test]
async fn answers_of_any_length_are_taken() {
    let (slack, clock) = joined().await;
    let workspace = workspace(&slack);
    for length in [1, 100, 2_999, 3_001, 12_000, 60_000] {
        let text = format!(
            "{} [1]\n\n```\n{}\n```",
            "word & <tag> ".repeat(length / 13),
            "code ".repeat(length / 50)
        );
        for payload in render(&answer(&text), &CAPABILITIES) {
            clock.advance(TimeDelta::seconds(2));
            let sent = workspace.deliver(delivery(&general(), &payload)).await;
            assert!(sent.outcome.is_accepted(), "{length}: {:?}", sent.outcome);
        }
    }
}

#[tokio::test]
async fn an_answer_is_streamed_into_its_thread() {
    let (slack, _) = joined().await;
    let workspace = workspace(&slack);
    let root = slack
        .world()
        .say(Ids::TEAM, Ids::GENERAL, Ids::USER, "How long?", None);
    let mut target = StreamTarget {
        place: Ids::GENERAL.into(),
        thread: root["ts"].as_str().unwrap().into(),
        recipient: None,
    };
    let refused = workspace.start_stream(&target, "Refunds ").await.unwrap_err();
    assert_eq!(refused.code(), Some("missing_recipient_user_id"));
    target.recipient = Some((Ids::USER.into(), Ids::TEAM.into()));
    assert!(workspace.may_stream());
    let stream = workspace.start_stream(&target, "Refunds ").await.unwrap();
    workspace.append_stream(&stream, "take 14 days").await.unwrap();
    let below = render_below(&answer(""), &CAPABILITIES);
    workspace
        .stop_stream(&stream, " [1].", &below, Some("delivery-1"))
        .await
        .unwrap();
    let stored = slack.world().message(Ids::TEAM, Ids::GENERAL, &stream.message);
    assert_eq!(stored["text"], "Refunds take 14 days [1].");
    assert_eq!(stored["blocks"].as_array().unwrap().len(), below.len());
    let over = workspace.append_stream(&stream, "more").await.unwrap_err();
    assert_eq!(over.code(), Some("message_not_in_streaming_state"));
}

#[tokio::test]
async fn amebos_page_forms_and_suggestions_are_taken() {
    let (slack, clock) = slack().await;
    let workspace = workspace(&slack);
    let page = home(&Home {
        organization: "Acme <Ltd>".into(),
        problem: Some("The permission files:read is missing.".into()),
        recent: (0..30)
            .map(|number| RecentQuestion {
                text: format!("<!channel> question {number} {}", "x".repeat(500)),
                outcome: "answered".into(),
                asked_at: start(),
                url: Some("https://amebo.example/q".parse().unwrap()),
            })
            .collect(),
        places: (0..30)
            .map(|number| SyncedPlace {
                place: format!("C{number}"),
                state: "up to date".into(),
            })
            .collect(),
        groups: vec!["Public channels: 30 <read>".into(); 30],
        settings: vec!["x".repeat(5_000); 30],
        can_link: true,
        dashboard: Some("https://amebo.example/".parse().unwrap()),
    });
    workspace.publish_home(Ids::USER, &page, None).await.unwrap();
    let stale = workspace
        .publish_home(Ids::USER, &page, Some("old"))
        .await
        .unwrap_err();
    assert_eq!(stale.code(), Some("hash_conflict"));
    assert!(!slack.world().homes[Ids::USER].to_string().contains("<!channel>"));

    for form in [ask_form(), comment_form("019a9b")] {
        let trigger = slack.world().trigger();
        workspace.open_form(&trigger, &form).await.unwrap();
    }
    let late = slack.world().trigger();
    clock.advance(TimeDelta::seconds(10));
    let late = workspace.open_form(&late, &ask_form()).await.unwrap_err();
    assert_eq!(late.code(), Some("expired_trigger_id"));

    let place = slack.world().direct(Ids::TEAM, Ids::USER);
    let prompts = suggested_prompts(&["How long do refunds take?".into(), String::new()]);
    workspace
        .set_suggested_prompts(&place, None, Some("Try"), &prompts)
        .await
        .unwrap();
    workspace
        .set_status(&place, "1.000000", "is reading…")
        .await
        .unwrap();
    workspace.set_title(&place, "1.000000", "Refunds").await.unwrap();
    assert_eq!(slack.world().prompts[&place].as_array().unwrap().len(), 1);
}
