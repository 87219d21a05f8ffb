//! What Slack sends: believed, stored once, acknowledged; or refused, counted, and shown with the connection.

mod acme;
mod command;
mod conversation;
mod file;
mod follow;
mod home;
mod installing;
mod link;
mod live;
mod manage;
mod refused;
mod streaming;
mod waiting;

use amebo_testkit::{Reply, TestApp, slack_event};
use serde_json::{Value, json};

const EVENTS: &str = "/channels/slack/events";

fn mention(team: &str, id: &str) -> String {
    let event = json!({
        "type": "app_mention", "user": "U0USER001", "text": "<@U0BOT0001> when is tea?", "ts": "1767603600.000200",
        "channel": "C0CHAN001", "event_ts": "1767603600.000200",
    });
    slack_event(team, id, &event)
}

async fn sent(app: &TestApp, path: &str, body: impl Into<Vec<u8>>) -> Reply {
    app.anonymous().send(app.from_slack(path, body)).await
}

#[tokio::test]
async fn a_signed_event_is_stored_with_its_job_once_however_often_it_is_sent() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    app.connect_workspace(&owner, "T1", None, json!({})).await;
    let sends = (0..4).map(|_| sent(&app, EVENTS, mention("T1", "Ev1")));
    for reply in futures::future::join_all(sends).await {
        assert_eq!((reply.status.as_u16(), reply.text()), (200, String::new()));
    }
    assert_eq!(app.scalar("select count(*) from inbound_events").await, 1);
    assert_eq!(
        app.scalar("select count(*) from jobs where kind = 'channel.receive' and priority = 'interactive'")
            .await,
        1
    );
}

#[tokio::test]
async fn what_is_forged_stale_unsigned_altered_or_too_large_is_refused_and_counted() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let own = app
        .connect_workspace(&owner, "T1", Some("their own secret"), json!({}))
        .await;
    let path = format!("/channels/slack/{own}/events");
    let body = mention("T1", "Ev1");
    let client = app.anonymous();
    let mut altered = app.from_slack_with(&path, body.clone(), "their own secret", 0);
    *altered.body_mut() = body.replace("tea", "gin").into();
    let mut unsigned = app.from_slack_with(&path, body.clone(), "their own secret", 0);
    unsigned.headers_mut().remove("x-slack-signature");
    for (request, status) in [
        (app.from_slack(&path, body.clone()), 401),
        (
            app.from_slack_with(&path, body.clone(), "their own secret", 301),
            401,
        ),
        (
            app.from_slack_with(&path, body.clone(), "their own secret", -310),
            401,
        ),
        (altered, 401),
        (unsigned, 401),
        (
            app.from_slack_with(&path, vec![b'x'; (1 << 20) + 1], "their own secret", 0),
            413,
        ),
        (
            app.from_slack_with(&path, "{\"type\":\"nonsense\"}", "their own secret", 0),
            400,
        ),
    ] {
        let reply = client.send(request).await;
        assert_eq!(reply.status.as_u16(), status, "{}", reply.text());
        assert_eq!(reply.headers["x-slack-no-retry"], "1");
        reply.problem();
        app.clock.advance(chrono::TimeDelta::seconds(1));
    }
    assert_eq!(app.scalar("select count(*) from inbound_events").await, 0);
    assert_eq!(
        app.scalar("select refused_count from channel_connections").await,
        7
    );
    let accepted = app.from_slack_with(&path, body, "their own secret", 299);
    assert_eq!(client.send(accepted).await.status, 200);
    assert_eq!(app.scalar("select count(*) from inbound_events").await, 1);
}

#[tokio::test]
async fn one_organizations_secret_cannot_speak_for_another_organizations_workspace() {
    let app = TestApp::start().await;
    let (ours, theirs) = (app.owner("Ours").await, app.owner("Theirs").await);
    let own = app.connect_workspace(&ours, "T1", Some("ours"), json!({})).await;
    app.connect_workspace(&theirs, "T2", Some("theirs"), json!({}))
        .await;
    app.connect_workspace(&theirs, "T3", None, json!({})).await;
    let path = format!("/channels/slack/{own}/events");
    for team in ["T2", "T3"] {
        let request = app.from_slack_with(&path, mention(team, "Ev1"), "ours", 0);
        assert_eq!(app.anonymous().send(request).await.status, 404);
    }
    assert_eq!(sent(&app, EVENTS, mention("T1", "Ev1")).await.status, 404);
    assert_eq!(app.scalar("select count(*) from inbound_events").await, 0);
    let nowhere = "/channels/slack/01890a5d-ac96-774b-bcce-b302099a8057/events";
    assert_eq!(sent(&app, nowhere, mention("T1", "Ev1")).await.status, 404);
}

#[tokio::test]
async fn slack_is_told_its_challenge_and_whoever_commands_an_unknown_workspace_is_told_so() {
    let app = TestApp::start().await;
    let challenge = json!({ "type": "url_verification", "token": "t", "challenge": "3eZb" }).to_string();
    assert_eq!(sent(&app, EVENTS, challenge).await.expect(200).text(), "3eZb");
    let command = "team_id=T9&channel_id=C1&channel_name=general&user_id=U1&command=%2Fask&text=tea&trigger_id=1.2&api_app_id=A1";
    let reply: Value = sent(&app, "/channels/slack/commands", command)
        .await
        .expect(200)
        .json();
    assert_eq!(reply["response_type"], "ephemeral");
    assert!(reply["text"].as_str().unwrap().contains("not connected"));
}
