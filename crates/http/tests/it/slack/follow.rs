//! Channels of a connected workspace: read back, followed event by event, compared every day.

use amebo_core::permission::Role;
use amebo_testkit::slack::Ids;
use amebo_testkit::{FakeSlack, Person, TestApp};
use axum::http::Request;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::knowledge_base::knowledge_base;

pub(super) const OPS: &str = "C0OPS0001";
pub(super) const ADA: &str = "U0ADA0001";
pub(super) const BEN: &str = "U0BEN0001";
const SCOPES: [&str; 9] = [
    "channels:read",
    "groups:read",
    "channels:history",
    "groups:history",
    "channels:join",
    "users:read",
    "users:read.email",
    "chat:write",
    "files:read",
];

/// An organisation whose workspace has a channel of Ada, who is a member, and Ben, who is not.
pub(super) struct Followed {
    pub(super) app: TestApp,
    pub(super) slack: FakeSlack,
    pub(super) owner: Person,
    pub(super) ada: Person,
    pub(super) connection: String,
    pub(super) base: String,
}

impl Followed {
    pub(super) async fn new() -> Self {
        let (app, slack) = TestApp::start_with_slack().await;
        let owner = app.owner("Acme").await;
        let ada = app.member(&owner, Role::Member).await;
        let base = knowledge_base(&owner, "Chat").await;
        let scopes: Vec<String> = SCOPES.iter().map(ToString::to_string).collect();
        {
            let mut world = slack.world();
            world.add_token(&format!("xoxb-{}", Ids::TEAM), Ids::TEAM, &scopes);
            world.add_user(Ids::TEAM, ADA, "ada", &ada.email);
            world.add_user(Ids::TEAM, BEN, "ben", "ben@elsewhere.example");
            world.add_channel(Ids::TEAM, OPS, "ops", false, &[ADA, BEN, Ids::BOT_USER]);
        }
        let connection = app
            .connect_workspace(&owner, Ids::TEAM, None, json!({}))
            .await
            .to_string();
        Self {
            app,
            slack,
            owner,
            ada,
            connection,
            base,
        }
    }

    pub(super) fn say(&self, user: &str, text: &str, thread: Option<&Value>) -> Value {
        let thread = thread.map(|message| message["ts"].as_str().unwrap().to_owned());
        self.slack
            .world()
            .say(Ids::TEAM, OPS, user, text, thread.as_deref())
    }

    /// Chooses that public channels are followed, and does all work that follows from it.
    pub(super) async fn follow(&self, keep_days: Option<u32>) {
        let path = self.owner.path(&format!(
            "/channel-connections/{}/synchronisation",
            self.connection
        ));
        let choice = json!({ "knowledge_base_id": self.base, "follow_new_public_channels": true, "keep_days": keep_days });
        let reply = self.owner.client.put(&path, &choice).await;
        assert_eq!(reply.status, 204, "{}", reply.text());
        self.app.run_jobs().await;
    }

    /// The channel as its administrators see it.
    pub(super) async fn channel(&self) -> Value {
        // An access token lives shorter than these tests go on.
        let owner = self.app.sign_in(&self.owner.email).await;
        let path = self.owner.path(&format!(
            "/channel-connections/{}/slack-channels",
            self.connection
        ));
        let channels = owner.get(&path).await.expect(200).json();
        let channels = channels["items"].as_array().unwrap().clone();
        channels
            .into_iter()
            .find(|channel| channel["external_id"] == OPS)
            .unwrap()
    }

    pub(super) async fn hear(&self, event: &Value) {
        let envelope = self.slack.world().envelope(Ids::TEAM, event);
        let request = self.slack.signed_json(&envelope);
        let mut built = Request::post("/channels/slack/events");
        for (name, value) in &request.headers {
            built = built.header(*name, value);
        }
        let reply = self
            .app
            .anonymous()
            .send(built.body(request.body.into()).unwrap())
            .await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        self.app.run_jobs().await;
        self.app.clock.advance(TimeDelta::seconds(11));
        self.app.run_jobs().await;
    }

    /// Days go by, each with its round.
    async fn days(&self, days: u32) {
        for _ in 0..days {
            self.app.clock.advance(TimeDelta::hours(25));
            self.app.run_jobs().await;
        }
    }

    pub(super) async fn stored(&self) -> i64 {
        self.app.scalar("select count(*) from slack_messages").await
    }
}

/// The event of a message in the channel.
pub(super) fn said(message: &Value) -> Value {
    let mut event = message.clone();
    event["channel"] = json!(OPS);
    event["channel_type"] = json!("channel");
    event["event_ts"] = event["ts"].clone();
    event
}

#[tokio::test]
async fn a_connected_workspace_is_read_back_and_followed_event_by_event() {
    let acme = Followed::new().await;
    let question = acme.say(ADA, "How do I rotate the signing keys?", None);
    acme.say(BEN, "Run the keyring script", Some(&question));
    acme.say(BEN, "The canteen closes early on Friday", None);
    acme.follow(None).await;
    let channel = acme.channel().await;
    assert_eq!(
        (&channel["selected"], &channel["problem"]),
        (&json!(true), &Value::Null)
    );
    assert!(channel["complete_since"].is_string(), "{channel}");
    assert_eq!(acme.stored().await, 3);
    let keys = acme.app.found(&acme.ada, "rotate signing keys").await;
    assert!(keys[0].contains("Run the keyring script"), "{keys:?}");
    assert_eq!(
        acme.app.found(&acme.owner, "canteen").await,
        Vec::<String>::new(),
        "the owner is not in the channel"
    );

    let reply = acme.say(ADA, "Does keyring need the vault token?", Some(&question));
    acme.hear(&said(&reply)).await;
    acme.hear(&said(&reply)).await;
    assert_eq!(acme.stored().await, 4);
    let keys = acme.app.found(&acme.ada, "keyring vault token").await;
    assert!(
        keys[0].contains("rotate the signing keys") && keys[0].contains("vault token"),
        "{keys:?}"
    );

    let ts = reply["ts"].as_str().unwrap();
    let (now, before) = acme
        .slack
        .world()
        .edit(Ids::TEAM, OPS, ts, "Does keyring need the crypt token?");
    acme.hear(&json!({ "type": "message", "subtype": "message_changed", "hidden": true, "channel": OPS, "channel_type": "channel",
        "ts": now["edited"]["ts"], "event_ts": now["edited"]["ts"], "message": now, "previous_message": before }))
        .await;
    let keys = acme.app.found(&acme.ada, "keyring crypt token").await;
    assert!(
        keys[0].contains("crypt token") && !keys[0].contains("vault"),
        "{keys:?}"
    );

    let gone = acme.slack.world().remove(Ids::TEAM, OPS, ts);
    acme.hear(&json!({ "type": "message", "subtype": "message_deleted", "hidden": true, "channel": OPS, "channel_type": "channel",
        "ts": "1999999999.000100", "event_ts": "1999999999.000100", "deleted_ts": ts, "previous_message": gone }))
        .await;
    let keys = acme.app.found(&acme.ada, "keyring crypt token").await;
    assert!(keys.iter().all(|found| !found.contains("crypt")), "{keys:?}");

    acme.hear(&json!({ "type": "member_left_channel", "user": ADA, "channel": OPS, "channel_type": "C", "team": Ids::TEAM, "event_ts": "1999999999.000200" }))
        .await;
    assert_eq!(acme.app.found(&acme.ada, "canteen").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_workspace_under_the_limits_of_2025_is_read_to_its_end_and_every_message_once() {
    let acme = Followed::new().await;
    for number in 0..40 {
        acme.say(BEN, &format!("Message number {number}"), None);
    }
    acme.slack.world().restrict(Ids::TEAM);
    acme.follow(None).await;
    let mut minutes = 0;
    while acme.channel().await["complete_since"].is_null() {
        assert!(minutes < 30, "{}", acme.channel().await);
        acme.app.clock.advance(TimeDelta::seconds(61));
        acme.app.run_jobs().await;
        minutes += 1;
    }
    assert_eq!(acme.stored().await, 40);
    assert!(minutes >= 2, "15 messages a minute: {minutes} minutes");
}

#[tokio::test]
async fn the_daily_round_finds_what_events_missed_and_forgets_what_is_kept_no_longer() {
    let acme = Followed::new().await;
    let kept = acme.say(ADA, "The build server is called Otter", None);
    let lost = acme.say(BEN, "The old server was called Badger", None);
    acme.follow(Some(30)).await;
    assert_eq!(acme.stored().await, 2);
    let ts = |message: &Value| message["ts"].as_str().unwrap().to_owned();
    acme.slack.world().remove(Ids::TEAM, OPS, &ts(&lost));
    acme.slack
        .world()
        .edit(Ids::TEAM, OPS, &ts(&kept), "The build server is called Heron");
    acme.say(BEN, "Unheard words about Lynx", None);
    acme.app.clock.advance(TimeDelta::hours(25));
    acme.app.run_jobs().await;
    let found = acme.app.found(&acme.ada, "server").await.join("\n");
    assert!(
        found.contains("Heron") && !found.contains("Otter") && !found.contains("Badger"),
        "{found}"
    );
    assert!(
        acme.app
            .found(&acme.ada, "Lynx")
            .await
            .join("\n")
            .contains("Lynx")
    );
    assert!(acme.channel().await["compared_at"].is_string());

    acme.app.clock.advance(TimeDelta::days(40));
    acme.app.run_jobs().await;
    assert_eq!(acme.stored().await, 0);
    assert_eq!(acme.app.scalar("select count(*) from documents").await, 0);
}

#[tokio::test]
async fn the_daily_round_finds_what_events_missed_in_threads_however_long_ago_they_began() {
    let acme = Followed::new().await;
    let edit = |message: &Value, text: &str| {
        let ts = message["ts"].as_str().unwrap();
        acme.slack.world().edit(Ids::TEAM, OPS, ts, text);
    };
    let root = acme.say(ADA, "Who looks after the pond?", None);
    let kept = acme.say(BEN, "At the pond that is Otter", Some(&root));
    let lost = acme.say(BEN, "At the pond that was Badger", Some(&root));
    acme.follow(None).await;
    assert_eq!(acme.stored().await, 3);
    edit(&kept, "At the pond that is Heron");
    acme.slack
        .world()
        .remove(Ids::TEAM, OPS, lost["ts"].as_str().unwrap());
    acme.days(1).await;
    let found = acme.app.found(&acme.ada, "pond").await.join("\n");
    assert!(
        found.contains("Heron") && !found.contains("Otter") && !found.contains("Badger"),
        "{found}"
    );
    acme.days(4).await;
    let later = acme.say(BEN, "At the pond Lynx helps", Some(&root));
    acme.days(4).await;
    edit(&later, "At the pond Marten helps");
    acme.days(1).await;
    let found = acme.app.found(&acme.ada, "pond").await.join("\n");
    assert!(found.contains("Marten") && !found.contains("Lynx"), "{found}");
    assert_eq!(acme.stored().await, 3);
}

#[tokio::test]
async fn a_round_that_fails_for_good_is_not_the_last_one() {
    let acme = Followed::new().await;
    acme.follow(None).await;
    acme.say(BEN, "Unheard words about Lynx", None);
    acme.app
        .sql("update channel_connections set sealed_credentials = sealed_credentials || '\\x00'::bytea")
        .await;
    acme.days(1).await;
    for _ in 0..15 {
        acme.app.clock.advance(TimeDelta::hours(1));
        acme.app.run_jobs().await;
    }
    acme.app
        .sql("update channel_connections set sealed_credentials = substring(sealed_credentials for length(sealed_credentials) - 1)")
        .await;
    acme.days(2).await;
    let found = acme.app.found(&acme.ada, "Lynx").await.join("\n");
    assert!(found.contains("Lynx"), "{found}");
}

#[tokio::test]
async fn names_and_ends_of_channels_are_followed() {
    let acme = Followed::new().await;
    acme.say(ADA, "The build server is called Otter", None);
    acme.follow(None).await;
    acme.hear(&json!({ "type": "channel_rename", "channel": { "id": OPS, "name": "operations", "created": 1 }, "event_ts": "1999999999.000100" }))
        .await;
    assert_eq!(acme.channel().await["name"], "#operations");
    acme.hear(
        &json!({ "type": "channel_archive", "channel": OPS, "user": ADA, "event_ts": "1999999999.000200" }),
    )
    .await;
    assert_eq!(acme.channel().await["is_archived"], true);
    assert!(!acme.app.found(&acme.ada, "build server").await.is_empty());
    acme.hear(
        &json!({ "type": "channel_unarchive", "channel": OPS, "user": ADA, "event_ts": "1999999999.000300" }),
    )
    .await;
    assert_eq!(acme.channel().await["is_archived"], false);
    acme.hear(&json!({ "type": "channel_deleted", "channel": OPS, "event_ts": "1999999999.000400" }))
        .await;
    assert_eq!(acme.stored().await, 0);
    assert_eq!(
        acme.app.found(&acme.ada, "build server").await,
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn what_is_kept_for_a_time_goes_then_although_the_workspace_was_disconnected() {
    let acme = Followed::new().await;
    acme.say(ADA, "The build server is called Otter", None);
    {
        let mut world = acme.slack.world();
        let base = acme.slack.url();
        let file = world.add_file(
            base,
            Ids::TEAM,
            "F0PLAN",
            "plan.txt",
            "text/plain",
            b"Plant in March.",
        );
        world.share_files(Ids::TEAM, OPS, BEN, "The plan", &[file]);
    }
    acme.follow(Some(30)).await;
    assert_eq!(acme.stored().await, 2);
    let files = "select count(*) from documents where blob_id is not null";
    assert_eq!(acme.app.scalar(files).await, 1);
    let path = acme
        .owner
        .path(&format!("/channel-connections/{}/disconnect", acme.connection));
    assert_eq!(acme.owner.client.post(&path, &json!({})).await.status, 200);
    for days in [20, 20] {
        acme.app.clock.advance(TimeDelta::days(days));
        acme.app.run_jobs().await;
    }
    assert_eq!(acme.stored().await, 0);
    for gone in ["documents", "slack_files", "blobs"] {
        let left = acme.app.scalar(&format!("select count(*) from {gone}")).await;
        assert_eq!(left, 0, "{gone}");
    }
}

#[tokio::test]
async fn an_import_and_the_connection_of_a_workspace_make_each_document_once() {
    let acme = Followed::new().await;
    let message = acme.say(ADA, "The build server is called Otter", None);
    let files = [
        (
            "users.json",
            json!([{ "id": ADA, "name": "ada", "profile": { "display_name": "ada", "email": acme.ada.email } }]),
        ),
        (
            "channels.json",
            json!([{ "id": OPS, "name": "ops", "members": [ADA] }]),
        ),
        ("ops/2026-01-05.json", json!([message])),
    ];
    let archive = crate::slack_import::archive(&files);
    let query = "&workspace=acme.slack.com";
    let import = crate::slack_import::imported(&acme.app, &acme.owner, &acme.base, query, archive).await;
    assert_eq!(
        (&import["state"], &import["messages"]),
        (&json!("done"), &json!(1)),
        "{import}"
    );
    acme.app
        .sql(r#"update channel_connections set account = account || '{"url": "https://acme.slack.com/"}'"#)
        .await;
    acme.follow(None).await;
    for one in ["slack_messages", "documents", "sources"] {
        let count = acme.app.scalar(&format!("select count(*) from {one}")).await;
        assert_eq!(count, 1, "{one}");
    }
    assert_eq!(acme.app.found(&acme.ada, "build server").await.len(), 1);
}
