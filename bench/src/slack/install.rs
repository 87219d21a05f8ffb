//! Workspaces connected by OAuth: begun on Amebo's page, granted in Slack, finished by the browser that comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use amebo_core::organization::Plan;
use amebo_store::{NewOrganization, Store};
use amebo_testkit::FakeSlack;
use amebo_testkit::slack::InstallAs;
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::load::{Connection, address, request};
use super::place::Place;
use crate::Options;
use crate::figure::{Better, Figure, percentile};

/// Administrators at work at a time, each in an organisation of their own.
const CALLERS: usize = 32;
const OWNER: &str = "owner@bench.example";

/// Connects workspaces until so many are.
pub async fn measure(options: &Options) -> Result<Vec<Figure>> {
    let count = options.scaled(5_000, 100);
    let mut place = Place::start(options, &[], 0).await?;
    let server = Arc::get_mut(&mut place.server).context("the server is used already")?;
    server.sign_up(OWNER).await?;
    let key = server.key().to_owned();
    for number in 0..count {
        place.fake.world().add_team(&team(number), "Bench", None);
    }
    let begun = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for caller in 0..CALLERS {
        let administrator = Administrator {
            connection: Connection::open(address(place.server.url())?).await?,
            fake: Arc::clone(&place.fake),
            organization: organization(&place.store, caller).await?,
            key: key.clone(),
        };
        tasks.spawn(administrator.connect_until(Arc::clone(&begun), count));
    }
    let mut times = Vec::with_capacity(count);
    while let Some(ended) = tasks.join_next().await {
        times.extend(ended??);
    }
    let took = started.elapsed().as_secs_f64();
    ensure!(times.len() == count, "some installations are missing");
    place.stop().await?;
    Ok(vec![
        Figure::new(
            "Slack installations completed",
            f64::from(u32::try_from(count)?) / took,
            "per s",
            Better::More,
        )
        .target(300.0, 1_000.0),
        Figure::new("of them p95", percentile(&mut times, 0.95), "ms", Better::Less),
    ])
}

fn team(number: usize) -> String {
    format!("T{number:08}")
}

/// An organisation of the owner's.
async fn organization(store: &Store, number: usize) -> Result<String> {
    let mut tx = store.begin_system().await?;
    let owner = tx
        .users()
        .by_email(OWNER)
        .await?
        .context("the owner is missing")?;
    let new = NewOrganization {
        name: format!("Bench {number}"),
        owner: owner.id,
        plan: Plan::Enterprise,
    };
    let organization = tx.organizations().create(&new).await?;
    tx.commit().await?;
    Ok(organization.to_string())
}

struct Administrator {
    connection: Connection,
    fake: Arc<FakeSlack>,
    organization: String,
    key: String,
}

impl Administrator {
    async fn connect_until(mut self, begun: Arc<AtomicUsize>, count: usize) -> Result<Vec<Duration>> {
        let mut times = Vec::new();
        loop {
            let number = begun.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return Ok(times);
            }
            let started = Instant::now();
            self.connect(&team(number)).await?;
            times.push(started.elapsed());
        }
    }

    async fn connect(&mut self, team: &str) -> Result<()> {
        let path = format!(
            "/api/v1/organizations/{}/channel-connections/slack/installations",
            self.organization
        );
        let bearer = format!("Bearer {}", self.key);
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
        ];
        let begun = self
            .connection
            .exchange(&request("POST", &path, &headers, b"{}"))
            .await?;
        ensure!(
            begun.status == 201,
            "an installation could not begin ({}): {}",
            begun.status,
            String::from_utf8_lossy(&begun.body)
        );
        let cookie = begun
            .header("set-cookie")
            .and_then(|cookie| cookie.split(';').next())
            .context("no cookie was set")?
            .to_owned();
        let page: Value = serde_json::from_slice(&begun.body)?;
        let page = reqwest::Url::parse(page["authorize_url"].as_str().unwrap_or_default())?;
        let query = |name: &str| {
            page.query_pairs()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
                .with_context(|| format!("Slack's page is called without {name}"))
        };
        let scopes = query("scope")?;
        let scopes: Vec<&str> = scopes.split(',').collect();
        let install = InstallAs::Workspace(team.to_owned());
        let code = self
            .fake
            .world()
            .grant_code(&query("client_id")?, &scopes, install);
        let path = format!("/channels/slack/callback?code={code}&state={}", query("state")?);
        let finished = self
            .connection
            .exchange(&request("GET", &path, &[("cookie", &cookie)], b""))
            .await?;
        ensure!(
            finished.status == 303,
            "an installation was not finished ({}): {}",
            finished.status,
            String::from_utf8_lossy(&finished.body)
        );
        Ok(())
    }
}
