//! Files shared in followed channels, from the message to the answer and to their end.

use amebo_testkit::slack::{Fault, Ids};
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::follow::{ADA, BEN, Followed, OPS, said};

impl Followed {
    /// Ben shares a file with these words.
    fn share(&self, id: &str, name: &str, kind: &str, bytes: &[u8]) -> Value {
        let mut world = self.slack.world();
        let file = world.add_file(self.slack.url(), Ids::TEAM, id, name, kind, bytes);
        world.share_files(Ids::TEAM, OPS, BEN, "The runbook", &[file])
    }

    async fn of_ada(&self, words: &str) -> String {
        self.app.found(&self.ada, words).await.join("\n")
    }

    async fn files(&self, state: &str) -> i64 {
        let count = format!("select count(*) from slack_files where state = '{state}'");
        self.app.scalar(&count).await
    }
}

const RUNBOOK: &[u8] = b"To restart the turbine, turn the blue valve first.";

#[tokio::test]
async fn a_file_becomes_a_document_for_whoever_is_in_its_channel() {
    let acme = Followed::new().await;
    acme.share("F0RUNBOOK", "runbook.txt", "text/plain", RUNBOOK);
    acme.follow(None).await;
    assert!(acme.of_ada("restart turbine valve").await.contains("blue valve"));
    assert_eq!(
        acme.app.found(&acme.owner, "restart turbine valve").await,
        Vec::<String>::new(),
        "the owner is not in the channel"
    );
    let documents = acme
        .ada
        .client
        .get(&acme.ada.path("/documents"))
        .await
        .expect(200)
        .json();
    let titles: Vec<&str> = documents["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|document| document["title"].as_str().unwrap())
        .collect();
    assert!(titles.contains(&"runbook.txt"), "{titles:?}");
}

#[tokio::test]
async fn a_file_that_comes_with_an_event_is_followed_to_its_end() {
    let acme = Followed::new().await;
    acme.follow(None).await;
    let message = acme.share("F0RUNBOOK", "runbook.txt", "text/plain", RUNBOOK);
    acme.hear(&said(&message)).await;
    assert!(acme.of_ada("restart turbine").await.contains("blue valve"));

    acme.slack.world().change_file(
        Ids::TEAM,
        "F0RUNBOOK",
        b"To restart the turbine, pull the red lever.",
    );
    acme.hear(&json!({ "type": "file_change", "file_id": "F0RUNBOOK", "file": { "id": "F0RUNBOOK" }, "event_ts": "1999999999.000100" }))
        .await;
    let found = acme.of_ada("restart turbine").await;
    assert!(
        found.contains("red lever") && !found.contains("blue valve"),
        "{found}"
    );

    acme.slack.world().delete_file(Ids::TEAM, "F0RUNBOOK");
    acme.hear(&json!({ "type": "file_deleted", "file_id": "F0RUNBOOK", "event_ts": "1999999999.000200" }))
        .await;
    let found = acme.of_ada("restart turbine").await;
    assert!(!found.contains("lever"), "{found}");
    assert_eq!(
        acme.app
            .scalar("select count(*) from documents where blob_id is not null")
            .await,
        0
    );
}

#[tokio::test]
async fn a_file_goes_with_the_last_message_that_has_it() {
    let acme = Followed::new().await;
    acme.follow(None).await;
    let first = acme.share("F0RUNBOOK", "runbook.txt", "text/plain", RUNBOOK);
    let again =
        acme.slack
            .world()
            .share_files(Ids::TEAM, OPS, ADA, "Once more", &[first["files"][0].clone()]);
    acme.hear(&said(&first)).await;
    acme.hear(&said(&again)).await;
    for (message, left) in [(&first, true), (&again, false)] {
        let ts = message["ts"].as_str().unwrap();
        let gone = acme.slack.world().remove(Ids::TEAM, OPS, ts);
        acme.hear(&json!({ "type": "message", "subtype": "message_deleted", "hidden": true, "channel": OPS, "channel_type": "channel",
            "ts": "1999999999.000100", "event_ts": "1999999999.000100", "deleted_ts": ts, "previous_message": gone }))
            .await;
        let found = acme.of_ada("restart turbine").await;
        assert_eq!(found.contains("blue valve"), left, "{found}");
    }
    assert_eq!(acme.app.scalar("select count(*) from slack_files").await, 0);
    assert_eq!(acme.app.scalar("select count(*) from blobs").await, 0);
}

#[tokio::test]
async fn what_cannot_be_read_or_is_too_large_is_left_out_and_what_is_away_is_tried_again() {
    let acme = Followed::new().await;
    acme.app
        .sql(r#"update organizations set limits = '{"upload_bytes": 100}'"#)
        .await;
    acme.share("F0PHOTO", "team.png", "image/png", b"not really a picture");
    acme.share("F0LARGE", "novel.txt", "text/plain", &[b'x'; 200]);
    acme.share("F0RUNBOOK", "runbook.txt", "text/plain", RUNBOOK);
    acme.slack
        .fail("files.info", Fault::RateLimited(20))
        .fail("files.info", Fault::Status(503));
    acme.follow(None).await;
    assert_eq!(acme.files("stored").await, 0);
    for _ in 0..3 {
        acme.app.clock.advance(TimeDelta::seconds(31));
        acme.app.run_jobs().await;
    }
    assert_eq!((acme.files("left_out").await, acme.files("stored").await), (2, 1));
    assert!(acme.of_ada("restart turbine").await.contains("blue valve"));
}

#[tokio::test]
async fn a_file_that_fails_again_and_again_keeps_no_other_waiting_and_is_tried_again_at_night() {
    let acme = Followed::new().await;
    acme.share("F0BROKEN", "broken.txt", "text/plain", b"Words that come late");
    acme.share("F0RUNBOOK", "runbook.txt", "text/plain", RUNBOOK);
    for _ in 0..5 {
        acme.slack.fail("files.info", Fault::Status(503));
    }
    acme.follow(None).await;
    for _ in 0..8 {
        acme.app.clock.advance(TimeDelta::seconds(40));
        acme.app.run_jobs().await;
    }
    let ended = (acme.files("unreachable").await, acme.files("stored").await);
    assert_eq!(ended, (1, 1));
    acme.app.clock.advance(TimeDelta::hours(25));
    acme.app.run_jobs().await;
    assert_eq!(acme.files("stored").await, 2);
}

#[tokio::test]
async fn without_the_permission_files_wait_until_it_is_granted() {
    let acme = Followed::new().await;
    let scopes = |with: bool| -> Vec<String> {
        [
            "channels:read",
            "groups:read",
            "channels:history",
            "groups:history",
            "channels:join",
            "users:read",
            "users:read.email",
            "chat:write",
        ]
        .into_iter()
        .chain(with.then_some("files:read"))
        .map(str::to_owned)
        .collect()
    };
    let token = format!("xoxb-{}", Ids::TEAM);
    acme.slack.world().add_token(&token, Ids::TEAM, &scopes(false));
    acme.share("F0RUNBOOK", "runbook.txt", "text/plain", RUNBOOK);
    acme.follow(None).await;
    assert_eq!(acme.files("unreachable").await, 1);
    assert_eq!(
        acme.app
            .scalar("select count(*) from slack_files where problem like '%files:read%'")
            .await,
        1
    );
    let path = acme
        .owner
        .path(&format!("/channel-connections/{}", acme.connection));
    let connection = acme.owner.client.get(&path).await.expect(200).json();
    let error = connection["health"]["last_error"].as_str().unwrap();
    assert!(error.contains("files:read"), "{connection}");
    acme.slack.world().add_token(&token, Ids::TEAM, &scopes(true));
    acme.app.clock.advance(TimeDelta::hours(25));
    acme.app.run_jobs().await;
    assert_eq!(acme.files("stored").await, 1);
}
