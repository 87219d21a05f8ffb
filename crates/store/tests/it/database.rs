//! A database per test, cloned from a template that is migrated once.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use amebo_core::id::{OrganizationId, UserId};
use amebo_core::organization::Plan;
use amebo_core::permission::Role;
use amebo_core::{Clock, Environment, ManualClock};
use amebo_store::managed::{self, Durability, Login, Postgres};
use amebo_store::{Access, NewOrganization, NewUser, Store, StoreConfig};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, Executor};
use tokio::sync::OnceCell;

const PREFIX: &str = "amebo-store-test-";
const TEMPLATE: &str = "template_store";

static POSTGRES: OnceCell<Postgres> = OnceCell::const_new();
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A store on a database of its own.
pub(crate) struct Database {
    pub(crate) store: Store,
    pub(crate) clock: Arc<ManualClock>,
    name: String,
}

async fn postgres() -> &'static Postgres {
    POSTGRES
        .get_or_init(|| async {
            sweep();
            let settings = managed::Settings {
                durability: Durability::None,
                max_connections: 300,
                ..managed::Settings::default()
            };
            let directory = root().join(format!("{PREFIX}{}", std::process::id()));
            let postgres = Postgres::start(&directory, &settings).await.unwrap();
            let connection = postgres.connection(Login::Administrator);
            managed::set_up(&connection.database("postgres"), TEMPLATE)
                .await
                .unwrap();
            amebo_store::migrate(&connection.database(TEMPLATE))
                .await
                .unwrap();
            postgres
        })
        .await
}

/// Not below the sources: they may lie where the account that PostgreSQL runs as cannot go, such as in root's home.
fn root() -> PathBuf {
    std::env::temp_dir()
}

/// Removes the clusters of test processes that have ended; they stop with the process, which cannot clean up after itself.
fn sweep() {
    for entry in fs::read_dir(root()).unwrap().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            // Another test process may be sweeping too.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

async fn administrator(postgres: &Postgres) -> PgConnection {
    postgres
        .options(Login::Administrator)
        .database("postgres")
        .connect()
        .await
        .unwrap()
}

impl Database {
    /// A fresh database, a clock that stands at a fixed time, and randomness that can be replayed.
    pub(crate) async fn new() -> Self {
        let start: DateTime<Utc> = "2026-11-20T08:00:00Z".parse().unwrap();
        let clock = Arc::new(ManualClock::starting_at(start));
        Self::with(clock.clone(), Environment::replayable(clock, 7)).await
    }

    /// A fresh database with the machine's clock.
    pub(crate) async fn on_system_clock() -> Self {
        let clock = Arc::new(ManualClock::starting_at(amebo_core::SystemClock.now()));
        Self::with(clock, Environment::system()).await
    }

    async fn with(clock: Arc<ManualClock>, environment: Environment) -> Self {
        let postgres = postgres().await;
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut administrator = administrator(postgres).await;
        administrator
            .execute(AssertSqlSafe(format!(
                "create database {name} template {TEMPLATE} owner amebo_owner"
            )))
            .await
            .unwrap();
        administrator.close().await.unwrap();
        let config = StoreConfig {
            app: postgres.connection(Login::App).database(&name),
            system: postgres.connection(Login::System).database(&name),
            max_connections: 12,
        };
        let store = Store::connect(&config, environment).await.unwrap();
        Self { store, clock, name }
    }

    pub(crate) fn environment(&self) -> &Environment {
        self.store.environment()
    }

    pub(crate) fn advance(&self, by: TimeDelta) {
        self.clock.advance(by);
    }

    /// An organisation and its owner's access to it.
    pub(crate) async fn organization(&self, name: &str) -> (OrganizationId, Access) {
        let mut tx = self.store.begin_system().await.unwrap();
        let email = format!("{}@example.com", self.environment().id::<UserId>());
        let owner = tx
            .users()
            .insert(&NewUser {
                email,
                name: "Owner".to_owned(),
                password_hash: None,
                is_superadmin: false,
            })
            .await
            .unwrap();
        let organization = tx
            .organizations()
            .create(&NewOrganization {
                name: name.to_owned(),
                owner,
                plan: Plan::Free,
            })
            .await
            .unwrap();
        let access = tx.users().access(owner, organization).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        (organization, access)
    }

    /// Another member of an organisation.
    pub(crate) async fn colleague(&self, organization: OrganizationId, role: Role) -> Access {
        let mut tx = self.store.begin_system().await.unwrap();
        let email = format!("{}@example.com", self.environment().id::<UserId>());
        let user = tx
            .users()
            .insert(&NewUser {
                email,
                name: "Colleague".to_owned(),
                password_hash: None,
                is_superadmin: false,
            })
            .await
            .unwrap();
        tx.organizations()
            .add_member(organization, user, role)
            .await
            .unwrap();
        let access = tx.users().access(user, organization).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        access
    }

    /// A connection as one of the roles, to try what it may do.
    pub(crate) async fn login(&self, login: Login) -> PgConnection {
        postgres()
            .await
            .options(login)
            .database(&self.name)
            .connect()
            .await
            .unwrap()
    }

    /// A connection past row-level security, to look at or to tamper with what is stored.
    pub(crate) async fn raw(&self) -> PgConnection {
        postgres()
            .await
            .options(Login::Administrator)
            .database(&self.name)
            .connect()
            .await
            .unwrap()
    }
}
