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
    /// What to measure: search, queue, sealing, embedding, questions, slack (or a part of it: slack-intake, slack-install, slack-reply,
    /// slack-isolation, slack-faults, slack-import), tenants, crash; all when absent.
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
    /// Where evaluation data is; a real Slack export below it is imported too.
    #[arg(long, value_name = "DIRECTORY", env = "AMEBO_EVAL_DATA")]
    data: Option<PathBuf>,
    /// Do little of everything, to see that measuring Slack works; its figures then say nothing.
    #[arg(long)]
    little: bool,
}

impl Options {
    /// How much is done: all of it, or little.
    fn scaled<T>(&self, all: T, little: T) -> T {
        if self.little { little } else { all }
    }
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
            "tenants" => tenants::measure(&options.amebo, &options.models).await?,
            "crash" => crash::measure(&options.amebo, &options.models).await?,
            "embedding" => embedding::measure(&options.models).await?,
            slack if slack == "slack" || slack::NAMES.contains(&slack) => {
                slack::measure(slack, &options).await?
            }
            _ => bail!(
                "there is no measurement {name}; there are {}, {}",
                NAMES.join(", "),
                slack::NAMES.join(", ")
            ),
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
