//! Language and embedding models an organisation brings. Keys are sealed before they come here.

use amebo_core::id::{Id, ProviderId};
use amebo_core::provider::{self, ProviderKind, ProviderProtocol};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::OrgTx;
use crate::error::{Error, Result, parse};
use crate::transaction::Scope;

/// A provider.
#[derive(Debug, Clone)]
pub struct Provider {
    /// The provider.
    pub id: ProviderId,
    /// How the organisation calls it; unique.
    pub name: String,
    /// What it is for.
    pub kind: ProviderKind,
    /// The interface it speaks.
    pub protocol: ProviderProtocol,
    /// Where it answers; `None` for the vendor's own address.
    pub base_url: Option<String>,
    /// The model asked for.
    pub model: String,
    /// Its key, sealed; `None` when it needs none.
    pub sealed_key: Option<Vec<u8>>,
    /// How many numbers a vector of an embedding model has.
    pub dimension: Option<u32>,
    /// Whether it does the work of its kind: writes the answers, or embeds new knowledge bases. At most one of a kind does.
    pub is_active: bool,
    /// When it was last tried.
    pub last_tested_at: Option<DateTime<Utc>>,
    /// What went wrong then.
    pub last_test_error: Option<String>,
    /// When it was added.
    pub created_at: DateTime<Utc>,
}

impl Provider {
    /// What knowledge bases call its model; `None` for a language model.
    pub fn embedding_model(&self) -> Option<String> {
        (self.kind == ProviderKind::Embedding).then(|| provider::embedding_model(self.id, &self.model))
    }

    /// What is needed to call it.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint {
            id: self.id,
            protocol: self.protocol,
            base_url: self.base_url.clone(),
            model: self.model.clone(),
            sealed_key: self.sealed_key.clone(),
        }
    }
}

/// What is needed to call a provider.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The provider, whose key is sealed under its id.
    pub id: ProviderId,
    /// The interface it speaks.
    pub protocol: ProviderProtocol,
    /// Where it answers; `None` for the vendor's own address.
    pub base_url: Option<String>,
    /// The model asked for.
    pub model: String,
    /// Its key, sealed; `None` when it needs none.
    pub sealed_key: Option<Vec<u8>>,
}

/// A provider to be added, or all of one that is changed.
#[derive(Debug, Clone)]
pub struct NewProvider {
    /// How the organisation calls it; unique.
    pub name: String,
    /// What it is for.
    pub kind: ProviderKind,
    /// The interface it speaks.
    pub protocol: ProviderProtocol,
    /// Where it answers; `None` for the vendor's own address.
    pub base_url: Option<String>,
    /// The model asked for.
    pub model: String,
    /// Its key, sealed; `None` when it needs none.
    pub sealed_key: Option<Vec<u8>>,
    /// How many numbers a vector of an embedding model has.
    pub dimension: Option<u32>,
    /// Whether it does the work of its kind from now on; the one that did so steps back.
    pub is_active: bool,
}

const COLUMNS: &str = "id, name, kind, protocol, base_url, model, sealed_key, dimension, is_active, last_tested_at, last_test_error, created_at";

#[derive(sqlx::FromRow)]
struct ProviderRow {
    id: Uuid,
    name: String,
    kind: String,
    protocol: String,
    base_url: Option<String>,
    model: String,
    sealed_key: Option<Vec<u8>>,
    dimension: Option<i32>,
    is_active: bool,
    last_tested_at: Option<DateTime<Utc>>,
    last_test_error: Option<String>,
    created_at: DateTime<Utc>,
}

impl TryFrom<ProviderRow> for Provider {
    type Error = Error;

    fn try_from(row: ProviderRow) -> Result<Self> {
        Ok(Self {
            id: ProviderId::from_uuid(row.id),
            name: row.name,
            kind: parse(&row.kind)?,
            protocol: parse(&row.protocol)?,
            base_url: row.base_url,
            model: row.model,
            sealed_key: row.sealed_key,
            dimension: row.dimension.map(i32::unsigned_abs),
            is_active: row.is_active,
            last_tested_at: row.last_tested_at,
            last_test_error: row.last_test_error,
            created_at: row.created_at,
        })
    }
}

impl OrgTx {
    /// The providers of the organisation.
    pub fn providers(&mut self) -> Providers<'_> {
        Providers(self.scope())
    }
}

/// The providers of the organisation.
#[derive(Debug)]
pub struct Providers<'a>(pub(crate) Scope<'a>);

impl Providers<'_> {
    /// Adds a provider under `id`, with which its key was sealed. A conflict on `providers_organization_id_name_key` means the name
    /// is taken.
    pub async fn insert(&mut self, id: ProviderId, new: &NewProvider) -> Result<()> {
        if new.is_active {
            self.retire(new.kind).await?;
        }
        sqlx::query(
            "insert into providers (id, organization_id, name, protocol, base_url, model, sealed_key, is_active, created_at, updated_at,
                                    kind, dimension)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11)",
        )
        .bind(id.uuid())
        .bind(self.0.organization.uuid())
        .bind(&new.name)
        .bind(new.protocol.as_str())
        .bind(&new.base_url)
        .bind(&new.model)
        .bind(&new.sealed_key)
        .bind(new.is_active)
        .bind(self.0.environment.now())
        .bind(new.kind.as_str())
        .bind(new.dimension.map(u32::cast_signed))
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Changes a provider, whose kind stays; what the last test said is forgotten. `false`: there is none.
    pub async fn update(&mut self, id: ProviderId, new: &NewProvider) -> Result<bool> {
        if new.is_active {
            self.retire(new.kind).await?;
        }
        let done = sqlx::query(
            "update providers set name = $3, protocol = $4, base_url = $5, model = $6, sealed_key = $7, is_active = $8, dimension = $10,
                                  last_tested_at = null, last_test_error = null, updated_at = $9
             where organization_id = $1 and id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(&new.name)
        .bind(new.protocol.as_str())
        .bind(&new.base_url)
        .bind(&new.model)
        .bind(&new.sealed_key)
        .bind(new.is_active)
        .bind(self.0.environment.now())
        .bind(new.dimension.map(u32::cast_signed))
        .execute(&mut *self.0.connection)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// All providers, by name.
    pub async fn list(&mut self) -> Result<Vec<Provider>> {
        let rows: Vec<ProviderRow> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "select {COLUMNS} from providers where organization_id = $1 order by name"
        )))
        .bind(self.0.organization.uuid())
        .fetch_all(&mut *self.0.connection)
        .await?;
        rows.into_iter().map(Provider::try_from).collect()
    }

    /// One provider.
    pub async fn by_id(&mut self, id: ProviderId) -> Result<Option<Provider>> {
        let row: Option<ProviderRow> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "select {COLUMNS} from providers where organization_id = $1 and id = $2"
        )))
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        row.map(Provider::try_from).transpose()
    }

    /// One provider, which nobody else can change, remove or begin to use until this transaction ends.
    pub async fn lock(&mut self, id: ProviderId) -> Result<Option<Provider>> {
        let row: Option<ProviderRow> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "select {COLUMNS} from providers where organization_id = $1 and id = $2 for update"
        )))
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        row.map(Provider::try_from).transpose()
    }

    /// The provider that does the work of its kind.
    pub async fn active(&mut self, kind: ProviderKind) -> Result<Option<Provider>> {
        let row: Option<ProviderRow> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "select {COLUMNS} from providers where organization_id = $1 and kind = $2 and is_active"
        )))
        .bind(self.0.organization.uuid())
        .bind(kind.as_str())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        row.map(Provider::try_from).transpose()
    }

    /// Keeps what a test of the provider said.
    pub async fn tested(&mut self, id: ProviderId, error: Option<&str>) -> Result<()> {
        sqlx::query(
            "update providers set last_tested_at = $3, last_test_error = $4, updated_at = $3 where organization_id = $1 and id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(self.0.environment.now())
        .bind(error)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Removes a provider with its key. `false`: there is none.
    pub async fn delete(&mut self, id: ProviderId) -> Result<bool> {
        let done = sqlx::query("delete from providers where organization_id = $1 and id = $2")
            .bind(self.0.organization.uuid())
            .bind(id.uuid())
            .execute(&mut *self.0.connection)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    async fn retire(&mut self, kind: ProviderKind) -> Result<()> {
        sqlx::query(
            "update providers set is_active = false, updated_at = $2 where organization_id = $1 and kind = $3 and is_active",
        )
        .bind(self.0.organization.uuid())
        .bind(self.0.environment.now())
        .bind(kind.as_str())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }
}
