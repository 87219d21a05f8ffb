//! Reads a set of documents and prints what came out of every file: `cargo run --release -p amebo-knowledge --example
//! documents -- SET_DIR [--models DATA_DIRECTORY] [--json FILE]`.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::{fs, io};

use amebo_knowledge::evaluate::documents::{FileOutcome, documents};
use amebo_knowledge::extract::{Config, Extractor, worker};
use amebo_knowledge::models;

/// The example is its own extraction child, as the server is.
fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (mut set, mut data, mut json) = (None, None, None);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "extract-worker" => return Ok(worker::run(io::stdin(), io::stdout())?),
            "--models" => data = arguments.next().map(PathBuf::from),
            "--json" => json = arguments.next(),
            _ => set = Some(argument),
        }
    }
    let set = set.ok_or("say which folder holds the set")?;
    let extractor = Extractor::new(Config {
        pdfium: data.as_deref().and_then(models::pdfium),
        ..Config::default()
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let report = runtime.block_on(documents(Path::new(&set), &extractor))?;

    let mut out = io::stdout().lock();
    let mut seconds: Vec<f64> = report.files.iter().map(|file| file.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    let mut recalls: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for file in &report.files {
        let FileOutcome { path, class, .. } = file;
        let result = file.mime_type.as_ref().or(file.reason.as_ref());
        let recall = file
            .word_recall
            .map_or_else(|| "    -".to_owned(), |share| format!("{share:.3}"));
        writeln!(
            out,
            "{recall} {:>9} bytes {:6.3} s {class:9} {path}: {}",
            file.text_bytes,
            file.seconds,
            result.map_or("", String::as_str)
        )?;
        if let (Some(share), Some(mime_type)) = (file.word_recall, &file.mime_type) {
            recalls.entry(mime_type.clone()).or_default().push(share);
        }
    }
    for (mime_type, shares) in recalls {
        #[expect(clippy::cast_precision_loss, reason = "a count of files")]
        let mean = shares.iter().sum::<f64>() / shares.len() as f64;
        writeln!(out, "{mean:.4} over {:>3} of {mime_type}", shares.len())?;
    }
    writeln!(
        out,
        "mean word recall {:.4} over {}; {} read, {} refused, {} failed; median {:.3} s, slowest {:.3} s",
        report.word_recall,
        report.with_truth,
        report.read,
        report.refused,
        report.failed,
        seconds.get(seconds.len() / 2).copied().unwrap_or_default(),
        report.slowest_seconds
    )?;
    if let Some(file) = json {
        fs::write(file, serde_json::to_vec_pretty(&report)?)?;
    }
    Ok(())
}
