//! Measures a local embedding model: rate, latency of questions alone and beside passages, processor time, memory.
//!
//! `cargo run --release -p amebo-knowledge --example embed_bench -- MODEL_FOLDER`

use std::error::Error;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::{Duration, Instant};

use amebo_knowledge::embed::local::LocalEmbedder;
use amebo_knowledge::embed::{Embedder as _, Purpose};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// 33 words, about 38 tokens.
const SENTENCE: &str = "The contract between both parties ends on the last day of March unless it is renewed in writing by \
                        either side at least thirty days before and the other side agrees to the new terms.";

#[tokio::main]
#[expect(clippy::print_stdout, reason = "its output is what it is for")]
async fn main() -> Outcome {
    let folder = std::env::args().nth(1).ok_or("give the folder of a model")?;
    for threads in [1, 2] {
        let threads = NonZeroUsize::new(threads).ok_or("no threads")?;
        let start = Instant::now();
        let model = LocalEmbedder::open(Path::new(&folder), threads)?;
        println!("{threads} threads, loaded in {:?}, {}", start.elapsed(), memory());
        rate(&model).await?;
        let words: Vec<&str> = SENTENCE.split(' ').collect();
        let sentence = |number: usize| format!("{number} {}", words[..21].join(" "));
        let question = [words[..8].join(" ")];
        latency(&model, "1 question of 10 tokens", &question).await?;
        latency(&model, "1 sentence of 25 tokens", &[sentence(1)]).await?;
        latency(
            &model,
            "10 sentences of 25 tokens",
            &(0..10).map(sentence).collect::<Vec<_>>(),
        )
        .await?;
        let passages = passages();
        tokio::select! {
            result = latency(&model, "1 question beside passages", &question) => result?,
            result = forever(&model, &passages) => result?,
        }
        println!("after work, {}", memory());
    }
    Ok(())
}

/// Passages of about 128 tokens.
fn passages() -> Vec<String> {
    (0..400)
        .map(|number| format!("{number} {SENTENCE} {SENTENCE} {SENTENCE}"))
        .collect()
}

#[expect(clippy::print_stdout, reason = "its output is what it is for")]
async fn rate(model: &LocalEmbedder) -> Outcome {
    let passages = passages();
    model.embed(&passages[..40], Purpose::Passage).await?;
    let (start, busy) = (Instant::now(), processor_time());
    model.embed(&passages, Purpose::Passage).await?;
    let seconds = start.elapsed().as_secs_f64();
    let busy = processor_time().saturating_sub(busy);
    println!(
        "{:.0} passages/s, {:.0} for each second of processor time",
        400.0 / seconds,
        400.0 / busy.as_secs_f64()
    );
    Ok(())
}

#[expect(clippy::print_stdout, reason = "its output is what it is for")]
async fn latency(model: &LocalEmbedder, name: &str, texts: &[String]) -> Outcome {
    let mut times = Vec::new();
    for _ in 0..200 {
        let start = Instant::now();
        model.embed(texts, Purpose::Query).await?;
        times.push(start.elapsed());
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    times.sort();
    println!(
        "{name}: p50 {:?} p95 {:?} least {:?}",
        times[100], times[190], times[0]
    );
    Ok(())
}

async fn forever(model: &LocalEmbedder, passages: &[String]) -> Outcome {
    loop {
        model.embed(passages, Purpose::Passage).await?;
    }
}

/// Resident memory now and at most, as Linux tells it.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let lines = status
        .lines()
        .filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"));
    lines
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Processor time of this process so far, as Linux tells it in hundredths of a second.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Duration::from_millis(ticks * 10)
}
