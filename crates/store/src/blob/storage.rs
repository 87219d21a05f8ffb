//! The bytes themselves.

use std::collections::BTreeMap;
use std::path::Path as FilePath;
use std::sync::Arc;

use amebo_core::Environment;
use amebo_core::id::{BlobId, OrganizationId};
use bytes::Bytes;
use chrono::TimeDelta;
use futures::{Stream, StreamExt, TryStreamExt};
use object_store::buffered::BufWriter;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use url::Url;

use super::Blob;
use crate::Store;

/// How much of a file is held in memory while it is written; the least that a part may have in S3 is 5 MiB.
const PART: usize = 5 << 20;
/// How old an object without a row must be to be swept away: longer than any upload takes.
const ORPHAN: TimeDelta = TimeDelta::hours(24);
/// How many keys are looked up at a time by the sweep.
const SWEPT_AT_A_TIME: usize = 500;

/// Where files are kept.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Such as `s3://bucket/prefix`; the data directory when absent.
    pub url: Option<Url>,
    /// What the storage needs besides, such as `region` or `access_key_id`, by the names of the `object_store` library.
    pub options: BTreeMap<String, String>,
}

/// Why bytes could not be kept or had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The storage cannot be used as configured.
    #[error("the storage {0} cannot be used; check `storage.url` and `storage.options`")]
    Configuration(String, #[source] object_store::Error),
    /// The directory cannot be made.
    #[error("the directory {0} cannot be made")]
    Directory(String, #[source] std::io::Error),
    /// More bytes came than are allowed.
    #[error("the file is larger than the {limit} bytes allowed")]
    TooLarge {
        /// How many are allowed.
        limit: u64,
    },
    /// The bytes stopped coming.
    #[error("the file could not be received")]
    Source(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What is stored is not what was stored.
    #[error("the stored file {key} is damaged; restore it from a backup")]
    Damaged {
        /// The object.
        key: String,
    },
    /// The storage failed.
    #[error("the storage failed")]
    Storage(#[from] object_store::Error),
    /// The database failed, during a sweep.
    #[error("the rows of stored files could not be read")]
    Database(#[from] crate::Error),
}

/// An object that was written and that no row owns yet.
#[derive(Debug, Clone)]
pub struct Stored {
    pub(super) id: BlobId,
    pub(super) key: String,
    /// How many bytes.
    pub size_bytes: u64,
    /// Their SHA-256.
    pub sha256: [u8; 32],
}

/// Where files are kept. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Storage {
    objects: Arc<dyn ObjectStore>,
    environment: Environment,
}

impl Storage {
    /// Opens what `settings` name, or `directory`, which is made when absent.
    pub fn open(settings: &Settings, directory: &FilePath, environment: Environment) -> Result<Self, Error> {
        let objects: Arc<dyn ObjectStore> = if let Some(url) = &settings.url {
            let refused = |error| Error::Configuration(url.to_string(), error);
            let (objects, prefix) = object_store::parse_url_opts(url, &settings.options).map_err(refused)?;
            Arc::new(PrefixStore::new(objects, prefix))
        } else {
            let name = || directory.display().to_string();
            std::fs::create_dir_all(directory).map_err(|error| Error::Directory(name(), error))?;
            let local = LocalFileSystem::new_with_prefix(directory)
                .map_err(|error| Error::Configuration(name(), error))?;
            Arc::new(local.with_fsync(true))
        };
        Ok(Self { objects, environment })
    }

    /// Writes a stream of bytes, at most `limit`, and returns what [`super::Blobs::insert`] makes a file of.
    ///
    /// Memory stays at a few MiB whatever the size. Nothing is left behind by a stream that fails or is too long.
    pub async fn put<S, E>(&self, organization: OrganizationId, bytes: S, limit: u64) -> Result<Stored, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let id: BlobId = self.environment.id();
        let key = format!("{organization}/{id}");
        let mut writer = BufWriter::with_capacity(Arc::clone(&self.objects), Path::from(key.as_str()), PART)
            .with_max_concurrency(2);
        match write(&mut writer, bytes, limit).await {
            Ok((size_bytes, sha256)) => Ok(Stored {
                id,
                key,
                size_bytes,
                sha256,
            }),
            Err(error) => {
                // What cannot be taken back here is swept away later.
                let _ = writer.abort().await;
                Err(error)
            }
        }
    }

    /// A file's bytes, as they arrive from the storage.
    pub async fn get(&self, blob: &Blob) -> Result<impl Stream<Item = Result<Bytes, Error>> + use<>, Error> {
        let found = self.objects.get(&Path::from(blob.key.as_str())).await?;
        Ok(found.into_stream().map_err(Error::from))
    }

    /// A whole file, checked against its digest.
    pub async fn read(&self, blob: &Blob) -> Result<Bytes, Error> {
        let bytes = self
            .objects
            .get(&Path::from(blob.key.as_str()))
            .await?
            .bytes()
            .await?;
        if Sha256::digest(&bytes).as_slice() != blob.sha256.as_slice() {
            return Err(Error::Damaged {
                key: blob.key.clone(),
            });
        }
        Ok(bytes)
    }

    /// Removes objects that are older than a day and that no row owns; returns how many.
    pub async fn sweep(&self, store: &Store) -> Result<u64, Error> {
        let before = self.environment.now() - ORPHAN;
        let mut removed = 0;
        let mut objects = self.objects.list(None).try_chunks(SWEPT_AT_A_TIME);
        while let Some(listed) = objects.next().await {
            let listed = listed.map_err(|error| error.1)?;
            let old: Vec<String> = listed
                .into_iter()
                .filter(|object| object.last_modified < before)
                .map(|object| object.location.to_string())
                .collect();
            for key in store.unowned_objects(&old).await? {
                self.remove(&key).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Removes an object; one that is gone already is as good.
    pub(super) async fn remove(&self, key: &str) -> Result<(), Error> {
        match self.objects.delete(&Path::from(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Store {
    async fn unowned_objects(&self, keys: &[String]) -> crate::Result<Vec<String>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = self.begin_system().await?;
        Ok(sqlx::query_scalar(
            "select key from unnest($1::text[]) as object (key)
             where not exists (select from blobs where blobs.key = object.key)",
        )
        .bind(keys)
        .fetch_all(&mut *tx.scope().connection)
        .await?)
    }
}

async fn write<S, E>(writer: &mut BufWriter, bytes: S, limit: u64) -> Result<(u64, [u8; 32]), Error>
where
    S: Stream<Item = Result<Bytes, E>> + Send,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut bytes = std::pin::pin!(bytes);
    let (mut size, mut digest) = (0, Sha256::new());
    while let Some(chunk) = bytes.next().await {
        let chunk = chunk.map_err(|error| Error::Source(error.into()))?;
        size += chunk.len() as u64;
        if size > limit {
            return Err(Error::TooLarge { limit });
        }
        digest.update(&chunk);
        writer.put(chunk).await?;
    }
    writer
        .shutdown()
        .await
        .map_err(|error| object_store::Error::Generic {
            store: "object storage",
            source: error.into(),
        })?;
    Ok((size, digest.finalize().into()))
}
