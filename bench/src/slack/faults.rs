//! Thousands of messages while Slack fails at random, events come twice and in another order, and server and database are killed: each
//! message ends in exactly one visible outcome, and each conversation in its order.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use amebo_core::Environment;
use amebo_core::permission::{Action, Resource};
use amebo_testkit::slack::storm::{Reckoning, Talk, number_of};
use amebo_testkit::slack::{SignedRequest, World};
use amebo_testkit::{FakeSlack, first_owner};
use anyhow::{Context as _, Result, ensure};
use reqwest::Client;
use tokio::sync::watch;

use super::place::{Place, open, send};
use crate::Options;
use crate::figure::{Better, Figure};
use crate::server::{Installation, client};
use crate::text::question;

/// The share of calls to Slack that fail.
const SHARE: f64 = 0.1;
/// Documents that questions are about.
const DOCUMENTS: usize = 50;
const TEAMS: usize = 10;
/// How long everything may take.
const PATIENCE: Duration = Duration::from_mins(30);

/// Lets the storm pass, and counts.
pub async fn measure(options: &Options) -> Result<Vec<Figure>> {
    let (talks, each) = options.scaled((500, 10), (20, 5));
    let total = talks * each;
    let silence = ("AMEBO__SLACK__API__TIMEOUT_SECONDS", "3");
    let place = Place::start(options, &[silence], DOCUMENTS).await?;
    for team in 0..TEAMS {
        place.add_workspace(&format!("T0STORM{team:02}")).await;
    }
    let Place {
        fake,
        installation,
        server,
        store,
        ..
    } = place;
    store.close().await;
    fake.fail_often(SHARE);
    let mut server = Arc::into_inner(server).context("the server is used already")?;
    let (tell, url) = watch::channel(server.url().to_owned());
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..talks {
        let mut talk = Talk::begin(&fake, &format!("T0STORM{:02}", number % TEAMS), number);
        let (fake, url, client) = (Arc::clone(&fake), url.clone(), client()?);
        tasks.spawn(async move {
            let environment = Environment::system();
            let numbers = number * each..(number + 1) * each;
            let text = |entry| question(entry % DOCUMENTS);
            talk.say(&fake, &environment, numbers, text, |request| {
                acknowledged(client.clone(), url.clone(), request)
            })
            .await?;
            Ok::<_, anyhow::Error>(talk)
        });
    }
    // Both times in the middle of it: after a fifth of the outcomes, and after half of them.
    for after in [total / 5, total / 2] {
        let posted = fake.until(|world| (posts(world) >= after).then_some(()));
        tokio::time::timeout(PATIENCE, posted).await?;
        server.kill()?;
        server = installation.start().await?;
        tell.send_replace(server.url().to_owned());
    }
    let mut storm = Vec::with_capacity(talks);
    while let Some(ended) = tasks.join_next().await {
        storm.push(ended??);
    }
    let came = fake.until(|world| {
        let outcomes: usize = storm.iter().map(|talk| talk.outcomes(world).len()).sum();
        (outcomes >= total).then_some(())
    });
    // When something is missing for good, the count below says so.
    let all_came = tokio::time::timeout(PATIENCE, came).await.is_ok();
    let took = started.elapsed().as_secs_f64();
    if all_came {
        settled(&installation).await?;
    }
    let numbers = numbers(&installation, &storm, &fake).await?;
    let reckoning: Reckoning = {
        let world = fake.world();
        storm.iter().map(|talk| talk.reckon(&world, &numbers)).sum()
    };
    server.stop()?;
    ensure!(reckoning.said == total, "only {} were heard", reckoning.said);
    figures(&reckoning, took)
}

fn figures(reckoning: &Reckoning, took: f64) -> Result<Vec<Figure>> {
    let count = |count: usize| u32::try_from(count).map(f64::from);
    let faulty = |name: &str, value: usize| {
        Ok::<_, anyhow::Error>(Figure::new(name, count(value)?, "", Better::Less).target(0.0, 0.0))
    };
    Ok(vec![
        Figure::new(
            "messages to Amebo while Slack fails, events come twice and server and database are killed twice",
            count(reckoning.said)?,
            "",
            Better::More,
        ),
        faulty("of them without an outcome", reckoning.missing)?,
        faulty("outcomes too many", reckoning.surplus)?,
        faulty(
            "outcomes out of their conversation's order",
            reckoning.out_of_order,
        )?,
        Figure::new(
            "outcomes that are apologies or the like",
            count(reckoning.unnamed)?,
            "",
            Better::Less,
        ),
        Figure::new("all of it", took, "s", Better::Less),
    ])
}

/// Sends a request until a server acknowledges it, as Slack does.
async fn acknowledged(
    client: Client,
    mut url: watch::Receiver<String>,
    request: SignedRequest,
) -> Result<()> {
    let mut attempt = 0;
    loop {
        let base = url.borrow_and_update().clone();
        let request = match attempt {
            0 => request.clone(),
            attempt => request.repeated(attempt, "http_error"),
        };
        if send(&client, &base, &request)
            .await
            .is_ok_and(|status| status.is_success())
        {
            return Ok(());
        }
        attempt += 1;
        // The next server has another address; one that is only busy has the same.
        let _ = tokio::time::timeout(Duration::from_millis(500), url.changed()).await;
    }
}

fn posts(world: &World) -> usize {
    let posted = world
        .calls
        .iter()
        .filter(|call| call.method == "chat.postMessage" && call.error.is_none());
    posted.count()
}

/// Waits until the queue is empty, so that nothing more will be said.
async fn settled(installation: &Installation) -> Result<()> {
    let (store, _) = open(installation).await?;
    let started = Instant::now();
    loop {
        let mut tx = store.begin_system().await?;
        let open: i64 = tx.queue().depth().await?.iter().map(|(_, _, count)| count).sum();
        tx.commit().await?;
        if open == 0 || started.elapsed() > PATIENCE {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    store.close().await;
    Ok(())
}

/// Which message each answered question was.
async fn numbers(
    installation: &Installation,
    storm: &[Talk],
    fake: &FakeSlack,
) -> Result<HashMap<String, usize>> {
    let ids: Vec<String> = {
        let world = fake.world();
        storm
            .iter()
            .flat_map(|talk| talk.outcomes(&world))
            .flatten()
            .collect()
    };
    let (store, _) = open(installation).await?;
    let owner = first_owner(&store).await;
    let permit = owner.permit(Resource::Transcript, Action::Read)?;
    let mut numbers = HashMap::with_capacity(ids.len());
    let mut tx = store.begin(&permit).await?;
    for id in ids {
        let question = tx.questions().by_id(id.parse()?, owner.reader()).await?;
        let number = question.and_then(|question| number_of(&question.text));
        numbers.insert(id, number.context("a reply is to no question of the storm's")?);
    }
    tx.commit().await?;
    store.close().await;
    Ok(numbers)
}
