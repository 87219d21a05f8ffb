//! An organisation on Slack, as tests of conversations find it.

use amebo_testkit::slack::{Ids, InstallAs, SignedRequest};
use amebo_testkit::{FakeSlack, Person, Reply, TestApp};
use axum::http::{Request, header};
use serde_json::{Value, json};

/// An organisation with a document, whose workspace is connected through the server's app.
pub(super) struct Acme {
    pub(super) app: TestApp,
    pub(super) slack: FakeSlack,
    pub(super) owner: Person,
    pub(super) connection: String,
    pub(super) base: String,
}

impl Acme {
    pub(super) async fn new(settings: Value) -> Self {
        let (app, slack) = TestApp::start_with_slack().await;
        let owner = app.owner("Acme").await;
        let base = crate::knowledge_base::knowledge_base(&owner, "Handbook").await;
        crate::document::uploaded(&owner, &base, "tea.txt", "Tea is served at four in the kitchen.").await;
        app.run_jobs().await;
        // Slack knows the owner by the address they signed up with.
        slack
            .world()
            .add_user(Ids::TEAM, "U0OWNER01", "olu", &owner.email);
        slack
            .world()
            .set_member(Ids::TEAM, Ids::GENERAL, "U0OWNER01", true);
        slack
            .world()
            .set_member(Ids::TEAM, Ids::GENERAL, Ids::BOT_USER, true);
        let connection = connect(&app, &slack, &owner, settings).await.expect(303).headers[header::LOCATION]
            .to_str()
            .unwrap()
            .strip_suffix("?connected=1")
            .and_then(|page| page.rsplit_once('/'))
            .unwrap()
            .1
            .to_owned();
        Self {
            app,
            slack,
            owner,
            connection,
            base,
        }
    }

    pub(super) async fn hear(&self, door: &str, request: SignedRequest) {
        let _ = self.heard(door, request).await;
    }

    /// What Amebo answers at once.
    async fn heard(&self, door: &str, request: SignedRequest) -> Reply {
        let mut built = Request::post(format!("/channels/slack/{door}"));
        for (name, value) in &request.headers {
            built = built.header(*name, value);
        }
        let reply = self
            .app
            .anonymous()
            .send(built.body(request.body.into()).unwrap())
            .await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply
    }

    /// Somebody mentions Amebo, or says something else; returns the message.
    pub(super) async fn says(
        &self,
        user: &str,
        channel: &str,
        text: &str,
        thread: Option<&str>,
        mention: bool,
    ) -> Value {
        let (message, request) = {
            let mut world = self.slack.world();
            let message = world.say(Ids::TEAM, channel, user, text, thread);
            let event = world.message_event(Ids::TEAM, channel, &message, mention);
            drop(world);
            (message, self.slack.signed_json(&event))
        };
        self.hear("events", request).await;
        message
    }

    pub(super) async fn mentions(&self, user: &str, text: &str) -> Value {
        let text = format!("<@{}> {text}", Ids::BOT_USER);
        self.says(user, Ids::GENERAL, &text, None, true).await
    }

    pub(super) async fn command(&self, user: &str, command: &str, text: &str) {
        let form = {
            let mut world = self.slack.world();
            world.command(self.slack.url(), Ids::TEAM, Ids::GENERAL, user, command, text)
        };
        let shown = self.heard("commands", self.slack.signed_form(&form)).await;
        if !shown.text().is_empty() {
            self.slack.world().show_at_once(&form, shown.json());
        }
    }

    pub(super) async fn press(&self, user: &str, message: &Value, action: &str, value: &str) {
        let payload = {
            let mut world = self.slack.world();
            world.press(
                self.slack.url(),
                Ids::TEAM,
                Ids::GENERAL,
                user,
                message,
                (action, value),
            )
        };
        self.hear("interactions", self.slack.signed_interaction(&payload))
            .await;
    }

    /// What Amebo said in a channel, in order.
    pub(super) fn said(&self, channel: &str) -> Vec<Value> {
        let messages = self.slack.world().messages(Ids::TEAM, channel);
        messages
            .into_iter()
            .filter(|message| message["user"] == Ids::BOT_USER || message.get("bot_id").is_some())
            .collect()
    }
}

pub(super) async fn connect(app: &TestApp, slack: &FakeSlack, owner: &Person, settings: Value) -> Reply {
    let workspace = InstallAs::Workspace(Ids::TEAM.to_owned());
    install(app, slack, owner, &json!({ "settings": settings }), workspace).await
}

/// An administrator begins with this and comes back from Slack, having installed the app so.
pub(super) async fn install(
    app: &TestApp,
    slack: &FakeSlack,
    owner: &Person,
    begin: &Value,
    install_as: InstallAs,
) -> Reply {
    let begun = owner
        .client
        .post(&owner.path("/channel-connections/slack/installations"), begin)
        .await
        .expect(201);
    let cookie = begun.headers[header::SET_COOKIE]
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let url: url::Url = begun.json()["authorize_url"].as_str().unwrap().parse().unwrap();
    let query = |name: &str| {
        url.query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
            .unwrap()
    };
    let scopes = query("scope");
    let scopes: Vec<&str> = scopes.split(',').collect();
    let code = slack.world().grant_code(&query("client_id"), &scopes, install_as);
    let back = format!("/channels/slack/callback?code={code}&state={}", query("state"));
    let request = Request::get(back)
        .header(header::COOKIE, cookie)
        .body(axum::body::Body::empty())
        .unwrap();
    app.anonymous().send(request).await
}

pub(super) fn text_of(message: &Value) -> String {
    message.to_string()
}
