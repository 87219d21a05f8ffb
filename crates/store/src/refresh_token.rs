//! Signed-in devices and their refresh tokens.
//!
//! A refresh token is good for one use, which yields the next one. A token that comes a second time was copied, by whomever: the whole
//! family, that is the device, is signed out. There is no grace for two honest uses at once; clients take turns.

use amebo_core::id::{Id, RefreshTokenId, TokenFamilyId, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::error::Result;
use crate::secret_token;
use crate::transaction::SystemScope;

/// How long a device stays signed in after it was last used.
pub const DEVICE_LIFETIME: TimeDelta = TimeDelta::days(30);

/// How long used tokens are remembered, so that their reuse is recognised; later they are merely unknown.
const USED_TOKEN_MEMORY: TimeDelta = TimeDelta::days(7);

/// Where a request comes from, as shown in a person's list of devices.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The `User-Agent`, cut to 300 characters.
    pub user_agent: String,
    /// The network address.
    pub address: String,
}

/// A device that is signed in.
#[derive(Debug, Clone)]
pub struct Device {
    /// The device.
    pub id: TokenFamilyId,
    /// Where it was last used from.
    pub origin: Origin,
    /// When it signed in.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to the half hour.
    pub last_used_at: DateTime<Utc>,
}

type DeviceRow = (Uuid, String, String, DateTime<Utc>, DateTime<Utc>);

/// A token for a device.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The person.
    pub user: UserId,
    /// The device.
    pub device: TokenFamilyId,
    /// The refresh token, to be shown once.
    pub refresh_token: String,
}

/// What became of a refresh token.
#[derive(Debug, Clone)]
pub enum Rotation {
    /// It was good; this is the next one.
    Renewed(Issued),
    /// It had been used before: the device is signed out now.
    Reused(TokenFamilyId),
    /// It is not known, or its device is signed out.
    Refused,
}

/// Signed-in devices.
#[derive(Debug)]
pub struct Devices<'a>(pub(crate) SystemScope<'a>);

impl Devices<'_> {
    /// Signs a person in on a new device.
    pub async fn create(&mut self, user: UserId, origin: &Origin) -> Result<Issued> {
        let now = self.0.environment.now();
        sqlx::query("delete from token_families where user_id = $1 and expires_at <= $2")
            .bind(user.uuid())
            .bind(now)
            .execute(&mut *self.0.connection)
            .await?;
        let device: TokenFamilyId = self.0.environment.id();
        sqlx::query(
            "insert into token_families (id, user_id, user_agent, address, created_at, last_used_at, expires_at)
             values ($1, $2, left($3, 300), $4, $5, $5, $6)",
        )
        .bind(device.uuid())
        .bind(user.uuid())
        .bind(&origin.user_agent)
        .bind(&origin.address)
        .bind(now)
        .bind(now + DEVICE_LIFETIME)
        .execute(&mut *self.0.connection)
        .await?;
        self.issue(user, device).await
    }

    /// The device a refresh token belongs to, used or not.
    pub async fn of_token(&mut self, token: &str) -> Result<Option<TokenFamilyId>> {
        let id: Option<Uuid> =
            sqlx::query_scalar("select family_id from refresh_tokens where token_hash = $1")
                .bind(secret_token::hash(token))
                .fetch_optional(&mut *self.0.connection)
                .await?;
        Ok(id.map(TokenFamilyId::from_uuid))
    }

    /// Uses a refresh token. Whatever comes of it must be committed.
    pub async fn rotate(&mut self, token: &str, origin: &Origin) -> Result<Rotation> {
        let (hash, now) = (secret_token::hash(token), self.0.environment.now());
        let used: Option<Uuid> = sqlx::query_scalar(
            "update refresh_tokens set used_at = $2 where token_hash = $1 and used_at is null returning family_id",
        )
        .bind(hash)
        .bind(now)
        .fetch_optional(&mut *self.0.connection)
        .await?;
        let Some(device) = used.map(TokenFamilyId::from_uuid) else {
            let Some(device) = self.of_token(token).await? else {
                return Ok(Rotation::Refused);
            };
            self.revoke_family(device).await?;
            return Ok(Rotation::Reused(device));
        };
        let user: Option<Uuid> = sqlx::query_scalar(
            "update token_families f set last_used_at = $2, expires_at = $3, user_agent = left($4, 300), address = $5
             from users u where f.id = $1 and f.revoked_at is null and f.expires_at > $2 and u.id = f.user_id and u.is_active
             returning u.id",
        )
        .bind(device.uuid())
        .bind(now)
        .bind(now + DEVICE_LIFETIME)
        .bind(&origin.user_agent)
        .bind(&origin.address)
        .fetch_optional(&mut *self.0.connection)
        .await?;
        let Some(user) = user.map(UserId::from_uuid) else {
            return Ok(Rotation::Refused);
        };
        sqlx::query("delete from refresh_tokens where family_id = $1 and used_at < $2")
            .bind(device.uuid())
            .bind(now - USED_TOKEN_MEMORY)
            .execute(&mut *self.0.connection)
            .await?;
        Ok(Rotation::Renewed(self.issue(user, device).await?))
    }

    /// The devices on which a person is signed in, newest first.
    pub async fn list(&mut self, user: UserId) -> Result<Vec<Device>> {
        let rows: Vec<DeviceRow> = sqlx::query_as(
            "select id, user_agent, address, created_at, last_used_at from token_families
             where user_id = $1 and revoked_at is null and expires_at > $2 order by id desc limit 200",
        )
        .bind(user.uuid())
        .bind(self.0.environment.now())
        .fetch_all(&mut *self.0.connection)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(id, user_agent, address, created_at, last_used_at)| Device {
                id: TokenFamilyId::from_uuid(id),
                origin: Origin { user_agent, address },
                created_at,
                last_used_at,
            })
            .collect())
    }

    /// Signs a person out on one device. Returns whether they were signed in there.
    pub async fn revoke(&mut self, user: UserId, device: TokenFamilyId) -> Result<bool> {
        let done = sqlx::query(
            "update token_families set revoked_at = $3 where id = $1 and user_id = $2 and revoked_at is null",
        )
        .bind(device.uuid())
        .bind(user.uuid())
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Signs a person out everywhere, or everywhere but on one device.
    pub async fn revoke_all(&mut self, user: UserId, except: Option<TokenFamilyId>) -> Result<()> {
        sqlx::query(
            "update token_families set revoked_at = $3
             where user_id = $1 and revoked_at is null and id is distinct from $2",
        )
        .bind(user.uuid())
        .bind(except.map(Id::uuid))
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    async fn revoke_family(&mut self, device: TokenFamilyId) -> Result<()> {
        sqlx::query("update token_families set revoked_at = $2 where id = $1 and revoked_at is null")
            .bind(device.uuid())
            .bind(self.0.environment.now())
            .execute(&mut *self.0.connection)
            .await?;
        Ok(())
    }

    async fn issue(&mut self, user: UserId, device: TokenFamilyId) -> Result<Issued> {
        let refresh_token = self.0.environment.token();
        sqlx::query(
            "insert into refresh_tokens (id, family_id, token_hash, created_at) values ($1, $2, $3, $4)",
        )
        .bind(self.0.environment.id::<RefreshTokenId>().uuid())
        .bind(device.uuid())
        .bind(secret_token::hash(&refresh_token))
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(Issued {
            user,
            device,
            refresh_token,
        })
    }
}
