//! Secrets at rest: envelope encryption with AES-256-GCM.
//!
//! A ring of master keys, outside the database, wraps one data key per organisation; a secret is sealed under the data key and bound
//! to its place (organisation, table, column, row), so that a sealed value copied elsewhere does not open. Deleting an organisation
//! deletes its data key, and what was sealed under it is lost in every backup (crypto-shredding).
//!
//! What must hold:
//! - A data key is committed, in a transaction of its own, before anything is sealed under it.
//! - Nonces are 96 random bits, so that a data key is to be rotated well before it has sealed 2^32 values (NIST SP 800-38D, 8.3).
//! - The raw bytes of keys are wiped after use. The cipher's prepared form stays in memory while it is cached; the process must be
//!   trusted with it.

mod cipher;
mod master;
mod reseal;
mod rotation;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use amebo_core::Environment;
use amebo_core::id::{DataKeyId, Id, OrganizationId};
use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::{Mutex, RwLock};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;
use zeroize::Zeroizing;

pub use self::cipher::{DataKey, Place, SealedColumn};
use self::master::Ring;
pub use self::reseal::{
    CONNECTION_APP, CONNECTION_CREDENTIALS, INBOUND_BODY, PROVIDER_KEY, Reseal, Resealer, SEALED_COLUMNS,
    SLACK_FILE_ADDRESS,
};
pub use self::rotation::Rotated;
use crate::audit::NewEntry;
use crate::channel_connection::Claimed;
use crate::transaction::Scope;
use crate::{OrgTx, Store};

/// How many data keys are kept ready.
const CACHED_KEYS: usize = 32_768;
/// How long a data key is taken to be the active one without looking.
const ACTIVE_FOR: TimeDelta = TimeDelta::seconds(60);
/// How often the same use of the same secret is written to the audit log by one process.
const AUDITED_EVERY: TimeDelta = TimeDelta::hours(1);
/// The advisory lock that keeps new data keys and the rotation of the master key apart: "amekeys" in ASCII.
const KEYS_LOCK: i64 = 0x61_6d65_6b65_7973;

/// Why a secret could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The sealed value was altered, or belongs to another place.
    #[error("the sealed value was altered or belongs elsewhere")]
    Refused,
    /// What is stored is no sealed value of a known format.
    #[error("the stored value is not sealed in a known format")]
    Malformed,
    /// The data key is gone: its organisation was deleted, or a backup is older than the key.
    #[error("the data key {0} is gone, and with it what was sealed under it")]
    NoDataKey(Uuid),
    /// The master key that wraps the data key is not in the ring.
    #[error(
        "the master key {0} is missing: put back the file of master keys that belongs to this database, or add the key to the \
         configuration"
    )]
    NoMasterKey(String),
    /// The ring has no usable key.
    #[error("{place} holds no usable master key: {reason}")]
    Ring {
        /// The file, or the configuration.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// The file of master keys cannot be read or written.
    #[error("could not {action} the master keys in {}", path.display())]
    File {
        /// What was being done.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The cipher refused, which only a value of many GiB can cause.
    #[error("the value cannot be sealed")]
    Cipher,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] crate::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

type Result<T, E = Error> = std::result::Result<T, E>;

/// Where the master keys come from.
#[derive(Debug, Clone)]
pub enum MasterKeys {
    /// A file that only Amebo's account may read; made with a new key when absent.
    File(PathBuf),
    /// Given by the configuration: 32 bytes in base64 each, separated by commas or white space, the last one current.
    Given(Zeroizing<String>),
}

/// Seals and opens secrets. Cheap to clone; one for a process.
#[derive(Debug, Clone)]
pub struct Sealer(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    store: Store,
    source: MasterKeys,
    ring: RwLock<Ring>,
    cache: Mutex<Cache>,
}

#[derive(Debug, Default)]
struct Cache {
    keys: HashMap<Uuid, Arc<DataKey>>,
    active: HashMap<OrganizationId, (Arc<DataKey>, DateTime<Utc>)>,
    audited: HashMap<(Uuid, &'static str), DateTime<Utc>>,
}

type KeyRow = (Uuid, Vec<u8>, String);

impl Sealer {
    /// Reads the master keys, or makes the first.
    pub fn open(store: &Store, source: MasterKeys) -> Result<Self> {
        let ring = Ring::open(&source, store.environment())?;
        Ok(Self(Arc::new(Shared {
            store: store.clone(),
            source,
            ring: RwLock::new(ring),
            cache: Mutex::default(),
        })))
    }

    /// Checks that every data key can be unwrapped: that this ring belongs to this database.
    pub async fn check(&self) -> Result<()> {
        let mut tx = self.0.store.begin_system().await?;
        let named: Vec<String> = sqlx::query_scalar("select distinct master_key from data_keys")
            .fetch_all(&mut *tx.scope().connection)
            .await?;
        let ring = self.0.ring.read();
        named
            .into_iter()
            .find(|id| !ring.has(id))
            .map_or(Ok(()), |id| Err(Error::NoMasterKey(id)))
    }

    fn environment(&self) -> &Environment {
        self.0.store.environment()
    }

    /// The key to seal with; made when the organisation has none.
    async fn active(
        &self,
        connection: &mut PgConnection,
        organization: OrganizationId,
    ) -> Result<Arc<DataKey>> {
        let now = self.environment().now();
        if let Some((key, since)) = self.0.cache.lock().active.get(&organization)
            && now - *since < ACTIVE_FOR
        {
            return Ok(Arc::clone(key));
        }
        let key = match find_active(connection, organization).await? {
            Some(row) => self.unwrap(organization, row)?,
            None => self.create(organization).await?,
        };
        let mut cache = self.0.cache.lock();
        make_room(&mut cache.active);
        cache.active.insert(organization, (Arc::clone(&key), now));
        Ok(key)
    }

    /// The keys to seal with in many organisations, read together; an organisation that has none yet is given one.
    pub(crate) async fn active_keys(
        &self,
        organizations: &[OrganizationId],
    ) -> Result<HashMap<OrganizationId, Arc<DataKey>>> {
        let now = self.environment().now();
        let mut keys = HashMap::with_capacity(organizations.len());
        let mut missing = Vec::new();
        {
            let cache = self.0.cache.lock();
            for organization in organizations {
                match cache.active.get(organization) {
                    Some((key, since)) if now - *since < ACTIVE_FOR => {
                        keys.insert(*organization, Arc::clone(key));
                    }
                    _ => missing.push(*organization),
                }
            }
        }
        if missing.is_empty() {
            return Ok(keys);
        }
        let wanted: Vec<Uuid> = missing.iter().map(|organization| organization.uuid()).collect();
        let rows: Vec<(Uuid, Uuid, Vec<u8>, String)> = sqlx::query_as(
            "select organization_id, id, wrapped, master_key from data_keys where organization_id = any ($1) and retired_at is null",
        )
        .bind(wanted)
        .fetch_all(self.0.store.system_pool())
        .await?;
        let mut found: HashMap<Uuid, KeyRow> = rows
            .into_iter()
            .map(|(organization, id, wrapped, master)| (organization, (id, wrapped, master)))
            .collect();
        for organization in missing {
            if keys.contains_key(&organization) {
                continue;
            }
            let key = match found.remove(&organization.uuid()) {
                Some(row) => self.unwrap(organization, row)?,
                None => self.create(organization).await?,
            };
            let mut cache = self.0.cache.lock();
            make_room(&mut cache.active);
            cache.active.insert(organization, (Arc::clone(&key), now));
            keys.insert(organization, key);
        }
        Ok(keys)
    }

    /// The credentials of the app that a request claims to come from, to check its signature with. Nothing else opens for a request
    /// that has not proved anything.
    pub async fn app_of(&self, claimed: &Claimed) -> Result<Zeroizing<Vec<u8>>> {
        let id = cipher::key_of(&claimed.app)?;
        let mut connection = self.0.store.system_pool().acquire().await?;
        let key = self.key(&mut connection, claimed.organization, id).await?;
        metrics::counter!("amebo_secrets_opened_total", "purpose" => "channel.verify").increment(1);
        key.open(claimed.organization, CONNECTION_APP.row(claimed.id), &claimed.app)
    }

    /// The key a value was sealed with.
    async fn key(
        &self,
        connection: &mut PgConnection,
        organization: OrganizationId,
        id: Uuid,
    ) -> Result<Arc<DataKey>> {
        if let Some(key) = self.0.cache.lock().keys.get(&id) {
            // A key of another organisation refuses the value, since the organisation is part of what it authenticates.
            return Ok(Arc::clone(key));
        }
        let row: Option<KeyRow> = sqlx::query_as(
            "select id, wrapped, master_key from data_keys where organization_id = $1 and id = $2",
        )
        .bind(organization.uuid())
        .bind(id)
        .fetch_optional(connection)
        .await?;
        self.unwrap(organization, row.ok_or(Error::NoDataKey(id))?)
    }

    fn unwrap(&self, organization: OrganizationId, (id, wrapped, master): KeyRow) -> Result<Arc<DataKey>> {
        if !self.0.ring.read().has(&master) {
            // The master key was rotated by another process.
            self.reload()?;
        }
        let raw = self.0.ring.read().unwrap(&master, organization, id, &wrapped)?;
        let key = Arc::new(DataKey::new(DataKeyId::from_uuid(id), organization, &raw)?);
        let mut cache = self.0.cache.lock();
        make_room(&mut cache.keys);
        cache.keys.insert(id, Arc::clone(&key));
        Ok(key)
    }

    /// Makes an organisation's key, committed before it is used: were it part of the caller's transaction and that dropped, other
    /// values might already be sealed under a key that no longer exists.
    async fn create(&self, organization: OrganizationId) -> Result<Arc<DataKey>> {
        let mut tx = self.0.store.begin_system().await?;
        let connection = tx.scope().connection;
        sqlx::query("select pg_advisory_xact_lock_shared($1)")
            .bind(KEYS_LOCK)
            .execute(&mut *connection)
            .await?;
        self.insert_key(&mut *connection, organization).await?;
        let row = find_active(&mut *connection, organization).await?;
        tx.commit().await?;
        self.unwrap(organization, row.ok_or(Error::NoDataKey(Uuid::nil()))?)
    }

    /// Adds an active data key unless there is one. The lock on keys must be held: the ring is read again under it, so that the key
    /// is wrapped by a master key that a rotation meanwhile has not passed over.
    async fn insert_key(&self, connection: &mut PgConnection, organization: OrganizationId) -> Result<()> {
        self.reload()?;
        let environment = self.environment();
        let id: DataKeyId = environment.id();
        let raw = Zeroizing::new(environment.bytes::<32>());
        let (master, wrapped) = self
            .0
            .ring
            .read()
            .wrap(organization, id.uuid(), &raw, environment)?;
        sqlx::query(
            "insert into data_keys (id, organization_id, wrapped, master_key, created_at) values ($1, $2, $3, $4, $5)
             on conflict (organization_id) where retired_at is null do nothing",
        )
        .bind(id.uuid())
        .bind(organization.uuid())
        .bind(wrapped)
        .bind(master)
        .bind(environment.now())
        .execute(connection)
        .await?;
        Ok(())
    }

    fn reload(&self) -> Result<()> {
        let ring = Ring::open(&self.0.source, self.environment())?;
        *self.0.ring.write() = ring;
        Ok(())
    }

    /// Whether this use of this secret is to be written to the audit log now.
    fn is_audit_due(&self, row: Uuid, purpose: &'static str) -> bool {
        let now = self.environment().now();
        let mut cache = self.0.cache.lock();
        let due = cache
            .audited
            .get(&(row, purpose))
            .is_none_or(|last| now - *last >= AUDITED_EVERY);
        if due {
            make_room(&mut cache.audited);
            cache.audited.insert((row, purpose), now);
        }
        due
    }
}

/// Lets any one entry go when the map is full: all are equally cheap to have again.
fn make_room<K: Copy + Eq + std::hash::Hash, V>(map: &mut HashMap<K, V>) {
    if map.len() >= CACHED_KEYS
        && let Some(key) = map.keys().next().copied()
    {
        map.remove(&key);
    }
}

async fn find_active(connection: &mut PgConnection, organization: OrganizationId) -> Result<Option<KeyRow>> {
    Ok(sqlx::query_as(
        "select id, wrapped, master_key from data_keys where organization_id = $1 and retired_at is null",
    )
    .bind(organization.uuid())
    .fetch_optional(connection)
    .await?)
}

impl OrgTx {
    /// The organisation's secrets.
    pub fn secrets<'a>(&'a mut self, sealer: &'a Sealer) -> Secrets<'a> {
        Secrets {
            scope: self.scope(),
            sealer,
        }
    }
}

/// Seals and opens the secrets of one organisation.
#[derive(Debug)]
pub struct Secrets<'a> {
    scope: Scope<'a>,
    sealer: &'a Sealer,
}

impl Secrets<'_> {
    /// The organisation's active key, to seal many values with at once.
    pub async fn data_key(&mut self) -> Result<Arc<DataKey>> {
        self.sealer
            .active(&mut *self.scope.connection, self.scope.organization)
            .await
    }

    /// Seals a value for one place.
    pub async fn seal(&mut self, place: Place, plain: &[u8]) -> Result<Vec<u8>> {
        let key = self.data_key().await?;
        key.seal(place, plain, self.scope.environment)
    }

    /// Opens content that is no credential, such as a stored webhook: not audited, since it is opened whenever it is worked on.
    pub async fn open_content(&mut self, place: Place, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let id = cipher::key_of(sealed)?;
        let key = self
            .sealer
            .key(&mut *self.scope.connection, self.scope.organization, id)
            .await?;
        key.open(self.scope.organization, place, sealed)
    }

    /// Opens the value of one place. The use is counted by `purpose`, such as `provider.request`, and written to the audit log,
    /// once an hour for the same secret and purpose.
    pub async fn open(
        &mut self,
        place: Place,
        sealed: &[u8],
        purpose: &'static str,
    ) -> Result<Zeroizing<Vec<u8>>> {
        let id = cipher::key_of(sealed)?;
        let key = self
            .sealer
            .key(&mut *self.scope.connection, self.scope.organization, id)
            .await?;
        let plain = key.open(self.scope.organization, place, sealed)?;
        metrics::counter!("amebo_secrets_opened_total", "purpose" => purpose).increment(1);
        if self.sealer.is_audit_due(place.row, purpose) {
            let entry = NewEntry::new("secret.open", place.column.table)
                .of_row(place.row)
                .details(json!({ "purpose": purpose, "column": place.column.column }));
            crate::audit::Audit(self.scope.again()).append(entry).await?;
        }
        Ok(plain)
    }
}
