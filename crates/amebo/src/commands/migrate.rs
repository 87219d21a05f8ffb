//! `amebo migrate`: brings the schema up to date, and prepares a server that has never seen Amebo.

use amebo_store::{Connection, managed};
use anyhow::{Context as _, Result};
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::Config;

/// Flags of `amebo migrate`.
#[derive(clap::Args)]
pub struct Options {
    /// Enter as this administrator of the server instead, and first make Amebo's roles and the database where they are missing.
    #[arg(
        long,
        value_name = "URL",
        env = "AMEBO_ADMINISTRATOR_URL",
        hide_env_values = true
    )]
    administrator_url: Option<SecretString>,
}

/// Migrates the configured database.
pub async fn run(config: &Config, options: Options) -> Result<()> {
    let connection = match (&options.administrator_url, &config.database.owner_url) {
        (Some(url), _) => {
            let administrator = Connection::from_url(url.expose_secret())
                .context("the administrator's URL cannot be read")?;
            managed::set_up(&administrator, managed::DATABASE)
                .await
                .context("roles and database could not be made")?;
            administrator.database(managed::DATABASE)
        }
        (None, Some(url)) => {
            Connection::from_url(url.expose_secret()).context("database.owner_url cannot be read")?
        }
        (None, None) => anyhow::bail!(
            "nothing says how to enter the database as its owner: set database.owner_url, or pass --administrator-url; \
             the managed database is migrated by `amebo serve` itself"
        ),
    };
    amebo_store::migrate(&connection)
        .await
        .context("the schema could not be brought up to date")?;
    tracing::info!("the schema is up to date");
    Ok(())
}
