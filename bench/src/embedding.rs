//! The local embedding model alone: its rate over passages and its time for one question.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use amebo_knowledge::embed::local::LocalEmbedder;
use amebo_knowledge::embed::{Embedder as _, Purpose};
use amebo_knowledge::models::local_default;
use anyhow::{Context as _, Result};
use tokio::task::JoinSet;

use crate::figure::{Better, Figure, percentile};

/// About 700 characters, as a passage is.
const PASSAGE: &str = "Riders bring the bicycle to the service desk before nine in the morning, and have it back on the same day when no part is missing. \
     The mechanic writes down the frame number, the kilometres and what the rider noticed, and rings before any repair that costs more than the \
     estimate. Worn parts are shown to the rider and kept for a week. A battery that was dropped, heated or opened is never charged again, but put into the \
     fireproof box in the yard and collected by the carrier every second Thursday. Guarantee covers the frame for ten years, the motor and the display for \
     three, and the battery for two years or seven hundred cycles, whichever comes first of the two.";

/// Embeds for about ten seconds.
pub async fn measure(models: &Path) -> Result<Vec<Figure>> {
    let folder =
        local_default(models).context("the embedding model is not installed; run `amebo models install`")?;
    let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let embedder =
        Arc::new(tokio::task::spawn_blocking(move || LocalEmbedder::open(&folder, threads)).await??);

    let mut tasks = JoinSet::new();
    let started = Instant::now();
    let deadline = started + Duration::from_secs(8);
    for worker in 0..threads.get() * 2 {
        let embedder = Arc::clone(&embedder);
        tasks.spawn(async move {
            let mut done = 0_u32;
            while Instant::now() < deadline {
                let inputs: Vec<String> = (0..16)
                    .map(|n| format!("{worker} {done} {n} {PASSAGE}"))
                    .collect();
                embedder.embed(&inputs, Purpose::Passage).await?;
                done += 16;
            }
            anyhow::Ok(done)
        });
    }
    let mut passages = 0;
    while let Some(done) = tasks.join_next().await {
        passages += done??;
    }
    let rate = f64::from(passages) / started.elapsed().as_secs_f64();

    let mut times = Vec::new();
    for n in 0..300 {
        let question = [format!(
            "How long does the guarantee on the frame number {n} last?"
        )];
        let started = Instant::now();
        embedder.embed(&question, Purpose::Query).await?;
        times.push(started.elapsed());
    }
    Ok(vec![
        Figure::new(
            "embedding passages of 700 characters",
            rate,
            "per s",
            Better::More,
        ),
        Figure::new(
            "embedding a question, p50",
            percentile(&mut times, 0.5),
            "ms",
            Better::Less,
        ),
        Figure::new(
            "embedding a question, p95",
            percentile(&mut times, 0.95),
            "ms",
            Better::Less,
        ),
    ])
}
