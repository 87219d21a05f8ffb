//! Secrets: sealed in place, rotated while serving, gone with their organisation.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use amebo_core::id::{OrganizationId, ProviderId};
use amebo_core::page::PageRequest;
use amebo_core::permission::{Action, Resource};
use amebo_core::provider::{ProviderKind, ProviderProtocol};
use amebo_store::audit::Filter;
use amebo_store::job::{self, Registry, Worker};
use amebo_store::provider::NewProvider;
use amebo_store::sealing::{Error, MasterKeys, PROVIDER_KEY, Resealer, SEALED_COLUMNS, Sealer};
use amebo_store::{Access, Permit};
use chrono::TimeDelta;
use sqlx::Executor;

use crate::database::Database;

fn permit(access: &Access) -> Permit {
    access.permit(Resource::Document, Action::Create).unwrap()
}

struct Vault {
    database: Database,
    sealer: Sealer,
    path: PathBuf,
    _directory: tempfile::TempDir,
}

impl Vault {
    async fn new() -> Self {
        let database = Database::new().await;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("master.keys");
        let sealer = sealer(&database, &path);
        Self {
            database,
            sealer,
            path,
            _directory: directory,
        }
    }

    /// Another process on the same database and file.
    fn other(&self) -> Sealer {
        sealer(&self.database, &self.path)
    }

    async fn store_secret(&self, sealer: &Sealer, access: &Access, secret: &[u8]) -> ProviderId {
        let id: ProviderId = self.database.environment().id();
        let mut tx = self.database.store.begin(&permit(access)).await.unwrap();
        let sealed = tx
            .secrets(sealer)
            .seal(PROVIDER_KEY.row(id), secret)
            .await
            .unwrap();
        let provider = NewProvider {
            name: id.to_string(),
            kind: ProviderKind::Language,
            protocol: ProviderProtocol::OpenAi,
            base_url: None,
            model: "model".to_owned(),
            sealed_key: Some(sealed),
            dimension: None,
            is_active: false,
        };
        tx.providers().insert(id, &provider).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    async fn read_secret(&self, sealer: &Sealer, access: &Access, id: ProviderId) -> Result<Vec<u8>, Error> {
        let mut raw = self.database.raw().await;
        let sealed: Vec<u8> = sqlx::query_scalar("select sealed_key from providers where id = $1")
            .bind(amebo_core::id::Id::uuid(id))
            .fetch_one(&mut raw)
            .await
            .unwrap();
        let mut tx = self.database.store.begin(&permit(access)).await.unwrap();
        let plain = tx
            .secrets(sealer)
            .open(PROVIDER_KEY.row(id), &sealed, "test")
            .await?
            .to_vec();
        tx.commit().await.unwrap();
        Ok(plain)
    }

    async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query)
            .fetch_one(&mut self.database.raw().await)
            .await
            .unwrap()
    }
}

fn sealer(database: &Database, path: &Path) -> Sealer {
    Sealer::open(&database.store, MasterKeys::File(path.to_owned())).unwrap()
}

#[tokio::test]
async fn a_secret_opens_in_every_process_for_its_own_organization_only() {
    let vault = Vault::new().await;
    let (_, mine) = vault.database.organization("Mine").await;
    let (_, theirs) = vault.database.organization("Theirs").await;
    let id = vault.store_secret(&vault.sealer, &mine, b"sk-123").await;
    let other = vault.store_secret(&vault.sealer, &theirs, b"sk-456").await;
    assert_eq!(
        vault.read_secret(&vault.other(), &mine, id).await.unwrap(),
        b"sk-123"
    );
    for sealer in [vault.sealer.clone(), vault.other()] {
        let stolen = vault.read_secret(&sealer, &theirs, id).await;
        assert!(
            matches!(stolen, Err(Error::Refused | Error::NoDataKey(_))),
            "{stolen:?}"
        );
    }
    assert_eq!(
        vault.read_secret(&vault.sealer, &theirs, other).await.unwrap(),
        b"sk-456"
    );
    assert_eq!(vault.count("select count(*) from data_keys").await, 2);
}

#[tokio::test]
async fn the_file_of_master_keys_is_private_and_must_stay_so() {
    let vault = Vault::new().await;
    assert_eq!(
        fs::metadata(&vault.path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    fs::set_permissions(&vault.path, fs::Permissions::from_mode(0o640)).unwrap();
    let refused = Sealer::open(&vault.database.store, MasterKeys::File(vault.path.clone())).unwrap_err();
    assert!(refused.to_string().contains("chmod 600"), "{refused}");
    fs::set_permissions(&vault.path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&vault.path, "# nothing\n").unwrap();
    let refused = Sealer::open(&vault.database.store, MasterKeys::File(vault.path.clone())).unwrap_err();
    assert!(refused.to_string().contains("it is empty"), "{refused}");
}

#[tokio::test]
async fn a_ring_of_another_database_is_noticed() {
    let vault = Vault::new().await;
    let (_, access) = vault.database.organization("Acme").await;
    vault.store_secret(&vault.sealer, &access, b"secret").await;
    vault.sealer.check().await.unwrap();
    let elsewhere = vault.path.with_file_name("other.keys");
    let stranger = sealer(&vault.database, &elsewhere);
    assert!(matches!(stranger.check().await, Err(Error::NoMasterKey(_))));
}

#[tokio::test]
async fn the_master_key_rotates_while_others_serve() {
    let vault = Vault::new().await;
    let serving = vault.other();
    let mut secrets = Vec::new();
    for name in ["One", "Two", "Three"] {
        let (_, access) = vault.database.organization(name).await;
        let id = vault.store_secret(&serving, &access, name.as_bytes()).await;
        secrets.push((access, id, name));
    }
    let fresh = vault.other();
    let rotated = vault.sealer.rotate_master().await.unwrap();
    assert_eq!(rotated.rewrapped, 3);
    let (_, late) = vault.database.organization("Late").await;
    let id = vault.store_secret(&serving, &late, b"Late").await;
    secrets.push((late, id, "Late"));
    assert_eq!(
        vault
            .count("select count(distinct master_key) from data_keys")
            .await,
        1
    );
    // `fresh` read the file before the rotation and unwraps for the first time now.
    for sealer in [&vault.sealer, &serving, &fresh, &vault.other()] {
        for (access, id, plain) in &secrets {
            assert_eq!(
                vault.read_secret(sealer, access, *id).await.unwrap(),
                plain.as_bytes()
            );
        }
    }
    assert_eq!(vault.sealer.forget_old_masters().await.unwrap(), 1);
    assert_eq!(vault.sealer.forget_old_masters().await.unwrap(), 0);
    let (access, id, plain) = &secrets[0];
    assert_eq!(
        vault.read_secret(&vault.other(), access, *id).await.unwrap(),
        plain.as_bytes()
    );
    assert_eq!(
        fs::metadata(&vault.path).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[tokio::test]
async fn a_rotated_data_key_goes_when_everything_is_sealed_anew() {
    let vault = Vault::new().await;
    let (_, access) = vault.database.organization("Acme").await;
    let mut ids = Vec::new();
    for number in 0..5u8 {
        ids.push(vault.store_secret(&vault.sealer, &access, &[number]).await);
    }
    vault.sealer.rotate_data_key(&permit(&access)).await.unwrap();
    assert_eq!(
        vault.read_secret(&vault.other(), &access, ids[3]).await.unwrap(),
        [3]
    );
    let resealer = Resealer {
        store: vault.database.store.clone(),
        sealer: vault.sealer.clone(),
    };
    let registry = Registry::default().with(resealer);
    let worker = Worker::new(vault.database.store.clone(), registry, job::Settings::default());
    worker.run_until_idle().await.unwrap();
    assert_eq!(
        vault.count("select count(*) from data_keys").await,
        2,
        "others may still use the old key"
    );
    vault.database.advance(TimeDelta::minutes(5));
    worker.run_until_idle().await.unwrap();
    assert_eq!(vault.count("select count(*) from data_keys").await, 1);
    assert_eq!(vault.count("select count(*) from jobs").await, 0);
    for (number, id) in (0u8..).zip(ids) {
        assert_eq!(
            vault.read_secret(&vault.other(), &access, id).await.unwrap(),
            [number]
        );
    }
}

#[tokio::test]
async fn deleting_an_organization_shreds_its_key() {
    let vault = Vault::new().await;
    let (_, access) = vault.database.organization("Acme").await;
    vault.store_secret(&vault.sealer, &access, b"secret").await;
    let mut raw = vault.database.raw().await;
    raw.execute("delete from organizations").await.unwrap();
    assert_eq!(vault.count("select count(*) from data_keys").await, 0);
}

#[tokio::test]
async fn opening_is_audited_by_purpose_once_an_hour() {
    let vault = Vault::new().await;
    let (_, access) = vault.database.organization("Acme").await;
    let id = vault.store_secret(&vault.sealer, &access, b"secret").await;
    for _ in 0..3 {
        vault.read_secret(&vault.sealer, &access, id).await.unwrap();
    }
    vault.database.advance(TimeDelta::hours(1));
    vault.read_secret(&vault.sealer, &access, id).await.unwrap();
    let mut tx = vault.database.store.begin(&permit(&access)).await.unwrap();
    let page = PageRequest::new(None, None).unwrap();
    let entries = tx.audit().list(&Filter::default(), &page).await.unwrap().items;
    assert_eq!(entries.len(), 2);
    assert!(entries.iter().all(|entry| entry.action == "secret.open"));
    assert_eq!(entries[0].details.as_ref().unwrap()["purpose"], "test");
}

#[tokio::test]
async fn a_dropped_transaction_does_not_take_the_key_with_it() {
    let vault = Vault::new().await;
    let (organization, access): (OrganizationId, _) = vault.database.organization("Acme").await;
    let mut tx = vault.database.store.begin(&permit(&access)).await.unwrap();
    let place = PROVIDER_KEY.row(vault.database.environment().id::<ProviderId>());
    tx.secrets(&vault.sealer).seal(place, b"lost").await.unwrap();
    drop(tx);
    let id = vault.store_secret(&vault.sealer, &access, b"kept").await;
    assert_eq!(
        vault.read_secret(&vault.other(), &access, id).await.unwrap(),
        b"kept"
    );
    assert_eq!(organization, access.organization());
}

#[tokio::test]
async fn every_sealed_column_of_the_schema_is_sealed_anew_on_rotation() {
    let database = Database::new().await;
    let columns: Vec<(String, String)> = sqlx::query_as(
        "select table_name::text, column_name::text from information_schema.columns
         where table_schema = 'public' and data_type = 'bytea' and column_name like 'sealed%' order by 1, 2",
    )
    .fetch_all(&mut database.raw().await)
    .await
    .unwrap();
    let mut listed: Vec<_> = SEALED_COLUMNS
        .iter()
        .map(|column| (column.table().to_owned(), column.column().to_owned()))
        .collect();
    listed.sort();
    assert_eq!(columns, listed);
}
