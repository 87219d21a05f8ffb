//! A database per test, cloned from a template that is migrated once.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use amebo_core::id::{OrganizationId, UserId};
use amebo_core::organization::Plan;
use amebo_core::{Clock, Environment, ManualClock};
use amebo_store::managed::{self, Durability, Login, Postgres};
use amebo_store::{Access, NewOrganization, NewUser, Store, StoreConfig};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, Executor};
use tokio::sync::OnceCell;

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
            let settings = managed::Settings {
                durability: Durability::None,
                max_connections: 300,
                ..managed::Settings::default()
            };
            // Several test processes may run at a time: each takes the first directory that no other holds.
            for number in 0.. {
                let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("postgres-{number}"));
                fs::create_dir_all(&directory).unwrap();
                fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
                match Postgres::start(&directory, &settings).await {
                    Ok(postgres) => {
                        prepare(&postgres).await;
                        return postgres;
                    }
                    Err(managed::Error::InUse { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            unreachable!("there is always another number")
        })
        .await
}

async fn prepare(postgres: &Postgres) {
    let mut administrator = administrator(postgres).await;
    let left: Vec<String> =
        sqlx::query_scalar("select datname::text from pg_database where datname like 'test\\_%'")
            .fetch_all(&mut administrator)
            .await
            .unwrap();
    for name in left {
        administrator
            .execute(AssertSqlSafe(format!("drop database {name} with (force)")))
            .await
            .unwrap();
    }
    let connection = postgres.connection(Login::Administrator);
    managed::set_up(&connection.database("postgres"), "test_template")
        .await
        .unwrap();
    amebo_store::migrate(&connection.database("test_template"))
        .await
        .unwrap();
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
                "create database {name} template test_template owner amebo_owner"
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
