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
use amebo_core::permission::Resource;
use amebo_store::channel_connection::Connected;
use amebo_store::managed::{Login, Postgres};
use amebo_store::sealing::{CONNECTION_CREDENTIALS, MasterKeys, Sealer};
use amebo_store::{Store, StoreConfig};
use anyhow::{Context as _, Result, ensure};
use reqwest::Client;
use secrecy::SecretString;
use serde_json::json;

use crate::database::organizations;
use crate::figure::{Better, Figure};
use crate::server::{Installation, client};

const SECRET: &str = "a signing secret for measurements";
/// Requests under way at a time.
const CALLERS: usize = 64;
/// For how long each load lasts.
const LASTING: Duration = Duration::from_secs(10);
/// How many workspaces there are, few and many.
const WORKSPACES: [usize; 2] = [10, 10_000];

/// Takes events in for ten workspaces and for ten thousand.
pub async fn measure(amebo: &Path, models: &Path) -> Result<Vec<Figure>> {
    let installation = Installation::new(amebo, models)?.with(&[
        ("AMEBO__SLACK__APP__CLIENT_ID", "1.2"),
        ("AMEBO__SLACK__APP__CLIENT_SECRET", "a client secret"),
        ("AMEBO__SLACK__APP__SIGNING_SECRETS", &format!("[\"{SECRET}\"]")),
        ("AMEBO__JOBS__CONCURRENCY__NORMAL", "0"),
    ]);
    let server = installation.start().await?;
    let postgres = Postgres::attach(&installation.data().join("postgres")).await?;
    let config = StoreConfig {
        app: postgres.connection(Login::App),
        system: postgres.connection(Login::System),
        max_connections: 8,
    };
    let store = Store::connect(&config, Environment::system()).await?;
    let keys = MasterKeys::File(installation.data().join("master.keys"));
    let sealer = Sealer::open(&store, keys)?;
    let mut figures = Vec::new();
    let (mut connected, mut rates, mut memory) = (0, Vec::new(), Vec::new());
    for workspaces in WORKSPACES {
        connect(&store, &sealer, connected, workspaces).await?;
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
async fn connect(store: &Store, sealer: &Sealer, from: usize, to: usize) -> Result<()> {
    const OF_ONE: usize = 100;
    let numbers: Vec<usize> = (from..to).collect();
    for (index, part) in numbers.chunks(OF_ONE).enumerate() {
        let permits =
            organizations(store, &format!("{from}-{index}"), 1, Resource::ChannelConnection).await?;
        let permit = permits.first().context("no organisation was made")?;
        let mut tx = store.begin(permit).await?;
        for number in part {
            let id: ChannelConnectionId = store.environment().id();
            let account = format!("T{number:08}");
            let credentials = tx
                .secrets(sealer)
                .seal(
                    CONNECTION_CREDENTIALS.row(id),
                    b"{\"access_token\":\"xoxb-bench\"}",
                )
                .await?;
            tx.channel_connections()
                .insert(id, ChannelKind::Slack, &account, None, &json!({}))
                .await?;
            let connected = Connected {
                display_name: account.clone(),
                account,
                app_id: None,
                credentials,
                scopes: Vec::new(),
                token_expires_at: None,
                facts: json!({}),
                by: None,
            };
            tx.channel_connections().connect(id, &connected).await?;
        }
        tx.commit().await?;
    }
    Ok(())
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
