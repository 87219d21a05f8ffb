//! The managed local PostgreSQL: a database for those who did not bring one.
//!
//! Amebo finds the machine's PostgreSQL programs, makes a cluster in its own data directory, and starts and stops it with
//! itself. The cluster listens on a Unix socket in a directory that only its account may enter, and never on the network.
//!
//! What must hold:
//! - The server never outlives Amebo: the kernel sends it SIGINT when the thread that started it ends, however it ends.
//! - A crash of the server is mended here (it is started again); a crash of both leaves a stale lock file, which is waited out.
//! - One Amebo owns a directory at a time, by a file lock; others may [`attach`](Postgres::attach).
//! - Data of another major version than the programs' are refused, never touched.

mod account;
mod cluster;
mod program;
mod server;
mod setup;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nix::fcntl::Flock;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgConnectOptions;

use self::account::Account;
use self::cluster::Cluster;
use self::server::Server;
pub use self::setup::{ROLES, set_up};
use crate::Connection;

/// The oldest major version of PostgreSQL that Amebo works with.
pub const OLDEST_VERSION: u32 = 15;

/// The database that a managed cluster is made with.
pub const DATABASE: &str = "amebo";

/// The cluster's superuser.
const ADMINISTRATOR: &str = "postgres";

/// How the managed PostgreSQL is run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The directory of `initdb` and `postgres`; searched for in the usual places when absent.
    pub programs: Option<PathBuf>,
    /// Where the socket is made; chosen when absent (Unix allows only 107 bytes for its whole path).
    pub socket_directory: Option<PathBuf>,
    /// Memory for cached pages, in MiB; it counts as Amebo's own.
    pub shared_buffers_mib: u32,
    /// The most connections at a time.
    pub max_connections: u32,
    /// What an acknowledged commit survives.
    pub durability: Durability,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            programs: None,
            socket_directory: None,
            shared_buffers_mib: 32,
            max_connections: 50,
            durability: Durability::Full,
        }
    }
}

/// What an acknowledged commit survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// The loss of power.
    Full,
    /// Nothing: for tests, where speed is all.
    None,
}

/// Who connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// The cluster's superuser: makes roles and databases, nothing else.
    Administrator,
    /// Acts as `amebo_owner`, who owns the tables and migrates them.
    Owner,
    /// `amebo_app`, bound by row-level security to one organisation at a time.
    App,
    /// `amebo_system`, for the few things that belong to no organisation.
    System,
}

/// Why the managed PostgreSQL cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No programs were found.
    #[error(
        "PostgreSQL {OLDEST_VERSION} or newer is not installed: install it (on Debian and Ubuntu the package \
         `postgresql`), or point `database.url` at a server"
    )]
    ProgramsMissing,
    /// Programs were named or found, but cannot be used.
    #[error("the PostgreSQL programs in {} cannot be used: {reason}", directory.display())]
    ProgramsUnusable {
        /// Where they are.
        directory: PathBuf,
        /// What is wrong with them.
        reason: String,
    },
    /// The data were written by another major version.
    #[error(
        "the data in {} are in the format of PostgreSQL {data}, but the programs found are of version {programs}; \
         install PostgreSQL {data} (on Debian and Ubuntu the package `postgresql-{data}`), or move the data with \
         `amebo backup` under version {data} and `amebo restore` under version {programs}",
        directory.display()
    )]
    DataFormat {
        /// The cluster.
        directory: PathBuf,
        /// The version that wrote it.
        data: u32,
        /// The version found.
        programs: u32,
    },
    /// `setpriv` is missing.
    #[error("the program `setpriv` is missing: install the package `util-linux`")]
    LauncherMissing,
    /// Amebo is root and no account exists that PostgreSQL could run under.
    #[error(
        "PostgreSQL refuses to run as root and this machine has neither an account `postgres` nor `nobody`: create one, \
         or start Amebo as an ordinary user"
    )]
    NoAccount,
    /// A directory above the cluster keeps its account out.
    #[error(
        "the account `{account}`, under which PostgreSQL runs, may not enter {}: allow it (chmod o+x), or choose a data \
         directory elsewhere, such as /var/lib/amebo",
        directory.display()
    )]
    Untraversable {
        /// The directory that refuses.
        directory: PathBuf,
        /// Who is refused.
        account: String,
    },
    /// The directory exists but belongs to another account, or others may enter it.
    #[error("{} is not a directory of `{account}` alone: remove it, or set `database.managed.socket_directory`", directory.display())]
    NotPrivate {
        /// The directory.
        directory: PathBuf,
        /// Whose it should be.
        account: String,
    },
    /// No place for the socket has a short enough path.
    #[error("the socket's path under {} exceeds 107 bytes: set `database.managed.socket_directory` to a shorter one", directory.display())]
    SocketPath {
        /// The last place tried.
        directory: PathBuf,
    },
    /// Another Amebo runs on this directory.
    #[error("another Amebo is running on {}: stop it first", directory.display())]
    InUse {
        /// The directory.
        directory: PathBuf,
    },
    /// No Amebo runs on this directory.
    #[error("no Amebo is running on {}", directory.display())]
    NotRunning {
        /// The directory.
        directory: PathBuf,
    },
    /// `initdb` failed.
    #[error("PostgreSQL could not make a cluster: {output}")]
    Initialize {
        /// What it said.
        output: String,
    },
    /// The server does not come up.
    #[error("PostgreSQL did not start: {output}")]
    Start {
        /// What it said.
        output: String,
    },
    /// The file system or the kernel refused.
    #[error("could not {action} {}", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The server is up, but roles and database could not be made.
    #[error("could not prepare the database")]
    Setup(#[source] sqlx::Error),
}

impl Error {
    fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    fn errno(action: &'static str, path: &Path) -> impl FnOnce(nix::Error) -> Self {
        let path = path.to_owned();
        move |errno| Self::Io {
            action,
            path,
            source: errno.into(),
        }
    }
}

/// A running PostgreSQL. Dropping the one that started it asks it to stop; [`Postgres::stop`] also waits.
#[derive(Debug)]
pub struct Postgres {
    socket_directory: PathBuf,
    owned: Option<Owned>,
}

#[derive(Debug)]
struct Owned {
    server: Arc<Server>,
    _lock: Flock<std::fs::File>,
}

impl Postgres {
    /// Starts PostgreSQL on `directory`, making the cluster, the roles and the database `amebo` when they are not there.
    ///
    /// Returns when the server accepts connections. A first start takes about two seconds, a later one a fraction.
    pub async fn start(directory: &Path, settings: &Settings) -> Result<Self, Error> {
        let (directory, settings) = (directory.to_owned(), settings.clone());
        let postgres = tokio::task::spawn_blocking(move || Self::launch(&directory, &settings))
            .await
            .map_err(|panic| Error::Start {
                output: panic.to_string(),
            })??;
        setup::prepare(&postgres).await?;
        Ok(postgres)
    }

    /// Uses the PostgreSQL that another Amebo on this machine runs on `directory`; for commands beside a running server.
    pub async fn attach(directory: &Path) -> Result<Self, Error> {
        let directory = directory.to_owned();
        tokio::task::spawn_blocking(move || {
            let socket_directory = cluster::running(&directory)?;
            Ok(Self {
                socket_directory,
                owned: None,
            })
        })
        .await
        .map_err(|panic| Error::Start {
            output: panic.to_string(),
        })?
    }

    /// How to connect to the database `amebo`; `.database(…)` on the result chooses another.
    pub fn options(&self, login: Login) -> PgConnectOptions {
        let options = PgConnectOptions::new_without_pgpass()
            .socket(&self.socket_directory)
            .port(cluster::PORT)
            .database(DATABASE);
        match login {
            Login::Administrator => options.username(ADMINISTRATOR),
            Login::Owner => options.username(ADMINISTRATOR).options([("role", "amebo_owner")]),
            Login::App => options.username("amebo_app"),
            Login::System => options.username("amebo_system"),
        }
    }

    /// How the rest of the store connects to the database `amebo`.
    pub fn connection(&self, login: Login) -> Connection {
        Connection(self.options(login))
    }

    /// The directory of the Unix socket, for `psql -h`.
    pub fn socket_directory(&self) -> &Path {
        &self.socket_directory
    }

    /// Stops the server if this is the process that started it: open transactions are rolled back, and what does not end
    /// within 15 seconds is ended the hard way, which loses nothing acknowledged.
    pub async fn stop(mut self) {
        if let Some(owned) = self.owned.take() {
            owned
                .server
                .stop(Duration::from_secs(10), Duration::from_secs(5))
                .await;
        }
    }

    fn launch(directory: &Path, settings: &Settings) -> Result<Self, Error> {
        let account = Account::choose()?;
        let directory = cluster::prepare_directory(directory, &account)?;
        let lock = cluster::lock(&directory)?;
        let (cluster, programs) = Cluster::open(&directory, account, settings)?;
        let socket_directory = cluster.socket_directory(settings.socket_directory.as_deref())?;
        cluster.end_orphan()?;
        let server = Server::start(cluster, &programs, &socket_directory, settings)?;
        Ok(Self {
            socket_directory,
            owned: Some(Owned { server, _lock: lock }),
        })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(owned) = &self.owned {
            owned.server.ask_to_stop();
        }
    }
}
