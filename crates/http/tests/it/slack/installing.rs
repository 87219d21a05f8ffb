//! Apps of one's own, organisations of workspaces, and sockets.

use amebo_testkit::slack::{Ids, InstallAs};
use amebo_testkit::{Reply, TestApp};
use axum::http::{Request, header};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::acme::{Acme, install, text_of};

/// The connection that a browser came back with.
fn connected(reply: &Reply) -> String {
    let location = reply.headers[header::LOCATION].to_str().unwrap();
    let page = location.strip_suffix("?connected=1").unwrap();
    page.rsplit_once('/').unwrap().1.to_owned()
}

/// How often Amebo greeted in a channel.
fn greetings(messages: &[Value]) -> usize {
    let greets = |message: &&Value| text_of(message).contains("Ask me anything");
    messages.iter().filter(greets).count()
}

#[tokio::test]
async fn an_app_of_their_own_is_installed_and_heard_at_its_own_door() {
    let (app, slack) = TestApp::start_with_slack().await;
    let owner = app.owner("Acme").await;
    let fake = slack.world().app();
    let form = json!({
        "display_name": "Ours", "client_id": fake.client_id, "client_secret": fake.client_secret, "signing_secret": fake.signing_secret,
    });
    let path = owner.path("/channel-connections/slack/apps");
    let made = owner.client.post(&path, &form).await.expect(201).json();
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(
        (&made["status"], &made["has_own_app"]),
        (&json!("pending"), &json!(true))
    );
    let manifest = owner.path(&format!(
        "/channel-connections/slack/manifest?channel_connection_id={id}"
    ));
    let manifest = owner.client.get(&manifest).await.expect(200).text();
    assert!(
        manifest.contains(&format!("/channels/slack/{id}/events")),
        "{manifest}"
    );
    let begin = json!({ "channel_connection_id": id });
    let workspace = InstallAs::Workspace(Ids::TEAM.to_owned());
    let back = install(&app, &slack, &owner, &begin, workspace).await;
    assert_eq!(back.status, 303, "{}", back.text());
    assert_eq!(connected(&back), id);
    slack
        .world()
        .set_member(Ids::TEAM, Ids::GENERAL, Ids::BOT_USER, true);
    let request = {
        let mut world = slack.world();
        let text = format!("<@{}>", Ids::BOT_USER);
        let message = world.say(Ids::TEAM, Ids::GENERAL, Ids::USER, &text, None);
        let event = world.message_event(Ids::TEAM, Ids::GENERAL, &message, true);
        drop(world);
        slack.signed_json(&event)
    };
    for (door, status) in [(format!("{id}/events"), 200), ("events".to_owned(), 404)] {
        let mut built = Request::post(format!("/channels/slack/{door}"));
        for (name, value) in &request.headers {
            built = built.header(*name, value);
        }
        let request = built.body(request.body.clone().into()).unwrap();
        assert_eq!(app.anonymous().send(request).await.status, status, "{door}");
    }
    app.run_jobs().await;
    let said = slack.world().messages(Ids::TEAM, Ids::GENERAL);
    assert_eq!(greetings(&said), 1, "{said:?}");
}

#[tokio::test]
async fn an_organization_of_workspaces_is_one_connection_that_answers_in_each() {
    let acme = Acme::new(json!({})).await;
    let teams = ["T0GRID001", "T0GRID002"].map(|team| {
        let (user, channel) = (format!("U{}", &team[1..]), format!("C{}", &team[1..]));
        let mut world = acme.slack.world();
        world.add_team(team, "Grid", Some("E0GRID001"));
        world.add_user(team, &user, "ada", &format!("{user}@grid.example"));
        world.add_channel(team, &channel, "general", false, &[&user, Ids::BOT_USER]);
        (team, user, channel)
    });
    let organization = InstallAs::Organization("E0GRID001".to_owned());
    let back = install(&acme.app, &acme.slack, &acme.owner, &json!({}), organization).await;
    assert_eq!(back.status, 303, "{}", back.text());
    let path = acme
        .owner
        .path(&format!("/channel-connections/{}", connected(&back)));
    let connection: Value = acme.owner.client.get(&path).await.expect(200).json();
    assert_eq!(
        (&connection["account"], &connection["status"]),
        (&json!("E0GRID001"), &json!("active"))
    );
    for (team, user, channel) in &teams {
        let request = {
            let mut world = acme.slack.world();
            let text = format!("<@{}>", Ids::BOT_USER);
            let message = world.say(team, channel, user, &text, None);
            let event = world.message_event(team, channel, &message, true);
            drop(world);
            acme.slack.signed_json(&event)
        };
        acme.hear("events", request).await;
        acme.app.run_jobs().await;
        let said = acme.slack.world().messages(team, channel);
        assert_eq!(greetings(&said), 1, "{team}: {said:?}");
    }
}

#[tokio::test]
async fn an_app_of_their_own_is_heard_over_a_socket_without_any_address_of_this_server() {
    let (app, slack) = TestApp::start_with_slack().await;
    let owner = app.owner("Acme").await;
    let fake = slack.world().app();
    let form = json!({
        "display_name": "Ours", "client_id": fake.client_id, "client_secret": fake.client_secret,
        "signing_secret": fake.signing_secret, "app_token": Ids::APP_TOKEN,
    });
    let path = owner.path("/channel-connections/slack/apps");
    let made = owner.client.post(&path, &form).await.expect(201).json();
    let id = made["id"].as_str().unwrap().to_owned();
    let manifest = owner.path(&format!(
        "/channel-connections/slack/manifest?channel_connection_id={id}&socket_mode=true"
    ));
    let manifest = owner.client.get(&manifest).await.expect(200).json();
    assert_eq!(manifest["settings"]["socket_mode_enabled"], true);
    let begin = json!({ "channel_connection_id": id });
    let workspace = InstallAs::Workspace(Ids::TEAM.to_owned());
    let back = install(&app, &slack, &owner, &begin, workspace).await;
    assert_eq!(back.status, 303, "{}", back.text());
    // Other choices leave the way that events take as it is.
    let path = owner.path(&format!("/channel-connections/{id}"));
    let choice = json!({ "settings": { "people_are_colleagues": true } });
    let _ = owner.client.patch(&path, &choice).await.expect(200);
    slack
        .world()
        .set_member(Ids::TEAM, Ids::GENERAL, Ids::BOT_USER, true);
    let stop = CancellationToken::new();
    let mut keeping = JoinSet::new();
    let (kept, stopped) = (app.app.clone(), stop.clone());
    keeping.spawn(async move { kept.keep_slack_sockets(&stopped).await });
    slack.wait_for_socket().await;
    let event = {
        let mut world = slack.world();
        let text = format!("<@{}>", Ids::BOT_USER);
        let message = world.say(Ids::TEAM, Ids::GENERAL, Ids::USER, &text, None);
        world.message_event(Ids::TEAM, Ids::GENERAL, &message, true)
    };
    assert!(slack.send_over_socket("events_api", &event));
    slack.wait_for_acknowledgements(1).await;
    app.run_jobs().await;
    let said = slack.world().messages(Ids::TEAM, Ids::GENERAL);
    assert_eq!(greetings(&said), 1, "{said:?}");
    stop.cancel();
    keeping.join_all().await;
}
