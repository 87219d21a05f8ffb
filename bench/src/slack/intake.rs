//! Events taken in: signature, duplicates, insert and job, on disk before they are acknowledged. The server's workers rest meanwhile, so
//! that the figure is that of taking in alone.

use std::time::Duration;

use amebo_channels::slack::verify;
use amebo_core::Environment;
use amebo_core::permission::Resource;
use amebo_store::Store;
use amebo_store::sealing::Sealer;
use amebo_testkit::{NewWorkspace, connect_workspaces};
use anyhow::{Context as _, Result, ensure};
use secrecy::SecretString;
use serde_json::json;

use super::load::{self, Seen, address};
use super::{bolt, place};
use crate::Options;
use crate::database::organizations;
use crate::figure::{Better, Figure};
use crate::server::Installation;

pub const SECRET: &str = "a signing secret for measurements";
/// Where Slack's events come in.
const DOOR: &str = "/channels/slack/events";
/// Requests under way at a time: as many as are answered within the targets.
const CALLERS: usize = 256;
/// The same when fewer call; `slack_bolt` is fastest then.
const FEW_CALLERS: usize = 64;

/// How often both are measured in turns, so that what else the machine does falls on both alike.
const TURNS: u32 = 3;

/// Takes events in for few workspaces, in turns with `slack_bolt`, and for many.
pub async fn measure(options: &Options) -> Result<Vec<Figure>> {
    let lasting = options.scaled(Duration::from_secs(10), Duration::from_secs(1));
    let (few, many) = (10, options.scaled(10_000, 50));
    let installation = Installation::new(&options.amebo, &options.models)?.with(&[
        ("AMEBO__SLACK__APP__CLIENT_ID", "1.2"),
        ("AMEBO__SLACK__APP__CLIENT_SECRET", "a client secret"),
        ("AMEBO__SLACK__APP__SIGNING_SECRETS", &format!("[\"{SECRET}\"]")),
        ("AMEBO__JOBS__CONCURRENCY__NORMAL", "0"),
    ]);
    let server = installation.start().await?;
    let (store, sealer) = place::open(&installation).await?;
    let bolt = bolt::Bolt::start().await?;
    let (mut crowded, mut quiet, mut bolts, mut spread) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    connect_many(&store, &sealer, 0, few).await?;
    for turn in 0..TURNS {
        let load = |callers, kind| Load {
            callers,
            workspaces: few,
            first: (kind * TURNS + turn) as usize * 1_000_000,
            lasting: lasting / TURNS,
        };
        crowded.push(load(CALLERS, 0).on(server.url(), DOOR).await?);
        quiet.push(load(FEW_CALLERS, 1).on(server.url(), DOOR).await?);
        if let Some(bolt) = &bolt {
            bolts.push(load(FEW_CALLERS, 0).on(bolt.url(), "/slack/events").await?);
        }
    }
    let memory_of_few = server.memory();
    connect_many(&store, &sealer, few, many).await?;
    for turn in 0..TURNS {
        let load = Load {
            callers: CALLERS,
            workspaces: many,
            first: turn as usize * 1_000_000,
            lasting: lasting / TURNS,
        };
        spread.push(load.on(server.url(), DOOR).await?);
    }
    let memory_of_many = server.memory();
    store.close().await;
    server.stop()?;

    let [crowded, quiet, spread] = [crowded, quiet, spread].map(Seen::of);
    let refused = crowded.refused + quiet.refused + spread.refused;
    ensure!(refused == 0, "{refused} events were not accepted");
    let accepted = |workspaces: usize, callers: usize, seen: &Seen| {
        let of = format!("{workspaces} workspaces, {callers} callers");
        let rate = format!("Slack events accepted durably, {of}");
        [
            Figure::new(rate, seen.rate, "per s", Better::More),
            Figure::new(format!("of them p99, {of}"), seen.p99_ms, "ms", Better::Less),
        ]
    };
    let [rate, slowest] = accepted(few, CALLERS, &crowded);
    let mut figures = vec![rate.target(3_000.0, 10_000.0), slowest.target(100.0, 50.0)];
    figures.extend(accepted(few, FEW_CALLERS, &quiet));
    figures.extend(accepted(many, CALLERS, &spread));
    figures.extend([
        Figure::new(
            "rate with many workspaces against 10",
            spread.rate / crowded.rate,
            "×",
            Better::More,
        )
        .target(0.8, 0.95),
        Figure::new("memory with 10 workspaces", memory_of_few, "MiB", Better::Less),
        Figure::new(
            "memory with many workspaces against 10",
            memory_of_many / memory_of_few,
            "×",
            Better::Less,
        )
        .target(2.0, 1.3),
    ]);
    if !bolts.is_empty() {
        let taken = Seen::of(bolts);
        ensure!(taken.refused == 0, "slack_bolt did not accept {}", taken.refused);
        figures.extend([
            Figure::new(
                format!(
                    "the same taken by slack_bolt, async, one worker, empty handler, {FEW_CALLERS} callers"
                ),
                taken.rate,
                "per s",
                Better::More,
            ),
            Figure::new("of them p99", taken.p99_ms, "ms", Better::Less),
            Figure::new(
                "Amebo's rate against that of slack_bolt",
                crowded.rate / taken.rate,
                "×",
                Better::More,
            )
            .target(2.0, 5.0),
        ]);
    }
    Ok(figures)
}

/// Calls with events, numbered from `first` and spread over workspaces.
struct Load {
    callers: usize,
    workspaces: usize,
    first: usize,
    lasting: Duration,
}

impl Load {
    async fn on(self, url: &str, door: &'static str) -> Result<Seen> {
        let environment = Environment::system();
        let secret = SecretString::from(SECRET.to_owned());
        load::run(address(url)?, self.callers, self.lasting, move |number| {
            let time = environment.now().timestamp();
            let body = event(self.workspaces, self.first + number, time);
            let signature = verify::sign(body.as_bytes(), time, &secret);
            let headers = [
                ("content-type", "application/json"),
                (verify::TIMESTAMP, &time.to_string()),
                (verify::SIGNATURE, &signature),
            ];
            load::request("POST", door, &headers, body.as_bytes())
        })
        .await
    }
}

/// Connects workspaces numbered from `from` to `to`, a hundred to an organisation.
async fn connect_many(store: &Store, sealer: &Sealer, from: usize, to: usize) -> Result<()> {
    const OF_ONE: usize = 100;
    let workspaces: Vec<NewWorkspace> = (from..to)
        .map(|number| NewWorkspace {
            account: format!("T{number:08}"),
            token: "xoxb-bench".to_owned(),
            configuration: json!({}),
            app: None,
            by: None,
        })
        .collect();
    for (index, part) in workspaces.chunks(OF_ONE).enumerate() {
        let name = format!("{from}-{index}");
        let permits = organizations(store, &name, 1, Resource::ChannelConnection).await?;
        let permit = permits.first().context("no organisation was made")?;
        connect_workspaces(store, sealer, permit, part).await;
    }
    Ok(())
}

/// The event that somebody said something in a channel, to nobody in particular, as Slack wraps it: about 1.1 KB.
fn event(workspaces: usize, number: usize, time: i64) -> String {
    let (team, micros, channel) = (number % workspaces, number % 1_000_000, number % 97);
    format!(
        r#"{{"token":"deprecated","team_id":"T{team:08}","context_team_id":"T{team:08}","context_enterprise_id":null,"api_app_id":"A0BENCH01","event":{{"type":"message","channel_type":"channel","user":"U0USER001","ts":"{time}.{micros:06}","event_ts":"{time}.{micros:06}","team":"T{team:08}","client_msg_id":"11111111-2222-4333-8444-{number:012}","channel":"C{channel:08}","text":"The deployment went out this morning; dashboards look calm and nobody has complained so far.","blocks":[{{"type":"rich_text","block_id":"x","elements":[{{"type":"rich_text_section","elements":[{{"type":"text","text":"The deployment went out this morning; dashboards look calm and nobody has complained so far."}}]}}]}}]}},"type":"event_callback","event_id":"Ev{workspaces}-{number:010}","event_time":{time},"authorizations":[{{"enterprise_id":null,"team_id":"T{team:08}","user_id":"U0BOT0001","is_bot":true,"is_enterprise_install":false}}],"is_ext_shared_channel":false,"event_context":"4-bench"}}"#
    )
}
