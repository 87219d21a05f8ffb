//! One workspace in which everything fails: what the others notice of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use amebo_testkit::slack::Fault;
use anyhow::Result;
use tokio::time::{MissedTickBehavior, interval};

use super::place::{Place, send};
use super::reply::{furnish, mention, replied};
use crate::Options;
use crate::figure::{Better, Figure, percentile};
use crate::server::client;
use crate::text::question;

/// Workspaces that are well.
const OTHERS: usize = 9;
/// Channels of each workspace.
const CHANNELS: usize = 20;
/// One mention in each workspace this often.
const EVERY: Duration = Duration::from_secs(1);
const SICK: &str = "T0SICK000";

/// How often it is measured in turns, so that what else the machine does falls on all alike.
const TURNS: usize = 3;

/// Mentions Amebo in all workspaces, while one of them answers, wants Amebo to wait, and does not answer at all.
pub async fn measure(options: &Options) -> Result<Vec<Figure>> {
    let rounds = options.scaled(20, 2);
    let place = Place::start(options, &[], options.scaled(100, 20)).await?;
    for team in (0..OTHERS).map(team).chain([SICK.to_owned()]) {
        place.add_workspace(&team).await;
        furnish(&place.fake, &team, CHANNELS);
    }
    // Who is in the channels is looked up for the first time.
    others(&place, CHANNELS.min(rounds)).await?;
    let (mut well, mut waiting, mut silent) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        well.extend(others(&place, rounds).await?);
        for (times, fault) in [
            (&mut waiting, Fault::RateLimited(30)),
            (&mut silent, Fault::Silent),
        ] {
            place.fake.fail_account(SICK, fault);
            times.extend(others(&place, rounds).await?);
            place.fake.heal();
        }
    }
    place.stop().await?;
    let well = percentile(&mut well, 0.95);
    let mut figures = vec![Figure::new(
        "Slack mention to reply beside other workspaces that are well, p95",
        well,
        "ms",
        Better::Less,
    )];
    for (name, mut times) in [
        ("is told to wait 30 s (429)", waiting),
        ("gets no answer", silent),
    ] {
        let beside = percentile(&mut times, 0.95);
        figures.push(Figure::new(
            format!("the same beside a workspace that {name}, p95"),
            beside,
            "ms",
            Better::Less,
        ));
        figures.push(Figure::new("of that without", beside / well, "×", Better::Less).target(1.5, 1.1));
    }
    Ok(figures)
}

fn team(number: usize) -> String {
    format!("T0WELL{number:03}")
}

/// Mentions Amebo so often in every workspace; how long replies took in those that are well.
async fn others(place: &Place, rounds: usize) -> Result<Vec<Duration>> {
    let client = client()?;
    let mut tasks = tokio::task::JoinSet::new();
    let mut tick = interval(EVERY / u32::try_from(OTHERS + 1)?);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for round in 0..rounds {
        for number in 0..OTHERS {
            tick.tick().await;
            let mention = mention(
                &place.fake,
                &team(number),
                round % CHANNELS,
                &question((round + number) % 20),
            );
            let (client, fake) = (client.clone(), Arc::clone(&place.fake));
            let url = place.server.url().to_owned();
            tasks.spawn(async move {
                let began = Instant::now();
                replied(&client, &url, &fake, mention).await?;
                Ok::<_, anyhow::Error>(began.elapsed())
            });
        }
        tick.tick().await;
        let sick = mention(&place.fake, SICK, round % CHANNELS, &question(round % 20));
        send(&client, place.server.url(), sick.request()).await?;
    }
    let mut times = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        times.push(ended??);
    }
    Ok(times)
}
