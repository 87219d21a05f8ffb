//! Messages to Amebo while Slack fails, events come late and twice, and the server is killed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use amebo_core::Environment;
use amebo_core::permission::{Action, Resource};
use amebo_store::Store;
use amebo_store::sealing::{MasterKeys, Sealer};
use amebo_testkit::slack::SignedRequest;
use amebo_testkit::slack::storm::{Reckoning, Talk, number_of};
use amebo_testkit::{Database, FakeSlack, NewWorkspace, connect_workspaces, first_owner};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

use crate::server::Installation;

const TEAMS: usize = 4;
const TALKS: usize = 20;
const EACH: usize = 5;
const PATIENCE: Duration = Duration::from_mins(3);

#[tokio::test]
async fn every_message_ends_in_one_outcome_in_its_order_although_slack_fails_and_the_server_is_killed() {
    let database = Database::create().await;
    let slack = Arc::new(FakeSlack::start(Environment::system()).await);
    let installation = Installation::new(&database, &slack);
    let client = client();
    let mut server = installation.start(&client).await;
    learn(&client, &server.url, &installation.credential()).await;
    connect(&database, &installation, &slack).await;
    slack.fail_often(0.15);

    let (tell, url) = watch::channel(server.url.clone());
    let mut tasks = JoinSet::new();
    for number in 0..TALKS {
        let mut talk = Talk::begin(&slack, &team(number % TEAMS), number);
        let (slack, url, client) = (Arc::clone(&slack), url.clone(), client.clone());
        tasks.spawn(async move {
            let environment = Environment::system();
            let numbers = number * EACH..(number + 1) * EACH;
            let text = |_| "When is tea served?".to_owned();
            let said = talk.say(&slack, &environment, numbers, text, |request| {
                acknowledged(client.clone(), url.clone(), request)
            });
            said.await.unwrap();
            talk
        });
    }
    for after in [TALKS * EACH / 5, TALKS * EACH / 2] {
        let posted = slack.until(|world| {
            let posts = world
                .calls
                .iter()
                .filter(|call| call.method == "chat.postMessage");
            (posts.count() >= after).then_some(())
        });
        timeout(PATIENCE, posted).await.unwrap();
        server.kill().await;
        server = installation.start(&client).await;
        tell.send_replace(server.url.clone());
    }
    let storm = timeout(PATIENCE, tasks.join_all()).await.unwrap();
    let came = slack.until(|world| {
        let outcomes: usize = storm.iter().map(|talk| talk.outcomes(world).len()).sum();
        (outcomes >= TALKS * EACH).then_some(())
    });
    timeout(PATIENCE, came).await.unwrap();
    slack.heal();
    timeout(PATIENCE, nothing_more_to_say(&database)).await.unwrap();

    let numbers = numbers(&database).await;
    let world = slack.world();
    let reckoning: Reckoning = storm.iter().map(|talk| talk.reckon(&world, &numbers)).sum();
    assert_eq!(reckoning.said, TALKS * EACH);
    assert!(reckoning.is_clean(), "{reckoning:?}");
    // Almost all of it was answered rather than apologised for.
    assert!(reckoning.unnamed < TALKS * EACH / 2, "{reckoning:?}");
}

fn team(number: usize) -> String {
    format!("T0STORM{number:02}")
}

#[expect(
    clippy::disallowed_methods,
    reason = "calls a server of the test's on loopback"
)]
fn client() -> Client {
    // An error says that it is installed already.
    drop(rustls::crypto::ring::default_provider().install_default());
    Client::builder().no_proxy().build().unwrap()
}

/// Gives the server something to answer from.
async fn learn(client: &Client, url: &str, (organization, key): &(String, String)) {
    let url = format!("{url}/api/v1/organizations/{organization}/knowledge-bases");
    let base = client
        .post(&url)
        .bearer_auth(key)
        .json(&json!({ "name": "Handbook" }));
    let base: Value = base.send().await.unwrap().json().await.unwrap();
    let id = base["id"].as_str().unwrap();
    let sent = client
        .post(format!("{url}/{id}/documents/raw?name=tea.txt"))
        .bearer_auth(key)
        .body("Tea is served at four in the kitchen.");
    assert!(sent.send().await.unwrap().status().is_success());
}

async fn connect(database: &Database, installation: &Installation, slack: &FakeSlack) {
    let store = Store::connect(&database.store_config(), Environment::system())
        .await
        .unwrap();
    let keys = MasterKeys::File(installation.data().join("master.keys"));
    let sealer = Sealer::open(&store, keys).unwrap();
    let permit = first_owner(&store)
        .await
        .permit(Resource::ChannelConnection, Action::Create)
        .unwrap();
    let workspaces: Vec<NewWorkspace> = (0..TEAMS)
        .map(|number| NewWorkspace {
            account: team(number),
            token: format!("xoxb-{number}"),
            configuration: json!({ "people_are_colleagues": true }),
            app: None,
            by: None,
        })
        .collect();
    for workspace in &workspaces {
        let name = &workspace.account;
        slack.world().add_installed_team(name, name, &workspace.token);
    }
    connect_workspaces(&store, &sealer, &permit, &workspaces).await;
    store.close().await;
}

/// Sends a request until a server acknowledges it, as Slack does.
async fn acknowledged(
    client: Client,
    mut url: watch::Receiver<String>,
    request: SignedRequest,
) -> Result<(), watch::error::RecvError> {
    let mut repetition = 0;
    loop {
        let base = url.borrow_and_update().clone();
        let request = match repetition {
            0 => request.clone(),
            number => request.repeated(number, "http_error"),
        };
        let mut built = client.post(format!("{base}/channels/slack/events"));
        for (name, value) in &request.headers {
            built = built.header(*name, value);
        }
        match built.body(request.body).send().await {
            Ok(reply) => {
                assert!(reply.status().is_success(), "{reply:?}");
                return Ok(());
            }
            // It was killed; the next one listens elsewhere.
            Err(_) => url.changed().await?,
        }
        repetition += 1;
    }
}

/// Waits until no event and no delivery is in work any more.
async fn nothing_more_to_say(database: &Database) {
    let mut look = interval(Duration::from_millis(100));
    let mut connection = database.administrator().await;
    loop {
        look.tick().await;
        let jobs: i64 = sqlx::query_scalar("select count(*) from jobs where kind like 'channel.%'")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        if jobs == 0 {
            return;
        }
    }
}

/// Which message each question was.
async fn numbers(database: &Database) -> HashMap<String, usize> {
    let rows: Vec<(String, String)> = sqlx::query_as("select id::text, text from questions")
        .fetch_all(&mut database.administrator().await)
        .await
        .unwrap();
    rows.into_iter()
        .filter_map(|(id, text)| Some((id, number_of(&text)?)))
        .collect()
}
