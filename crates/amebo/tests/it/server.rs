//! A server process on a data directory of its own, a database of the test's and a Slack in the test.

use std::path::Path;
use std::process::Stdio;

use amebo_testkit::{Database, FakeSlack};
use reqwest::Client;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

/// Where a server keeps its files, and how it is configured.
pub struct Installation {
    directory: TempDir,
    configuration: Vec<(&'static str, String)>,
}

/// A running server; killed with the value.
pub struct Server {
    child: Child,
    /// Where it answers.
    pub url: String,
    _output: JoinSet<()>,
}

impl Installation {
    /// An installation without an embedding model, so that it searches by words.
    pub fn new(database: &Database, slack: &FakeSlack) -> Self {
        let app = slack.world().app();
        let host = slack.url().trim_start_matches("http://").to_owned();
        let list = |text: &str| format!("[\"{text}\"]");
        Self {
            directory: tempfile::tempdir().unwrap(),
            configuration: vec![
                (
                    "AMEBO__DATABASE__URL",
                    database.url(amebo_store::managed::Login::App),
                ),
                (
                    "AMEBO__DATABASE__SYSTEM_URL",
                    database.url(amebo_store::managed::Login::System),
                ),
                ("AMEBO__SLACK__API__API_BASE", format!("{}/api/", slack.url())),
                ("AMEBO__SLACK__API__TIMEOUT_SECONDS", "1".to_owned()),
                ("AMEBO__SLACK__APP__CLIENT_ID", app.client_id),
                ("AMEBO__SLACK__APP__CLIENT_SECRET", app.client_secret),
                ("AMEBO__SLACK__APP__SIGNING_SECRETS", list(&app.signing_secret)),
                ("AMEBO__OUTBOUND__ALLOW", list(&host)),
                ("AMEBO__JOBS__LEASE_SECONDS", "3".to_owned()),
                ("AMEBO__LOG__FILTER", "error".to_owned()),
            ],
        }
    }

    /// Its data directory.
    pub fn data(&self) -> &Path {
        self.directory.path()
    }

    /// What the terminal on this machine calls with: the organisation and its key.
    pub fn credential(&self) -> (String, String) {
        let bytes = std::fs::read(self.data().join("terminal.json")).unwrap();
        let credential: Value = serde_json::from_slice(&bytes).unwrap();
        let field = |name: &str| credential[name].as_str().unwrap().to_owned();
        (field("organization_id"), field("api_key"))
    }

    /// Starts the server, which answers when this returns.
    pub async fn start(&self, client: &Client) -> Server {
        let mut child = Command::new(env!("CARGO_BIN_EXE_amebo"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(self.data())
            .envs(self.configuration.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines
            .next_line()
            .await
            .unwrap()
            .expect("the server ended at once");
        let url = first.strip_prefix("Amebo is at ").unwrap().trim_end_matches('/');
        let url = url.to_owned();
        // Whatever else it says must not fill the pipe.
        let mut output = JoinSet::new();
        output.spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        // It listens already, and answers once everything is in place.
        let ready = client.get(format!("{url}/readyz")).send().await.unwrap();
        assert!(ready.status().is_success(), "{ready:?}");
        Server {
            child,
            url,
            _output: output,
        }
    }
}

impl Server {
    /// `kill -9`.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}
