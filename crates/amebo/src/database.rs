//! The database that commands work on: the managed PostgreSQL, or the one the configuration names.

use amebo_store::managed::{self, Login, Postgres};
use amebo_store::{Connection, StoreConfig};
use anyhow::{Context as _, Result};
use secrecy::ExposeSecret as _;

use crate::config::{Config, Database};
use crate::data_directory::DataDirectory;

/// The database in use, and the managed server when there is one.
pub struct RunningDatabase {
    pub store_config: StoreConfig,
    managed: Option<Postgres>,
}

impl RunningDatabase {
    /// For the server: starts the managed PostgreSQL when there is no URL, and brings the schema up to date where that is possible.
    pub async fn start(config: &Config, directory: &DataDirectory) -> Result<Self> {
        if config.database.url.is_none() {
            let postgres = Postgres::start(&directory.postgres(), &config.database.managed).await?;
            amebo_store::migrate(&postgres.connection(Login::Owner)).await?;
            return Ok(Self::managed(config, postgres));
        }
        if let Some(owner) = &config.database.owner_url {
            let owner =
                Connection::from_url(owner.expose_secret()).context("database.owner_url cannot be read")?;
            amebo_store::migrate(&owner).await?;
        }
        Self::configured(config)
    }

    /// For a command: uses the PostgreSQL of the server that runs on the directory, or starts it for as long as the command takes.
    pub async fn beside(config: &Config, directory: &DataDirectory) -> Result<Self> {
        if config.database.url.is_some() {
            return Self::configured(config);
        }
        match Postgres::attach(&directory.postgres()).await {
            Ok(postgres) => Ok(Self::managed(config, postgres)),
            Err(managed::Error::NotRunning { .. }) => Self::start(config, directory).await,
            Err(error) => Err(error.into()),
        }
    }

    fn managed(config: &Config, postgres: Postgres) -> Self {
        let store_config = StoreConfig {
            app: postgres.connection(Login::App),
            system: postgres.connection(Login::System),
            max_connections: config.database.max_connections,
        };
        Self {
            store_config,
            managed: Some(postgres),
        }
    }

    fn configured(config: &Config) -> Result<Self> {
        let Database {
            url,
            system_url,
            max_connections,
            ..
        } = &config.database;
        let url = url.as_ref().context("database.url is not set")?;
        let app = Connection::from_url(url.expose_secret()).context("database.url cannot be read")?;
        let system = match system_url {
            Some(url) => {
                Connection::from_url(url.expose_secret()).context("database.system_url cannot be read")?
            }
            None => app.as_user("amebo_system", None),
        };
        Ok(Self {
            store_config: StoreConfig {
                app,
                system,
                max_connections: *max_connections,
            },
            managed: None,
        })
    }

    /// Stops what was started.
    pub async fn stop(self) {
        if let Some(postgres) = self.managed {
            postgres.stop().await;
        }
    }
}
