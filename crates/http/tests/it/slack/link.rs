//! People on Slack whose address is no member's, and how they say who they are.

use amebo_testkit::Reply;
use amebo_testkit::slack::Ids;
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::acme::{Acme, text_of};

const OTHER: &str = "U0OTHER01";

/// The organisation, with somebody on Slack who is its owner under another address.
async fn acme() -> Acme {
    let acme = Acme::new(json!({})).await;
    {
        let mut world = acme.slack.world();
        world.add_user(Ids::TEAM, OTHER, "olu at home", "olu@elsewhere.example");
        world.set_member(Ids::TEAM, Ids::GENERAL, OTHER, true);
    }
    acme
}

impl Acme {
    async fn is_answered(&self) -> bool {
        let before = self.slack.world().callbacks.len();
        self.command(OTHER, "/ask", "When is tea served?").await;
        self.app.run_jobs().await;
        let answers = self.slack.world().callbacks.clone();
        assert_eq!(answers.len(), before + 1);
        text_of(&answers[before]).contains("kitchen")
    }

    /// The token of the link that Amebo showed last, and that only the one who asked saw.
    async fn link(&self) -> String {
        let before = self.slack.world().ephemerals.len();
        self.press(OTHER, &json!({}), "amebo_link", "link").await;
        self.app.run_jobs().await;
        let shown = self.slack.world().ephemerals.clone();
        assert_eq!(shown.len(), before + 1);
        let (place, person, content) = &shown[before];
        assert_eq!((place.as_str(), person.as_str()), (Ids::GENERAL, OTHER));
        let text = text_of(content);
        let address = format!("link-account?organization={}", self.owner.organization);
        assert!(text.contains(&address), "{text}");
        let token = text.split("token=").nth(1).unwrap();
        token
            .chars()
            .take_while(|character| character.is_ascii_alphanumeric() || "-_".contains(*character))
            .collect()
    }

    async fn follow_link(&self, token: &str, confirm: bool) -> Reply {
        let path = if confirm {
            "/channel-identities"
        } else {
            "/channel-links/describe"
        };
        // An access token lives shorter than a link.
        let owner = self.app.sign_in(&self.owner.email).await;
        owner
            .post(&self.owner.path(path), &json!({ "token": token }))
            .await
    }
}

#[tokio::test]
async fn a_member_who_confirms_the_link_is_answered_as_one_until_they_end_it() {
    let acme = acme().await;
    assert!(!acme.is_answered().await);
    let offered = acme.slack.world().callbacks[0].clone();
    assert!(text_of(&offered).contains("amebo_link"), "{offered}");

    let token = acme.link().await;
    let described = acme.follow_link(&token, false).await.expect(200).json();
    assert_eq!(described["name"], "olu at home");
    assert_eq!(described["email"], "olu@elsewhere.example");
    assert!(!acme.is_answered().await, "looking at a link does nothing");
    let _ = acme.follow_link(&token, true).await.expect(201);
    assert!(acme.is_answered().await);
    assert_eq!(acme.follow_link(&token, true).await.status, 404, "it works once");

    let owner = acme.app.sign_in(&acme.owner.email).await;
    let path = acme.owner.path("/channel-identities");
    let mine = owner.get(&path).await.expect(200).json();
    assert_eq!(mine["items"].as_array().unwrap().len(), 1, "{mine}");
    // What Slack says of them the next day does not undo it.
    acme.app.clock.advance(TimeDelta::hours(25));
    assert!(acme.is_answered().await);
    let owner = acme.app.sign_in(&acme.owner.email).await;
    let one = format!("{path}/{}", mine["items"][0]["id"].as_str().unwrap());
    assert_eq!(owner.delete(&one).await.status, 204);
    assert!(!acme.is_answered().await);
    assert_eq!(owner.delete(&one).await.status, 404);
    let entries =
        "select count(*) from audit_log where action in ('channel_identity.link', 'channel_identity.unlink')";
    assert_eq!(acme.app.scalar(entries).await, 2);
}

#[tokio::test]
async fn a_link_ends_with_its_time_with_the_next_one_and_at_the_organizations_border() {
    let acme = acme().await;
    assert!(!acme.is_answered().await);
    let first = acme.link().await;
    let second = acme.link().await;
    assert_eq!(acme.follow_link(&first, true).await.status, 404);
    let stranger = acme.app.owner("Other").await;
    let theirs = stranger.path("/channel-identities");
    let reply = stranger.client.post(&theirs, &json!({ "token": second })).await;
    assert_eq!(reply.status, 404);
    let program = acme.app.program(&acme.owner, &["question:create"]).await;
    let ours = acme.owner.path("/channel-identities");
    let reply = program.post(&ours, &json!({ "token": second })).await;
    assert_eq!(reply.status, 403);
    acme.app.clock.advance(TimeDelta::minutes(16));
    assert_eq!(acme.follow_link(&second, true).await.status, 404);
    assert!(!acme.is_answered().await);
    let kept = "select count(*) from deliveries where payload::text like '%token=%'";
    assert_eq!(acme.app.scalar(kept).await, 0);
}

#[tokio::test]
async fn on_amebos_own_page_the_link_comes_directly() {
    let acme = acme().await;
    let event = {
        let mut world = acme.slack.world();
        let direct = world.direct(Ids::TEAM, OTHER);
        let opened = json!({ "type": "app_home_opened", "user": OTHER, "channel": direct, "tab": "home", "event_ts": "1767603600.000300" });
        world.envelope(Ids::TEAM, &opened)
    };
    acme.hear("events", acme.slack.signed_json(&event)).await;
    acme.app.run_jobs().await;
    let home: Value = acme.slack.world().homes[OTHER].clone();
    assert!(text_of(&home).contains("amebo_link"), "{home}");
    let mut pressed = {
        let mut world = acme.slack.world();
        let button = ("amebo_link", "link");
        world.press(
            acme.slack.url(),
            Ids::TEAM,
            Ids::GENERAL,
            OTHER,
            &json!({}),
            button,
        )
    };
    let fields = pressed.as_object_mut().unwrap();
    fields.remove("channel");
    fields.remove("message");
    fields.insert("container".to_owned(), json!({ "type": "view", "view_id": "V1" }));
    acme.hear("interactions", acme.slack.signed_interaction(&pressed))
        .await;
    acme.app.run_jobs().await;
    let direct = acme.slack.world().direct(Ids::TEAM, OTHER);
    let said = acme.said(&direct);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(text_of(&said[0]).contains("link-account"), "{said:?}");
    assert!(acme.slack.world().ephemerals.is_empty());
}
