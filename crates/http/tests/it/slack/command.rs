//! Commands, from what is shown at once to the answer in its place.

use amebo_testkit::slack::{Fault, Ids};
use chrono::TimeDelta;
use serde_json::json;

use super::acme::{Acme, text_of};

const OWNER: &str = "U0OWNER01";
const LOOKING: &str = "Looking it up";

impl Acme {
    /// What only whoever gave commands sees, in order.
    fn seen(&self) -> Vec<String> {
        let world = self.slack.world();
        world
            .ephemerals
            .iter()
            .map(|(place, person, content)| {
                assert_eq!((place.as_str(), person.as_str()), (Ids::GENERAL, OWNER));
                text_of(content)
            })
            .collect()
    }
}

#[tokio::test]
async fn a_command_shows_at_once_that_it_is_looked_for_and_then_the_answer_in_its_place() {
    for command in ["/ask", "/askall"] {
        let acme = Acme::new(json!({})).await;
        acme.command(OWNER, command, "When is tea served?").await;
        let seen = acme.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        assert!(seen[0].contains(LOOKING), "{seen:?}");
        acme.app.run_jobs().await;
        let seen = acme.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        assert!(
            seen[0].contains("kitchen") && !seen[0].contains(LOOKING),
            "{seen:?}"
        );
        assert!(acme.said(Ids::GENERAL).is_empty());
    }
}

#[tokio::test]
async fn a_command_without_a_question_shows_how_to_ask_and_nothing_before() {
    let acme = Acme::new(json!({})).await;
    acme.command(OWNER, "/ask", "  ").await;
    assert!(acme.seen().is_empty());
    acme.app.run_jobs().await;
    let seen = acme.seen();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(seen[0].contains("Ask me anything"), "{seen:?}");
}

#[tokio::test]
async fn whatever_happens_at_the_commands_address_the_answer_is_seen_once() {
    // What goes wrong, and whether what was shown at once can still be replaced.
    for (fault, is_replaced) in [
        (Fault::Status(503), true),
        (Fault::Status(500).after_doing(), true),
        (Fault::HangUp.after_doing(), true),
        (Fault::RateLimited(5), true),
        (Fault::Status(400), false),
        (Fault::Status(404), false),
    ] {
        let acme = Acme::new(json!({})).await;
        acme.slack.fail("response_url", fault.clone());
        acme.command(OWNER, "/ask", "When is tea served?").await;
        for _ in 0..4 {
            acme.app.run_jobs().await;
            acme.app.clock.advance(TimeDelta::seconds(40));
        }
        let seen = acme.seen();
        let answers = seen.iter().filter(|text| text.contains("kitchen")).count();
        assert_eq!(answers, 1, "{fault:?}: {seen:?}");
        assert_eq!(seen.len() == 1, is_replaced, "{fault:?}: {seen:?}");
        let sent = "select count(*) from deliveries where state = 'sent'";
        assert_eq!(acme.app.scalar(sent).await, 1, "{fault:?}");
    }
}

#[tokio::test]
async fn whoever_commands_where_the_token_was_withdrawn_is_told_instead_of_being_left_waiting() {
    let acme = Acme::new(json!({})).await;
    acme.app
        .sql("update channel_connections set sealed_credentials = null")
        .await;
    acme.command(OWNER, "/ask", "When is tea served?").await;
    acme.app.run_jobs().await;
    let seen = acme.seen();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(seen[0].contains("does not work at the moment"), "{seen:?}");
    let failed = "select count(*) from inbound_events where state = 'failed'";
    assert_eq!(acme.app.scalar(failed).await, 1);
}
