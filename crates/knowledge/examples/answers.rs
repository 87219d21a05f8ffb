//! Fits the constants of confidence, or reports how good answers are, on sets of questions with known answers.
//!
//! `answers fit MODEL_FOLDER CACHE SET…` writes the constants to standard output; `answers report MODEL_FOLDER CACHE SET…`
//! writes figures of the questions they were not fitted on.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use amebo_knowledge::embed::local::LocalEmbedder;
use amebo_knowledge::evaluate::answers::{self, Part};
use amebo_knowledge::evaluate::library::Options;
use amebo_knowledge::evaluate::{Mode, Set};

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [command, model, cache, folders @ ..] = arguments.as_slice() else {
        return Err("answers fit|report MODEL_FOLDER CACHE SET…".into());
    };
    let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let embedder = LocalEmbedder::open(Path::new(model), threads)?;
    let options = Options {
        model: Some(Arc::new(embedder)),
        cache: Some(cache.into()),
        ..Options::default()
    };
    let mut sets = Vec::new();
    for folder in folders {
        sets.extend(Set::load_all(Path::new(folder))?);
    }
    let mut out = std::io::stdout().lock();
    if command == "fit" {
        let parameters = answers::fit(&sets, &options).await?;
        serde_json::to_writer_pretty(&mut out, &parameters)?;
        writeln!(out)?;
        return Ok(());
    }
    for mode in [Mode::Lexical, Mode::Hybrid] {
        for set in &sets {
            let report = answers::evaluate(set, mode, &options, Part::Reported, 0.35).await?;
            writeln!(out, "{} {mode:?} {} questions", report.set, report.questions)?;
            for measure in &report.measures {
                writeln!(out, "  {:24} {:.3} {}", measure.name, measure.value, measure.unit)?;
            }
        }
    }
    Ok(())
}
