//! Measures Amebo's speed and memory: `./dev bench [NAME…] [--json FILE]`.
//!
//! Every figure is measured on this machine, over loopback or in process, with bounded load. Compare figures of one run with one another
//! rather than with those of another machine.

mod crash;
mod database;
mod embedding;
mod figure;
mod questions;
mod queue;
mod sealing;
mod search;
mod server;
mod slack;
mod tenants;
mod text;

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use figure::Figure;

/// Measure Amebo's speed and memory.
#[derive(Parser)]
struct Options {
    /// What to measure: search, queue, sealing, embedding, questions, slack, tenants, crash; all when absent.
    names: Vec<String>,
    /// Write the figures to this file as JSON too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The executable to measure.
    #[arg(long, value_name = "FILE", default_value = "target/release/amebo")]
    amebo: PathBuf,
    /// Where `amebo models install` put the embedding model.
    #[arg(
        long,
        value_name = "DIRECTORY",
        env = "AMEBO_TEST_MODELS",
        default_value = "target/models"
    )]
    models: PathBuf,
}

const NAMES: &[&str] = &[
    "search",
    "queue",
    "sealing",
    "embedding",
    "questions",
    "slack",
    "tenants",
    "crash",
];

#[tokio::main]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command's output")]
async fn main() -> Result<()> {
    let options = Options::parse();
    let names: Vec<&str> = if options.names.is_empty() {
        NAMES.to_vec()
    } else {
        options.names.iter().map(String::as_str).collect()
    };
    let mut figures: Vec<Figure> = Vec::new();
    for name in names {
        eprintln!("Measuring {name} …");
        figures.extend(match name {
            "search" => search::measure().await?,
            "queue" => queue::measure().await?,
            "sealing" => sealing::measure().await?,
            "questions" => questions::measure(&options.amebo, &options.models).await?,
            "slack" => slack::measure(&options.amebo, &options.models).await?,
            "tenants" => tenants::measure(&options.amebo, &options.models).await?,
            "crash" => crash::measure(&options.amebo, &options.models).await?,
            "embedding" => embedding::measure(&options.models).await?,
            _ => bail!("there is no measurement {name}; there are {}", NAMES.join(", ")),
        });
    }
    println!("{}", figure::table(&figures));
    if let Some(path) = &options.json {
        let report = serde_json::json!({
            "command": std::env::args().collect::<Vec<_>>().join(" "),
            "machine": machine(),
            "figures": figures,
        });
        std::fs::write(path, serde_json::to_vec_pretty(&report)?)
            .with_context(|| format!("could not write {}", path.display()))?;
    }
    Ok(())
}

/// The processor and how many of it.
fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':']));
    format!(
        "{model}, {} cores",
        std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
    )
}
