//! A PostgreSQL per test process and a database per test, cloned from a migrated template.
//!
//! The server is started by the first test that asks and ends with the process. Amebo's tests connect as Amebo does: as the
//! unprivileged roles, under row-level security.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use amebo_store::StoreConfig;
use amebo_store::managed::{Durability, Login, Postgres, Settings};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection};
use tokio::sync::OnceCell;

const TEMPLATE: &str = "amebo_template";
const DIRECTORY: &str = "amebo-test-";

static SERVER: OnceCell<Postgres> = OnceCell::const_new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A migrated database of one test's own.
#[derive(Debug)]
pub struct Database {
    name: String,
    server: &'static Postgres,
}

impl Database {
    /// A new database; the first call in a process starts the server.
    pub async fn create() -> Self {
        let server = SERVER.get_or_init(start).await;
        let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        let mut administrator = connect(server, "postgres").await;
        let create = format!("create database {name} owner amebo_owner template {TEMPLATE}");
        administrator.execute(AssertSqlSafe(create)).await.unwrap();
        administrator.close().await.unwrap();
        Self { name, server }
    }

    /// How Amebo connects to it.
    pub fn store_config(&self) -> StoreConfig {
        StoreConfig {
            app: self.server.connection(Login::App).database(&self.name),
            system: self.server.connection(Login::System).database(&self.name),
            max_connections: 8,
        }
    }

    /// The same as an address, for a process of its own.
    pub fn url(&self, login: Login) -> String {
        let options = self.server.options(login).database(&self.name);
        options.to_url_lossy().to_string()
    }

    /// A connection that sees everything, to look at what was stored.
    pub async fn administrator(&self) -> PgConnection {
        connect(self.server, &self.name).await
    }

    /// A connection as one of the roles, to try what it may do.
    pub async fn login(&self, login: Login) -> PgConnection {
        self.server
            .options(login)
            .database(&self.name)
            .connect()
            .await
            .unwrap()
    }
}

async fn connect(server: &Postgres, database: &str) -> PgConnection {
    server
        .options(Login::Administrator)
        .database(database)
        .connect()
        .await
        .unwrap()
}

async fn start() -> Postgres {
    sweep();
    let settings = Settings {
        durability: Durability::None,
        max_connections: 200,
        ..Settings::default()
    };
    let server = Postgres::start(&directory(std::process::id()), &settings)
        .await
        .unwrap();
    let mut administrator = connect(&server, "postgres").await;
    administrator
        .execute(AssertSqlSafe(format!(
            "create database {TEMPLATE} owner amebo_owner template template0 encoding 'UTF8'"
        )))
        .await
        .unwrap();
    administrator.close().await.unwrap();
    amebo_store::migrate(&server.connection(Login::Owner).database(TEMPLATE))
        .await
        .unwrap();
    server
}

fn directory(process: u32) -> PathBuf {
    std::env::temp_dir().join(format!("{DIRECTORY}{process}"))
}

/// Removes what test processes that have ended left behind; a process cannot clean up after its own end.
fn sweep() {
    let Ok(entries) = fs::read_dir(std::env::temp_dir()) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let process = name
            .to_str()
            .and_then(|name| name.strip_prefix(DIRECTORY))
            .and_then(|id| id.parse::<u32>().ok());
        if process.is_some_and(|id| !Path::new(&format!("/proc/{id}")).exists()) {
            // Another test process may be sweeping too.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
