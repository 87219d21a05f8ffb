//! The whole product over HTTP: start, memory, ingestion, questions, questions beside ingestion.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::embedding;
use crate::figure::{Better, Figure, percentile};
use crate::server::{Installation, Server};
use crate::text::document;

/// Ten passages each, so 10,000 passages.
const DOCUMENTS: usize = 1_000;
/// How many uploads are under way at a time.
const AT_ONCE: usize = 8;
const QUESTIONS: usize = 300;

/// Measures a server of its own.
pub async fn measure(amebo: &Path, models: &Path) -> Result<Vec<Figure>> {
    let installation = Installation::new(amebo, models)?;
    installation.start().await?.stop()?;
    let server = installation.start().await?;
    let mut figures = vec![
        Figure::new("second start", server.started_in.as_secs_f64(), "s", Better::Less).target(3.0, 1.0),
    ];
    // What the start left behind is given back within a few seconds.
    tokio::time::sleep(Duration::from_secs(5)).await;
    figures.push(
        Figure::new(
            "memory idle, model loaded, database included",
            server.memory(),
            "MiB",
            Better::Less,
        )
        .target(400.0, 250.0),
    );

    let server = Arc::new(server);
    let base = server.knowledge_base("Bench").await?;
    let started = Instant::now();
    upload(&server, &base, 0..DOCUMENTS).await?;
    let documents = server.settled(&base, Duration::from_mins(20)).await?;
    let took = started.elapsed().as_secs_f64();
    let passages: f64 = documents
        .iter()
        .filter_map(|document| document["chunk_count"].as_f64())
        .sum();
    anyhow::ensure!(
        documents.iter().all(|document| document["status"] == "indexed"),
        "some documents failed"
    );
    figures.push(Figure::new(
        format!("ingestion of {DOCUMENTS} texts, {passages} passages"),
        passages / took,
        "per s",
        Better::More,
    ));

    ask(&server, 20).await?;
    let mut idle = ask(&server, QUESTIONS).await?;
    let idle_p95 = percentile(&mut idle, 0.95);
    figures.push(
        Figure::new(
            "question over HTTP, extractive, p50",
            percentile(&mut idle, 0.5),
            "ms",
            Better::Less,
        )
        .target(25.0, 12.0),
    );
    figures.push(
        Figure::new(
            "question over HTTP, extractive, p95",
            idle_p95,
            "ms",
            Better::Less,
        )
        .target(60.0, 25.0),
    );

    let beside = server.knowledge_base("Beside").await?;
    let (uploaded, busy) = tokio::join!(
        upload(&server, &beside, DOCUMENTS..DOCUMENTS + 400),
        ask(&server, QUESTIONS)
    );
    uploaded?;
    let mut busy = busy?;
    let waiting = server
        .documents(&beside)
        .await?
        .iter()
        .filter(|document| document["status"] != "indexed")
        .count();
    figures.push(Figure::new(
        "documents still in work when the last of those questions was asked",
        f64::from(u32::try_from(waiting)?),
        "",
        Better::More,
    ));
    figures.push(
        Figure::new(
            "question beside ingestion, p95 against idle",
            percentile(&mut busy, 0.95) / idle_p95,
            "×",
            Better::Less,
        )
        .target(2.0, 1.2),
    );
    figures.push(Figure::new(
        "memory after 10,000 passages",
        server.memory(),
        "MiB",
        Better::Less,
    ));
    server.settled(&beside, Duration::from_mins(20)).await?;
    Arc::into_inner(server)
        .context("the server is still used")?
        .stop()?;

    let rate = embedding::rate(models, &passages_of(&documents)).await?;
    figures.push(Figure::new(
        "the bare model on the same passages",
        rate,
        "per s",
        Better::More,
    ));
    figures.push(
        Figure::new(
            "ingestion as a share of the bare model",
            passages / took / rate,
            "×",
            Better::More,
        )
        .target(0.8, 0.95),
    );
    Ok(figures)
}

pub async fn upload(server: &Arc<Server>, base: &str, numbers: std::ops::Range<usize>) -> Result<()> {
    let mut tasks: JoinSet<Result<String>> = JoinSet::new();
    for number in numbers {
        if tasks.len() >= AT_ONCE
            && let Some(done) = tasks.join_next().await
        {
            done??;
        }
        let (server, base) = (Arc::clone(server), base.to_owned());
        tasks.spawn(async move {
            server
                .upload(&base, &format!("{number}.txt"), document(number))
                .await
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

async fn ask(server: &Server, count: usize) -> Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(count);
    for number in 0..count {
        times.push(
            server
                .ask(&crate::text::question(number * 37 % DOCUMENTS))
                .await?,
        );
    }
    Ok(times)
}

/// As many texts of the length that passages have.
fn passages_of(documents: &[Value]) -> Vec<String> {
    (0..documents.len().min(200))
        .flat_map(|number| {
            document(number)
                .split("\n\n")
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect()
}
