//! Links by which members say who they are on a channel.

use amebo_core::id::{ChannelConnectionId, ChannelIdentityId, ChannelLinkId, Id};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::error::Result;
use crate::transaction::Scope;
use crate::{OrgTx, secret_token};

/// How long a link works.
pub const LINK_LIFETIME: TimeDelta = TimeDelta::minutes(15);

/// A person on a channel who asked for a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedPerson {
    /// The link.
    pub link: ChannelLinkId,
    /// The connected account.
    pub connection: ChannelConnectionId,
    /// How the account is called.
    pub connection_name: String,
    /// The person's identity there.
    pub identity: ChannelIdentityId,
    /// The platform's id of them.
    pub external_id: String,
    /// How they are called there.
    pub name: Option<String>,
    /// Their address there.
    pub email: Option<String>,
    /// Until when the link works.
    pub expires_at: DateTime<Utc>,
}

type Row = (
    Uuid,
    Uuid,
    String,
    Uuid,
    String,
    Option<String>,
    Option<String>,
    DateTime<Utc>,
);

impl OrgTx {
    /// Links by which members say who they are on a channel.
    pub fn channel_links(&mut self) -> ChannelLinks<'_> {
        ChannelLinks(self.scope())
    }
}

/// Links by which members of one organisation say who they are on a channel.
#[derive(Debug)]
pub struct ChannelLinks<'a>(Scope<'a>);

impl ChannelLinks<'_> {
    /// Makes the token of a link for a person on a channel; an earlier link of theirs stops working.
    pub async fn create(&mut self, connection: ChannelConnectionId, external_id: &str) -> Result<String> {
        let (environment, now) = (self.0.environment, self.0.environment.now());
        let token = environment.token();
        sqlx::query(
            "insert into channel_links (id, organization_id, connection_id, external_id, token_hash, expires_at, created_at)
             values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (organization_id, connection_id, external_id) do update
                 set id = excluded.id, token_hash = excluded.token_hash, expires_at = excluded.expires_at, created_at = excluded.created_at",
        )
        .bind(environment.id::<ChannelLinkId>().uuid())
        .bind(self.0.organization.uuid())
        .bind(connection.uuid())
        .bind(external_id)
        .bind(secret_token::hash(&token))
        .bind(now + LINK_LIFETIME)
        .bind(now)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(token)
    }

    /// Who asked for the link that holds this token, if it still works.
    pub async fn by_token(&mut self, token: &str) -> Result<Option<LinkedPerson>> {
        let row: Option<Row> = sqlx::query_as(
            "select l.id, l.connection_id, c.display_name, i.id, l.external_id, i.display_name, i.email, l.expires_at
             from channel_links l
             join channel_connections c on c.organization_id = l.organization_id and c.id = l.connection_id
                 and c.status in ('active', 'needs_attention')
             join channel_identities i on i.organization_id = l.organization_id and i.connection_id = l.connection_id
                 and i.external_id = l.external_id
             where l.organization_id = $1 and l.token_hash = $2 and l.expires_at > $3",
        )
        .bind(self.0.organization.uuid())
        .bind(secret_token::hash(token))
        .bind(self.0.environment.now())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        Ok(row.map(
            |(link, connection, connection_name, identity, external_id, name, email, expires_at)| {
                LinkedPerson {
                    link: ChannelLinkId::from_uuid(link),
                    connection: ChannelConnectionId::from_uuid(connection),
                    connection_name,
                    identity: ChannelIdentityId::from_uuid(identity),
                    external_id,
                    name,
                    email,
                    expires_at,
                }
            },
        ))
    }

    /// Uses a link up; `false` when somebody else did.
    pub async fn take(&mut self, link: ChannelLinkId) -> Result<bool> {
        let done = sqlx::query("delete from channel_links where organization_id = $1 and id = $2")
            .bind(self.0.organization.uuid())
            .bind(link.uuid())
            .execute(&mut *self.0.connection)
            .await?;
        Ok(done.rows_affected() == 1)
    }
}
