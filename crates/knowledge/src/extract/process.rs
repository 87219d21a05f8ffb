//! The parent's side of extraction: starts children, feeds them, and never waits for long.

use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;

use crate::extract::Refusal;
use crate::extract::protocol::{self, Reply, Request, Setup};
use crate::passage::Extracted;

/// How extraction children are started and what they may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The program that calls [`worker::run`](crate::extract::worker::run).
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Where libpdfium lies; without it PDF files are read by `pdftotext` where that is installed.
    pub pdfium: Option<PathBuf>,
    /// How many children run at a time; 0 for as many as there are cores.
    pub concurrency: usize,
    /// How long a child may take, in seconds, both by the wall clock and in processor time.
    pub seconds: u64,
    /// Address space of a child in bytes.
    pub memory_bytes: u64,
    /// The largest file in bytes.
    pub input_bytes: u64,
    /// The largest answer in bytes.
    pub output_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            program: PathBuf::from("/proc/self/exe"),
            arguments: vec!["extract-worker".to_owned()],
            pdfium: None,
            concurrency: 0,
            seconds: 60,
            memory_bytes: 1 << 30,
            input_bytes: 100_000_000,
            output_bytes: 50_000_000,
        }
    }
}

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is such that it will never be read as it is.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// More bytes than [`Config::input_bytes`].
    #[error("This file is larger than {} MB; split it into smaller parts and upload those", .limit / 1_000_000)]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// Reading took longer than [`Config::seconds`].
    #[error(
        "Reading this file took longer than {seconds} seconds and was stopped; split it into smaller parts, or save it again in the program that made it"
    )]
    TimedOut {
        /// The limit.
        seconds: u64,
    },
    /// The text is more than [`Config::output_bytes`].
    #[error("This file holds too much text; split it into smaller parts and upload those")]
    TooMuchText,
    /// The child died, of the file or of its limits.
    #[error(
        "This file could not be read: it is damaged, or reading it needs too much memory; save it again in the program that made it, or as PDF"
    )]
    Crashed,
    /// The child could not be started or fed; the file may be fine.
    #[error("the program that reads documents could not be run")]
    Unavailable(#[source] io::Error),
}

impl Error {
    /// Whether the same file may be read at another time.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

/// Reads files in confined child processes; cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct Extractor {
    config: Config,
    slots: Semaphore,
}

impl Extractor {
    /// An extractor that starts its first child when the first file comes.
    pub fn new(config: Config) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let slots = if config.concurrency == 0 {
            cores
        } else {
            config.concurrency
        };
        Self {
            slots: Semaphore::new(slots),
            config,
        }
    }

    /// Reads a file; `name` is what it was uploaded as and only chooses between kinds of text.
    ///
    /// Waits for a free slot first. Dropping the future kills the child and whatever the child started.
    pub async fn extract(&self, name: Option<&str>, bytes: &[u8]) -> Result<Extracted, Error> {
        if bytes.is_empty() {
            return Err(Refusal::Empty.into());
        }
        if bytes.len() as u64 > self.config.input_bytes {
            return Err(Error::TooLarge {
                limit: self.config.input_bytes,
            });
        }
        let _slot = self
            .slots
            .acquire()
            .await
            .map_err(|closed| Error::Unavailable(io::Error::other(closed)))?;
        let limit = Duration::from_secs(self.config.seconds);
        match tokio::time::timeout(limit, self.converse(name, bytes)).await {
            Ok(result) => result,
            Err(_) => Err(Error::TimedOut {
                seconds: self.config.seconds,
            }),
        }
    }

    async fn converse(&self, name: Option<&str>, bytes: &[u8]) -> Result<Extracted, Error> {
        let mut group = Group::start(&self.config).map_err(Error::Unavailable)?;
        let (Some(mut input), Some(output)) = (group.child.stdin.take(), group.child.stdout.take()) else {
            return Err(Error::Unavailable(io::Error::other(
                "the child has no standard streams",
            )));
        };
        let head = self.head(name, bytes).map_err(Error::Unavailable)?;
        let feed = async {
            input.write_all(&head).await?;
            input.write_all(bytes).await?;
            input.flush().await
        };
        // A child that died while it was fed has broken the pipe; its exit status says why.
        let fed = feed.await;
        let mut answer = Vec::new();
        let most = self.config.output_bytes;
        output
            .take(most + 1)
            .read_to_end(&mut answer)
            .await
            .map_err(Error::Unavailable)?;
        if answer.len() as u64 > most {
            return Err(Error::TooMuchText);
        }
        drop(input);
        let status = group.child.wait().await.map_err(Error::Unavailable)?;
        if !status.success() || fed.is_err() {
            return Err(self.fault(status));
        }
        let parsed = tokio::task::spawn_blocking(move || protocol::parse_reply(answer)).await;
        match parsed.ok().flatten() {
            Some(Reply::Extracted(extracted)) => Ok(extracted),
            Some(Reply::Refused(refusal)) => Err(refusal.into()),
            None => Err(Error::Crashed),
        }
    }

    /// The two lines that come before the file.
    fn head(&self, name: Option<&str>, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let setup = Setup {
            pdfium: self.config.pdfium.clone(),
            memory_bytes: self.config.memory_bytes,
            seconds: self.config.seconds,
            input_bytes: self.config.input_bytes,
        };
        let request = Request {
            name: name.map(|name| name.chars().take(255).collect()),
            bytes: bytes.len() as u64,
        };
        Ok([protocol::line(&setup)?, protocol::line(&request)?].concat())
    }

    fn fault(&self, status: ExitStatus) -> Error {
        use std::os::unix::process::ExitStatusExt as _;
        tracing::debug!(%status, "an extraction child failed");
        // Both limits of processor time are the same, so the kernel sends SIGKILL.
        match status.signal().and_then(|signal| Signal::try_from(signal).ok()) {
            Some(Signal::SIGXCPU | Signal::SIGKILL) => Error::TimedOut {
                seconds: self.config.seconds,
            },
            _ => Error::Crashed,
        }
    }
}

/// A child that leads a process group of its own, killed as a whole when dropped.
struct Group {
    child: Child,
}

impl Group {
    fn start(config: &Config) -> io::Result<Self> {
        let child = Command::new(&config.program)
            .args(&config.arguments)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        Ok(Self { child })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The id is there only while the child has not been waited for, so it cannot be another process's.
        if let Some(id) = self.child.id().and_then(|id| i32::try_from(id).ok()) {
            // The group may be gone already.
            let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
        }
    }
}
