//! The fake Slack as a process of its own, for tests that drive the real server from a browser. It prints one line of JSON that says where
//! it is, and serves until its standard input ends.
//!
//! Beside Slack's own interface it has one for whoever tests, on another port: what people do and see there.

use std::net::SocketAddr;
use std::sync::Arc;

use amebo_core::Environment;
use amebo_testkit::FakeSlack;
use amebo_testkit::slack::{Ids, InstallAs, SignedRequest};
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Json;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

type Fake = Arc<FakeSlack>;

#[tokio::main]
async fn main() {
    let fake = Arc::new(FakeSlack::start(Environment::system()).await);
    let app = fake.world().app();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let control: SocketAddr = listener.local_addr().unwrap();
    let facts = json!({
        "url": fake.url(),
        "control": format!("http://{control}"),
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "signing_secret": app.signing_secret,
        "bot_user": Ids::BOT_USER,
    });
    let router = Router::new()
        .route("/people", post(add_person))
        .route("/channels", post(add_channel))
        .route("/say", post(say))
        .route("/messages", get(messages))
        .route("/press", post(press))
        .route("/shown", get(shown))
        .route("/install", post(install))
        .route("/revoke", post(revoke))
        .with_state(fake);
    println!("{facts}");
    let ended = async {
        let mut rest = Vec::new();
        tokio::io::stdin().read_to_end(&mut rest).await.unwrap();
    };
    tokio::select! {
        served = axum::serve(listener, router) => served.unwrap(),
        () = ended => {}
    }
}

#[derive(Deserialize)]
struct NewPerson {
    id: String,
    name: String,
    email: String,
    /// The channels they are in.
    #[serde(default)]
    channels: Vec<String>,
}

async fn add_person(State(fake): State<Fake>, Json(new): Json<NewPerson>) {
    let mut world = fake.world();
    world.add_user(Ids::TEAM, &new.id, &new.name, &new.email);
    for channel in &new.channels {
        world.set_member(Ids::TEAM, channel, &new.id, true);
    }
}

#[derive(Deserialize)]
struct NewChannel {
    id: String,
    name: String,
    #[serde(default)]
    private: bool,
    members: Vec<String>,
}

async fn add_channel(State(fake): State<Fake>, Json(new): Json<NewChannel>) {
    let members: Vec<&str> = new.members.iter().map(String::as_str).collect();
    fake.world()
        .add_channel(Ids::TEAM, &new.id, &new.name, new.private, &members);
}

#[derive(Deserialize)]
struct Said {
    channel: String,
    user: String,
    text: String,
    thread: Option<String>,
    /// Whether Amebo is told: of a mention where it is named, otherwise of a message.
    #[serde(default)]
    told: bool,
}

/// Says something; answers the message and the request that Slack would send about it.
async fn say(State(fake): State<Fake>, Json(said): Json<Said>) -> Json<Value> {
    let (message, event) = {
        let mut world = fake.world();
        let message = world.say(
            Ids::TEAM,
            &said.channel,
            &said.user,
            &said.text,
            said.thread.as_deref(),
        );
        let is_mention = said.text.contains(Ids::BOT_USER);
        let event = said
            .told
            .then(|| world.message_event(Ids::TEAM, &said.channel, &message, is_mention));
        (message, event)
    };
    let request = event.map(|event| sendable(&fake.signed_json(&event)));
    Json(json!({ "message": message, "request": request }))
}

fn sendable(request: &SignedRequest) -> Value {
    let headers: serde_json::Map<String, Value> = request
        .headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    json!({ "headers": headers, "body": String::from_utf8_lossy(&request.body) })
}

#[derive(Deserialize)]
struct Where {
    channel: String,
}

async fn messages(State(fake): State<Fake>, Query(place): Query<Where>) -> Json<Vec<Value>> {
    Json(fake.world().messages(Ids::TEAM, &place.channel))
}

#[derive(Deserialize)]
struct Press {
    channel: String,
    user: String,
    action: String,
}

/// Somebody presses a button; answers the request that Slack would send about it.
async fn press(State(fake): State<Fake>, Json(press): Json<Press>) -> Json<Value> {
    let payload = fake.world().press(
        fake.url(),
        Ids::TEAM,
        &press.channel,
        &press.user,
        &json!({}),
        (&press.action, "pressed"),
    );
    Json(sendable(&fake.signed_interaction(&payload)))
}

#[derive(Deserialize)]
struct Whom {
    user: String,
}

/// What was shown to one person alone.
async fn shown(State(fake): State<Fake>, Query(whom): Query<Whom>) -> Json<Vec<Value>> {
    let shown = fake.world().ephemerals.clone();
    let theirs = shown.into_iter().filter(|(_, user, _)| *user == whom.user);
    Json(theirs.map(|(_, _, content)| content).collect())
}

#[derive(Deserialize)]
struct Decision {
    granted: bool,
}

/// What the next administrator does who is sent to Slack.
async fn install(State(fake): State<Fake>, Json(decision): Json<Decision>) {
    fake.world().install_next(if decision.granted {
        InstallAs::Workspace(Ids::TEAM.to_owned())
    } else {
        InstallAs::Nothing
    });
}

/// Slack withdraws what it granted.
async fn revoke(State(fake): State<Fake>) {
    fake.world().uninstall(Ids::TEAM);
}
