//! Conversations on Slack, from the signed request to what stands in the channel.

use amebo_core::permission::Role;
use amebo_testkit::slack::{Fault, Ids};
use axum::http::Request;
use chrono::TimeDelta;
use serde_json::json;

use super::acme::{Acme, connect, text_of};

#[tokio::test]
async fn a_mention_is_answered_in_its_thread_once_with_the_source_however_often_it_comes() {
    let acme = Acme::new(json!({ "people_are_colleagues": true })).await;
    let text = format!("<@{}> When is tea served?", Ids::BOT_USER);
    let (message, request) = {
        let mut world = acme.slack.world();
        let message = world.say(Ids::TEAM, Ids::GENERAL, "U0OWNER01", &text, None);
        let event = world.message_event(Ids::TEAM, Ids::GENERAL, &message, true);
        drop(world);
        (message, acme.slack.signed_json(&event))
    };
    acme.hear("events", request.clone()).await;
    acme.hear("events", request.repeated(1, "http_timeout")).await;
    acme.app.run_jobs().await;
    let said = acme.said(Ids::GENERAL);
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(said[0]["thread_ts"], message["ts"]);
    assert!(text_of(&said[0]).contains("four in the kitchen"), "{said:?}");
    assert!(text_of(&said[0]).contains("tea"));
    acme.hear("events", request.repeated(2, "http_timeout")).await;
    acme.app.run_jobs().await;
    assert_eq!(acme.said(Ids::GENERAL).len(), 1);
    assert_eq!(
        acme.app
            .scalar("select count(*) from questions where origin = 'slack' and user_id is not null")
            .await,
        1
    );
    assert_eq!(
        acme.app
            .scalar("select count(*) from messages where delivery_status = 'sent'")
            .await,
        1
    );
}

#[tokio::test]
async fn a_thread_is_followed_without_a_mention_and_other_talk_is_left_alone() {
    let acme = Acme::new(json!({ "people_are_colleagues": true })).await;
    let first = acme.mentions("U0OWNER01", "When is tea served?").await;
    acme.app.run_jobs().await;
    let thread = first["ts"].as_str().unwrap();
    acme.says(
        "U0OWNER01",
        Ids::GENERAL,
        "And where is tea served?",
        Some(thread),
        false,
    )
    .await;
    acme.says("U0OWNER01", Ids::GENERAL, "Nice weather today", None, false)
        .await;
    let other = acme.says(Ids::USER, Ids::GENERAL, "Lunch?", None, false).await;
    acme.says(
        "U0OWNER01",
        Ids::GENERAL,
        "Yes please",
        other["ts"].as_str(),
        false,
    )
    .await;
    acme.app.run_jobs().await;
    let said = acme.said(Ids::GENERAL);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said.iter().all(|message| message["thread_ts"] == first["ts"]));
}

#[tokio::test]
async fn a_channel_with_somebody_from_outside_gets_no_internal_answer_while_the_asker_alone_does() {
    let acme = Acme::new(json!({})).await;
    // Neither grace nor ada is a member of the organisation.
    acme.mentions("U0OWNER01", "When is tea served?").await;
    acme.command("U0OWNER01", "/ask", "When is tea served?").await;
    acme.app.run_jobs().await;
    let said = acme.said(Ids::GENERAL);
    assert_eq!(said.len(), 1);
    assert!(!text_of(&said[0]).contains("kitchen"), "{said:?}");
    assert!(
        text_of(&said[0]).contains("what everybody here may read"),
        "{said:?}"
    );
    let answers = acme.slack.world().callbacks.clone();
    assert_eq!(answers.len(), 1);
    assert!(text_of(&answers[0]).contains("kitchen"), "{answers:?}");
    assert_eq!(answers[0]["response_type"], "ephemeral");
}

#[tokio::test]
async fn whoever_is_no_member_learns_only_what_is_public() {
    let acme = Acme::new(json!({})).await;
    acme.command(Ids::USER, "/askall", "When is tea served?").await;
    acme.app.run_jobs().await;
    let answers = acme.slack.world().callbacks.clone();
    assert_eq!(answers.len(), 1);
    assert!(!text_of(&answers[0]).contains("kitchen"), "{answers:?}");
    assert_eq!(acme.app.scalar("select count(*) from contacts").await, 1);
}

#[tokio::test]
async fn a_shared_channel_gets_nothing_internal_even_where_everybody_counts_as_a_colleague() {
    let acme = Acme::new(json!({ "people_are_colleagues": true })).await;
    acme.slack.world().share(Ids::TEAM, Ids::GENERAL, true);
    acme.mentions("U0OWNER01", "When is tea served?").await;
    acme.app.run_jobs().await;
    let said = acme.said(Ids::GENERAL);
    assert_eq!(said.len(), 1);
    assert!(!text_of(&said[0]).contains("kitchen"), "{said:?}");
}

#[tokio::test]
async fn somebody_of_another_company_is_nobodys_colleague_although_slack_knows_them() {
    let acme = Acme::new(json!({ "people_are_colleagues": true })).await;
    {
        let mut world = acme.slack.world();
        world.add_user(Ids::TEAM, "U0OTHER01", "other", "other@other.example");
        world.change_user(Ids::TEAM, "U0OTHER01", "team_id", json!("T0OTHER01"));
    }
    acme.command("U0OTHER01", "/ask", "When is tea served?").await;
    acme.app.run_jobs().await;
    let told = text_of(&json!(acme.slack.world().callbacks));
    assert!(!told.contains("kitchen"), "{told}");
    acme.command("U0OWNER01", "/ask", "When is tea served?").await;
    acme.app.run_jobs().await;
    let told = text_of(&json!(acme.slack.world().callbacks));
    assert!(told.contains("kitchen"), "{told}");
    // The button does not say that the channel is shared.
    let questions = acme.owner.client.get(&acme.owner.path("/questions")).await;
    let questions = questions.expect(200).json();
    let mut questions = questions["items"].as_array().unwrap().iter();
    let answered = questions.find(|question| question["answer"]["outcome"] == "answered");
    let id = answered.unwrap()["id"].as_str().unwrap();
    acme.slack
        .world()
        .set_member(Ids::TEAM, Ids::GENERAL, "U0OTHER01", true);
    acme.press("U0OWNER01", &json!({}), "amebo_share", id).await;
    acme.app.run_jobs().await;
    assert!(acme.said(Ids::GENERAL).is_empty());
    let told = text_of(&json!(acme.slack.world().ephemerals));
    assert!(told.contains("did not share"), "{told}");
}

#[tokio::test]
async fn a_direct_message_is_answered_directly_and_a_greeting_to_silence() {
    let acme = Acme::new(json!({})).await;
    let direct = acme.slack.world().direct(Ids::TEAM, "U0OWNER01");
    acme.says("U0OWNER01", &direct, "When is tea served?", None, false)
        .await;
    acme.app.run_jobs().await;
    assert!(text_of(&acme.said(&direct)[0]).contains("kitchen"));
    acme.says(
        "U0OWNER01",
        Ids::GENERAL,
        &format!("<@{}>", Ids::BOT_USER),
        None,
        true,
    )
    .await;
    acme.app.run_jobs().await;
    assert!(text_of(&acme.said(Ids::GENERAL)[0]).contains("Ask me anything"));
}

#[tokio::test]
async fn a_rating_is_kept_and_sharing_heeds_who_reads_the_channel() {
    let acme = Acme::new(json!({ "people_are_colleagues": true })).await;
    acme.mentions("U0OWNER01", "When is tea served?").await;
    acme.command("U0OWNER01", "/ask", "Where is tea served?").await;
    acme.app.run_jobs().await;
    let question = |origin: &'static str| {
        let app = &acme.app;
        async move {
            let mut administrator = app.database.administrator().await;
            let id: sqlx::types::Uuid = sqlx::query_scalar(origin)
                .fetch_one(&mut administrator)
                .await
                .unwrap();
            id.to_string()
        }
    };
    let asked = question("select id from questions where text like 'When%'").await;
    let commanded = question("select id from questions where text like 'Where%'").await;
    let answer = acme.said(Ids::GENERAL)[0].clone();
    acme.press(Ids::USER, &answer, "amebo_rate_down", &format!("down:{asked}"))
        .await;
    acme.press("U0OWNER01", &json!({}), "amebo_share", &commanded)
        .await;
    acme.press(Ids::USER, &json!({}), "amebo_share", &commanded).await;
    acme.app.run_jobs().await;
    assert_eq!(
        acme.app
            .scalar("select count(*) from answers where rating = 'down'")
            .await,
        1
    );
    assert_eq!(acme.slack.world().forms.len(), 1);
    let said = acme.said(Ids::GENERAL);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(text_of(&said[1]).contains("kitchen"));
    assert!(text_of(&json!(acme.slack.world().ephemerals)).contains("Only whoever asked"));
    // Once somebody from outside reads along, the same answer is not shared any more.
    acme.slack
        .world()
        .add_user(Ids::TEAM, "U0GUEST01", "guest", "guest@other.example");
    acme.slack
        .world()
        .change_user(Ids::TEAM, "U0GUEST01", "is_restricted", json!(true));
    acme.slack
        .world()
        .set_member(Ids::TEAM, Ids::GENERAL, "U0GUEST01", true);
    acme.app.clock.advance(TimeDelta::seconds(61));
    acme.press("U0OWNER01", &json!({}), "amebo_share", &commanded)
        .await;
    acme.app.run_jobs().await;
    assert_eq!(acme.said(Ids::GENERAL).len(), 2);
    assert!(text_of(&json!(acme.slack.world().ephemerals)).contains("did not share"));
}

#[tokio::test]
async fn whatever_slack_does_every_mention_ends_in_exactly_one_message() {
    let acme = Acme::new(json!({ "people_are_colleagues": true })).await;
    for fault in [
        Fault::RateLimited(1),
        Fault::Status(503),
        Fault::Error("internal_error"),
        Fault::HangUp.after_doing(),
        Fault::Status(500).after_doing(),
    ] {
        acme.slack.fail("chat.postMessage", fault);
        acme.mentions("U0OWNER01", "When is tea served?").await;
        for _ in 0..6 {
            acme.app.run_jobs().await;
            acme.app.clock.advance(TimeDelta::seconds(40));
        }
    }
    let said = acme.said(Ids::GENERAL);
    let mut threads: Vec<&str> = said
        .iter()
        .map(|message| message["thread_ts"].as_str().unwrap())
        .collect();
    threads.sort_unstable();
    threads.dedup();
    assert_eq!((said.len(), threads.len()), (5, 5), "{said:?}");
    assert_eq!(
        acme.app
            .scalar("select count(*) from deliveries where state = 'sent'")
            .await,
        5
    );
}

#[tokio::test]
async fn when_nothing_works_until_the_deadline_an_apology_is_what_is_seen() {
    let acme = Acme::new(json!({ "people_are_colleagues": true })).await;
    acme.mentions("U0OWNER01", "When is tea served?").await;
    acme.app.clock.advance(TimeDelta::seconds(120));
    acme.app.run_jobs().await;
    let said = acme.said(Ids::GENERAL);
    assert_eq!(said.len(), 1);
    assert!(text_of(&said[0]).contains("Something went wrong"), "{said:?}");
}

#[tokio::test]
async fn removing_the_app_ends_the_connection_and_what_comes_afterwards_is_refused() {
    let acme = Acme::new(json!({})).await;
    let event = {
        let mut world = acme.slack.world();
        world.envelope(Ids::TEAM, &json!({ "type": "app_uninstalled" }))
    };
    acme.hear("events", acme.slack.signed_json(&event)).await;
    acme.app.run_jobs().await;
    let path = acme
        .owner
        .path(&format!("/channel-connections/{}", acme.connection));
    let connection = acme.owner.client.get(&path).await.expect(200).json();
    assert_eq!(connection["status"], "disconnected");
    let request = {
        let mut world = acme.slack.world();
        let message = world.say(Ids::TEAM, Ids::GENERAL, Ids::USER, "<@U0BOT0001> tea?", None);
        let event = world.message_event(Ids::TEAM, Ids::GENERAL, &message, true);
        drop(world);
        acme.slack.signed_json(&event)
    };
    let mut built = Request::post("/channels/slack/events");
    for (name, value) in &request.headers {
        built = built.header(*name, value);
    }
    let reply = acme
        .app
        .anonymous()
        .send(built.body(request.body.into()).unwrap())
        .await;
    assert_eq!(reply.status, 404);
    let connection = acme.owner.client.get(&path).await.expect(200).json();
    assert_eq!(connection["health"]["last_refusal"], "disconnected");
    // Connected again, it is the same connection; erased, nothing of it is left.
    let again = connect(&acme.app, &acme.slack, &acme.owner, json!({})).await;
    assert_eq!(again.status, 303, "{}", again.text());
    let connection = acme.owner.client.get(&path).await.expect(200).json();
    assert_eq!(connection["status"], "active");
    assert_eq!(connection["scopes"]["missing"], json!([]));
    assert_eq!(acme.owner.client.delete(&path).await.status, 204);
    for table in [
        "channel_connections",
        "conversations",
        "messages",
        "deliveries",
        "inbound_events",
        "contacts",
    ] {
        let left = acme.app.scalar(&format!("select count(*) from {table}")).await;
        assert_eq!(left, 0, "{table}");
    }
}

#[tokio::test]
async fn an_installation_is_refused_without_its_cookie_twice_or_for_a_workspace_of_another_organization() {
    let acme = Acme::new(json!({})).await;
    let other = acme.app.owner("Other").await;
    let taken = connect(&acme.app, &acme.slack, &other, json!({})).await;
    assert_eq!(taken.status, 409, "{}", taken.text());
    let begun = other
        .client
        .post(
            &other.path("/channel-connections/slack/installations"),
            &json!({}),
        )
        .await
        .expect(201);
    let state = begun.json()["authorize_url"]
        .as_str()
        .unwrap()
        .split("state=")
        .nth(1)
        .unwrap()
        .to_owned();
    let back = format!("/channels/slack/callback?code=x&state={state}");
    assert_eq!(acme.app.anonymous().get(&back).await.status, 403);
    let member = acme.app.member(&acme.owner, Role::Member).await;
    let path = acme.owner.path("/channel-connections/slack/installations");
    let refused = member.client.post(&path, &json!({})).await;
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn tokens_that_end_soon_are_renewed_once_however_many_need_them() {
    let acme = Acme::new(json!({ "people_are_colleagues": true })).await;
    acme.app.clock.advance(TimeDelta::hours(11));
    for _ in 0..4 {
        acme.mentions("U0OWNER01", "When is tea served?").await;
    }
    acme.app.run_jobs().await;
    let refreshes = acme
        .slack
        .calls("oauth.v2.access")
        .into_iter()
        .filter(|call| call.arguments["grant_type"] == "refresh_token")
        .count();
    assert_eq!(refreshes, 1);
    assert_eq!(acme.said(Ids::GENERAL).len(), 4);
}

#[tokio::test]
async fn an_answer_explains_for_whom_it_was_given() {
    let acme = Acme::new(json!({ "people_are_colleagues": true })).await;
    acme.mentions("U0OWNER01", "When is tea served?").await;
    acme.app.run_jobs().await;
    let questions = acme
        .owner
        .client
        .get(&acme.owner.path("/questions"))
        .await
        .expect(200)
        .json();
    let id = questions["items"][0]["id"].as_str().unwrap();
    let why = acme
        .owner
        .client
        .get(&acme.owner.path(&format!("/questions/{id}/audience")))
        .await
        .expect(200)
        .json();
    assert_eq!(why["readers"]["kind"], "place");
    // Nothing that is said there is kept, so its name is Slack's to tell.
    assert_eq!(why["readers"]["name"], "general");
    assert_eq!(
        (&why["readers"]["members"], &why["readers"]["colleagues"]),
        (&json!(1), &json!(2)),
        "{why}"
    );
    assert_eq!(why["sources"][0]["holds"], true);
    assert!(!acme.base.is_empty());
}

#[tokio::test]
async fn the_people_of_a_large_channel_are_got_to_know_for_the_next_answer() {
    let acme = Acme::new(json!({ "people_are_colleagues": true })).await;
    {
        let mut world = acme.slack.world();
        for number in 0..60 {
            let id = format!("U0MANY{number:03}");
            world.add_user(Ids::TEAM, &id, "many", &format!("many{number}@acme.example"));
            world.set_member(Ids::TEAM, Ids::GENERAL, &id, true);
        }
    }
    for _ in 0..4 {
        acme.mentions("U0OWNER01", "When is tea served?").await;
        acme.app.run_jobs().await;
        acme.app.clock.advance(TimeDelta::seconds(61));
        acme.app.run_jobs().await;
    }
    let said = acme.said(Ids::GENERAL);
    assert!(!text_of(&said[0]).contains("kitchen"), "{said:?}");
    assert!(
        text_of(said.last().unwrap()).contains("kitchen"),
        "{:?}",
        said.last()
    );
}

#[tokio::test]
async fn whoever_comes_into_a_channel_counts_with_the_next_answer() {
    let acme = Acme::new(json!({ "people_are_colleagues": true })).await;
    let first = acme.mentions("U0OWNER01", "When is tea served?").await;
    acme.app.run_jobs().await;
    assert!(text_of(&acme.said(Ids::GENERAL)[0]).contains("kitchen"));
    let joined = {
        let mut world = acme.slack.world();
        world.add_user(Ids::TEAM, "U0GUEST01", "guest", "guest@other.example");
        world.change_user(Ids::TEAM, "U0GUEST01", "is_restricted", json!(true));
        world.set_member(Ids::TEAM, Ids::GENERAL, "U0GUEST01", true);
        world.envelope(
            Ids::TEAM,
            &json!({ "type": "member_joined_channel", "user": "U0GUEST01", "channel": Ids::GENERAL, "channel_type": "C",
                     "team": Ids::TEAM, "event_ts": "1767603600.000900" }),
        )
    };
    acme.hear("events", acme.slack.signed_json(&joined)).await;
    acme.says(
        "U0OWNER01",
        Ids::GENERAL,
        "And where is tea served?",
        first["ts"].as_str(),
        false,
    )
    .await;
    acme.app.run_jobs().await;
    let said = acme.said(Ids::GENERAL);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(!text_of(&said[1]).contains("kitchen"), "{said:?}");
}
