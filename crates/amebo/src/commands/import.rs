//! `amebo import`: what people said elsewhere, read in whole.

use std::io::{IsTerminal as _, stderr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Deserialize;

use super::ingest::{knowledge_base, settled};
use crate::terminal::{Api, Target};

/// How often it is asked how far an import has come.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// How many reasons are printed one by one.
const REASONS: usize = 20;

/// What is read in.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Read in a workspace export of Slack (the zip that Slack hands out), and wait until it is findable.
    Slack(Options),
}

/// Flags of `amebo import slack`.
#[derive(clap::Args)]
pub struct Options {
    /// The export.
    #[arg(value_name = "EXPORT.zip")]
    archive: PathBuf,
    /// Where to put it; made when there is no knowledge base of this name.
    #[arg(long, short = 'k', value_name = "NAME", default_value = "Slack")]
    knowledge_base: String,
    /// The workspace's address, so that answers link to the messages they rest on. Not needed for a workspace that is connected.
    #[arg(long, value_name = "URL")]
    workspace: Option<String>,
    /// Who may see what was said.
    #[arg(long, value_enum, default_value_t)]
    audience: Audience,
    #[command(flatten)]
    pub target: Target,
}

/// Who may see what was said.
#[derive(Clone, Copy, Default, clap::ValueEnum)]
enum Audience {
    /// The members of each channel, known by their e-mail addresses.
    #[default]
    Channel,
    /// Everybody in the organisation, for public channels; the others stay with their members.
    Organization,
}

#[derive(Deserialize)]
struct Import {
    id: String,
    state: String,
    error: Option<String>,
    days: u64,
    days_done: u64,
    users: u64,
    channels: u64,
    messages: u64,
    messages_new: u64,
    left_out: std::collections::BTreeMap<String, u64>,
    problems: Vec<Problem>,
    problem_count: u64,
    messages_without_document: u64,
    remaining_seconds: Option<u64>,
}

#[derive(Deserialize)]
struct Problem {
    file: String,
    reason: String,
}

/// Sends, follows, and says what was read.
#[expect(clippy::print_stdout, reason = "the command's output")]
pub async fn run(api: Api, command: &Command) -> Result<()> {
    let Command::Slack(options) = command;
    let name = options.archive.file_name().unwrap_or_default().to_string_lossy();
    anyhow::ensure!(
        options.archive.is_file(),
        "there is no file {}",
        options.archive.display()
    );
    let base = knowledge_base(&api, &options.knowledge_base).await?;
    let progress = progress();
    progress.set_message("sending the archive");
    let audience = match options.audience {
        Audience::Channel => "channel",
        Audience::Organization => "organization",
    };
    let mut query = vec![("name", name.as_ref()), ("audience", audience)];
    query.extend(options.workspace.as_deref().map(|url| ("workspace", url)));
    let path = format!(
        "/knowledge-bases/{base}/slack-imports?{}",
        serde_urlencoded::to_string(query)?
    );
    let sent: Import = api
        .upload_file(&path, "application/zip", options.archive.clone())
        .await?;
    let import = follow(&api, &sent.id, &progress).await?;
    println!(
        "{} messages of {} people in {} channels read, {} of them new.",
        import.messages, import.users, import.channels, import.messages_new
    );
    for (reason, count) in &import.left_out {
        println!("  {count} left out: {}", meaning(reason));
    }
    for problem in import.problems.iter().take(REASONS) {
        println!("  {}: {}", problem.file, problem.reason);
    }
    if import.problem_count > import.problems.len().min(REASONS) as u64 {
        println!("  {} files could not be read in all", import.problem_count);
    }
    let failed = settled(&api, &base, |waiting, remaining| {
        let remaining = remaining.map_or(String::new(), |seconds| format!(", about {seconds} s left"));
        progress.set_message(format!("indexing, {waiting} documents waiting{remaining}"));
    })
    .await?;
    progress.finish_and_clear();
    if failed > 0 {
        bail!("{failed} of the documents could not be indexed; the dashboard says why");
    }
    println!("Everything is findable.");
    Ok(())
}

/// Waits until all messages are stored and written down.
async fn follow(api: &Api, id: &str, progress: &ProgressBar) -> Result<Import> {
    loop {
        let import: Import = api
            .get(&format!("/slack-imports/{id}"))
            .await
            .context("the import cannot be followed any more; it goes on in the server")?;
        match import.state.as_str() {
            "failed" => bail!(
                import
                    .error
                    .unwrap_or_else(|| "the export could not be read".to_owned())
            ),
            "done" if import.messages_without_document == 0 => return Ok(import),
            "done" => progress.set_message(format!(
                "{} messages read, {} to be written down",
                import.messages, import.messages_without_document
            )),
            _ => {
                let remaining = import
                    .remaining_seconds
                    .map_or(String::new(), |seconds| format!(", about {seconds} s left"));
                progress.set_length(import.days);
                progress.set_position(import.days_done);
                progress.set_message(format!("{} messages read{remaining}", import.messages));
            }
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
}

/// Why messages were left out, in words.
fn meaning(reason: &str) -> &str {
    match reason {
        "bot" => "written by apps",
        "notice" => "notices of Slack",
        "empty" => "without text or files",
        "malformed" => "without author or time",
        other => other,
    }
}

fn progress() -> ProgressBar {
    let target = if stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(None, target).with_style(style)
}
