//! A look at the database from the outside, for `amebo doctor`.

use chrono::{DateTime, TimeDelta, Utc};

use crate::Store;
use crate::database::MIGRATIONS;
use crate::error::Result;

/// What a look at the database found.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// The server's version, such as `15.18`.
    pub server_version: String,
    /// Migrations that this version of Amebo carries and the database has not seen.
    pub pending_migrations: Vec<String>,
    /// Tables that carry an organisation and are not under enforced row-level security.
    pub unprotected_tables: Vec<String>,
    /// How far the server's clock is ahead of ours.
    pub clock_ahead: TimeDelta,
}

impl Store {
    /// How many bytes the database takes.
    pub async fn size(&self) -> Result<u64> {
        let bytes: i64 = sqlx::query_scalar("select pg_database_size(current_database())")
            .fetch_one(self.app())
            .await?;
        Ok(bytes.unsigned_abs())
    }

    /// Looks at the database.
    pub async fn inspect(&self) -> Result<Inspection> {
        let (server_version, server_time): (String, DateTime<Utc>) =
            sqlx::query_as("select current_setting('server_version'), clock_timestamp()")
                .fetch_one(self.app())
                .await?;
        let clock_ahead = server_time - self.environment().now();
        let migrated: bool = sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null")
            .fetch_one(self.app())
            .await?;
        let applied: Vec<i64> = if migrated {
            sqlx::query_scalar("select version from _sqlx_migrations where success")
                .fetch_all(self.app())
                .await?
        } else {
            Vec::new()
        };
        let pending_migrations = MIGRATIONS
            .iter()
            .filter(|migration| !applied.contains(&migration.version))
            .map(|migration| format!("{:04} {}", migration.version, migration.description))
            .collect();
        let unprotected_tables = sqlx::query_scalar(
            "select c.relname::text
             from pg_class c
             join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
             join pg_attribute a on a.attrelid = c.oid and a.attname = 'organization_id' and not a.attisdropped and a.attnotnull
             where c.relkind in ('r', 'p') and not (c.relrowsecurity and c.relforcerowsecurity)
             order by 1",
        )
        .fetch_all(self.app())
        .await?;
        Ok(Inspection {
            server_version,
            pending_migrations,
            unprotected_tables,
            clock_ahead,
        })
    }
}
