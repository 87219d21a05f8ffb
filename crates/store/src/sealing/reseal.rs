//! Sealing anew, in the background, what is sealed under a retired data key.

use std::time::Duration;

use amebo_core::id::{Id, OrganizationId};
use amebo_core::job::Priority;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::cipher::{self, Place, SealedColumn};
use super::{ACTIVE_FOR, Result, Sealer, Secrets};
use crate::Store;
use crate::job::{Handler, Lease, Outcome, Task};

/// Every column that holds sealed values; a test compares it with the schema. What is missing here would be lost with the key.
pub const SEALED_COLUMNS: &[SealedColumn] = &[
    PROVIDER_KEY,
    CONNECTION_APP,
    CONNECTION_CREDENTIALS,
    INBOUND_BODY,
    SLACK_FILE_ADDRESS,
];

/// The API key of a language-model or embedding provider.
pub const PROVIDER_KEY: SealedColumn = SealedColumn::new("providers", "sealed_key");

/// The credentials of an organisation's own app on a channel.
pub const CONNECTION_APP: SealedColumn = SealedColumn::new("channel_connections", "sealed_app");

/// The tokens of a connected account.
pub const CONNECTION_CREDENTIALS: SealedColumn =
    SealedColumn::new("channel_connections", "sealed_credentials");

/// What a platform sent.
pub const INBOUND_BODY: SealedColumn = SealedColumn::new("inbound_events", "sealed_body");

/// Where a file of an export lies, with the token that opens it.
pub const SLACK_FILE_ADDRESS: SealedColumn = SealedColumn::new("slack_files", "sealed_address");

/// How many values are sealed anew in one transaction.
const BATCH: i64 = 200;

/// Seals anew everything of an organisation that is sealed under a retired data key, then deletes the key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reseal {}

impl Task for Reseal {
    const KIND: &'static str = "secret.reseal";
    const PRIORITY: Priority = Priority::Bulk;
}

/// Handles [`Reseal`].
#[derive(Debug, Clone)]
pub struct Resealer {
    /// Where the values are.
    pub store: Store,
    /// What seals them.
    pub sealer: Sealer,
}

impl Handler for Resealer {
    type Task = Reseal;

    async fn run(&self, _: Reseal, lease: Lease) -> Outcome {
        match self.reseal(&lease).await {
            Ok(true) => Outcome::Done,
            // Other processes may still seal under the old key, until they look again.
            Ok(false) => Outcome::Snooze(Duration::from_secs(90)),
            Err(error) => Outcome::retry(error),
        }
    }
}

impl Resealer {
    /// Whether nothing is left to do.
    async fn reseal(&self, lease: &Lease) -> Result<bool> {
        let permit = lease.permit();
        // Keys retired before this are sealed under by nobody any more: a process looks again after `ACTIVE_FOR`, and a transaction
        // that began just before is given as long again.
        let retired_before = self.store.environment().now() - ACTIVE_FOR * 2;
        for column in SEALED_COLUMNS {
            loop {
                let mut tx = self.store.begin(&permit).await?;
                let resealed = tx.secrets(&self.sealer).reseal(*column).await?;
                tx.commit().await?;
                if resealed == 0 {
                    break;
                }
            }
        }
        self.sealer
            .drop_retired(lease.organization(), retired_before)
            .await
    }
}

impl Secrets<'_> {
    /// Seals anew up to a batch of values of one column; returns how many.
    async fn reseal(&mut self, column: SealedColumn) -> Result<usize> {
        let active = self.data_key().await?;
        let (table, name) = (column.table, column.column);
        // Both names are literals of this program.
        let find = AssertSqlSafe(format!(
            "select id, {name} from {table}
             where organization_id = $1 and {name} is not null and substring({name} from 2 for 16) <> $2
             order by id limit $3 for update"
        ));
        let rows: Vec<(Uuid, Vec<u8>)> = sqlx::query_as(find)
            .bind(self.scope.organization.uuid())
            .bind(active.id().uuid().as_bytes().as_slice())
            .bind(BATCH)
            .fetch_all(&mut *self.scope.connection)
            .await?;
        for (row, sealed) in &rows {
            let place = Place { column, row: *row };
            let key = cipher::key_of(sealed)?;
            let old = self
                .sealer
                .key(&mut *self.scope.connection, self.scope.organization, key)
                .await?;
            let plain = old.open(self.scope.organization, place, sealed)?;
            let sealed = active.seal(place, &plain, self.scope.environment)?;
            let store = AssertSqlSafe(format!(
                "update {table} set {name} = $3 where organization_id = $1 and id = $2"
            ));
            sqlx::query(store)
                .bind(self.scope.organization.uuid())
                .bind(row)
                .bind(sealed)
                .execute(&mut *self.scope.connection)
                .await?;
        }
        Ok(rows.len())
    }
}

impl Sealer {
    /// Deletes data keys that were retired before a time. False when retired ones are left.
    async fn drop_retired(&self, organization: OrganizationId, before: DateTime<Utc>) -> Result<bool> {
        let mut tx = self.0.store.begin_system().await?;
        let connection = tx.scope().connection;
        sqlx::query("delete from data_keys where organization_id = $1 and retired_at < $2")
            .bind(organization.uuid())
            .bind(before)
            .execute(&mut *connection)
            .await?;
        let left: bool = sqlx::query_scalar(
            "select exists (select from data_keys where organization_id = $1 and retired_at is not null)",
        )
        .bind(organization.uuid())
        .fetch_one(&mut *connection)
        .await?;
        tx.commit().await?;
        Ok(!left)
    }
}
