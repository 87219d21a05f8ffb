//! Rotating keys while serving.

use amebo_core::id::{Id, OrganizationId};
use uuid::Uuid;

use super::master::Ring;
use super::reseal::Reseal;
use super::{Error, KEYS_LOCK, MasterKeys, Result, Sealer};
use crate::Permit;
use crate::job::NewJob;

/// How many data keys one statement reads and writes.
const BATCH: i64 = 500;

/// What a rotation of the master key did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// The current master key's name.
    pub master_key: String,
    /// How many data keys were wrapped anew.
    pub rewrapped: u64,
}

impl Sealer {
    /// Makes a new master key, if they come from a file, and wraps every data key under the current one. Others keep serving:
    /// they read the file again when they meet a key they do not know.
    ///
    /// Old keys stay in the file, since backups made before need them; see [`Sealer::forget_old_masters`].
    pub async fn rotate_master(&self) -> Result<Rotated> {
        if let MasterKeys::File(path) = &self.0.source {
            Ring::append(path, self.environment())?;
            self.reload()?;
        }
        let current = self.0.ring.read().current_id().unwrap_or_default().to_owned();
        let mut tx = self.0.store.begin_system().await?;
        let connection = tx.scope().connection;
        // Waits for data keys being made under the ring before; those made later see the new one.
        sqlx::query("select pg_advisory_xact_lock($1)")
            .bind(KEYS_LOCK)
            .execute(&mut *connection)
            .await?;
        let mut rewrapped = 0;
        loop {
            let rows: Vec<(Uuid, Uuid, Vec<u8>, String)> = sqlx::query_as(
                "select id, organization_id, wrapped, master_key from data_keys where master_key <> $1 order by id limit $2",
            )
            .bind(&current)
            .bind(BATCH)
            .fetch_all(&mut *connection)
            .await?;
            if rows.is_empty() {
                break;
            }
            let (mut ids, mut wrapped) = (Vec::new(), Vec::new());
            {
                let ring = self.0.ring.read();
                for (id, organization, old, master) in rows {
                    let organization = OrganizationId::from_uuid(organization);
                    let raw = ring.unwrap(&master, organization, id, &old)?;
                    wrapped.push(ring.wrap(organization, id, &raw, self.environment())?.1);
                    ids.push(id);
                }
            }
            rewrapped += ids.len() as u64;
            sqlx::query(
                "update data_keys set wrapped = new.wrapped, master_key = $3
                 from unnest($1::uuid[], $2::bytea[]) as new (id, wrapped) where data_keys.id = new.id",
            )
            .bind(ids)
            .bind(wrapped)
            .bind(&current)
            .execute(&mut *connection)
            .await?;
        }
        tx.commit().await?;
        Ok(Rotated {
            master_key: current,
            rewrapped,
        })
    }

    /// Removes master keys from the file that wrap nothing any more; returns how many. Backups made before the rotation then need
    /// the copy of the file that was kept with them.
    pub async fn forget_old_masters(&self) -> Result<usize> {
        let MasterKeys::File(path) = &self.0.source else {
            return Ok(0);
        };
        let mut tx = self.0.store.begin_system().await?;
        let connection = tx.scope().connection;
        sqlx::query("select pg_advisory_xact_lock($1)")
            .bind(KEYS_LOCK)
            .execute(&mut *connection)
            .await?;
        let needed: Vec<String> = sqlx::query_scalar("select distinct master_key from data_keys")
            .fetch_all(&mut *connection)
            .await?;
        let removed = Ring::keep_only(path, &needed)?;
        self.reload()?;
        Ok(removed)
    }

    /// Gives an organisation a new data key. What is sealed under the old one still opens, and is sealed anew in the background.
    pub async fn rotate_data_key(&self, permit: &Permit) -> Result<()> {
        let organization = permit.organization();
        let mut tx = self.0.store.begin_system().await?;
        let connection = tx.scope().connection;
        sqlx::query("select pg_advisory_xact_lock_shared($1)")
            .bind(KEYS_LOCK)
            .execute(&mut *connection)
            .await?;
        sqlx::query("update data_keys set retired_at = $2 where organization_id = $1 and retired_at is null")
            .bind(organization.uuid())
            .bind(self.environment().now())
            .execute(&mut *connection)
            .await?;
        self.insert_key(&mut *connection, organization).await?;
        tx.commit().await?;
        self.0.cache.lock().active.remove(&organization);
        let mut tx = self.0.store.begin(permit).await?;
        tx.jobs().push(NewJob::of(&Reseal {}).unique("reseal")).await?;
        tx.commit().await.map_err(Error::from)
    }
}
