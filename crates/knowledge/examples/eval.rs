//! Replays evaluation sets: `cargo run --release -p amebo-knowledge --example eval -- SET_DIR… [--mode hybrid|lexical|dense]
//! [--model FOLDER] [--cache FOLDER] [--fusion JSON] [--half odd|even] [--json FILE] [--earlier FILE] [--anchors FILE]`.

use std::error::Error;
use std::fs;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use amebo_knowledge::embed::Embedder;
use amebo_knowledge::embed::local::LocalEmbedder;
use amebo_knowledge::evaluate::library::Options;
use amebo_knowledge::evaluate::report::{Anchors, Earlier, Table};
use amebo_knowledge::evaluate::{Mode, Set, evaluate};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut sets: Vec<PathBuf> = Vec::new();
    let mut options = Options::default();
    let (mut mode, mut half, mut json, mut earlier, mut anchors) = (Mode::Hybrid, None, None, None, None);
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .ok_or_else(|| format!("{argument} needs a value"))
        };
        match argument.as_str() {
            "--mode" => mode = serde_json::from_value(value()?.into())?,
            "--model" => {
                let model: Arc<dyn Embedder> =
                    Arc::new(LocalEmbedder::open(Path::new(&value()?), NonZeroUsize::MIN)?);
                options.model = Some(model);
            }
            "--cache" => options.cache = Some(value()?.into()),
            "--fusion" => options.engine.fusion = serde_json::from_str(&value()?)?,
            "--half" => half = Some(value()? == "odd"),
            "--json" => json = Some(value()?),
            "--earlier" => earlier = Some(Earlier::parse(&fs::read_to_string(value()?)?)?),
            "--anchors" => anchors = Some(Anchors::parse(&fs::read_to_string(value()?)?)?),
            _ => sets.push(argument.into()),
        }
    }
    let mut reports = Vec::new();
    for folder in &sets {
        for set in Set::load_all(folder)? {
            let set = match half {
                Some(odd) => set.half(odd),
                None => set,
            };
            reports.push(evaluate(&set, mode, &options).await?);
        }
    }
    let table = Table {
        reports: &reports,
        earlier: earlier.as_ref(),
        anchors: anchors.as_ref(),
    };
    write!(std::io::stdout(), "{table}")?;
    if let Some(file) = json {
        fs::write(file, serde_json::to_vec_pretty(&reports)?)?;
    }
    Ok(())
}
