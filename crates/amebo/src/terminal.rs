//! The terminal as a caller of the API: finds the server of the data directory, starts one for as long as a command takes when none
//! runs, and speaks HTTP to it like everybody else.

mod events;
mod server;

use std::path::{Path, PathBuf};
use std::time::Duration;

use amebo_core::Environment;
use amebo_core::id::OrganizationId;
use amebo_outbound::{Client, Config, Exception, Limits, Request, Response};
use anyhow::{Context as _, Result, bail};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use events::Events;
pub use server::{Announcement, LocalServer};

/// How long sending a file may take.
const LONGEST_UPLOAD: Duration = Duration::from_hours(6);

/// Where to ask and as whom; read from the environment or from the data directory.
#[derive(clap::Args, Default)]
pub struct Target {
    /// The server to speak to, when it is not the one of the data directory.
    #[arg(long, value_name = "URL", env = "AMEBO_URL", requires = "api_key")]
    url: Option<String>,
    /// An API key of that server.
    #[arg(long, value_name = "KEY", env = "AMEBO_API_KEY", hide_env_values = true)]
    api_key: Option<SecretString>,
}

/// The credential that a server leaves in its data directory for the terminal on the same machine.
#[derive(Serialize, Deserialize)]
pub struct Credential {
    /// The organisation it belongs to.
    pub organization_id: OrganizationId,
    /// The key; the file is readable by its owner alone.
    pub api_key: String,
}

impl Credential {
    /// Where it is left.
    pub fn path(data: &Path) -> PathBuf {
        data.join("terminal.json")
    }
}

/// A server that answers, and the right to ask it.
pub struct Api {
    client: Client,
    url: String,
    key: SecretString,
    organization: OrganizationId,
    /// Stops with the command when the command started it.
    _server: Option<LocalServer>,
}

#[derive(Deserialize)]
struct Problem {
    detail: String,
    #[serde(default)]
    errors: Vec<FieldProblem>,
}

#[derive(Deserialize)]
struct FieldProblem {
    pointer: String,
    detail: String,
}

#[derive(Deserialize)]
struct Whose {
    organization_id: OrganizationId,
}

impl Api {
    /// Finds or starts the server.
    pub async fn connect(target: &Target, config: Option<&Path>, data: &Path) -> Result<Self> {
        if let (Some(url), Some(api_key)) = (&target.url, &target.api_key) {
            let client = client(url)?;
            let url = url.trim_end_matches('/').to_owned();
            let request = Request::get(format!("{url}/api/v1/api-key").parse()?, "terminal")
                .bearer(api_key.expose_secret());
            let whose: Whose = read(
                client
                    .send(request)
                    .await
                    .with_context(|| format!("no server answers at {url}"))?,
            )
            .await?;
            return Ok(Self {
                client,
                url,
                key: api_key.clone(),
                organization: whose.organization_id,
                _server: None,
            });
        }
        let (url, server) = if let Some(announcement) = Announcement::read(data).await {
            (announcement.url, None)
        } else {
            let (url, server) = LocalServer::start(config, data).await?;
            (url, Some(server))
        };
        let path = Credential::path(data);
        let credential = std::fs::read(&path).with_context(|| {
            format!(
                "the terminal has no key for the server at {url} ({}); set AMEBO_URL and AMEBO_API_KEY",
                path.display()
            )
        })?;
        let Credential {
            organization_id,
            api_key,
        } = serde_json::from_slice(&credential)?;
        Ok(Self {
            client: client(&url)?,
            url,
            key: api_key.into(),
            organization: organization_id,
            _server: server,
        })
    }

    /// GET below the organisation.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        read(self.send(Request::get(self.address(path)?, "terminal")).await?).await
    }

    /// POST of JSON below the organisation.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T> {
        read(
            self.send(Request::post(self.address(path)?, "terminal").json(body))
                .await?,
        )
        .await
    }

    /// POST of a file below the organisation.
    pub async fn upload<T: DeserializeOwned>(
        &self,
        path: &str,
        content_type: &'static str,
        bytes: Vec<u8>,
    ) -> Result<T> {
        read(
            self.send(Request::post(self.address(path)?, "terminal").body(content_type, bytes))
                .await?,
        )
        .await
    }

    /// POST of a file of any size below the organisation.
    pub async fn upload_file<T: DeserializeOwned>(
        &self,
        path: &str,
        content_type: &'static str,
        file: PathBuf,
    ) -> Result<T> {
        let patient = Limits {
            first_byte: LONGEST_UPLOAD,
            total: LONGEST_UPLOAD,
            ..Limits::default()
        };
        let request = Request::post(self.address(path)?, "terminal").file(content_type, file);
        read(self.send_within(request, patient).await?).await
    }

    /// POST of JSON, answered by events.
    pub async fn post_for_events(&self, path: &str, body: &Value) -> Result<Events> {
        self.events(Request::post(self.address(path)?, "terminal").json(body))
            .await
    }

    /// GET, answered by events.
    pub async fn get_for_events(&self, path: &str) -> Result<Events> {
        self.events(Request::get(self.address(path)?, "terminal")).await
    }

    async fn events(&self, request: Request) -> Result<Events> {
        let response = self.send(request.header("accept", "text/event-stream")).await?;
        if !response.status().is_success() {
            return Err(refusal(response).await);
        }
        Ok(Events::new(response.stream()))
    }

    async fn send(&self, request: Request) -> Result<Response> {
        let limits = Limits {
            total: Duration::from_mins(10),
            idle: Duration::from_mins(2),
            body_bytes: 64 << 20,
            ..Limits::default()
        };
        self.send_within(request, limits).await
    }

    async fn send_within(&self, request: Request, limits: Limits) -> Result<Response> {
        let request = request.bearer(self.key.expose_secret()).limits(limits);
        self.client
            .send(request)
            .await
            .with_context(|| format!("the server at {} does not answer", self.url))
    }

    fn address(&self, path: &str) -> Result<url::Url> {
        Ok(format!("{}/api/v1/organizations/{}{path}", self.url, self.organization).parse()?)
    }
}

/// The guarded client, with the one server that was named allowed wherever it is.
fn client(url: &str) -> Result<Client> {
    let url: url::Url = url.parse().context("the server's address is not a URL")?;
    let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
        bail!("the server's address has no host");
    };
    let config = Config {
        allow: vec![Exception::Endpoint(host.to_owned(), port)],
        ..Config::default()
    };
    Ok(Client::new(&config, Environment::system())?)
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T> {
    if response.status().is_success() {
        let bytes = response.bytes().await?;
        return serde_json::from_slice(&bytes)
            .context("the server's answer cannot be read; is it of another version?");
    }
    Err(refusal(response).await)
}

async fn refusal(response: Response) -> anyhow::Error {
    let status = response.status();
    match response.json::<Problem>().await {
        Ok(problem) => {
            let fields = problem
                .errors
                .iter()
                .map(|error| format!("\n  {}: {}", error.pointer, error.detail));
            anyhow::anyhow!("{}{}", problem.detail, fields.collect::<String>())
        }
        Err(_) => anyhow::anyhow!("the server answered {status}"),
    }
}
