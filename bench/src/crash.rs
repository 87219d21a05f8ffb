//! `kill -9` of server and database at random moments of ingestion: nothing acknowledged is lost, nothing is half indexed.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;

use crate::figure::{Better, Figure};
use crate::server::{Installation, Server};
use crate::text::document;

const KILLS: usize = 20;
/// Uploaded between two kills; some are in work when it comes.
const UPLOADS: usize = 12;

/// Kills twenty times, then counts.
pub async fn measure(amebo: &Path, models: &Path) -> Result<Vec<Figure>> {
    let installation = Installation::new(amebo, models)?;
    let mut random = ChaCha20Rng::seed_from_u64(20);
    let mut server = installation.start().await?;
    let base = server.knowledge_base("Crash").await?;
    let mut acknowledged = Vec::new();
    let mut number = 0;
    for _ in 0..KILLS {
        upload(&server, &base, &mut number, &mut acknowledged).await?;
        tokio::time::sleep(Duration::from_millis(random.random_range(0..1_500))).await;
        server.kill()?;
        server = installation.start().await?;
    }
    let documents = server.settled(&base, Duration::from_mins(15)).await?;
    let lost = acknowledged
        .iter()
        .filter(|id| {
            !documents
                .iter()
                .any(|document| document["id"] == **id && document["status"] == "indexed")
        })
        .count();
    let mut half = 0;
    for document in &documents {
        let id = document["id"].as_str().unwrap_or_default();
        let passages = passages(&server, id).await?;
        half += usize::from(document["chunk_count"].as_u64() != Some(passages));
    }
    server.stop()?;
    ensure!(documents.len() >= acknowledged.len(), "documents are missing");
    let count = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    Ok(vec![
        Figure::new(
            format!("documents acknowledged across {KILLS} kills"),
            count(acknowledged.len()),
            "",
            Better::More,
        ),
        Figure::new("of them lost", count(lost), "", Better::Less).target(0.0, 0.0),
        Figure::new("half indexed", count(half), "", Better::Less).target(0.0, 0.0),
    ])
}

async fn upload(
    server: &Server,
    base: &str,
    number: &mut usize,
    acknowledged: &mut Vec<String>,
) -> Result<()> {
    for _ in 0..UPLOADS {
        *number += 1;
        acknowledged.push(
            server
                .upload(base, &format!("{number}.txt"), document(*number))
                .await?,
        );
    }
    Ok(())
}

async fn passages(server: &Server, document: &str) -> Result<u64> {
    let (mut count, mut cursor) = (0, String::new());
    loop {
        let page = server
            .call(
                reqwest::Method::GET,
                &format!("/documents/{document}/passages?limit=200{cursor}"),
                None,
            )
            .await?;
        count += page["items"].as_array().map_or(0, |items| items.len() as u64);
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(count),
        }
    }
}
