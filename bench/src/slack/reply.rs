//! From the request that brings a mention until the reply stands in the channel.

use std::time::{Duration, Instant};

use amebo_testkit::FakeSlack;
use amebo_testkit::slack::{Ids, SignedRequest};
use anyhow::{Context as _, Result, ensure};
use reqwest::Client;

use super::place::{Place, send};
use crate::Options;
use crate::figure::{Better, Figure, percentile};
use crate::server::client;
use crate::text::question;

/// In how many channels people mention Amebo: Slack takes one message a second in each.
const CHANNELS: usize = 40;
/// How long a reply is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// The workspace in which they do.
const TEAM: &str = "T0BENCH00";

/// Mentions Amebo, once the reply to the mention before has come.
pub async fn measure(options: &Options) -> Result<Vec<Figure>> {
    let (documents, mentions) = options.scaled((1_000, 400), (20, 20));
    let place = Place::start(options, &[], documents).await?;
    place.add_workspace(TEAM).await;
    furnish(&place.fake, TEAM, CHANNELS);
    let client = client()?;
    let mut times = Vec::with_capacity(mentions);
    for number in 0..mentions {
        let mention = mention(
            &place.fake,
            TEAM,
            number % CHANNELS,
            &question(number * 7 % documents),
        );
        let began = Instant::now();
        replied(&client, place.server.url(), &place.fake, mention).await?;
        times.push(began.elapsed());
    }
    place.stop().await?;
    let passages = documents * 10;
    Ok(vec![
        Figure::new(
            format!("Slack mention to reply, extractive, {passages} passages, p50"),
            percentile(&mut times, 0.5),
            "ms",
            Better::Less,
        ),
        Figure::new(
            format!("Slack mention to reply, extractive, {passages} passages, p95"),
            percentile(&mut times, 0.95),
            "ms",
            Better::Less,
        )
        .target(400.0, 150.0),
    ])
}

/// A mention that was said but not heard of yet.
pub struct Mention {
    team: String,
    channel: String,
    thread: String,
    request: SignedRequest,
}

impl Mention {
    /// What Slack sends of it.
    pub fn request(&self) -> &SignedRequest {
        &self.request
    }
}

/// Adds somebody, and channels with them and the app in it.
pub fn furnish(fake: &FakeSlack, team: &str, channels: usize) {
    let mut world = fake.world();
    world.add_user(team, Ids::USER, "ada", "ada@bench.example");
    for number in 0..channels {
        let members = [Ids::USER, Ids::BOT_USER];
        world.add_channel(
            team,
            &channel(number),
            &format!("channel{number}"),
            false,
            &members,
        );
    }
}

fn channel(number: usize) -> String {
    format!("C{number:08}")
}

/// Has somebody mention the app in a channel.
pub fn mention(fake: &FakeSlack, team: &str, place: usize, question: &str) -> Mention {
    let channel = channel(place);
    let mut world = fake.world();
    let text = format!("<@{}> {question}", Ids::BOT_USER);
    let said = world.say(team, &channel, Ids::USER, &text, None);
    let event = world.message_event(team, &channel, &said, true);
    drop(world);
    Mention {
        team: team.to_owned(),
        channel,
        thread: said["ts"].as_str().unwrap_or_default().to_owned(),
        request: fake.signed_json(&event),
    }
}

/// Tells the server of a mention, and waits until the reply is there.
pub async fn replied(client: &Client, url: &str, fake: &FakeSlack, mention: Mention) -> Result<()> {
    let heard = send(client, url, &mention.request).await?;
    ensure!(heard.is_success(), "a mention was not accepted ({heard})");
    let reply = fake.until(|world| {
        let parent = world.message(&mention.team, &mention.channel, &mention.thread);
        parent["reply_count"].is_u64().then_some(())
    });
    tokio::time::timeout(PATIENCE, reply)
        .await
        .with_context(|| format!("a mention was not answered within {} s", PATIENCE.as_secs()))
}
