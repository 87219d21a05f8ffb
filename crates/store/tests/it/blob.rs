//! Stored files: streamed in and out, owned by rows, removed after commits, swept when orphaned.

use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use amebo_core::permission::{Action, Resource};
use amebo_store::blob::{Error, Remover, Settings, Storage, Stored};
use amebo_store::job::{self, Registry, Worker};
use amebo_store::{Access, Permit};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use sha2::{Digest, Sha256};

use crate::database::Database;

fn permit(access: &Access) -> Permit {
    access.permit(Resource::Document, Action::Create).unwrap()
}

fn storage(database: &Database, directory: &Path) -> Storage {
    Storage::open(&Settings::default(), directory, database.environment().clone()).unwrap()
}

fn chunks(bytes: &[u8]) -> impl futures::Stream<Item = Result<Bytes, io::Error>> + Send + use<> {
    stream::iter(
        bytes
            .chunks(100_000)
            .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
            .collect::<Vec<_>>(),
    )
}

fn files(directory: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return 0;
    };
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| if path.is_dir() { files(&path) } else { 1 })
        .sum()
}

async fn insert(database: &Database, access: &Access, stored: &Stored) {
    let mut tx = database.store.begin(&permit(access)).await.unwrap();
    tx.blobs().insert(stored, "application/pdf").await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_large_file_comes_back_as_it_was_and_goes_after_the_commit_that_deletes_it() {
    let database = Database::new().await;
    let directory = tempfile::tempdir().unwrap();
    let storage = storage(&database, directory.path());
    let (organization, access) = database.organization("Acme").await;
    let bytes: Vec<u8> = (0..12_000_000u32).map(|number| number.to_le_bytes()[1]).collect();
    let stored = storage
        .put(organization, chunks(&bytes), 12_000_000)
        .await
        .unwrap();
    assert_eq!(stored.size_bytes, 12_000_000);
    assert_eq!(stored.sha256.as_slice(), Sha256::digest(&bytes).as_slice());
    insert(&database, &access, &stored).await;

    let mut tx = database.store.begin(&permit(&access)).await.unwrap();
    let id = tx.blobs().insert(&stored, "text/plain").await.unwrap_err();
    assert!(id.is_conflict_on("blobs_pkey"), "{id}");
    drop(tx);

    let page = sqlx::query_scalar::<_, uuid::Uuid>("select id from blobs")
        .fetch_one(&mut database.raw().await)
        .await
        .unwrap();
    let id = amebo_core::id::Id::from_uuid(page);
    let mut tx = database.store.begin(&permit(&access)).await.unwrap();
    let blob = tx.blobs().get(id).await.unwrap().unwrap();
    assert_eq!(tx.blobs().total_bytes().await.unwrap(), 12_000_000);
    drop(tx);
    let parts: Vec<Bytes> = storage.get(&blob).await.unwrap().try_collect().await.unwrap();
    assert_eq!(parts.concat(), bytes);
    assert_eq!(storage.read(&blob).await.unwrap(), bytes);

    let mut tx = database.store.begin(&permit(&access)).await.unwrap();
    assert!(tx.blobs().delete(id).await.unwrap());
    drop(tx);
    assert!(
        storage.read(&blob).await.is_ok(),
        "a deletion that did not commit removes nothing"
    );
    let mut tx = database.store.begin(&permit(&access)).await.unwrap();
    assert!(tx.blobs().delete(id).await.unwrap());
    assert!(!tx.blobs().delete(id).await.unwrap());
    tx.commit().await.unwrap();
    let registry = Registry::default().with(Remover(storage.clone()));
    Worker::new(database.store.clone(), registry, job::Settings::default())
        .run_until_idle()
        .await
        .unwrap();
    assert!(matches!(storage.read(&blob).await, Err(Error::Storage(_))));
    assert_eq!(files(directory.path()), 0);
}

#[tokio::test]
async fn a_file_that_is_too_large_or_cut_off_leaves_nothing() {
    let database = Database::new().await;
    let directory = tempfile::tempdir().unwrap();
    let storage = storage(&database, directory.path());
    let (organization, _) = database.organization("Acme").await;
    let bytes = vec![7; 11_000_000];
    let refused = storage
        .put(organization, chunks(&bytes), 10_999_999)
        .await
        .unwrap_err();
    assert!(matches!(refused, Error::TooLarge { limit: 10_999_999 }));
    let cut = chunks(&bytes).chain(stream::iter([Err(io::Error::other("connection reset"))]));
    assert!(matches!(
        storage.put(organization, cut, 20_000_000).await,
        Err(Error::Source(_))
    ));
    assert_eq!(files(directory.path()), 0);
}

#[tokio::test]
async fn another_organization_sees_no_file_and_a_damaged_one_is_noticed() {
    let database = Database::new().await;
    let directory = tempfile::tempdir().unwrap();
    let storage = storage(&database, directory.path());
    let (organization, mine) = database.organization("Mine").await;
    let (_, theirs) = database.organization("Theirs").await;
    let stored = storage.put(organization, chunks(b"mine"), 100).await.unwrap();
    let mut tx = database.store.begin(&permit(&mine)).await.unwrap();
    let id = tx.blobs().insert(&stored, "text/plain").await.unwrap();
    let blob = tx.blobs().get(id).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    let mut tx = database.store.begin(&permit(&theirs)).await.unwrap();
    assert!(tx.blobs().get(id).await.unwrap().is_none());
    assert!(!tx.blobs().delete(id).await.unwrap());
    std::fs::write(directory.path().join(&blob.key), b"nine").unwrap();
    assert!(matches!(storage.read(&blob).await, Err(Error::Damaged { .. })));
}

#[tokio::test]
async fn objects_without_a_row_are_swept_after_a_day_and_no_others() {
    let database = Database::new().await;
    let directory = tempfile::tempdir().unwrap();
    let storage = storage(&database, directory.path());
    let (organization, access) = database.organization("Acme").await;
    let owned = storage.put(organization, chunks(b"owned"), 100).await.unwrap();
    insert(&database, &access, &owned).await;
    storage
        .put(organization, chunks(b"old orphan"), 100)
        .await
        .unwrap();
    let now: SystemTime = database.environment().now().into();
    for entry in std::fs::read_dir(directory.path().join(organization.to_string())).unwrap() {
        let file = std::fs::File::options()
            .write(true)
            .open(entry.unwrap().path())
            .unwrap();
        file.set_modified(now - Duration::from_hours(25)).unwrap();
    }
    storage
        .put(organization, chunks(b"fresh orphan"), 100)
        .await
        .unwrap();
    assert_eq!(storage.sweep(&database.store).await.unwrap(), 1);
    assert_eq!(files(directory.path()), 2);
    assert_eq!(storage.sweep(&database.store).await.unwrap(), 0);
}
