//! Attempts to prove a password, counted in the database so that all processes share the count.
//!
//! An attempt is counted before the password is looked at, and forgiven when it was right, so that many attempts at once gain nothing.

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use crate::error::Result;
use crate::transaction::SystemScope;

/// What attempts are counted for.
#[derive(Debug, Clone, Copy)]
pub enum ThrottleSubject<'a> {
    /// An account, by its e-mail address, whether or not there is one.
    Account(&'a str),
    /// Letters about a new password, by the address they go to.
    PasswordReset(&'a str),
    /// A network address.
    Address(&'a str),
}

impl ThrottleSubject<'_> {
    fn key(self) -> [u8; 32] {
        let (kind, text) = match self {
            Self::Account(email) => ("account", email.trim().to_lowercase()),
            Self::PasswordReset(email) => ("password reset", email.trim().to_lowercase()),
            Self::Address(address) => ("address", address.to_owned()),
        };
        Sha256::digest(format!("{kind}:{text}")).into()
    }

    /// How many attempts are free; each one after that doubles the wait, from one second to 15 minutes.
    fn free_attempts(self) -> i32 {
        match self {
            Self::Account(_) | Self::PasswordReset(_) => 5,
            Self::Address(_) => 30,
        }
    }
}

/// Counted attempts.
#[derive(Debug)]
pub struct Throttles<'a>(pub(crate) SystemScope<'a>);

impl Throttles<'_> {
    /// Counts an attempt. `Some` tells until when no more are taken; then this one was not taken either.
    pub async fn attempt(&mut self, subject: ThrottleSubject<'_>) -> Result<Option<DateTime<Utc>>> {
        let (key, now) = (subject.key(), self.0.environment.now());
        let counted: Option<i32> = sqlx::query_scalar(
            "insert into sign_in_throttles as t (subject, attempts, blocked_until, expires_at)
             values ($1, 1, $2, $2 + interval '1 day')
             on conflict (subject) do update set
                attempts = case when t.expires_at <= $2 then 1 else t.attempts + 1 end,
                blocked_until = case when t.expires_at <= $2 or t.attempts + 1 < $3 then $2
                    else $2 + least(interval '15 minutes', interval '1 second' * power(2, least(t.attempts + 1 - $3, 20))) end,
                expires_at = $2 + interval '1 day'
             where t.blocked_until <= $2
             returning attempts",
        )
        .bind(key)
        .bind(now)
        .bind(subject.free_attempts())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        if counted.is_some() {
            self.forget_expired(now).await?;
            return Ok(None);
        }
        Ok(
            sqlx::query_scalar("select blocked_until from sign_in_throttles where subject = $1")
                .bind(key)
                .fetch_optional(&mut *self.0.connection)
                .await?,
        )
    }

    /// Forgives: an account's count is forgotten, an address gets its last attempt back.
    pub async fn forgive(&mut self, subject: ThrottleSubject<'_>) -> Result<()> {
        let statement = match subject {
            ThrottleSubject::Account(_) | ThrottleSubject::PasswordReset(_) => {
                "delete from sign_in_throttles where subject = $1"
            }
            ThrottleSubject::Address(_) => {
                "update sign_in_throttles set attempts = greatest(attempts - 1, 1) where subject = $1"
            }
        };
        sqlx::query(statement)
            .bind(subject.key())
            .execute(&mut *self.0.connection)
            .await?;
        Ok(())
    }

    /// Every attempt sweeps a few old ones, so that the table stays as small as its use.
    async fn forget_expired(&mut self, now: DateTime<Utc>) -> Result<()> {
        sqlx::query(
            "delete from sign_in_throttles where subject in
                (select subject from sign_in_throttles where expires_at <= $1 order by expires_at limit 10 for update skip locked)",
        )
        .bind(now)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }
}
