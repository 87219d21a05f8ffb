//! Configuration: the compiled-in defaults, then a file, then the environment, then flags.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use amebo_app::ask::AskSettings;
use amebo_app::mail;
use amebo_app::provider::ModelConfig;
use amebo_app::slack;
use amebo_knowledge::embed::remote;
use amebo_knowledge::index::embedded;
use amebo_store::{blob, job, managed};
use anyhow::{Context as _, Result, bail};
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use ipnet::IpNet;
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

/// The manual: every key with its default.
const DEFAULTS: &str = include_str!("../amebo.default.toml");

/// Keys whose values in the environment are text whatever they look like: Slack's client ids look like fractions, and a secret may look
/// like any number.
const TEXTS: &[&str] = &[
    "data.master_keys",
    "embedding.key",
    "language_model.key",
    "server.metrics_token",
    "slack.app.client_id",
    "slack.app.client_secret",
];

/// Everything that can be configured; `amebo.default.toml` explains each key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub server: Server,
    pub identity: Identity,
    pub mail: Option<mail::Config>,
    pub answers: AskSettings,
    pub language_model: Option<ModelConfig>,
    pub embedding: Option<Embedding>,
    pub index: embedded::Settings,
    pub jobs: job::Settings,
    pub storage: blob::Settings,
    pub outbound: amebo_outbound::Config,
    pub slack: slack::Config,
    pub data: Data,
    pub database: Database,
    pub log: Log,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub listen: SocketAddr,
    pub public_url: Option<Url>,
    pub trusted_proxies: Vec<IpNet>,
    pub metrics_token: Option<SecretString>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    pub sign_up: bool,
    pub first_administrator: String,
    pub first_organization: String,
}

/// An embedding model behind an endpoint.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Embedding {
    pub endpoint: remote::Settings,
    pub key: Option<SecretString>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    pub directory: PathBuf,
    pub master_keys: Option<SecretString>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    pub url: Option<SecretString>,
    pub system_url: Option<SecretString>,
    pub owner_url: Option<SecretString>,
    pub max_connections: u32,
    pub managed: managed::Settings,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub format: LogFormat,
    pub filter: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Auto,
    Json,
    Text,
}

impl Config {
    /// Reads the configuration. A named file must exist; `amebo.toml` may.
    pub fn load(file: Option<&Path>, data: Option<&Path>) -> Result<Self> {
        let mut figment = Figment::from(Toml::string(DEFAULTS));
        match file {
            Some(file) if !file.is_file() => bail!("there is no configuration file {}", file.display()),
            Some(file) => figment = figment.merge(Toml::file_exact(file)),
            None if Path::new("amebo.toml").is_file() => {
                figment = figment.merge(Toml::file_exact("amebo.toml"));
            }
            None => {}
        }
        let environment = Env::prefixed("AMEBO__").split("__");
        for (key, value) in environment.iter() {
            if TEXTS.contains(&key.as_str()) {
                figment = figment.merge(Serialized::default(key.as_str(), value.trim_matches('"')));
            }
        }
        figment = figment.merge(environment.ignore(TEXTS));
        if let Some(data) = data {
            figment = figment.merge(Serialized::default("data.directory", data));
        }
        let mut config: Self = figment
            .extract()
            .context("the configuration is not valid (amebo.default.toml lists every key)")?;
        config.data.directory =
            std::path::absolute(&config.data.directory).context("the data directory has no path")?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_complete_and_valid() {
        let config: Config = Figment::from(Toml::string(DEFAULTS)).extract().unwrap();
        assert_eq!(config.server.listen.port(), 7788);
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_it() {
        let figment = Figment::from(Toml::string(DEFAULTS)).merge(Toml::string("[server]\nlisten_on = 'x'"));
        let error = figment.extract::<Config>().unwrap_err().to_string();
        assert!(error.contains("listen_on"), "{error}");
    }
}
