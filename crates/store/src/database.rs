//! Connections: two private pools, one for each role that logs in, and the migrations.

use std::time::Duration;

use amebo_core::Environment;
use amebo_core::id::{Id, OrganizationId};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Result};
use crate::signal::{self, SharedSignals, Topic};
use crate::{OrgTx, Permit, SystemTx};

/// Where a database is and as whom to enter it.
#[derive(Debug, Clone)]
pub struct Connection(pub(crate) PgConnectOptions);

impl Connection {
    /// Reads a URL such as `postgres://amebo_app@host/amebo`.
    pub fn from_url(url: &str) -> Result<Self> {
        Ok(Self(url.parse::<PgConnectOptions>()?))
    }

    /// The same place, entered as another role.
    #[must_use]
    pub fn as_user(&self, user: &str, password: Option<&str>) -> Self {
        let options = self.0.clone().username(user);
        Self(match password {
            Some(password) => options.password(password),
            None => options,
        })
    }

    /// The same server, another database.
    #[must_use]
    pub fn database(&self, name: &str) -> Self {
        Self(self.0.clone().database(name))
    }
}

/// How the store reaches its database.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// Entered as `amebo_app`: everything of a tenant.
    pub app: Connection,
    /// Entered as `amebo_system`: everything outside a tenant.
    pub system: Connection,
    /// Connections of the tenant pool; the system pool has a third as many, at least four: what comes in is stored through three of them.
    pub max_connections: u32,
}

/// The database, and the only door to it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    app: PgPool,
    system: PgPool,
    environment: Environment,
    signals: SharedSignals,
}

impl Store {
    /// Opens the pools. Refuses roles that could see past row-level security.
    pub async fn connect(config: &StoreConfig, environment: Environment) -> Result<Self> {
        let app = pool(&config.app, config.max_connections).await?;
        let system = pool(&config.system, (config.max_connections / 3).max(4)).await?;
        for pool in [&app, &system] {
            check_roles(&mut *pool.acquire().await?).await?;
        }
        Ok(Self {
            app,
            system,
            environment,
            signals: SharedSignals::default(),
        })
    }

    /// Opens a transaction in the permit's organisation.
    pub async fn begin(&self, permit: &Permit) -> Result<OrgTx> {
        let transaction = self.app.begin_with(scoped_begin(permit.organization)).await?;
        Ok(OrgTx::new(
            transaction,
            *permit,
            self.environment.clone(),
            SharedSignals::clone(&self.signals),
        ))
    }

    /// Opens a transaction outside any organisation. Every call site is listed in a golden file.
    pub async fn begin_system(&self) -> Result<SystemTx> {
        Ok(SystemTx::new(
            self.system.begin().await?,
            self.environment.clone(),
        ))
    }

    /// Tells other processes, and this one's workers, what was committed here; runs until `stop`, once in every process.
    pub async fn announce(&self, stop: &CancellationToken) {
        while let Some(topics) = self.signals.next(stop).await {
            for topic in topics {
                if let Err(error) = self.announce_topic(topic).await {
                    tracing::warn!(%error, "could not announce a commit; listeners find it when they poll");
                }
            }
            tokio::time::sleep(signal::GATHER).await;
        }
    }

    /// Notes that something was committed that others wait for.
    pub(crate) fn raise(&self, topic: Topic) {
        let mut written = signal::Written::default();
        written.note(topic);
        self.signals.raise(written);
    }

    async fn announce_topic(&self, topic: Topic) -> Result<()> {
        if topic == Topic::Events {
            self.publish_events().await?;
        }
        Ok(signal::notify(&self.system, topic).await?)
    }

    /// Calls `heard` when listening begins and whenever `topic` is announced, until `stop`. Announcements may be lost: poll as well.
    pub async fn listen(&self, topic: Topic, stop: &CancellationToken, heard: &(dyn Fn() + Sync)) {
        signal::listen(&self.system, topic, stop, heard).await;
    }

    pub(crate) fn system_pool(&self) -> &PgPool {
        &self.system
    }

    /// The tenant pool, for questions about the database itself.
    pub(crate) fn app(&self) -> &PgPool {
        &self.app
    }

    /// Where time, ids and randomness come from.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        sqlx::query("select 1").execute(&self.app).await?;
        Ok(())
    }

    /// Waits for connections in use to come back and closes them all.
    pub async fn close(&self) {
        tokio::join!(self.app.close(), self.system.close());
    }
}

/// One round trip opens the transaction and sets its organisation. The text is a UUID's own rendering, so nothing of a caller's
/// choosing reaches the statement.
fn scoped_begin(organization: OrganizationId) -> AssertSqlSafe<String> {
    AssertSqlSafe(format!(
        "begin; select set_config('amebo.organization', '{}', true)",
        organization.uuid()
    ))
}

async fn pool(connection: &Connection, max_connections: u32) -> Result<PgPool> {
    let options = connection
        .0
        .clone()
        .application_name("amebo")
        .statement_cache_capacity(256);
    Ok(PgPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(Duration::from_secs(10))
        // A ping before every use would double the round trips of a short transaction; a connection that has rested is pinged.
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(
                async move { Ok(meta.idle_for < Duration::from_secs(30) || connection.ping().await.is_ok()) },
            )
        })
        .connect_with(options)
        .await?)
}

/// Checks that the connected role cannot see past row-level security.
pub async fn check_roles(connection: &mut PgConnection) -> Result<()> {
    let (name, superuser, bypass): (String, bool, bool) = sqlx::query_as(
        "select rolname::text, rolsuper, rolbypassrls from pg_roles where rolname = current_user",
    )
    .fetch_one(&mut *connection)
    .await?;
    if superuser || bypass {
        return Err(Error::Roles(format!(
            "the database role {name} is a superuser or bypasses row-level security; connect as amebo_app and amebo_system \
             (see docs/operations/database.md)"
        )));
    }
    Ok(())
}

/// The migrations that this version of Amebo carries.
pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!();

/// Brings the schema up to date. The connection must be allowed to become `amebo_owner`, which owns every table.
pub async fn migrate(connection: &Connection) -> Result<()> {
    let mut connection = PgConnection::connect_with(&connection.0).await?;
    sqlx::query("set role amebo_owner")
        .execute(&mut connection)
        .await?;
    MIGRATIONS.run(&mut connection).await?;
    connection.close().await?;
    Ok(())
}
