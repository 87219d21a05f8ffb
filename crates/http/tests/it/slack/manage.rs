//! What administrators do with a workspace: bring their own app, choose channels, see how far they are, and take everything back.

use amebo_core::permission::Role;
use amebo_testkit::slack::Ids;
use amebo_testkit::{Client, FakeSlack, Person, Reply, TestApp};
use axum::body::Body;
use axum::http::{Request, header};
use chrono::TimeDelta;
use serde_json::{Value, json};
use url::Url;

use super::follow::{ADA, Followed};
use crate::document::uploaded;

/// The credentials of the fake's app, as an administrator copies them.
fn credentials(slack: &FakeSlack) -> Value {
    let app = slack.world().app();
    json!({ "client_id": app.client_id, "client_secret": app.client_secret, "signing_secret": app.signing_secret })
}

async fn prepared(owner: &Person, socket_mode: bool) -> Value {
    let path = owner.path("/channel-connections/slack/apps");
    let form = json!({ "display_name": "Our Slack", "socket_mode": socket_mode });
    owner.client.post(&path, &form).await.expect(201).json()
}

fn of(owner: &Person, connection: &Value, rest: &str) -> String {
    owner.path(&format!(
        "/channel-connections/{}{rest}",
        connection["id"].as_str().unwrap()
    ))
}

/// Begins an installation; answers Slack's page and the cookie.
async fn begun(owner: &Person, connection: &Value) -> (Url, String) {
    let path = owner.path("/channel-connections/slack/installations");
    let begun = owner
        .client
        .post(&path, &json!({ "channel_connection_id": connection["id"] }))
        .await
        .expect(201);
    let cookie = begun.headers[header::SET_COOKIE].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    (
        begun.json()["authorize_url"].as_str().unwrap().parse().unwrap(),
        cookie,
    )
}

/// A browser comes back from Slack.
async fn comes_back(app: &TestApp, query: &str, cookie: &str) -> Reply {
    let request = Request::get(format!("/channels/slack/callback?{query}"))
        .header(header::COOKIE, cookie)
        .header(header::ACCEPT, "text/html,application/xhtml+xml")
        .body(Body::empty())
        .unwrap();
    app.anonymous().send(request).await
}

fn location(reply: &Reply) -> &str {
    assert_eq!(reply.status, 303, "{}", reply.text());
    reply.headers[header::LOCATION].to_str().unwrap()
}

#[tokio::test]
async fn an_app_of_ones_own_is_prepared_made_from_its_manifest_set_and_installed() {
    let (app, slack) = TestApp::start_with_slack().await;
    let owner = app.owner("Acme").await;
    let connection = prepared(&owner, false).await;
    assert_eq!(
        (&connection["status"], &connection["has_own_app"]),
        (&json!("pending"), &json!(false))
    );
    let id = connection["id"].as_str().unwrap();
    let manifest = owner.path(&format!(
        "/channel-connections/slack/manifest?channel_connection_id={id}"
    ));
    let manifest = owner.client.get(&manifest).await.expect(200).text();
    assert!(
        manifest.contains(&format!("/channels/slack/{id}/events")),
        "{manifest}"
    );

    let installations = owner.path("/channel-connections/slack/installations");
    let early = json!({ "channel_connection_id": id });
    assert_eq!(owner.client.post(&installations, &early).await.status, 409);
    let path = of(&owner, &connection, "/slack-app");
    let half = owner.client.put(&path, &json!({ "client_id": "1.2" })).await;
    assert_eq!(half.status, 422, "{}", half.text());
    assert!(half.text().contains("/client_secret"), "{}", half.text());
    let set = owner
        .client
        .put(&path, &credentials(&slack))
        .await
        .expect(200)
        .json();
    assert_eq!(set["has_own_app"], true);

    let (page, cookie) = begun(&owner, &connection).await;
    let query: std::collections::HashMap<_, _> = page.query_pairs().into_owned().collect();
    let scopes: Vec<&str> = query["scope"].split(',').collect();
    let code = slack.world().grant_code(
        &query["client_id"],
        &scopes,
        amebo_testkit::slack::InstallAs::Workspace(Ids::TEAM.to_owned()),
    );
    let back = format!("code={code}&state={}", query["state"]);
    let done = comes_back(&app, &back, &cookie).await;
    assert_eq!(location(&done), format!("/o/acme/slack/{id}?connected=1"));
    let now = owner.client.get(&of(&owner, &connection, "")).await.json();
    assert_eq!(
        (&now["status"], &now["display_name"], &now["scopes"]["missing"]),
        (&json!("active"), &json!("Acme"), &json!([]))
    );
}

#[tokio::test]
async fn whoever_may_ask_sees_workspaces_as_parts_of_what_is_known() {
    let followed = Followed::new().await;
    let named = async || {
        let path = followed.owner.path("/workspaces");
        followed.ada.client.get(&path).await.expect(200).json()["items"].clone()
    };
    assert_eq!(named().await, json!([]), "it stands for everything");
    followed.follow(None).await;
    let workspaces = named().await;
    assert_eq!(
        (&workspaces[0]["id"], &workspaces[0]["knowledge_base_ids"]),
        (&json!(followed.connection), &json!([followed.base])),
        "{workspaces:#}"
    );
    let handbook = crate::knowledge_base::knowledge_base(&followed.owner, "Handbook").await;
    let path = followed
        .owner
        .path(&format!("/channel-connections/{}", followed.connection));
    let settings = json!({ "settings": { "knowledge_base_ids": [handbook] } });
    let _ = followed.owner.client.patch(&path, &settings).await.expect(200);
    assert_eq!(named().await[0]["knowledge_base_ids"], json!([handbook]));
    let path = followed.owner.path(&format!("/knowledge-bases/{handbook}"));
    let archived = json!({ "archived": true });
    let _ = followed.owner.client.patch(&path, &archived).await.expect(200);
    assert_eq!(named().await, json!([]), "what it stood for is not in use");
}

#[tokio::test]
async fn whoever_comes_back_without_an_installation_is_told_why_on_a_page() {
    let (app, slack) = TestApp::start_with_slack().await;
    let owner = app.owner("Acme").await;
    let connection = prepared(&owner, false).await;
    let mut wrong = credentials(&slack);
    wrong["client_secret"] = json!("not-the-secret");
    assert_eq!(
        owner
            .client
            .put(&of(&owner, &connection, "/slack-app"), &wrong)
            .await
            .status,
        200
    );
    let state = |page: &Url| {
        page.query_pairs()
            .find(|(name, _)| name == "state")
            .map(|(_, state)| state.into_owned())
            .unwrap()
    };
    let (page, cookie) = begun(&owner, &connection).await;
    let denied = format!("error=access_denied&state={}", state(&page));
    let elsewhere = comes_back(&app, &denied, "amebo_installation=another").await;
    assert_eq!(location(&elsewhere), "/slack-failed?why=browser");
    let told = comes_back(&app, &denied, &cookie).await;
    assert_eq!(location(&told), "/slack-failed?why=denied");
    let late = comes_back(&app, &denied.replace("error=access_denied", "code=x"), &cookie).await;
    assert_eq!(location(&late), "/slack-failed?why=expired");
    let (page, cookie) = begun(&owner, &connection).await;
    let code = slack.world().grant_code(
        "1.2",
        &["chat:write"],
        amebo_testkit::slack::InstallAs::Workspace(Ids::TEAM.to_owned()),
    );
    let back = format!("code={code}&state={}", state(&page));
    assert_eq!(
        location(&comes_back(&app, &back, &cookie).await),
        "/slack-failed?why=refused"
    );
}

#[tokio::test]
async fn a_server_behind_a_wall_is_connected_with_the_apps_token_and_keeps_listening_over_its_socket() {
    let (app, slack) = TestApp::start_with_slack().await;
    let owner = app.owner("Acme").await;
    let connection = prepared(&owner, true).await;
    assert_eq!(connection["socket_mode"], true);
    let mut form = credentials(&slack);
    form["app_token"] = json!("xapp-1-ours");
    let path = of(&owner, &connection, "/slack-app");
    assert_eq!(owner.client.put(&path, &form).await.status, 200);
    let path = of(&owner, &connection, "/slack-token");
    let wrong = owner.client.post(&path, &json!({ "bot_token": "xapp-1" })).await;
    assert_eq!(wrong.status, 422);
    let unknown = owner
        .client
        .post(&path, &json!({ "bot_token": "xoxb-unknown" }))
        .await;
    assert_eq!(unknown.status, 409, "{}", unknown.text());
    let scopes = ["chat:write".to_owned(), "users:read".to_owned()];
    slack.world().add_token("xoxb-pasted", Ids::TEAM, &scopes);
    let now = owner
        .client
        .post(&path, &json!({ "bot_token": "xoxb-pasted" }))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&now["status"], &now["account"]),
        (&json!("active"), &json!(Ids::TEAM))
    );
    assert_eq!(now["scopes"]["granted"], json!(scopes));
    assert!(
        now["scopes"]["missing"]
            .as_array()
            .unwrap()
            .contains(&json!("commands"))
    );

    let path = of(&owner, &connection, "");
    let kept = owner
        .client
        .patch(&path, &json!({ "settings": { "people_are_colleagues": true } }))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&kept["socket_mode"], &kept["settings"]["people_are_colleagues"]),
        (&json!(true), &json!(true))
    );
}

#[tokio::test]
async fn channels_show_their_size_and_progress_and_are_chosen_together_or_not_at_all() {
    let acme = Followed::new().await;
    acme.slack
        .world()
        .add_channel(Ids::TEAM, "C0NEWS001", "news", false, &[ADA]);
    let path = acme.owner.path(&format!(
        "/channel-connections/{}/synchronisation",
        acme.connection
    ));
    let choice = json!({ "knowledge_base_id": acme.base, "follow_new_public_channels": false });
    assert_eq!(acme.owner.client.put(&path, &choice).await.status, 204);
    let channels = acme.owner.path(&format!(
        "/channel-connections/{}/slack-channels",
        acme.connection
    ));
    let before = acme.owner.client.get(&channels).await.expect(200).json();
    assert_eq!(
        (&before["listed_at"], &before["items"]),
        (&Value::Null, &json!([]))
    );
    acme.app.run_jobs().await;
    let listed = acme.owner.client.get(&channels).await.expect(200).json();
    assert!(listed["listed_at"].is_string());
    let named = |name: &str| {
        let items = listed["items"].as_array().unwrap();
        items.iter().find(|item| item["name"] == name).unwrap().clone()
    };
    assert_eq!(
        (&named("#ops")["members"], &named("#news")["members"]),
        (&json!(3), &json!(1))
    );
    assert_eq!(named("#ops")["progress"], Value::Null);

    acme.say(ADA, "The build server is called Otter", None);
    let ids = json!([named("#ops")["id"], named("#news")["id"]]);
    let wrong = json!({ "channel_ids": [named("#ops")["id"], "01890a5d-ac96-774b-bcce-b302099a8057"], "selected": true });
    assert_eq!(acme.owner.client.patch(&channels, &wrong).await.status, 422);
    assert_eq!(acme.channel().await["selected"], false);
    let both = json!({ "channel_ids": ids, "selected": true });
    assert_eq!(acme.owner.client.patch(&channels, &both).await.status, 204);
    acme.app.run_jobs().await;
    let now = acme.channel().await;
    assert_eq!(
        (
            &now["selected"],
            &now["open"],
            &now["progress"],
            &now["messages_read"]
        ),
        (&json!(true), &json!(false), &json!(1.0), &json!(1)),
        "{now}"
    );
}

#[tokio::test]
async fn reading_back_tells_how_much_is_left_from_how_long_it_took() {
    let acme = Followed::new().await;
    let begin = acme.app.store.environment().now();
    for number in 0..60 {
        acme.say(ADA, &format!("Message number {number}"), None);
        acme.app.clock.advance(TimeDelta::seconds(10));
    }
    acme.slack.world().restrict(Ids::TEAM);
    acme.follow(None).await;
    let made = format!("update slack_channels set began_at = '{}'", begin.to_rfc3339());
    acme.app.sql(&made).await;
    let mut told = Vec::new();
    while acme.channel().await["complete_since"].is_null() {
        let now = acme.channel().await;
        // Nothing is said before the first page.
        assert!(
            now["progress"]
                .as_f64()
                .is_none_or(|share| (0.0..1.0).contains(&share)),
            "{now}"
        );
        told.extend(now["remaining_seconds"].as_u64());
        acme.app.clock.advance(TimeDelta::seconds(61));
        acme.app.run_jobs().await;
    }
    // Fifteen messages a minute, and forty-five of them left after the first page.
    assert!(
        told.len() > 2 && told.iter().all(|left| (30..=600).contains(left)),
        "{told:?}"
    );
    assert!(told.first() > told.last(), "{told:?}");
    assert!(acme.channel().await["remaining_seconds"].is_null());
}

#[tokio::test]
async fn a_document_of_a_channel_explains_by_name_who_may_see_it() {
    let acme = Followed::new().await;
    acme.say(ADA, "The build server is called Otter", None);
    acme.follow(None).await;
    let documents = acme.ada.client.get(&acme.ada.path("/documents")).await.json();
    let id = documents["items"][0]["id"].as_str().unwrap().to_owned();
    let path = acme.ada.path(&format!("/documents/{id}/audience"));
    let why = acme.ada.client.get(&path).await.expect(200).json();
    assert_eq!(
        (&why["channel"]["name"], &why["audience"]["kind"]),
        (&json!("#ops"), &json!("slack_channel"))
    );
    assert_eq!(why["members"][0]["user_id"], json!(acme.ada.user));
    assert_eq!(why["members"].as_array().unwrap().len(), 1);
    assert_eq!(why["others"], json!(["ben"]), "{why}");
    // Whoever may not see it does not know that it is there.
    assert_eq!(acme.owner.client.get(&path).await.status, 404);

    let member = acme.app.member(&acme.owner, Role::Member).await;
    let channel = acme.channel().await["id"].as_str().unwrap().to_owned();
    let choose = acme.owner.path(&format!("/slack-channels/{channel}"));
    let open = json!({ "selected": true, "open": true });
    assert_eq!(acme.owner.client.put(&choose, &open).await.status, 204);
    let why = member.client.get(&path).await.expect(200).json();
    assert_eq!(
        (&why["channel"]["open"], &why["audience"]["kind"]),
        (&json!(true), &json!("organization"))
    );
}

/// Whether what was said in the channel is found.
async fn knows(acme: &Followed) -> bool {
    let found = acme.app.found(&acme.ada, "build server").await;
    found.iter().any(|passage| passage.contains("Otter"))
}

async fn emptied(acme: &Followed, client: &Client) {
    assert_eq!(acme.stored().await, 0);
    assert!(!knows(acme).await);
    let usage = client.get(&acme.owner.path("/usage")).await.expect(200).json();
    assert_eq!(usage["documents"], 1, "only what was uploaded is left: {usage}");
}

#[tokio::test]
async fn what_was_learnt_from_a_channel_is_forgotten_on_demand_and_can_be_learnt_again() {
    let acme = Followed::new().await;
    acme.say(ADA, "The build server is called Otter", None);
    acme.follow(None).await;
    let channel = acme.channel().await["id"].as_str().unwrap().to_owned();
    // Shown to the channel by a person: theirs, and so it stays.
    let tea = uploaded(&acme.ada, &acme.base, "tea.txt", "Tea is served at four.").await;
    acme.app.run_jobs().await;
    let path = acme.ada.path(&format!("/documents/{tea}"));
    let audience = json!({ "audience": { "kind": "slack_channel", "channel": channel } });
    let shown = acme.app.member(&acme.owner, Role::Manager).await;
    assert_eq!(shown.client.patch(&path, &audience).await.status, 422);
    assert!(knows(&acme).await);

    let path = acme.owner.path(&format!("/slack-channels/{channel}"));
    assert_eq!(acme.owner.client.delete(&path).await.status, 204);
    emptied(&acme, &acme.owner.client).await;
    assert_eq!(acme.channel().await["selected"], false);
    acme.app.run_jobs().await;
    assert_eq!(acme.stored().await, 0);

    let again = json!({ "selected": true });
    assert_eq!(acme.owner.client.put(&path, &again).await.status, 204);
    acme.app.run_jobs().await;
    assert!(knows(&acme).await);
}

#[tokio::test]
async fn erasing_a_connection_takes_what_was_learnt_there_out_of_answers() {
    let acme = Followed::new().await;
    acme.say(ADA, "The build server is called Otter", None);
    acme.follow(None).await;
    uploaded(&acme.ada, &acme.base, "tea.txt", "Tea is served at four.").await;
    acme.app.run_jobs().await;
    let path = acme
        .owner
        .path(&format!("/channel-connections/{}", acme.connection));
    let disconnect = format!("{path}/disconnect");
    assert_eq!(acme.owner.client.post(&disconnect, &json!({})).await.status, 200);
    assert!(knows(&acme).await, "disconnecting keeps what is known");
    assert_eq!(acme.owner.client.delete(&path).await.status, 204);
    emptied(&acme, &acme.owner.client).await;
    assert_eq!(acme.app.scalar("select count(*) from slack_channels").await, 0);
    assert_eq!(
        acme.app
            .scalar("select count(*) from sources where kind = 'slack'")
            .await,
        0
    );
    acme.app.run_jobs().await;
}
