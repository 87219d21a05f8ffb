//! The embedded engine alone: searching, and loading an organisation's index.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use amebo_core::Environment;
use amebo_core::document::{Audience, Reader};
use amebo_core::id::OrganizationId;
use amebo_knowledge::index::analysis::encode_passage;
use amebo_knowledge::index::embedded::{Embedded, Settings};
use amebo_knowledge::index::{Balance, Change, Engine as _, IndexedDocument, IndexedPassage, Query};
use anyhow::Result;
use half::f16;
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;

use crate::figure::{Better, Figure, percentile};

const MODEL: &str = "synthetic";
const DIMENSION: usize = 384;
const PASSAGES_OF_A_DOCUMENT: usize = 10;

/// Searches 10,000 passages, and loads 1,000.
pub async fn measure() -> Result<Vec<Figure>> {
    let environment = Environment::system();
    let mut random = ChaCha20Rng::seed_from_u64(1);
    let words = vocabulary(&mut random);
    let knowledge_base = environment.id();
    let documents = |count: usize, random: &mut ChaCha20Rng| -> Vec<Change> {
        (0..count / PASSAGES_OF_A_DOCUMENT)
            .map(|_| {
                let passages = (0..PASSAGES_OF_A_DOCUMENT)
                    .map(|_| IndexedPassage {
                        id: environment.id(),
                        vector: bytes(&vector(random)),
                        model: MODEL.to_owned(),
                        terms: encode_passage("", &[], &text(&words, 110, random)),
                    })
                    .collect();
                Change::Put(IndexedDocument {
                    id: environment.id(),
                    knowledge_base,
                    audience: Audience::Organization,
                    passages,
                })
            })
            .collect()
    };

    let engine = Embedded::new(Settings::default());
    let organization: OrganizationId = environment.id();
    engine
        .apply(organization, None, 1, documents(10_000, &mut random))
        .await?;
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..2_000 {
        let query = Query {
            text: text(&words, 9, &mut random),
            vectors: HashMap::from([(MODEL.to_owned(), vector(&mut random))]),
            balance: Balance::Fitted,
            readers: vec![Reader::Machine],
            knowledge_bases: vec![knowledge_base],
            limit: 10,
        };
        let started = Instant::now();
        let hits = engine.search(organization, &query).await?;
        times.push(started.elapsed());
        anyhow::ensure!(hits.passages_in_scope == 10_000, "the engine lost passages");
    }

    let mut loads: Vec<Duration> = Vec::new();
    for _ in 0..20 {
        let changes = documents(1_000, &mut random);
        let started = Instant::now();
        engine.apply(environment.id(), None, 1, changes).await?;
        loads.push(started.elapsed());
    }
    let usage = engine.usage();
    #[expect(clippy::cast_precision_loss, reason = "an amount for a person")]
    let bytes_each = usage.bytes as f64 / usage.passages as f64;
    Ok(vec![
        Figure::new(
            "search in 10,000 passages, p50",
            percentile(&mut times, 0.5),
            "ms",
            Better::Less,
        )
        .target(1.0, 0.3),
        Figure::new(
            "search in 10,000 passages, p95",
            percentile(&mut times, 0.95),
            "ms",
            Better::Less,
        )
        .target(3.0, 1.0),
        Figure::new(
            "load an index of 1,000 passages, p50",
            percentile(&mut loads, 0.5),
            "ms",
            Better::Less,
        ),
        Figure::new(
            "memory of a passage in the index",
            bytes_each,
            "bytes",
            Better::Less,
        ),
    ])
}

/// Words whose frequency falls off as in real text.
fn vocabulary(random: &mut ChaCha20Rng) -> Vec<String> {
    (0..20_000)
        .map(|_| {
            let length = random.random_range(3..11);
            (0..length)
                .map(|_| char::from(b'a' + u8::try_from(random.next_u32() % 26).unwrap_or(0)))
                .collect()
        })
        .collect()
}

fn text(words: &[String], length: usize, random: &mut ChaCha20Rng) -> String {
    let mut text = String::new();
    for _ in 0..length {
        // Squaring an even distribution twice favours the first words about as steeply as Zipf's law.
        let share = random.random::<f64>().powi(4);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an index within the vocabulary"
        )]
        let at = (share * words.len() as f64) as usize;
        text.push_str(&words[at.min(words.len() - 1)]);
        text.push(' ');
    }
    text
}

/// A random direction.
pub fn vector(random: &mut ChaCha20Rng) -> Vec<f32> {
    let mut vector: Vec<f32> = (0..DIMENSION).map(|_| random.random::<f32>() - 0.5).collect();
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    for x in &mut vector {
        *x /= length;
    }
    vector
}

/// A vector as passages keep it: little-endian f16.
pub fn bytes(vector: &[f32]) -> Vec<u8> {
    vector
        .iter()
        .flat_map(|&x| f16::from_f32(x).to_le_bytes())
        .collect()
}
