//! Machine access to one organisation.

use amebo_core::id::{ApiKeyId, Id, MemberId};
use amebo_core::page::{Page, PageRequest};
use amebo_core::permission::Permission;
use chrono::{DateTime, Utc};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use crate::error::Result;
use crate::secret_token;
use crate::transaction::Scope;

/// What every API key begins with, so that people and secret scanners recognise one.
pub const API_KEY_PREFIX: &str = "amebo_";

/// An API key, without the key.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// The key.
    pub id: ApiKeyId,
    /// Who made it, and beyond whose permissions it never goes.
    pub member: MemberId,
    /// What it is for.
    pub name: String,
    /// Its first characters.
    pub prefix: String,
    /// What it may do.
    pub scopes: Vec<Permission>,
    /// Until when it works; for ever when absent.
    pub expires_at: Option<DateTime<Utc>>,
    /// Since when it works no more.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// An API key to be made.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// Who makes it.
    pub member: MemberId,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Permission>,
    /// Until when it works; for ever when absent.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether it is for the terminal on the server's own machine.
    pub is_of_terminal: bool,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    member_id: Uuid,
    name: String,
    prefix: String,
    scopes: Json<Vec<Permission>>,
    expires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl From<Row> for ApiKey {
    fn from(row: Row) -> Self {
        Self {
            id: ApiKeyId::from_uuid(row.id),
            member: MemberId::from_uuid(row.member_id),
            name: row.name,
            prefix: row.prefix,
            scopes: row.scopes.0,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            last_used_at: row.last_used_at,
            created_at: row.created_at,
        }
    }
}

macro_rules! columns {
    () => {
        "id, member_id, name, prefix, scopes, expires_at, revoked_at, last_used_at, created_at"
    };
}

/// Machine access to the current organisation.
#[derive(Debug)]
pub struct ApiKeys<'a>(pub(crate) Scope<'a>);

impl ApiKeys<'_> {
    /// Makes a key; the second part of the answer is the key itself, to be shown once.
    pub async fn create(&mut self, new: &NewApiKey) -> Result<(ApiKey, String)> {
        let (id, now) = (self.0.environment.id::<ApiKeyId>(), self.0.environment.now());
        let key = format!("{API_KEY_PREFIX}{}", self.0.environment.token());
        let row: Row = sqlx::query_as(concat!(
            "insert into api_keys (id, organization_id, member_id, name, prefix, key_hash, scopes, expires_at, is_of_terminal, created_at, updated_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10) returning ",
            columns!()
        ))
        .bind(id.uuid())
        .bind(self.0.organization.uuid())
        .bind(new.member.uuid())
        .bind(&new.name)
        .bind(key.get(..API_KEY_PREFIX.len() + 6).unwrap_or_default())
        .bind(secret_token::hash(&key))
        .bind(Json(&new.scopes))
        .bind(new.expires_at)
        .bind(new.is_of_terminal)
        .bind(now)
        .fetch_one(&mut *self.0.connection)
        .await?;
        Ok((row.into(), key))
    }

    /// The keys in the order they were made, revoked ones included.
    pub async fn list(&mut self, page: &PageRequest<ApiKeyId>) -> Result<Page<ApiKey>> {
        let rows: Vec<Row> = sqlx::query_as(concat!(
            "select ",
            columns!(),
            " from api_keys where organization_id = $1 and ($2::uuid is null or id > $2) order by id limit $3"
        ))
        .bind(self.0.organization.uuid())
        .bind(page.after.map(Id::uuid))
        .bind(page.rows())
        .fetch_all(&mut *self.0.connection)
        .await?;
        let keys = rows.into_iter().map(ApiKey::from).collect();
        Ok(Page::from_rows(keys, page.limit, |key: &ApiKey| key.id))
    }

    /// Ends a key at once. Returns it, or `None` when there is no such key.
    pub async fn revoke(&mut self, id: ApiKeyId) -> Result<Option<ApiKey>> {
        let row: Option<Row> = sqlx::query_as(concat!(
            "update api_keys set revoked_at = coalesce(revoked_at, $3), updated_at = $3
             where organization_id = $1 and id = $2 returning ",
            columns!()
        ))
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(self.0.environment.now())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        Ok(row.map(ApiKey::from))
    }
}
