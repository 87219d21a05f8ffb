//! Installations under way: a state that went to the platform through the browser, and what it stands for.

use amebo_core::channel::ChannelKind;
use amebo_core::id::{ChannelConnectionId, Id, OrganizationId, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::error::Result;
use crate::transaction::{Scope, SystemScope};
use crate::{OrgTx, Store, SystemTx, secret_token};

/// For how long the platform's answer is waited for.
pub const INSTALLATION_LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// What an installation was begun for.
#[derive(Debug, Clone)]
pub struct Installation {
    /// Where it was begun.
    pub organization: OrganizationId,
    /// Who began it.
    pub user: UserId,
    /// The connection with an app of its own that it is for; `None` for the server's app.
    pub connection: Option<ChannelConnectionId>,
    /// What was chosen beforehand.
    pub settings: Value,
}

impl OrgTx {
    /// The installations under way in the organisation.
    pub fn channel_installations(&mut self) -> ChannelInstallations<'_> {
        ChannelInstallations(self.scope())
    }
}

/// The installations under way in one organisation.
#[derive(Debug)]
pub struct ChannelInstallations<'a>(Scope<'a>);

impl ChannelInstallations<'_> {
    /// Begins one and returns the state to send along.
    pub async fn begin(
        &mut self,
        kind: ChannelKind,
        user: UserId,
        connection: Option<ChannelConnectionId>,
        settings: &Value,
    ) -> Result<String> {
        let (environment, now) = (self.0.environment, self.0.environment.now());
        let state = environment.token();
        sqlx::query(
            "insert into channel_installations (id, organization_id, connection_id, user_id, kind, state_hash, settings, expires_at, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(environment.id::<ChannelConnectionId>().uuid())
        .bind(self.0.organization.uuid())
        .bind(connection.map(Id::uuid))
        .bind(user.uuid())
        .bind(kind.as_str())
        .bind(secret_token::hash(&state))
        .bind(settings)
        .bind(now + INSTALLATION_LIFETIME)
        .bind(now)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(state)
    }
}

impl Store {
    /// Takes the installation that a state stands for: once, and within its time.
    pub async fn take_installation(&self, kind: ChannelKind, state: &str) -> Result<Option<Installation>> {
        type Row = (Uuid, Uuid, Option<Uuid>, Value, DateTime<Utc>);
        let row: Option<Row> = sqlx::query_as(
            "delete from channel_installations where state_hash = $1 and kind = $2
             returning organization_id, user_id, connection_id, settings, expires_at",
        )
        .bind(secret_token::hash(state))
        .bind(kind.as_str())
        .fetch_optional(self.system_pool())
        .await?;
        Ok(row.filter(|row| row.4 > self.environment().now()).map(
            |(organization, user, connection, settings, _)| Installation {
                organization: OrganizationId::from_uuid(organization),
                user: UserId::from_uuid(user),
                connection: connection.map(ChannelConnectionId::from_uuid),
                settings,
            },
        ))
    }
}

impl SystemTx {
    /// Forgets installations that were not finished in time.
    pub(crate) async fn prune_installations(&mut self) -> Result<()> {
        let SystemScope {
            connection,
            environment,
        } = self.scope();
        sqlx::query("delete from channel_installations where expires_at <= $1")
            .bind(environment.now())
            .execute(connection)
            .await?;
        Ok(())
    }
}
