//! The job queue on a PostgreSQL of its own: keyed by lane, fair between organisations, commits on disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use amebo_core::Environment;
use amebo_core::organization::Plan;
use amebo_core::permission::{Action, Resource};
use amebo_store::job::{Concurrency, Handler, Lease, NewJob, Outcome, Registry, Settings, Task, Worker};
use amebo_store::managed::{self, Login, Postgres};
use amebo_store::{NewOrganization, NewUser, Permit, Store, StoreConfig};
use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::figure::{Better, Figure};

const ORGANIZATIONS: usize = 50;
const LANES: usize = 20;
const JOBS: usize = 40_000;

#[derive(Serialize, Deserialize)]
struct Nothing {}

impl Task for Nothing {
    const KIND: &'static str = "bench.nothing";
}

struct Count(Arc<AtomicUsize>);

impl Handler for Count {
    type Task = Nothing;

    async fn run(&self, _: Nothing, _: Lease) -> Outcome {
        self.0.fetch_add(1, Ordering::Relaxed);
        Outcome::Done
    }
}

/// Pushes jobs of many organisations and lanes, then has one worker do them all.
pub async fn measure() -> Result<Vec<Figure>> {
    let directory = tempfile::Builder::new()
        .prefix("amebo-bench-")
        .tempdir_in(std::env::temp_dir())?;
    let postgres = Postgres::start(&directory.path().join("postgres"), &managed::Settings::default()).await?;
    amebo_store::migrate(&postgres.connection(Login::Owner)).await?;
    let config = StoreConfig {
        app: postgres.connection(Login::App),
        system: postgres.connection(Login::System),
        max_connections: 16,
    };
    let store = Store::connect(&config, Environment::system()).await?;
    let permits = organizations(&store).await?;

    let started = Instant::now();
    for permit in &permits {
        let mut tx = store.begin(permit).await?;
        let jobs = (0..JOBS / ORGANIZATIONS)
            .map(|n| NewJob::of(&Nothing {}).lane(format!("lane {}", n % LANES)))
            .collect();
        tx.jobs().push_all(jobs).await?;
        tx.commit().await?;
    }
    let pushed = rate(started);

    let done = Arc::new(AtomicUsize::new(0));
    let registry = Registry::default().with(Count(Arc::clone(&done)));
    let settings = Settings {
        concurrency: Concurrency {
            interactive: 100,
            normal: 500,
            bulk: 100,
        },
        ..Settings::default()
    };
    let started = Instant::now();
    Worker::new(store.clone(), registry, settings)
        .run_until_idle()
        .await?;
    let completed = rate(started);
    anyhow::ensure!(
        done.load(Ordering::Relaxed) == JOBS,
        "some jobs were not done exactly once"
    );

    store.close().await;
    postgres.stop().await;
    Ok(vec![
        Figure::new("jobs pushed, 800 a transaction", pushed, "per s", Better::More),
        Figure::new("jobs completed, keyed and fair", completed, "per s", Better::More)
            .target(5_000.0, 10_000.0),
    ])
}

async fn organizations(store: &Store) -> Result<Vec<Permit>> {
    let mut permits = Vec::new();
    for n in 0..ORGANIZATIONS {
        let mut tx = store.begin_system().await?;
        let new = NewUser {
            email: format!("owner{n}@bench.example"),
            name: "Owner".to_owned(),
            password_hash: None,
            is_superadmin: false,
        };
        let owner = tx.users().insert(&new).await?;
        let new = NewOrganization {
            name: format!("Bench {n}"),
            owner,
            plan: Plan::Free,
        };
        let organization = tx.organizations().create(&new).await?;
        let access = tx
            .users()
            .access(owner, organization)
            .await?
            .context("an owner has no access")?;
        tx.commit().await?;
        permits.push(access.permit(Resource::Job, Action::Create)?);
    }
    Ok(permits)
}

fn rate(started: Instant) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a count below 2^52")]
    let jobs = JOBS as f64;
    jobs / started.elapsed().as_secs_f64()
}
