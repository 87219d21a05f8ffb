use std::time::{Duration, Instant};

use amebo_channels::Outcome;
use amebo_channels::inbound::PlaceKind;
use amebo_channels::slack::api::{HistoryQuery, Patience, PlaceFilter, Regime, SearchQuery};
use amebo_channels::slack::inbound::read_file;
use amebo_testkit::slack::{Fault, Ids};
use chrono::TimeDelta;
use serde_json::json;

use crate::{secret, slack, workspace};

const ALL: PlaceFilter = PlaceFilter {
    private: true,
    archived: false,
    joined: false,
};

#[tokio::test]
async fn lists_are_read_page_by_page_to_the_end() {
    let (slack, _) = slack().await;
    for number in 0..450 {
        slack.world().add_channel(
            Ids::TEAM,
            &format!("C{number:04}"),
            &format!("c{number}"),
            false,
            &[],
        );
    }
    slack.world().archive(Ids::TEAM, "C0007", true);
    slack
        .world()
        .add_channel(Ids::TEAM, "C0SECRET1", "secret", true, &[Ids::ADMIN]);
    slack
        .world()
        .add_channel(Ids::TEAM, "C0OURS001", "ours", true, &[Ids::BOT_USER, Ids::ADMIN]);
    let workspace = workspace(&slack);
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let page = workspace.conversations(ALL, cursor.as_deref()).await.unwrap();
        assert!(page.items.len() <= 200);
        found.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    // 450 and the general one, one closed, one of ours; the private one of others is not told.
    assert_eq!(found.len(), 451);
    let ours = found.iter().find(|place| place.id == "C0OURS001").unwrap();
    assert_eq!((ours.kind, ours.member), (PlaceKind::Private, true));
    let joined = PlaceFilter { joined: true, ..ALL };
    let joined = workspace.conversations(joined, None).await.unwrap();
    assert_eq!(joined.items.len(), 1);
    assert!(joined.items[0].member);

    let members = workspace.members("C0OURS001", None).await.unwrap();
    assert_eq!(members.items, [Ids::BOT_USER, Ids::ADMIN]);
    let people = workspace.people(None).await.unwrap();
    assert_eq!(people.items.len(), 3);
    assert!(people.items.iter().any(|person| person.is_program));
}

#[tokio::test]
async fn people_are_found_by_id_and_by_address() {
    let (slack, _) = slack().await;
    let workspace = workspace(&slack);
    let person = workspace.person(Ids::USER).await.unwrap();
    assert_eq!(person.email.as_deref(), Some("ada@acme.example"));
    let found = workspace.person_by_email("ada@acme.example").await.unwrap();
    assert_eq!(found, Some(person));
    assert_eq!(workspace.person_by_email("eve@acme.example").await.unwrap(), None);
    assert_eq!(
        workspace.team(None).await.unwrap().domain.as_deref(),
        Some("acme")
    );
}

#[tokio::test]
async fn history_and_threads_are_read_with_what_hangs_on_them() {
    let (slack, _) = slack().await;
    let workspace = workspace(&slack);
    assert!(workspace.join(Ids::GENERAL).await.unwrap().member);
    let root = {
        let mut world = slack.world();
        let root = world.say(
            Ids::TEAM,
            Ids::GENERAL,
            Ids::USER,
            "How long do refunds take?",
            None,
        );
        let ts = root["ts"].as_str().unwrap().to_owned();
        for number in 0..5 {
            world.say(
                Ids::TEAM,
                Ids::GENERAL,
                Ids::ADMIN,
                &format!("reply {number}"),
                Some(&ts),
            );
        }
        world.say(Ids::TEAM, Ids::GENERAL, Ids::USER, "Lunch?", None);
        ts
    };
    let page = workspace
        .history(Ids::GENERAL, &HistoryQuery::default())
        .await
        .unwrap();
    let texts: Vec<&str> = page.items.iter().map(|item| item.message.text.as_str()).collect();
    assert_eq!(texts, ["Lunch?", "How long do refunds take?"]);
    assert_eq!(page.items[1].replies, 5);

    let two = HistoryQuery {
        limit: Some(2),
        ..HistoryQuery::default()
    };
    let first = workspace.replies(Ids::GENERAL, &root, &two).await.unwrap();
    assert_eq!(first.items.len(), 3);
    let second = HistoryQuery {
        cursor: first.next,
        ..two
    };
    let second = workspace.replies(Ids::GENERAL, &root, &second).await.unwrap();
    assert_eq!(second.items[1].message.text, "reply 2");
    assert_eq!(second.items[1].message.root(), root);
}

#[tokio::test]
async fn the_limits_of_distributed_apps_are_detected_and_their_pages_still_all_come() {
    let (slack, clock) = slack().await;
    let workspace = workspace(&slack).with_patience(Patience::NONE);
    workspace.join(Ids::GENERAL).await.unwrap();
    for number in 0..40 {
        slack.world().say(
            Ids::TEAM,
            Ids::GENERAL,
            Ids::USER,
            &format!("message {number}"),
            None,
        );
    }
    slack.world().restrict(Ids::TEAM);
    let mut query = HistoryQuery::default();
    let mut read = 0;
    let mut waited = TimeDelta::zero();
    loop {
        match workspace.history(Ids::GENERAL, &query).await {
            Ok(page) => {
                read += page.items.len();
                query.cursor = page.next;
                if query.cursor.is_none() {
                    break;
                }
            }
            Err(error) => {
                let Outcome::RetryAfter(wait) = error.outcome else {
                    panic!("{error}");
                };
                waited += TimeDelta::from_std(wait).unwrap();
                clock.advance(TimeDelta::from_std(wait).unwrap() + TimeDelta::milliseconds(1));
            }
        }
    }
    assert_eq!(read, 40);
    assert_eq!(workspace.regime(), Regime::Restricted);
    // Three pages, with a minute between two of them, and little more.
    assert!(
        waited >= TimeDelta::seconds(119) && waited < TimeDelta::seconds(190),
        "{waited}"
    );
}

#[tokio::test]
async fn a_workspace_that_has_to_wait_keeps_no_other_waiting() {
    let (slack, _) = slack().await;
    slack.world().add_team("T0OTHER01", "Other", None);
    let scopes = ["users:read".to_owned()];
    slack.world().add_token("xoxb-other", "T0OTHER01", &scopes);
    slack.fail_account(Ids::TEAM, Fault::RateLimited(60));
    let api = slack.api();
    let slow = api.workspace(Ids::TEAM, secret(Ids::TOKEN));
    let other = api.workspace("T0OTHER01", secret("xoxb-other"));
    let refused = slow.people(None).await.unwrap_err();
    assert_eq!(refused.outcome, Outcome::RetryAfter(Duration::from_mins(1)));
    let started = Instant::now();
    for _ in 0..5 {
        other.people(None).await.unwrap();
        // Not asked again before the time is over.
        assert!(matches!(
            slow.people(None).await.unwrap_err().outcome,
            Outcome::RetryAfter(_)
        ));
    }
    assert!(started.elapsed() < Duration::from_secs(2));
    assert_eq!(slack.calls("users.list").len(), 6);
}

#[tokio::test]
async fn failures_of_the_moment_are_tried_again() {
    let (slack, _) = slack().await;
    slack
        .fail("users.info", Fault::Status(503))
        .fail("users.info", Fault::HangUp);
    let person = workspace(&slack).person(Ids::USER).await.unwrap();
    assert_eq!(person.id, Ids::USER);
    assert_eq!(slack.calls("users.info").len(), 3);
}

#[tokio::test]
async fn files_are_downloaded_and_a_page_to_sign_in_is_not_taken_for_one() {
    let (slack, _) = slack().await;
    let base = slack.url().to_owned();
    let object = slack.world().add_file(
        &base,
        Ids::TEAM,
        "F0FILE001",
        "terms.txt",
        "text/plain",
        b"Refunds take 14 days.",
    );
    let file = read_file(&object).unwrap();
    let workspace = workspace(&slack);
    assert_eq!(workspace.file("F0FILE001").await.unwrap(), file);
    let download = workspace.download(&file, 1 << 20).await.unwrap();
    assert_eq!(
        &*download.response.bytes().await.unwrap(),
        b"Refunds take 14 days."
    );
    let small = workspace.download(&file, 4).await.unwrap();
    assert!(small.response.bytes().await.is_err());

    slack
        .world()
        .add_token("xoxb-few", Ids::TEAM, &["chat:write".to_owned()]);
    let few = slack.api().workspace(Ids::TEAM, secret("xoxb-few"));
    assert!(matches!(
        few.download(&file, 1 << 20).await.unwrap_err().outcome,
        Outcome::PermissionMissing { .. }
    ));

    let mut foreign = object;
    foreign["url_private_download"] = json!("https://evil.example/F0FILE001");
    let foreign = read_file(&foreign).unwrap();
    assert_eq!(
        workspace.download(&foreign, 1 << 20).await.unwrap_err().code(),
        Some("foreign_address")
    );
}

#[tokio::test]
async fn a_workspace_is_searched_live() {
    let (slack, _) = slack().await;
    slack
        .world()
        .say(Ids::TEAM, Ids::GENERAL, Ids::USER, "Refunds take 14 days", None);
    let found = workspace(&slack)
        .search(&SearchQuery {
            query: "how long do refunds take".into(),
            token: "10-action".into(),
            ..SearchQuery::default()
        })
        .await
        .unwrap();
    assert_eq!(found.items[0].text, "Refunds take 14 days");
    assert!(found.items[0].permalink.is_some());
}
