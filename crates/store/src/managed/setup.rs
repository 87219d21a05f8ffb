//! Roles and database: made the same way in the managed cluster, in tests, and by those who bring their own server.

use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, Executor};

use super::{DATABASE, Error, Login, Postgres};
use crate::Connection;

/// The SQL that makes the roles `amebo_owner`, `amebo_app` and `amebo_system` where they are missing.
pub const ROLES: &str = include_str!("roles.sql");

/// Makes Amebo's roles where they are missing, and the database `name`, owned by `amebo_owner` and closed to everybody but them.
///
/// `administrator` must be allowed to make roles and databases; `name` is a plain identifier (`a-z`, `0-9`, `_`).
pub async fn set_up(administrator: &Connection, name: &str) -> Result<(), sqlx::Error> {
    if name.is_empty()
        || !name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
    {
        return Err(sqlx::Error::Configuration(
            "a database's name may hold a-z, 0-9 and _ only".into(),
        ));
    }
    let mut administrator = administrator.0.clone().connect().await?;
    administrator.execute(ROLES).await?;
    let exists: bool = sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
        .bind(name)
        .fetch_one(&mut administrator)
        .await?;
    if !exists {
        let create = format!("create database {name} owner amebo_owner template template0 encoding 'UTF8'");
        administrator.execute(AssertSqlSafe(create)).await?;
    }
    let grants = format!(
        "revoke all on database {name} from public; grant connect on database {name} to amebo_app, amebo_system"
    );
    administrator.execute(AssertSqlSafe(grants)).await?;
    administrator.close().await
}

/// Brings a freshly started cluster to the state every other part expects.
pub(super) async fn prepare(postgres: &Postgres) -> Result<(), Error> {
    let administrator = postgres.connection(Login::Administrator).database("postgres");
    set_up(&administrator, DATABASE).await.map_err(Error::Setup)
}
