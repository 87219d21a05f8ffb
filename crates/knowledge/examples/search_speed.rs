//! How fast the embedded engine searches and loads: `cargo run --release -p amebo-knowledge --example search_speed -- [PASSAGES]`.

use std::error::Error;
use std::io::Write;
use std::time::Instant;

use amebo_core::document::{Audience, Reader};
use amebo_core::environment::{Environment, SystemClock};
use amebo_core::id::{DocumentId, KnowledgeBaseId, OrganizationId};
use amebo_knowledge::evaluate::metric::percentile;
use amebo_knowledge::index::analysis::encode_passage;
use amebo_knowledge::index::embedded::{Embedded, Settings};
use amebo_knowledge::index::{Change, Engine, IndexedDocument, IndexedPassage, Query};
use half::f16;

/// How many words there are to choose from; frequent ones are chosen more often, as in language.
const WORDS: f64 = 30_000.0;

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "made-up data needs no precision"
)]
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let passages: usize = std::env::args()
        .nth(1)
        .map_or(Ok(10_000), |count| count.parse())?;
    let environment = Environment::replayable(std::sync::Arc::new(SystemClock), 1);
    let word = || format!("word{}", WORDS.powf(environment.fraction()) as u32);
    let vector = || -> Vec<f32> {
        (0..384)
            .map(|_| (environment.fraction() - 0.5) as f32 / 5.66)
            .collect()
    };
    let knowledge_base: KnowledgeBaseId = environment.id();
    let changes: Vec<Change> = (0..passages / 10)
        .map(|_| {
            let passage = |_| IndexedPassage {
                id: environment.id(),
                vector: vector()
                    .iter()
                    .flat_map(|&value| f16::from_f32(value).to_le_bytes())
                    .collect(),
                model: "model".to_owned(),
                terms: encode_passage("", &[], &(0..110).map(|_| word()).collect::<Vec<_>>().join(" ")),
            };
            let id: DocumentId = environment.id();
            let passages = (0..10).map(passage).collect();
            Change::Put(IndexedDocument {
                id,
                knowledge_base,
                audience: Audience::Organization,
                passages,
            })
        })
        .collect();
    let engine = Embedded::new(Settings::default());
    let mut loading = Vec::new();
    for _ in 0..20 {
        let (organization, changes): (OrganizationId, _) = (environment.id(), changes.clone());
        let begun = Instant::now();
        engine.apply(organization, None, 1, changes).await?;
        loading.push(begun.elapsed().as_secs_f64() * 1e3);
        engine.forget(organization).await?;
    }
    let organization: OrganizationId = environment.id();
    engine.apply(organization, None, 1, changes).await?;
    let bytes = engine.usage().bytes;
    let mut out = std::io::stdout();
    for (name, with_vector) in [("hybrid", true), ("lexical", false)] {
        let mut times = Vec::new();
        for _ in 0..2_000 {
            let query = Query {
                text: (0..9).map(|_| word()).collect::<Vec<_>>().join(" "),
                vectors: with_vector
                    .then(|| ("model".to_owned(), vector()))
                    .into_iter()
                    .collect(),
                readers: vec![Reader::Machine],
                knowledge_bases: vec![knowledge_base],
                limit: 10,
            };
            let begun = Instant::now();
            engine.search(organization, &query).await?;
            times.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        let (p50, p95) = (percentile(&mut times, 0.5), percentile(&mut times, 0.95));
        writeln!(
            out,
            "{passages} passages, {name}: p50 {p50:.3} ms, p95 {p95:.3} ms, least {:.3} ms",
            times[0]
        )?;
    }
    let (p50, least) = (percentile(&mut loading, 0.5), loading[0]);
    writeln!(
        out,
        "loading {passages}: p50 {p50:.2} ms, least {least:.2} ms, {} bytes a passage",
        bytes / passages.max(1)
    )?;
    Ok(())
}
