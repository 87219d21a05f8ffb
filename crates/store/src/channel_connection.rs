//! Connected accounts of channels. Credentials are sealed before they come here.
//!
//! An account that is in use belongs to one organisation only; the index `channel_connections_account` decides.

use amebo_core::channel::{ChannelKind, ConnectionStatus};
use amebo_core::id::{ChannelConnectionId, Id, OrganizationId, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::error::{Error, Result, parse};
use crate::transaction::Scope;
use crate::{OrgTx, Store};

/// For how long one process has the right to renew an account's tokens.
const RENEWAL: TimeDelta = TimeDelta::seconds(30);

/// A connected account.
#[derive(Debug, Clone)]
pub struct ChannelConnection {
    /// The connection.
    pub id: ChannelConnectionId,
    /// The platform.
    pub kind: ChannelKind,
    /// The account's id on the platform; `None` until it is known.
    pub account: Option<String>,
    /// The platform's id of the app it is connected through.
    pub app_id: Option<String>,
    /// How people call the account.
    pub display_name: String,
    /// Whether it can be used.
    pub status: ConnectionStatus,
    /// Why not, and what to do.
    pub status_reason: Option<String>,
    /// Whether it is connected through the organisation's own app.
    pub has_own_app: bool,
    /// What the platform allows.
    pub scopes: Vec<String>,
    /// When the access token runs out; `None` when it does not.
    pub token_expires_at: Option<DateTime<Utc>>,
    /// What the platform says of the account.
    pub facts: Value,
    /// What administrators chose.
    pub configuration: Value,
    /// Who authorised it.
    pub connected_by: Option<UserId>,
    /// When it was authorised last.
    pub connected_at: Option<DateTime<Utc>>,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When its people and places were last listed to the end.
    pub listed_at: Option<DateTime<Utc>>,
    /// How it is doing.
    pub health: Health,
}

/// How a connected account is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// When it last sent something, to the minute.
    pub last_event_at: Option<DateTime<Utc>>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When.
    pub last_error_at: Option<DateTime<Utc>>,
    /// How many webhooks were refused in its name.
    pub refused: u64,
    /// Why the last one was.
    pub last_refusal: Option<String>,
    /// When.
    pub last_refused_at: Option<DateTime<Utc>>,
}

/// What authorising an account brought.
#[derive(Debug, Clone)]
pub struct Connected {
    /// The account's id on the platform.
    pub account: String,
    /// The platform's id of the app.
    pub app_id: Option<String>,
    /// How people call the account.
    pub display_name: String,
    /// The tokens, sealed.
    pub credentials: Vec<u8>,
    /// What the platform allows.
    pub scopes: Vec<String>,
    /// When the access token runs out.
    pub token_expires_at: Option<DateTime<Utc>>,
    /// What the platform says of the account.
    pub facts: Value,
    /// Who authorised it.
    pub by: Option<UserId>,
}

/// The sealed secrets of a connected account.
#[derive(Debug, Clone)]
pub struct Sealed {
    /// The platform.
    pub kind: ChannelKind,
    /// Whether it can be used.
    pub status: ConnectionStatus,
    /// The tokens.
    pub credentials: Option<Vec<u8>>,
    /// The organisation's own app.
    pub app: Option<Vec<u8>>,
    /// When the access token runs out.
    pub token_expires_at: Option<DateTime<Utc>>,
}

const COLUMNS: &str = "id, kind, external_account_id, app_id, display_name, status, status_reason, sealed_app is not null as has_own_app,
    scopes, token_expires_at, account, configuration, connected_by, connected_at, created_at, last_error, last_error_at,
    greatest(last_event_at, (select max(event.created_at) from inbound_events event
                             where event.organization_id = channel_connections.organization_id
                               and event.connection_id = channel_connections.id)) as last_event_at,
    refused_count, last_refusal, last_refused_at, listed_at";

#[derive(sqlx::FromRow)]
struct ConnectionRow {
    id: Uuid,
    kind: String,
    external_account_id: Option<String>,
    app_id: Option<String>,
    display_name: String,
    status: String,
    status_reason: Option<String>,
    has_own_app: bool,
    scopes: Vec<String>,
    token_expires_at: Option<DateTime<Utc>>,
    account: Value,
    configuration: Value,
    connected_by: Option<Uuid>,
    connected_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    last_event_at: Option<DateTime<Utc>>,
    last_error: Option<String>,
    last_error_at: Option<DateTime<Utc>>,
    refused_count: i64,
    last_refusal: Option<String>,
    last_refused_at: Option<DateTime<Utc>>,
    listed_at: Option<DateTime<Utc>>,
}

impl TryFrom<ConnectionRow> for ChannelConnection {
    type Error = Error;

    fn try_from(row: ConnectionRow) -> Result<Self> {
        Ok(Self {
            id: ChannelConnectionId::from_uuid(row.id),
            kind: parse(&row.kind)?,
            account: row.external_account_id,
            app_id: row.app_id,
            display_name: row.display_name,
            status: parse(&row.status)?,
            status_reason: row.status_reason,
            has_own_app: row.has_own_app,
            scopes: row.scopes,
            token_expires_at: row.token_expires_at,
            facts: row.account,
            configuration: row.configuration,
            connected_by: row.connected_by.map(UserId::from_uuid),
            connected_at: row.connected_at,
            created_at: row.created_at,
            listed_at: row.listed_at,
            health: Health {
                last_event_at: row.last_event_at,
                last_error: row.last_error,
                last_error_at: row.last_error_at,
                refused: row.refused_count.unsigned_abs(),
                last_refusal: row.last_refusal,
                last_refused_at: row.last_refused_at,
            },
        })
    }
}

impl OrgTx {
    /// The connected accounts of the organisation.
    pub fn channel_connections(&mut self) -> ChannelConnections<'_> {
        ChannelConnections(self.scope())
    }
}

/// The connected accounts of one organisation.
#[derive(Debug)]
pub struct ChannelConnections<'a>(Scope<'a>);

impl ChannelConnections<'_> {
    /// Adds an account that is not authorised yet, under `id`, with which its app's credentials were sealed.
    pub async fn insert(
        &mut self,
        id: ChannelConnectionId,
        kind: ChannelKind,
        display_name: &str,
        app: Option<Vec<u8>>,
        configuration: &Value,
    ) -> Result<()> {
        sqlx::query(
            "insert into channel_connections (id, organization_id, kind, display_name, status, sealed_app, configuration, created_at,
                                              updated_at)
             values ($1, $2, $3, $4, 'pending', $5, $6, $7, $7)",
        )
        .bind(id.uuid())
        .bind(self.0.organization.uuid())
        .bind(kind.as_str())
        .bind(display_name)
        .bind(app)
        .bind(configuration)
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Takes an account into use. A conflict on `channel_connections_account` means it is in use elsewhere. `false`: there is no such
    /// connection.
    pub async fn connect(&mut self, id: ChannelConnectionId, new: &Connected) -> Result<bool> {
        let done = sqlx::query(
            "update channel_connections
             set external_account_id = $3, app_id = $4, display_name = $5, status = 'active', status_reason = null, sealed_credentials = $6,
                 scopes = $7, token_expires_at = $8, refreshing_until = null, account = $9, connected_by = $10, connected_at = $11,
                 last_error = null, last_error_at = null, updated_at = $11
             where organization_id = $1 and id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(&new.account)
        .bind(&new.app_id)
        .bind(&new.display_name)
        .bind(&new.credentials)
        .bind(&new.scopes)
        .bind(new.token_expires_at)
        .bind(&new.facts)
        .bind(new.by.map(Id::uuid))
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// All of them, in the order they were added.
    pub async fn list(&mut self) -> Result<Vec<ChannelConnection>> {
        let rows: Vec<ConnectionRow> = sqlx::query_as(AssertSqlSafe(format!(
            "select {COLUMNS} from channel_connections where organization_id = $1 order by created_at, id"
        )))
        .bind(self.0.organization.uuid())
        .fetch_all(&mut *self.0.connection)
        .await?;
        rows.into_iter().map(ChannelConnection::try_from).collect()
    }

    /// One of them.
    pub async fn by_id(&mut self, id: ChannelConnectionId) -> Result<Option<ChannelConnection>> {
        let row: Option<ConnectionRow> = sqlx::query_as(AssertSqlSafe(format!(
            "select {COLUMNS} from channel_connections where organization_id = $1 and id = $2"
        )))
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        row.map(ChannelConnection::try_from).transpose()
    }

    /// The organisation's connection of an account, in use or not; the one in use first, then the latest.
    pub async fn by_account(
        &mut self,
        kind: ChannelKind,
        account: &str,
    ) -> Result<Option<ChannelConnection>> {
        let row: Option<ConnectionRow> = sqlx::query_as(AssertSqlSafe(format!(
            "select {COLUMNS} from channel_connections where organization_id = $1 and kind = $2 and external_account_id = $3
             order by status in ('active', 'needs_attention') desc, created_at desc limit 1"
        )))
        .bind(self.0.organization.uuid())
        .bind(kind.as_str())
        .bind(account)
        .fetch_optional(&mut *self.0.connection)
        .await?;
        row.map(ChannelConnection::try_from).transpose()
    }

    /// Its sealed secrets.
    pub async fn sealed(&mut self, id: ChannelConnectionId) -> Result<Option<Sealed>> {
        type Row = (
            String,
            String,
            Option<Vec<u8>>,
            Option<Vec<u8>>,
            Option<DateTime<Utc>>,
        );
        let row: Option<Row> = sqlx::query_as(
            "select kind, status, sealed_credentials, sealed_app, token_expires_at from channel_connections
             where organization_id = $1 and id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        row.map(|(kind, status, credentials, app, token_expires_at)| {
            Ok(Sealed {
                kind: parse(&kind)?,
                status: parse(&status)?,
                credentials,
                app,
                token_expires_at,
            })
        })
        .transpose()
    }

    /// Changes what administrators chose. `false`: there is no such connection.
    pub async fn configure(
        &mut self,
        id: ChannelConnectionId,
        display_name: &str,
        configuration: &Value,
    ) -> Result<bool> {
        let done = sqlx::query(
            "update channel_connections set display_name = $3, configuration = $4, updated_at = $5 where organization_id = $1 and id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(display_name)
        .bind(configuration)
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Keeps an organisation's own app, sealed, for an account, with what follows from it. `false`: there is no such connection.
    pub async fn set_app(
        &mut self,
        id: ChannelConnectionId,
        app: Vec<u8>,
        configuration: &Value,
    ) -> Result<bool> {
        let done = sqlx::query(
            "update channel_connections set sealed_app = $3, configuration = $4, updated_at = $5 where organization_id = $1 and id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(app)
        .bind(configuration)
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Notes that an account's people and places have been listed to the end.
    pub async fn listed(&mut self, id: ChannelConnectionId) -> Result<()> {
        sqlx::query("update channel_connections set listed_at = $3 where organization_id = $1 and id = $2")
            .bind(self.0.organization.uuid())
            .bind(id.uuid())
            .bind(self.0.environment.now())
            .execute(&mut *self.0.connection)
            .await?;
        Ok(())
    }

    /// Ends the use of an account and forgets its tokens. `false`: there is no such connection.
    pub async fn disconnect(&mut self, id: ChannelConnectionId, reason: &str) -> Result<bool> {
        let done = sqlx::query(
            "update channel_connections
             set status = 'disconnected', status_reason = $3, sealed_credentials = null, token_expires_at = null, updated_at = $4
             where organization_id = $1 and id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(reason)
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Notes that somebody has to authorise an account in use again.
    pub async fn needs_attention(&mut self, id: ChannelConnectionId, reason: &str) -> Result<()> {
        sqlx::query(
            "update channel_connections set status = 'needs_attention', status_reason = $3, updated_at = $4
             where organization_id = $1 and id = $2 and status = 'active'",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(reason)
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Notes what went wrong with an account, for its page.
    pub async fn note_error(&mut self, id: ChannelConnectionId, error: &str) -> Result<()> {
        let error: String = error.chars().take(1_000).collect();
        sqlx::query(
            "update channel_connections set last_error = $3, last_error_at = $4, updated_at = $4 where organization_id = $1 and id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(error)
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Takes the right to renew an account's tokens, which no two processes have at a time. `false`: somebody else has it, or has
    /// renewed the tokens of which `seen` was the end.
    pub async fn claim_renewal(
        &mut self,
        id: ChannelConnectionId,
        seen: Option<DateTime<Utc>>,
    ) -> Result<bool> {
        let now = self.0.environment.now();
        let done = sqlx::query(
            "update channel_connections set refreshing_until = $3
             where organization_id = $1 and id = $2 and (refreshing_until is null or refreshing_until <= $4)
               and token_expires_at is not distinct from $5",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(now + RENEWAL)
        .bind(now)
        .bind(seen)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Notes that a token which ends by itself has ended, whatever was said of its time.
    pub async fn token_ran_out(&mut self, id: ChannelConnectionId) -> Result<()> {
        sqlx::query(
            "update channel_connections set token_expires_at = $3, updated_at = $3
             where organization_id = $1 and id = $2 and token_expires_at > $3",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Ends the right to renew; with new tokens when there are some.
    pub async fn renewed(
        &mut self,
        id: ChannelConnectionId,
        tokens: Option<(Vec<u8>, Option<DateTime<Utc>>)>,
    ) -> Result<()> {
        let now = self.0.environment.now();
        let (credentials, expires_at) = match tokens {
            Some((credentials, expires_at)) => (Some(credentials), expires_at),
            None => (None, None),
        };
        sqlx::query(
            "update channel_connections
             set refreshing_until = null, sealed_credentials = coalesce($3, sealed_credentials),
                 token_expires_at = case when $3 is null then token_expires_at else $4 end, updated_at = $5
             where organization_id = $1 and id = $2 and status <> 'disconnected'",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(credentials)
        .bind(expires_at)
        .bind(now)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Removes a connection with everything that came from it. `false`: there is none.
    pub async fn delete(&mut self, id: ChannelConnectionId) -> Result<bool> {
        let done = sqlx::query("delete from channel_connections where organization_id = $1 and id = $2")
            .bind(self.0.organization.uuid())
            .bind(id.uuid())
            .execute(&mut *self.0.connection)
            .await?;
        Ok(done.rows_affected() == 1)
    }
}

/// A connection that a request names, before it has proved anything: enough to find the secret it must be signed with.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub(crate) id: ChannelConnectionId,
    pub(crate) organization: OrganizationId,
    pub(crate) status: ConnectionStatus,
    pub(crate) app: Vec<u8>,
}

impl Claimed {
    /// Whether events of the account are accepted.
    pub fn status(&self) -> ConnectionStatus {
        self.status
    }
}

impl Store {
    /// The connection of this id, if it has an app of its own whose secret can sign for it.
    pub async fn claimed_connection(
        &self,
        kind: ChannelKind,
        id: ChannelConnectionId,
    ) -> Result<Option<Claimed>> {
        let row: Option<(Uuid, String, Vec<u8>)> = sqlx::query_as(
            "select organization_id, status, sealed_app from channel_connections
             where id = $1 and kind = $2 and sealed_app is not null",
        )
        .bind(id.uuid())
        .bind(kind.as_str())
        .fetch_optional(self.system_pool())
        .await?;
        row.map(|(organization, status, app)| {
            Ok(Claimed {
                id,
                organization: OrganizationId::from_uuid(organization),
                status: parse(&status)?,
                app,
            })
        })
        .transpose()
    }

    /// Counts webhooks that were refused in the name of an account: `count` since the last call, the latest for `reason`.
    pub async fn note_refusals(&self, id: ChannelConnectionId, count: u32, reason: &str) -> Result<()> {
        let now = self.environment().now();
        sqlx::query(
            "update channel_connections
             set refused_count = refused_count + $2, last_refusal = $3, last_refused_at = $4 where id = $1",
        )
        .bind(id.uuid())
        .bind(i64::from(count))
        .bind(reason)
        .bind(now)
        .execute(self.system_pool())
        .await?;
        Ok(())
    }

    /// The active connections of a kind, with their configuration; for what this process keeps open for each.
    pub async fn active_connections(
        &self,
        kind: ChannelKind,
    ) -> Result<Vec<(OrganizationId, ChannelConnectionId, Value)>> {
        let rows: Vec<(Uuid, Uuid, Value)> = sqlx::query_as(
            "select organization_id, id, configuration from channel_connections where kind = $1 and status = 'active' order by id",
        )
        .bind(kind.as_str())
        .fetch_all(self.system_pool())
        .await?;
        Ok(rows
            .into_iter()
            .map(|(organization, id, configuration)| {
                (
                    OrganizationId::from_uuid(organization),
                    ChannelConnectionId::from_uuid(id),
                    configuration,
                )
            })
            .collect())
    }
}
