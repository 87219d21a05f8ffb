//! Events of Slack taken in by a server as people run it: signature, duplicates, insert and job, on disk before they are acknowledged.
//!
//! The load comes from this process, over loopback, on the same machine as the server and its PostgreSQL. The server's workers rest while
//! events are taken in, so that the figure is that of taking in alone.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use amebo_channels::slack::verify;
use amebo_core::Environment;
use amebo_core::channel::ChannelKind;
use amebo_core::id::ChannelConnectionId;
use amebo_core::permission::{Action, Resource};
use amebo_store::channel_connection::Connected;
use amebo_store::managed::{Login, Postgres};
use amebo_store::sealing::{CONNECTION_CREDENTIALS, MasterKeys, Sealer};
use amebo_store::{Permit, Store, StoreConfig};
use amebo_testkit::FakeSlack;
use amebo_testkit::slack::{Ids, SignedRequest};
use anyhow::{Context as _, Result, bail, ensure};
use reqwest::Client;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::database::organizations;
use crate::figure::{Better, Figure, percentile};
use crate::questions;
use crate::server::{Installation, client};
use crate::text::question;

const SECRET: &str = "a signing secret for measurements";
/// Requests under way at a time.
const CALLERS: usize = 64;
/// For how long each load lasts.
const LASTING: Duration = Duration::from_secs(10);
/// How many workspaces there are, few and many.
const WORKSPACES: [usize; 2] = [10, 10_000];

/// Texts to answer from, ten passages each.
const DOCUMENTS: usize = 1_000;
/// How many mentions are answered, one after the other.
const MENTIONS: usize = 200;
/// In how many channels they are said: Slack takes one message a second in each.
const CHANNELS: usize = 40;
/// How long a reply is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Takes events in for ten workspaces and for ten thousand; then answers mentions.
pub async fn measure(amebo: &Path, models: &Path) -> Result<Vec<Figure>> {
    let mut figures = take_in(amebo, models).await?;
    figures.extend(answer(amebo, models).await?);
    Ok(figures)
}

/// From the request that brings a mention until the reply stands in the channel of a Slack in this process.
async fn answer(amebo: &Path, models: &Path) -> Result<Vec<Figure>> {
    let fake = FakeSlack::start(Environment::system()).await;
    let app = fake.world().app();
    let host = fake.url().trim_start_matches("http://").to_owned();
    let installation = Installation::new(amebo, models)?.with(&[
        ("AMEBO__SLACK__API__API_BASE", &format!("{}/api/", fake.url())),
        ("AMEBO__OUTBOUND__ALLOW", &format!("[\"{host}\"]")),
        ("AMEBO__SLACK__APP__CLIENT_ID", &app.client_id),
        ("AMEBO__SLACK__APP__CLIENT_SECRET", &app.client_secret),
        (
            "AMEBO__SLACK__APP__SIGNING_SECRETS",
            &format!("[\"{}\"]", app.signing_secret),
        ),
    ]);
    let server = Arc::new(installation.start().await?);
    let base = server.knowledge_base("Bench").await?;
    questions::upload(&server, &base, 0..DOCUMENTS).await?;
    server.settled(&base, Duration::from_mins(20)).await?;
    let (store, sealer) = open(&installation).await?;
    let mut tx = store.begin_system().await?;
    let owner = tx
        .users()
        .first_superadmin()
        .await?
        .context("nobody owns the server")?;
    let place = tx
        .users()
        .memberships(owner.id)
        .await?
        .pop()
        .context("the owner belongs nowhere")?;
    tx.commit().await?;
    let access = store
        .access_of_user(owner.id, place.organization)
        .await?
        .context("the owner has no access")?;
    let permit = access.permit(Resource::ChannelConnection, Action::Create)?;
    let facts = json!({ "team_id": Ids::TEAM, "bot_user_id": Ids::BOT_USER });
    let settings = json!({ "people_are_colleagues": true });
    let workspace = [(Ids::TEAM.to_owned(), Ids::TOKEN)];
    connect(&store, &sealer, &permit, &workspace, (&settings, &facts)).await?;
    fake.world()
        .set_member(Ids::TEAM, Ids::GENERAL, Ids::BOT_USER, true);
    let mut times = Vec::with_capacity(MENTIONS);
    for number in 0..MENTIONS {
        let place = channel(number % CHANNELS);
        let (thread, request) = {
            let mut world = fake.world();
            let text = format!("<@{}> {}", Ids::BOT_USER, question(number * 5 % DOCUMENTS));
            let said = world.say(Ids::TEAM, &place, Ids::USER, &text, None);
            let event = world.message_event(Ids::TEAM, &place, &said, true);
            drop(world);
            (said["ts"].clone(), fake.signed_json(&event))
        };
        times.push(reply_time(server.url(), &fake, &place, &thread, request).await?);
    }
    store.close().await;
    drop(server);
    Ok(vec![
        Figure::new(
            "Slack mention to reply, extractive, 10,000 passages, p50",
            percentile(&mut times, 0.5),
            "ms",
            Better::Less,
        ),
        Figure::new(
            "Slack mention to reply, extractive, 10,000 passages, p95",
            percentile(&mut times, 0.95),
            "ms",
            Better::Less,
        )
        .target(400.0, 150.0),
    ])
}

fn channel(number: usize) -> String {
    format!("C{number:08}")
}

async fn reply_time(
    url: &str,
    fake: &FakeSlack,
    place: &str,
    thread: &Value,
    request: SignedRequest,
) -> Result<Duration> {
    let mut built = client()?.post(format!("{url}/channels/slack/events"));
    for (name, value) in &request.headers {
        built = built.header(*name, value);
    }
    let began = Instant::now();
    let heard = built.body(request.body).send().await?;
    ensure!(heard.status().is_success(), "a mention was not accepted");
    while began.elapsed() < PATIENCE {
        let replied = fake
            .world()
            .messages(Ids::TEAM, place)
            .iter()
            .any(|message| message["thread_ts"] == *thread);
        if replied {
            return Ok(began.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    bail!("a mention was not answered within {} s", PATIENCE.as_secs())
}

/// The database of a running installation, and what seals its secrets.
async fn open(installation: &Installation) -> Result<(Store, Sealer)> {
    let postgres = Postgres::attach(&installation.data().join("postgres")).await?;
    let config = StoreConfig {
        app: postgres.connection(Login::App),
        system: postgres.connection(Login::System),
        max_connections: 8,
    };
    let store = Store::connect(&config, Environment::system()).await?;
    let keys = MasterKeys::File(installation.data().join("master.keys"));
    let sealer = Sealer::open(&store, keys)?;
    Ok((store, sealer))
}

/// Takes events in for ten workspaces and for ten thousand.
async fn take_in(amebo: &Path, models: &Path) -> Result<Vec<Figure>> {
    let installation = Installation::new(amebo, models)?.with(&[
        ("AMEBO__SLACK__APP__CLIENT_ID", "1.2"),
        ("AMEBO__SLACK__APP__CLIENT_SECRET", "a client secret"),
        ("AMEBO__SLACK__APP__SIGNING_SECRETS", &format!("[\"{SECRET}\"]")),
        ("AMEBO__JOBS__CONCURRENCY__NORMAL", "0"),
    ]);
    let server = installation.start().await?;
    let (store, sealer) = open(&installation).await?;
    let mut figures = Vec::new();
    let (mut connected, mut rates, mut memory) = (0, Vec::new(), Vec::new());
    for workspaces in WORKSPACES {
        connect_many(&store, &sealer, connected, workspaces).await?;
        connected = workspaces;
        let load = Arc::new(Load::new(server.url(), workspaces)?);
        let taken = Arc::clone(&load).run().await?;
        ensure!(
            load.refused.load(Ordering::Relaxed) == 0,
            "some events were not accepted"
        );
        let rate = taken.count / taken.seconds;
        let mut rate_figure = Figure::new(
            format!("Slack events accepted durably, {workspaces} workspaces"),
            rate,
            "per s",
            Better::More,
        );
        let mut slowest = Figure::new(
            format!("of them p99, {workspaces} workspaces"),
            taken.p99_ms,
            "ms",
            Better::Less,
        );
        if workspaces == WORKSPACES[0] {
            rate_figure = rate_figure.target(3_000.0, 10_000.0);
            slowest = slowest.target(100.0, 50.0);
        }
        figures.extend([rate_figure, slowest]);
        rates.push(rate);
        memory.push(server.memory());
    }
    figures.push(
        Figure::new(
            "rate with 10,000 workspaces against 10",
            rates[1] / rates[0],
            "×",
            Better::More,
        )
        .target(0.8, 0.95),
    );
    figures.push(
        Figure::new(
            "memory with 10,000 workspaces against 10",
            memory[1] / memory[0],
            "×",
            Better::Less,
        )
        .target(2.0, 1.3),
    );
    store.close().await;
    server.stop()?;
    Ok(figures)
}

/// Connects workspaces numbered from `from` to `to`, a hundred to an organisation.
async fn connect_many(store: &Store, sealer: &Sealer, from: usize, to: usize) -> Result<()> {
    const OF_ONE: usize = 100;
    let accounts: Vec<(String, &str)> = (from..to)
        .map(|number| (format!("T{number:08}"), "xoxb-bench"))
        .collect();
    for (index, part) in accounts.chunks(OF_ONE).enumerate() {
        let permits =
            organizations(store, &format!("{from}-{index}"), 1, Resource::ChannelConnection).await?;
        let permit = permits.first().context("no organisation was made")?;
        connect(store, sealer, permit, part, (&json!({}), &json!({}))).await?;
    }
    Ok(())
}

/// Connects workspaces, each with its token, to one organisation.
async fn connect(
    store: &Store,
    sealer: &Sealer,
    permit: &Permit,
    accounts: &[(String, &str)],
    (settings, facts): (&Value, &Value),
) -> Result<()> {
    let mut tx = store.begin(permit).await?;
    for (account, token) in accounts {
        let id: ChannelConnectionId = store.environment().id();
        let tokens = json!({ "access_token": token }).to_string();
        let credentials = tx
            .secrets(sealer)
            .seal(CONNECTION_CREDENTIALS.row(id), tokens.as_bytes())
            .await?;
        tx.channel_connections()
            .insert(id, ChannelKind::Slack, account, None, settings)
            .await?;
        let connected = Connected {
            account: account.clone(),
            display_name: account.clone(),
            app_id: None,
            credentials,
            scopes: Vec::new(),
            token_expires_at: None,
            facts: facts.clone(),
            by: None,
        };
        tx.channel_connections().connect(id, &connected).await?;
    }
    Ok(tx.commit().await?)
}

/// Many callers at once.
struct Load {
    client: Client,
    url: String,
    workspaces: usize,
    secret: SecretString,
    number: AtomicUsize,
    refused: AtomicUsize,
}

/// What came of it.
struct Taken {
    count: f64,
    seconds: f64,
    p99_ms: f64,
}

impl Load {
    fn new(url: &str, workspaces: usize) -> Result<Self> {
        Ok(Self {
            client: client()?,
            url: format!("{url}/channels/slack/events"),
            workspaces,
            secret: SECRET.to_owned().into(),
            number: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
        })
    }

    async fn run(self: Arc<Self>) -> Result<Taken> {
        let started = Instant::now();
        let mut callers = tokio::task::JoinSet::new();
        for _ in 0..CALLERS {
            callers.spawn(Arc::clone(&self).call_until(started + LASTING));
        }
        let mut times: Vec<Duration> = Vec::new();
        while let Some(ended) = callers.join_next().await {
            times.extend(ended??);
        }
        let seconds = started.elapsed().as_secs_f64();
        times.sort_unstable();
        let slowest = times
            .get(times.len().saturating_mul(99) / 100)
            .context("nothing was accepted")?;
        Ok(Taken {
            count: f64::from(u32::try_from(times.len())?),
            seconds,
            p99_ms: slowest.as_secs_f64() * 1_000.0,
        })
    }

    async fn call_until(self: Arc<Self>, end: Instant) -> Result<Vec<Duration>> {
        let environment = Environment::system();
        let mut times = Vec::new();
        while Instant::now() < end {
            let number = self.number.fetch_add(1, Ordering::Relaxed);
            let time = environment.now().timestamp();
            let body = event(self.workspaces, number, time);
            let signature = verify::sign(body.as_bytes(), time, &self.secret);
            let request = self
                .client
                .post(&self.url)
                .header("content-type", "application/json")
                .header(verify::TIMESTAMP, time.to_string())
                .header(verify::SIGNATURE, signature)
                .body(body);
            let began = Instant::now();
            let reply = request.send().await?;
            let accepted = reply.status().is_success();
            reply.bytes().await?;
            if accepted {
                times.push(began.elapsed());
            } else {
                self.refused.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(times)
    }
}

fn event(workspaces: usize, number: usize, time: i64) -> String {
    let team = format!("T{:08}", number % workspaces);
    let ts = format!("{time}.{:06}", number % 1_000_000);
    json!({
        "token": "deprecated", "team_id": team, "context_team_id": team, "context_enterprise_id": null, "api_app_id": "A0BENCH01",
        "event": {
            "type": "message", "channel_type": "channel", "user": "U0USER001", "ts": ts, "event_ts": ts, "team": team,
            "client_msg_id": format!("11111111-2222-4333-8444-{number:012}"), "channel": format!("C{:08}", number % 97),
            "text": "The deployment went out this morning; dashboards look calm and nobody has complained so far.",
            "blocks": [{ "type": "rich_text", "block_id": "x", "elements": [] }],
        },
        "type": "event_callback", "event_id": format!("Ev{workspaces}-{number:010}"), "event_time": time,
        "authorizations": [{ "enterprise_id": null, "team_id": team, "user_id": "U0BOT0001", "is_bot": true, "is_enterprise_install": false }],
        "is_ext_shared_channel": false, "event_context": "4-bench",
    })
    .to_string()
}
