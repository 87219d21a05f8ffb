//! A database for measurements: a PostgreSQL of its own, with the durability that a server has.

use amebo_core::Environment;
use amebo_core::organization::Plan;
use amebo_core::permission::{Action, Resource};
use amebo_store::managed::{Login, Postgres, Settings};
use amebo_store::{NewOrganization, NewUser, Permit, Store, StoreConfig};
use anyhow::{Context as _, Result};
use tempfile::TempDir;

/// The database; gone with the value.
pub struct Database {
    pub store: Store,
    postgres: Postgres,
    _directory: TempDir,
}

impl Database {
    /// Starts and migrates it.
    pub async fn start() -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("amebo-bench-").tempdir()?;
        let postgres = Postgres::start(&directory.path().join("postgres"), &Settings::default()).await?;
        amebo_store::migrate(&postgres.connection(Login::Owner)).await?;
        let config = StoreConfig {
            app: postgres.connection(Login::App),
            system: postgres.connection(Login::System),
            max_connections: 16,
        };
        let store = Store::connect(&config, Environment::system()).await?;
        Ok(Self {
            store,
            postgres,
            _directory: directory,
        })
    }

    /// Stops it.
    pub async fn stop(self) {
        self.store.close().await;
        self.postgres.stop().await;
    }
}

/// New organisations of a name, and for each a permit to create a resource.
pub async fn organizations(
    store: &Store,
    name: &str,
    count: usize,
    resource: Resource,
) -> Result<Vec<Permit>> {
    let mut permits = Vec::new();
    for n in 0..count {
        let mut tx = store.begin_system().await?;
        let new = NewUser {
            email: format!("owner{n}@{name}.bench.example"),
            name: "Owner".to_owned(),
            password_hash: None,
            is_superadmin: false,
        };
        let owner = tx.users().insert(&new).await?;
        let new = NewOrganization {
            name: format!("Bench {name} {n}"),
            owner,
            plan: Plan::Free,
        };
        let organization = tx.organizations().create(&new).await?;
        let access = tx
            .users()
            .access(owner, organization)
            .await?
            .context("an owner has no access")?;
        tx.commit().await?;
        permits.push(access.permit(resource, Action::Create)?);
    }
    Ok(permits)
}
