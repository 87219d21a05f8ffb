//! Links that work once and for a while: a first sign-in, a new password.

use amebo_core::id::{AccountLinkId, Id, UserId};
use chrono::TimeDelta;
use uuid::Uuid;

use crate::error::Result;
use crate::secret_token;
use crate::transaction::SystemScope;

/// What a link is good for, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkPurpose {
    /// Signing in without a password.
    SignIn,
    /// Choosing a new password.
    PasswordReset,
}

impl LinkPurpose {
    fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::PasswordReset => "password_reset",
        }
    }

    /// How long such a link works.
    pub fn lifetime(self) -> TimeDelta {
        match self {
            Self::SignIn => TimeDelta::hours(24),
            Self::PasswordReset => TimeDelta::hours(1),
        }
    }
}

/// Links that work once.
#[derive(Debug)]
pub struct AccountLinks<'a>(pub(crate) SystemScope<'a>);

impl AccountLinks<'_> {
    /// Makes a link's token; earlier links of this purpose stop working.
    pub async fn create(&mut self, user: UserId, purpose: LinkPurpose) -> Result<String> {
        sqlx::query("delete from account_links where user_id = $1 and purpose = $2")
            .bind(user.uuid())
            .bind(purpose.as_str())
            .execute(&mut *self.0.connection)
            .await?;
        let (token, now) = (self.0.environment.token(), self.0.environment.now());
        sqlx::query(
            "insert into account_links (id, user_id, purpose, token_hash, expires_at, created_at) values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(self.0.environment.id::<AccountLinkId>().uuid())
        .bind(user.uuid())
        .bind(purpose.as_str())
        .bind(secret_token::hash(&token))
        .bind(now + purpose.lifetime())
        .bind(now)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(token)
    }

    /// Uses a link up. The person it was made for, if it works and they may sign in.
    pub async fn take(&mut self, token: &str, purpose: LinkPurpose) -> Result<Option<UserId>> {
        let id: Option<Uuid> = sqlx::query_scalar(
            "delete from account_links l using users u
             where l.token_hash = $1 and l.purpose = $2 and l.expires_at > $3 and u.id = l.user_id and u.is_active
             returning u.id",
        )
        .bind(secret_token::hash(token))
        .bind(purpose.as_str())
        .bind(self.0.environment.now())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        Ok(id.map(UserId::from_uuid))
    }

    /// Makes every link of a person stop working.
    pub async fn revoke_all(&mut self, user: UserId) -> Result<()> {
        sqlx::query("delete from account_links where user_id = $1")
            .bind(user.uuid())
            .execute(&mut *self.0.connection)
            .await?;
        Ok(())
    }
}
