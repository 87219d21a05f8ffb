//! Amebo's own page in Slack, its forms, and what it suggests.

use amebo_testkit::slack::Ids;
use serde_json::{Value, json};

use super::acme::{Acme, text_of};
use super::follow::{ADA, Followed, OPS};

const GUEST: &str = "U0GUEST01";

fn opened(user: &str) -> Value {
    json!({ "type": "app_home_opened", "user": user, "channel": format!("D{}", &user[1..]), "tab": "home",
            "event_ts": "1767603600.000300" })
}

impl Acme {
    async fn happens(&self, event: &Value) {
        let envelope = self.slack.world().envelope(Ids::TEAM, event);
        self.hear("events", self.slack.signed_json(&envelope)).await;
        self.app.run_jobs().await;
    }

    /// A sent form.
    async fn sends(&self, user: &str, form: &str, field: &str, reference: &str, text: &str) {
        let payload = json!({
            "type": "view_submission",
            "team": { "id": Ids::TEAM, "domain": "acme" },
            "user": { "id": user, "username": user, "name": user, "team_id": Ids::TEAM },
            "api_app_id": Ids::APP,
            "token": "deprecated",
            "trigger_id": format!("{form}.{reference}"),
            "view": {
                "id": format!("V{form}"), "type": "modal", "callback_id": form, "hash": "1.fake", "private_metadata": reference,
                "state": { "values": { field: { "amebo_input": { "type": "plain_text_input", "value": text } } } },
            },
        });
        self.hear("interactions", self.slack.signed_interaction(&payload))
            .await;
        self.app.run_jobs().await;
    }

    /// What is suggested to somebody who opens a conversation.
    async fn suggested(&self, user: &str, thread: &str) -> String {
        let place = self.slack.world().direct(Ids::TEAM, user);
        self.happens(&json!({
            "type": "assistant_thread_started", "event_ts": thread,
            "assistant_thread": { "user_id": user, "channel_id": place, "thread_ts": thread, "context": {} },
        }))
        .await;
        let key = format!("{place}:{thread}");
        text_of(&self.slack.world().prompts[&key])
    }
}

#[tokio::test]
async fn the_page_shows_what_was_asked_and_how_it_works_for_whoever_opens_it() {
    let acme = Acme::new(json!({})).await;
    acme.command("U0OWNER01", "/ask", "When is tea served?").await;
    acme.app.run_jobs().await;
    acme.happens(&opened("U0OWNER01")).await;
    let home = text_of(&acme.slack.world().homes["U0OWNER01"]);
    assert!(
        home.contains("When is tea served?") && home.contains("answered"),
        "{home}"
    );
    assert!(
        home.contains("member of the organization") && !home.contains("amebo_link"),
        "{home}"
    );
    acme.happens(&opened(Ids::USER)).await;
    let home = text_of(&acme.slack.world().homes[Ids::USER]);
    assert!(!home.contains("tea") && home.contains("amebo_link"), "{home}");
}

#[tokio::test]
async fn the_page_shows_how_far_the_channels_are_that_somebody_is_in() {
    let acme = Followed::new().await;
    acme.say(ADA, "Hello", None);
    acme.follow(None).await;
    acme.slack
        .world()
        .add_user(Ids::TEAM, "U0ELSE001", "else", "else@acme.example");
    acme.hear(&opened(ADA)).await;
    acme.hear(&opened("U0ELSE001")).await;
    let home = text_of(&acme.slack.world().homes[ADA]);
    assert!(
        home.contains(&format!("<#{OPS}>")) && home.contains("is read"),
        "{home}"
    );
    assert!(
        home.contains("Public channels: 1 read, 0 being read, 0 with a problem."),
        "{home}"
    );
    let home = text_of(&acme.slack.world().homes["U0ELSE001"]);
    assert!(!home.contains(OPS), "{home}");
}

#[tokio::test]
async fn what_several_people_asked_is_suggested_to_those_who_may_see_the_answer() {
    let acme = Acme::new(json!({ "people_are_colleagues": true })).await;
    {
        let mut world = acme.slack.world();
        world.add_user(Ids::TEAM, GUEST, "guest", "guest@other.example");
        world.change_user(Ids::TEAM, GUEST, "is_restricted", json!(true));
    }
    let question = "When is tea served?";
    acme.command("U0OWNER01", "/ask", question).await;
    acme.app.run_jobs().await;
    let suggested = acme.suggested("U0OWNER01", "1767603600.000400").await;
    assert!(!suggested.contains(question), "one person asked: {suggested}");
    acme.command(Ids::USER, "/ask", question).await;
    acme.app.run_jobs().await;
    let suggested = acme.suggested("U0OWNER01", "1767603600.000500").await;
    assert!(suggested.contains(question), "{suggested}");
    let suggested = acme.suggested(GUEST, "1767603600.000600").await;
    assert!(!suggested.contains(question), "{suggested}");
}

#[tokio::test]
async fn a_form_asks_and_a_form_says_why_an_answer_was_no_help() {
    let acme = Acme::new(json!({})).await;
    acme.press("U0OWNER01", &json!({}), "amebo_ask", "ask").await;
    acme.app.run_jobs().await;
    assert_eq!(acme.slack.world().forms[0]["callback_id"], "amebo_ask_form");
    acme.sends(
        "U0OWNER01",
        "amebo_ask_form",
        "amebo_question",
        "",
        "When is tea served?",
    )
    .await;
    let direct = acme.slack.world().direct(Ids::TEAM, "U0OWNER01");
    let said = acme.said(&direct);
    assert!(text_of(&said[0]).contains("kitchen"), "{said:?}");
    let questions = acme
        .owner
        .client
        .get(&acme.owner.path("/questions"))
        .await
        .expect(200)
        .json();
    let question = questions["items"][0]["id"].as_str().unwrap();
    acme.press(
        "U0OWNER01",
        &said[0],
        "amebo_rate_down",
        &format!("down:{question}"),
    )
    .await;
    acme.app.run_jobs().await;
    assert_eq!(acme.slack.world().forms[1]["private_metadata"], question);
    acme.sends(
        "U0OWNER01",
        "amebo_comment_form",
        "amebo_comment",
        question,
        "It moved to five",
    )
    .await;
    let kept = "select count(*) from answers where rating = 'down' and comment = 'It moved to five'";
    assert_eq!(acme.app.scalar(kept).await, 1);
}
