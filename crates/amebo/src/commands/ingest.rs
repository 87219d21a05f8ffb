//! `amebo ingest`: files and folders into a knowledge base, followed until each is findable or has a reason why not.

use std::collections::HashMap;
use std::fs;
use std::io::{IsTerminal as _, stderr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use futures::StreamExt as _;
use futures::stream;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Deserialize;
use serde_json::json;

use crate::terminal::{Api, Target};

/// How many files are sent at a time.
const AT_ONCE: usize = 4;
/// How many reasons are printed one by one.
const REASONS: usize = 50;

/// Flags of `amebo ingest`.
#[derive(clap::Args)]
pub struct Options {
    /// Files and folders. Folders are walked; names that begin with a dot are left out.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Where to put them; made when there is no knowledge base of this name.
    #[arg(long, short = 'k', value_name = "NAME", default_value = "Documents")]
    knowledge_base: String,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Deserialize)]
struct Named {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct Page<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Document {
    id: String,
    status: String,
    error: Option<String>,
    #[serde(default)]
    duplicate: bool,
}

#[derive(Deserialize)]
struct DocumentEvent {
    document: Document,
}

#[derive(Deserialize)]
struct SummaryEvent {
    waiting: u64,
    remaining_seconds: Option<u64>,
}

/// What became of the files.
#[derive(Default)]
struct Tally {
    duplicates: usize,
    failures: Vec<(PathBuf, String)>,
}

/// Sends, follows, and says what became of each. Fails when a file could not be taken in.
#[expect(clippy::print_stdout, reason = "the command's output")]
pub async fn run(api: Api, options: &Options) -> Result<()> {
    let files = files(&options.paths)?;
    anyhow::ensure!(
        !files.is_empty(),
        "there are no files in {}",
        options
            .paths
            .iter()
            .map(|path| path.display().to_string())
            .collect::<Vec<_>>()
            .join(", ")
    );
    let knowledge_base = knowledge_base(&api, &options.knowledge_base).await?;
    let mut tally = Tally::default();
    let indexed = send(&Arc::new(api), &knowledge_base, files, &mut tally).await?;
    let failed = tally.failures.len();
    println!(
        "{} indexed, {} there already, {failed} failed.",
        indexed, tally.duplicates
    );
    for (path, reason) in tally.failures.iter().take(REASONS) {
        println!("  {}: {reason}", path.display());
    }
    if failed > REASONS {
        println!("  … and {} more", failed - REASONS);
    }
    if failed > 0 {
        bail!("{failed} of the files could not be taken in");
    }
    Ok(())
}

/// Every file below the paths, in order.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> = Vec::new();
    for path in paths {
        let kind = fs::metadata(path).with_context(|| format!("there is no {}", path.display()))?;
        if kind.is_dir() {
            folders.push(path.clone());
        } else {
            files.push(path.clone());
        }
    }
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("could not look into {}", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            // Links are not followed: they may lead in circles or out of the folder.
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The knowledge base of this name; made when there is none.
pub(super) async fn knowledge_base(api: &Api, name: &str) -> Result<String> {
    let mut cursor = None::<String>;
    loop {
        let path = cursor.map_or_else(
            || "/knowledge-bases?limit=200".to_owned(),
            |cursor| format!("/knowledge-bases?limit=200&cursor={cursor}"),
        );
        let page: Page<Named> = api.get(&path).await?;
        if let Some(found) = page.items.into_iter().find(|base| base.name == name) {
            return Ok(found.id);
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let made: Named = api.post("/knowledge-bases", &json!({ "name": name })).await?;
    Ok(made.id)
}

/// Sends the files and follows them to their end. Answers how many became findable.
async fn send(api: &Arc<Api>, knowledge_base: &str, files: Vec<PathBuf>, tally: &mut Tally) -> Result<usize> {
    let progress = progress(files.len());
    progress.set_message("sending");
    let uploads = files.into_iter().map(|file| {
        let (api, progress) = (Arc::clone(api), progress.clone());
        async move {
            let sent = upload(&api, knowledge_base, &file).await;
            progress.inc(1);
            (file, sent)
        }
    });
    let sent: Vec<(PathBuf, Result<Document>)> =
        stream::iter(uploads).buffer_unordered(AT_ONCE).collect().await;
    let mut waiting = HashMap::new();
    for (file, document) in sent {
        match document {
            Ok(document) if document.duplicate && document.status == "indexed" => tally.duplicates += 1,
            Ok(document) => {
                waiting.insert(document.id, file);
            }
            Err(error) => tally.failures.push((file, format!("{error:#}"))),
        }
    }
    let sent = waiting.len();
    progress.reset();
    progress.set_length(u64::try_from(sent)?);
    let before = tally.failures.len();
    follow(api, knowledge_base, waiting, tally, &progress).await?;
    progress.finish_and_clear();
    Ok(sent - (tally.failures.len() - before))
}

async fn upload(api: &Api, knowledge_base: &str, file: &Path) -> Result<Document> {
    let bytes = tokio::fs::read(file).await.context("it could not be read")?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let query = serde_urlencoded::to_string([("name", name.as_ref())])?;
    api.upload(
        &format!("/knowledge-bases/{knowledge_base}/documents/raw?{query}"),
        "application/octet-stream",
        bytes,
    )
    .await
}

/// Follows the documents' events; what a broken or bounded stream did not tell is asked for one by one at its end.
async fn follow(
    api: &Api,
    knowledge_base: &str,
    mut waiting: HashMap<String, PathBuf>,
    tally: &mut Tally,
    progress: &ProgressBar,
) -> Result<()> {
    while !waiting.is_empty() {
        let mut events = api
            .get_for_events(&format!(
                "/documents/events?knowledge_base_id={knowledge_base}&until=settled"
            ))
            .await?;
        while let Some(event) = events.next().await? {
            match event.name.as_str() {
                "document" => settle(
                    event.json::<DocumentEvent>()?.document,
                    &mut waiting,
                    tally,
                    progress,
                ),
                "summary" => {
                    let SummaryEvent {
                        waiting,
                        remaining_seconds,
                    } = event.json()?;
                    let remaining = remaining_seconds
                        .map_or(String::new(), |seconds| format!(", about {seconds} s left"));
                    progress.set_message(format!("indexing, {waiting} waiting{remaining}"));
                }
                _ => {}
            }
            if waiting.is_empty() {
                return Ok(());
            }
        }
        let unknown: Vec<String> = waiting.keys().cloned().collect();
        for id in unknown {
            settle(
                api.get(&format!("/documents/{id}")).await?,
                &mut waiting,
                tally,
                progress,
            );
        }
    }
    Ok(())
}

/// Waits until no document of a knowledge base is in work, telling now and then how many are and for how many seconds. Answers how many
/// of those that were in work failed.
pub(super) async fn settled(
    api: &Api,
    knowledge_base: &str,
    mut tell: impl FnMut(u64, Option<u64>),
) -> Result<usize> {
    let mut failed = std::collections::HashSet::new();
    loop {
        let mut events = api
            .get_for_events(&format!(
                "/documents/events?knowledge_base_id={knowledge_base}&until=settled"
            ))
            .await?;
        let mut is_over = true;
        while let Some(event) = events.next().await? {
            match event.name.as_str() {
                "document" => {
                    let DocumentEvent { document } = event.json()?;
                    if document.status == "failed" {
                        failed.insert(document.id);
                    } else {
                        failed.remove(&document.id);
                    }
                }
                "summary" => {
                    let summary: SummaryEvent = event.json()?;
                    is_over = summary.waiting == 0;
                    tell(summary.waiting, summary.remaining_seconds);
                }
                _ => {}
            }
        }
        if is_over {
            return Ok(failed.len());
        }
    }
}

fn settle(
    document: Document,
    waiting: &mut HashMap<String, PathBuf>,
    tally: &mut Tally,
    progress: &ProgressBar,
) {
    if !matches!(document.status.as_str(), "indexed" | "failed") {
        return;
    }
    let Some(file) = waiting.remove(&document.id) else {
        return;
    };
    progress.inc(1);
    if document.status == "failed" {
        tally.failures.push((
            file,
            document
                .error
                .unwrap_or_else(|| "it could not be read".to_owned()),
        ));
    }
}

fn progress(length: usize) -> ProgressBar {
    let target = if stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(u64::try_from(length).ok(), target).with_style(style)
}
