//! Slack's own framework for Python, to compare with: an empty handler, signatures checked, nothing stored.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use super::intake::SECRET;
use super::load::{Connection, address};

const PROGRAM: &str = include_str!("bolt.py");
const PACKAGES: [&str; 3] = ["slack_bolt==1.30.0", "aiohttp==3.*", "uvicorn[standard]==0.*"];
const PATIENCE: Duration = Duration::from_secs(30);

/// It, running.
pub struct Bolt {
    child: Child,
    url: String,
    _directory: TempDir,
}

impl Bolt {
    /// Installs it into a directory that is thrown away, and starts it; `None`, with a word why, where Python or its packages are not to be had.
    #[expect(clippy::print_stderr, reason = "a command's output")]
    pub async fn start() -> Result<Option<Self>> {
        let directory = tempfile::Builder::new().prefix("amebo-bolt-").tempdir()?;
        let environment = directory.path().join("venv");
        let made = Command::new("python3")
            .args(["-m", "venv"])
            .arg(&environment)
            .status();
        let installed = made.is_ok_and(|made| made.success())
            && Command::new(environment.join("bin/pip"))
                .args(["install", "--quiet", "--disable-pip-version-check"])
                .args(PACKAGES)
                .status()
                .is_ok_and(|installed| installed.success());
        if !installed {
            eprintln!("slack_bolt could not be installed, so nothing is compared with it");
            return Ok(None);
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        std::fs::write(directory.path().join("bolt.py"), PROGRAM)?;
        let child = Command::new(environment.join("bin/uvicorn"))
            .args([
                "bolt:api",
                "--workers",
                "1",
                "--no-access-log",
                "--log-level",
                "error",
            ])
            .args(["--host", "127.0.0.1", "--port", &port.to_string(), "--app-dir"])
            .arg(directory.path())
            .env("SLACK_SIGNING_SECRET", SECRET)
            .stdin(Stdio::null())
            .spawn()
            .context("uvicorn could not be started")?;
        let bolt = Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
            _directory: directory,
        };
        let started = Instant::now();
        while Connection::open(address(&bolt.url)?).await.is_err() {
            if started.elapsed() > PATIENCE {
                bail!("slack_bolt did not start within {} s", PATIENCE.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(Some(bolt))
    }

    /// Where it answers.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Bolt {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
