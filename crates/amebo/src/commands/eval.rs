//! `amebo eval`: how good retrieval, answers, extraction and the grouping of chat are, on sets of questions with known answers.

mod conversations;

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use amebo_knowledge::answer;
use amebo_knowledge::embed;
use amebo_knowledge::evaluate::answers::{self, Part};
use amebo_knowledge::evaluate::documents::documents;
use amebo_knowledge::evaluate::library::Options as LibraryOptions;
use amebo_knowledge::evaluate::report::{Anchors, Earlier, Table};
use amebo_knowledge::evaluate::{Measure, Mode, Report, Set, evaluate};
use amebo_knowledge::extract::{self, Extractor};
use amebo_knowledge::models;
use anyhow::{Context as _, Result};

/// Flags of `amebo eval`.
#[derive(clap::Args)]
pub struct Options {
    /// Folders of sets, or folders of such folders; `$AMEBO_EVAL_DATA` when absent.
    #[arg(value_name = "SET_DIR", env = "AMEBO_EVAL_DATA", required = true)]
    sets: Vec<PathBuf>,
    /// Which signals are used.
    #[arg(long, value_enum, default_value_t)]
    mode: Signals,
    /// Only retrieval, without answering.
    #[arg(long)]
    retrieval_only: bool,
    /// Write every figure to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Compare with what --json wrote earlier.
    #[arg(long, value_name = "FILE")]
    earlier: Option<PathBuf>,
    /// Compare with published figures; anchors.json beside the sets when absent.
    #[arg(long, value_name = "FILE")]
    anchors: Option<PathBuf>,
    /// Keep vectors here between runs.
    #[arg(long, value_name = "DIRECTORY")]
    cache: Option<PathBuf>,
    /// Where `amebo models install` put the models, when it is not the data directory.
    #[arg(long, value_name = "DIRECTORY")]
    models: Option<PathBuf>,
    /// Ask the questions about the documents of this set instead, for which questions of the same id have the same answers: how
    /// questions in one language find documents in another.
    #[arg(long, value_name = "SET_DIR")]
    about: Option<PathBuf>,
    /// Fit the constants of confidence on the declared half of these sets and write them to this file, instead of measuring.
    #[arg(long, value_name = "FILE", hide = true)]
    fit: Option<PathBuf>,
}

/// The signals of a search.
#[derive(Clone, Copy, Default, clap::ValueEnum)]
enum Signals {
    /// Words and meaning, as in production.
    #[default]
    Hybrid,
    /// Words alone.
    Lexical,
    /// Meaning alone.
    Dense,
}

impl From<Signals> for Mode {
    fn from(signals: Signals) -> Self {
        match signals {
            Signals::Hybrid => Mode::Hybrid,
            Signals::Lexical => Mode::Lexical,
            Signals::Dense => Mode::Dense,
        }
    }
}

/// Replays every set, prints a table, writes JSON.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the command's output")]
pub async fn run(data: &Path, options: &Options) -> Result<()> {
    let installed = options.models.as_deref().unwrap_or(data);
    let mode = Mode::from(options.mode);
    let library = library_options(installed, mode, options.cache.clone())?;
    let about = match &options.about {
        Some(folder) => Set::load_all(folder)?.into_iter().next(),
        None => None,
    };
    if let Some(file) = &options.fit {
        let mut sets = Vec::new();
        for folder in &options.sets {
            for set in Set::load_all(folder)? {
                sets.extend(about.iter().map(|about| set.clone().about(about)));
                sets.push(set);
            }
        }
        return write(file, &answers::fit(sets, &library).await?);
    }
    let threshold = answer::Options::default().threshold;
    let (mut reports, mut replays) = (Vec::new(), Vec::new());
    for folder in folders(&options.sets) {
        if folder.join("manifest.jsonl").exists() {
            eprintln!("Reading {} …", folder.display());
            reports.push(extraction(&folder, installed, mode).await?);
            continue;
        }
        if folder.join(conversations::KNOWN).exists() {
            eprintln!("Grouping {} …", folder.display());
            reports.push(conversations::report(&folder, mode)?);
            continue;
        }
        for set in Set::load_all(&folder)? {
            let set = match &about {
                Some(about) => set.about(about),
                None => set,
            };
            eprintln!("Replaying {} …", set.name);
            let mut report = evaluate(&set, mode, &library).await?;
            if !options.retrieval_only && !set.answers.is_empty() && mode != Mode::Dense {
                let replay = answers::evaluate(&set, mode, &library, Part::Reported, threshold).await?;
                report.measures.extend(replay.report.measures.clone());
                replays.push(replay);
            }
            reports.push(report);
        }
    }
    let earlier = options
        .earlier
        .as_deref()
        .map(|file| Ok::<_, anyhow::Error>(Earlier::parse(&read(file)?)?))
        .transpose()?;
    let anchors = anchors(options)?;
    println!(
        "{}",
        Table {
            reports: &reports,
            earlier: earlier.as_ref(),
            anchors: anchors.as_ref()
        }
    );
    reports.extend(answers::together(&replays, threshold));
    println!("{}", answer_table(&reports));
    match &options.json {
        Some(file) => write(file, &reports),
        None => Ok(()),
    }
}

fn library_options(installed: &Path, mode: Mode, cache: Option<PathBuf>) -> Result<LibraryOptions> {
    let mut library = LibraryOptions {
        cache,
        ..LibraryOptions::default()
    };
    if mode != Mode::Lexical {
        let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let model = embed::local::installed(installed, threads)?.into_iter().next();
        library.model = Some(model.with_context(|| {
            format!(
                "no embedding model is installed in {}; run `amebo models install`, or pass --mode lexical",
                installed.display()
            )
        })?);
    }
    Ok(library)
}

/// The folders that hold something to replay: as given, or one level below.
fn folders(given: &[PathBuf]) -> Vec<PathBuf> {
    let holds = |folder: &Path| {
        ["queries.jsonl", "manifest.jsonl", conversations::KNOWN]
            .iter()
            .any(|file| folder.join(file).exists())
    };
    let mut folders = Vec::new();
    for folder in given {
        let mut below: Vec<PathBuf> = if holds(folder) {
            Vec::new()
        } else {
            fs::read_dir(folder)
                .into_iter()
                .flatten()
                .flatten()
                .map(|entry| entry.path())
                .filter(|path| path.is_dir())
                .collect()
        };
        // A set in several languages keeps its corpus above them and is loaded as a whole.
        if below.is_empty()
            || below.iter().any(|path| path.join("queries.jsonl").exists())
                && folder.join("LICENSE-NOTE.md").exists()
        {
            folders.push(folder.clone());
            continue;
        }
        below.retain(|path| {
            holds(path)
                || fs::read_dir(path).is_ok_and(|entries| {
                    entries
                        .flatten()
                        .any(|entry| entry.path().join("queries.jsonl").exists())
                })
        });
        below.sort();
        folders.append(&mut below);
    }
    folders
}

async fn extraction(folder: &Path, installed: &Path, mode: Mode) -> Result<Report> {
    let extractor = Extractor::new(extract::Config {
        pdfium: models::pdfium(installed),
        ..extract::Config::default()
    });
    let found = documents(folder, &extractor)
        .await
        .with_context(|| format!("{} cannot be read", folder.display()))?;
    let measure = |name: &str, value: f64, unit: &str| Measure {
        name: name.to_owned(),
        value,
        unit: unit.to_owned(),
    };
    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    let count = |name: &str, value: usize| measure(name, value as f64, "files");
    Ok(Report {
        set: folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        mode,
        model: None,
        entries: found.files.len(),
        passages: 0,
        questions: 0,
        measures: vec![
            measure("word_recall", found.word_recall, "share"),
            count("with_truth", found.with_truth),
            count("read", found.read),
            count("refused_with_reason", found.refused),
            count("ended_child", found.failed),
            measure("slowest", found.slowest_seconds * 1e3, "ms"),
        ],
    })
}

/// What the table of retrieval does not show: answers, refusals, extraction; a line a set.
fn answer_table(reports: &[Report]) -> String {
    const RETRIEVAL: [&str; 6] = ["ndcg@", "mrr@", "recall@", "hit@", "search_", "embed_"];
    let mut text = String::new();
    for report in reports {
        let figures: Vec<String> = report
            .measures
            .iter()
            .filter(|measure| !RETRIEVAL.iter().any(|name| measure.name.starts_with(name)))
            .map(|measure| match measure.unit.as_str() {
                "share" => format!("{} {:.3}", measure.name, measure.value),
                "ms" => format!("{} {:.2} ms", measure.name, measure.value),
                _ => format!("{} {:.0}", measure.name, measure.value),
            })
            .collect();
        if !figures.is_empty() {
            text.push_str(&report.set);
            text.push_str(": ");
            text.push_str(&figures.join(", "));
            text.push('\n');
        }
    }
    text
}

/// Published figures: of the named file, or of the one beside the sets.
fn anchors(options: &Options) -> Result<Option<Anchors>> {
    let beside = options
        .sets
        .iter()
        .flat_map(|set| [set.join("anchors.json"), set.join("../anchors.json")])
        .find(|file| file.exists());
    match options.anchors.clone().or(beside) {
        Some(file) => Ok(Some(Anchors::parse(&read(&file)?)?)),
        None => Ok(None),
    }
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))
}

fn write(file: &Path, value: &impl serde::Serialize) -> Result<()> {
    fs::write(file, serde_json::to_vec_pretty(value)?)
        .with_context(|| format!("{} cannot be written", file.display()))
}
