//! The server of a data directory: announced in a file while it runs, started for one command when it does not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};

/// How long a server may take to start; the first start makes a database.
const PATIENCE: Duration = Duration::from_mins(2);

/// How often it is looked whether it has.
const LOOK: Duration = Duration::from_millis(50);

/// What a running server says of itself in `server.json` of its data directory.
#[derive(Debug, Serialize, Deserialize)]
pub struct Announcement {
    /// Where it listens.
    pub url: String,
    /// Its process.
    pub process: u32,
}

impl Announcement {
    fn path(data: &Path) -> PathBuf {
        data.join("server.json")
    }

    /// Leaves the announcement.
    pub fn write(&self, data: &Path) -> Result<()> {
        let path = Self::path(data);
        let staged = path.with_extension("json.new");
        fs::write(&staged, serde_json::to_vec(self)?)
            .and_then(|()| fs::rename(&staged, &path))
            .with_context(|| format!("could not write {}", path.display()))
    }

    /// Takes the announcement back.
    pub fn remove(data: &Path) {
        // A file left behind does no harm: a reader checks that the server lives.
        let _ = fs::remove_file(Self::path(data));
    }

    /// The server that runs on this directory, if one does.
    pub async fn read(data: &Path) -> Option<Self> {
        let announcement: Self = serde_json::from_slice(&fs::read(Self::path(data)).ok()?).ok()?;
        let process = Pid::from_raw(i32::try_from(announcement.process).ok()?);
        kill(process, None).ok()?;
        let address = announcement.url.strip_prefix("http://")?;
        TcpStream::connect(address).await.ok()?;
        Some(announcement)
    }
}

/// A server started for one command; stops with it.
#[derive(Debug)]
pub struct LocalServer(Child);

impl LocalServer {
    /// Starts a server on a free port and waits until it listens.
    pub async fn start(config: Option<&Path>, data: &Path) -> Result<(String, Self)> {
        let mut command = Command::new(std::env::current_exe().context("this executable has no path")?);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data);
        if let Some(config) = config {
            command.arg("--config").arg(config);
        }
        command
            .env("AMEBO__LOG__FILTER", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let mut server = Self(command.spawn().context("the server could not be started")?);
        let started = timeout(PATIENCE, async {
            let mut look = interval(LOOK);
            loop {
                look.tick().await;
                if let Some(status) = server.0.try_wait()? {
                    anyhow::bail!("the server could not start ({status}); its messages are above");
                }
                if let Some(announcement) = Announcement::read(data).await {
                    return Ok(announcement.url);
                }
            }
        });
        let url = started.await.context("the server did not start in time")??;
        Ok((url, server))
    }
}

impl Drop for LocalServer {
    /// Asks the server to stop and waits until it has, database included, so that the next command finds the directory free.
    fn drop(&mut self) {
        if let Ok(id) = i32::try_from(self.0.id()) {
            let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
        }
        let _ = self.0.wait();
    }
}
