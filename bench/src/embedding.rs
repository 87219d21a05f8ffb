//! The local embedding model alone: its rate over passages and its time for one question.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use amebo_knowledge::embed::{Embedder, Purpose, local};
use anyhow::{Context as _, Result};
use tokio::task::JoinSet;

use crate::figure::{Better, Figure, percentile};

/// About 700 characters, as a passage is.
const PASSAGE: &str = "Riders bring the bicycle to the service desk before nine in the morning, and have it back on the same day when no part is missing. \
     The mechanic writes down the frame number, the kilometres and what the rider noticed, and rings before any repair that costs more than the \
     estimate. Worn parts are shown to the rider and kept for a week. A battery that was dropped, heated or opened is never charged again, but put into the \
     fireproof box in the yard and collected by the carrier every second Thursday. Guarantee covers the frame for ten years, the motor and the display for \
     three, and the battery for two years or seven hundred cycles, whichever comes first of the two.";

/// Embeds for some seconds.
pub async fn measure(models: &Path) -> Result<Vec<Figure>> {
    let embedder = open(models).await?;
    let rate = rate_of(&embedder, &[PASSAGE.to_owned()]).await?;
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

/// The rate at which the bare model embeds these texts over and over, in texts a second.
pub async fn rate(models: &Path, texts: &[String]) -> Result<f64> {
    rate_of(&open(models).await?, texts).await
}

/// The model that new knowledge bases would take.
async fn open(models: &Path) -> Result<Arc<dyn Embedder>> {
    let models = models.to_owned();
    let installed = tokio::task::spawn_blocking(move || local::installed(&models, threads())).await??;
    installed
        .into_iter()
        .next()
        .context("the embedding model is not installed; run `amebo models install`")
}

fn threads() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

async fn rate_of(embedder: &Arc<dyn Embedder>, texts: &[String]) -> Result<f64> {
    let mut tasks = JoinSet::new();
    let started = Instant::now();
    let deadline = started + Duration::from_secs(8);
    for worker in 0..threads().get() * 2 {
        let embedder = Arc::clone(embedder);
        let texts = texts.to_vec();
        tasks.spawn(async move {
            let mut done = 0_u32;
            while Instant::now() < deadline {
                let inputs: Vec<String> = texts
                    .iter()
                    .cycle()
                    .skip(worker)
                    .take(16)
                    .enumerate()
                    .map(|(n, text)| format!("{done} {n} {text}"))
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
    Ok(f64::from(passages) / started.elapsed().as_secs_f64())
}
