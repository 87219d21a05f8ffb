//! A server as people run it: the executable, its own PostgreSQL, a data directory, HTTP over loopback.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long a start may take before the measurement gives up.
const PATIENCE: Duration = Duration::from_mins(1);

/// A data directory with the models in it.
pub struct Installation {
    directory: TempDir,
    amebo: PathBuf,
    configuration: Vec<(String, String)>,
}

/// A running server.
pub struct Server {
    child: Child,
    url: String,
    organization: String,
    key: String,
    client: Client,
    /// From starting the process until it answered.
    pub started_in: Duration,
}

impl Installation {
    /// An empty installation.
    pub fn new(amebo: &Path, models: &Path) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("amebo-bench-").tempdir()?;
        // The managed database runs under another account when this runs as root, and must be able to pass.
        std::fs::set_permissions(
            directory.path(),
            std::os::unix::fs::PermissionsExt::from_mode(0o711),
        )?;
        for part in ["models", "lib"] {
            let installed = std::fs::canonicalize(models.join(part)).with_context(|| {
                format!(
                    "{} is not installed; run `amebo models install`",
                    models.display()
                )
            })?;
            symlink(installed, directory.path().join(part))?;
        }
        let amebo = std::fs::canonicalize(amebo)
            .with_context(|| format!("there is no {}; build it first", amebo.display()))?;
        Ok(Self {
            directory,
            amebo,
            configuration: Vec::new(),
        })
    }

    /// The same, configured by these environment variables too.
    pub fn with(mut self, configuration: &[(&str, &str)]) -> Self {
        let owned = configuration
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.configuration.extend(owned);
        self
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        self.directory.path()
    }

    /// Starts the server and waits until it answers.
    pub async fn start(&self) -> Result<Server> {
        let data = self.directory.path();
        let _ = std::fs::remove_file(data.join("server.json"));
        let client = client()?;
        let started = Instant::now();
        let child = Command::new(&self.amebo)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .env("AMEBO__LOG__FILTER", "warn")
            .envs(self.configuration.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        let mut server = Server {
            child,
            url: String::new(),
            organization: String::new(),
            key: String::new(),
            client,
            started_in: Duration::ZERO,
        };
        while started.elapsed() < PATIENCE {
            if let Some(announcement) = json_file(&data.join("server.json")) {
                announcement["url"]
                    .as_str()
                    .unwrap_or_default()
                    .clone_into(&mut server.url);
                let ready = server.client.get(format!("{}/readyz", server.url)).send().await;
                if ready.is_ok_and(|reply| reply.status() == StatusCode::OK) {
                    server.started_in = started.elapsed();
                    let credential = json_file(&data.join("terminal.json"))
                        .context("the server left no key for the terminal")?;
                    credential["organization_id"]
                        .as_str()
                        .unwrap_or_default()
                        .clone_into(&mut server.organization);
                    credential["api_key"]
                        .as_str()
                        .unwrap_or_default()
                        .clone_into(&mut server.key);
                    return Ok(server);
                }
            }
            if let Some(status) = server.child.try_wait()? {
                bail!("the server ended while starting ({status})");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        bail!("the server did not start within {} s", PATIENCE.as_secs())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a load generator on loopback, not the product"
)]
pub fn client() -> Result<Client> {
    // An error says that it is installed already.
    drop(rustls::crypto::ring::default_provider().install_default());
    Ok(Client::builder().no_proxy().pool_max_idle_per_host(64).build()?)
}

fn json_file(path: &Path) -> Option<Value> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

impl Server {
    /// Where it answers.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it is called with.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Calls below the organisation; anything but success is an error.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        let url = format!("{}/api/v1/organizations/{}{path}", self.url, self.organization);
        let request = self.client.request(method, url).bearer_auth(&self.key);
        let request = if let Some(body) = body {
            request.json(&body)
        } else {
            request
        };
        read(request.send().await?).await
    }

    /// A new knowledge base.
    pub async fn knowledge_base(&self, name: &str) -> Result<String> {
        let made = self
            .call(Method::POST, "/knowledge-bases", Some(json!({ "name": name })))
            .await?;
        Ok(made["id"]
            .as_str()
            .context("the knowledge base has no id")?
            .to_owned())
    }

    /// Uploads a text; answers the document's id once the server has acknowledged it.
    pub async fn upload(&self, knowledge_base: &str, name: &str, text: String) -> Result<String> {
        let path = format!("/knowledge-bases/{knowledge_base}/documents/raw?name={name}");
        let document = self
            .send(&path, "application/octet-stream", text.into_bytes())
            .await?;
        Ok(document["id"]
            .as_str()
            .context("the document has no id")?
            .to_owned())
    }

    /// Posts bytes below the organisation; anything but success is an error.
    pub async fn send(&self, path: &str, media_type: &str, body: Vec<u8>) -> Result<Value> {
        let request = self
            .client
            .post(format!(
                "{}/api/v1/organizations/{}{path}",
                self.url, self.organization
            ))
            .bearer_auth(&self.key)
            .header("content-type", media_type)
            .body(body);
        read(request.send().await?).await
    }

    /// The documents of a knowledge base.
    pub async fn documents(&self, knowledge_base: &str) -> Result<Vec<Value>> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let mut page = self
                .call(
                    Method::GET,
                    &format!("/documents?knowledge_base_id={knowledge_base}&limit=200{cursor}"),
                    None,
                )
                .await?;
            if let Some(items) = page["items"].as_array_mut() {
                all.append(items);
            }
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(all),
            }
        }
    }

    /// Waits until nothing of a knowledge base is in work; answers its documents.
    pub async fn settled(&self, knowledge_base: &str, patience: Duration) -> Result<Vec<Value>> {
        let started = Instant::now();
        loop {
            let documents = self.documents(knowledge_base).await?;
            if documents
                .iter()
                .all(|document| matches!(document["status"].as_str(), Some("indexed" | "failed")))
            {
                return Ok(documents);
            }
            anyhow::ensure!(
                started.elapsed() < patience,
                "documents were still in work after {} s",
                patience.as_secs()
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let request = self
            .client
            .post(format!("{}{path}", self.url))
            .bearer_auth(&self.key)
            .json(body);
        read(request.send().await?).await
    }

    /// Calls from now on as somebody who just signed up.
    pub async fn sign_up(&mut self, email: &str) -> Result<()> {
        let password = "a long one for a bench";
        let form = json!({ "email": email, "name": "Owner", "password": password, "organization": "Bench" });
        self.post("/api/v1/auth/sign-up", &form).await?;
        let credentials = json!({ "email": email, "password": password });
        self.post("/api/v1/auth/sign-in", &credentials).await?["access_token"]
            .as_str()
            .context("signing in gave no access token")?
            .clone_into(&mut self.key);
        Ok(())
    }

    /// Asks, and answers how long it took.
    pub async fn ask(&self, question: &str) -> Result<Duration> {
        self.ask_in(&self.organization, question).await
    }

    /// Asks in an organisation, and answers how long it took.
    pub async fn ask_in(&self, organization: &str, question: &str) -> Result<Duration> {
        let started = Instant::now();
        let path = format!("/api/v1/organizations/{organization}/questions");
        let reply = self.post(&path, &json!({ "text": question })).await?;
        let took = started.elapsed();
        anyhow::ensure!(
            reply["answer"]["outcome"].is_string(),
            "a question had no outcome: {reply}"
        );
        Ok(took)
    }

    /// The memory of the server, its database and their children that is theirs alone or their share of what is shared (PSS), in MiB.
    pub fn memory(&self) -> f64 {
        let parents: Vec<(u32, u32)> = processes();
        let mut family = vec![self.child.id()];
        let mut at = 0;
        while let Some(&parent) = family.get(at) {
            family.extend(
                parents
                    .iter()
                    .filter(|(_, its_parent)| *its_parent == parent)
                    .map(|(id, _)| *id),
            );
            at += 1;
        }
        let kib: f64 = family.iter().map(|id| pss(*id)).sum();
        kib / 1024.0
    }

    /// Kills the server and its database at once, as a loss of power would.
    pub fn kill(mut self) -> Result<()> {
        let database: Vec<u32> = processes()
            .into_iter()
            .filter(|(_, parent)| *parent == self.child.id())
            .map(|(id, _)| id)
            .collect();
        self.child.kill()?;
        for id in database {
            let _ = Command::new("kill").args(["-9", &id.to_string()]).status();
        }
        self.child.wait()?;
        Ok(())
    }

    /// Asks the server to stop, and waits until it has.
    pub fn stop(mut self) -> Result<()> {
        Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    /// Leaves no server behind when a measurement fails.
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

async fn read(reply: reqwest::Response) -> Result<Value> {
    let status = reply.status();
    let body = reply.text().await?;
    anyhow::ensure!(status.is_success(), "the server answered {status}: {body}");
    Ok(serde_json::from_str(&body)?)
}

/// Every process with its parent.
fn processes() -> Vec<(u32, u32)> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let id: u32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name, in parentheses, may hold spaces; the parent is the second field behind it.
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
            Some((id, parent))
        })
        .collect()
}

fn pss(process: u32) -> f64 {
    let rollup = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap_or_default();
    rollup
        .lines()
        .find_map(|line| line.strip_prefix("Pss:")?.split_whitespace().next()?.parse().ok())
        .unwrap_or(0.0)
}
