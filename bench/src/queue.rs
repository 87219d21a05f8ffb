//! The job queue on a PostgreSQL of its own: keyed by lane, fair between organisations, commits on disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use amebo_core::permission::Resource;
use amebo_store::job::{Concurrency, Handler, Lease, NewJob, Outcome, Registry, Settings, Task, Worker};
use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::database::{Database, organizations};
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
    let database = Database::start().await?;
    let store = &database.store;
    let permits = organizations(store, "queue", ORGANIZATIONS, Resource::Job).await?;

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

    database.stop().await;
    Ok(vec![
        Figure::new("jobs pushed, 800 a transaction", pushed, "per s", Better::More),
        Figure::new("jobs completed, keyed and fair", completed, "per s", Better::More)
            .target(5_000.0, 10_000.0),
    ])
}

fn rate(started: Instant) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a count below 2^52")]
    let jobs = JOBS as f64;
    jobs / started.elapsed().as_secs_f64()
}
