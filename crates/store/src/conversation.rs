//! Conversations on channels.

use amebo_core::channel::ChannelKind;
use amebo_core::conversation::ConversationStatus;
use amebo_core::id::{ChannelConnectionId, ChannelIdentityId, ContactId, ConversationId, Id, UserId};
use amebo_core::page::{Page, PageRequest};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::OrgTx;
use crate::channel_identity::Who;
use crate::error::{Error, Result, parse};
use crate::transaction::Scope;

/// One thread of exchange.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// The conversation.
    pub id: ConversationId,
    /// The platform.
    pub channel: ChannelKind,
    /// The connected account.
    pub connection: ChannelConnectionId,
    /// What the platform's messages of this thread have in common.
    pub external_key: String,
    /// Where answers go, in the platform's terms.
    pub address: Value,
    /// The contact who began it.
    pub contact: Option<ContactId>,
    /// The member who began it.
    pub user: Option<UserId>,
    /// Where it stands.
    pub status: ConversationStatus,
    /// The colleague who has it.
    pub assigned_to: Option<UserId>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When something was last said.
    pub last_message_at: DateTime<Utc>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
}

/// Where something is said, and by whom.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// The platform.
    pub channel: ChannelKind,
    /// The connected account.
    pub connection: ChannelConnectionId,
    /// What the platform's messages of this thread have in common.
    pub external_key: &'a str,
    /// Where answers go, in the platform's terms.
    pub address: &'a Value,
    /// The person's identity on the channel.
    pub identity: Option<ChannelIdentityId>,
    /// Who they are here.
    pub who: Option<Who>,
    /// When.
    pub at: DateTime<Utc>,
}

/// Where a conversation stands in a list.
pub type ConversationKey = (DateTime<Utc>, ConversationId);

#[derive(sqlx::FromRow)]
struct ConversationRow {
    id: Uuid,
    channel: String,
    connection_id: Uuid,
    external_key: String,
    address: Value,
    contact_id: Option<Uuid>,
    user_id: Option<Uuid>,
    status: String,
    assigned_to: Option<Uuid>,
    started_at: DateTime<Utc>,
    last_message_at: DateTime<Utc>,
    completed_at: Option<DateTime<Utc>>,
}

const COLUMNS: &str =
    "id, channel, connection_id, external_key, address, contact_id, user_id, status, assigned_to, started_at,
    last_message_at, completed_at";

impl TryFrom<ConversationRow> for Conversation {
    type Error = Error;

    fn try_from(row: ConversationRow) -> Result<Self> {
        Ok(Self {
            id: ConversationId::from_uuid(row.id),
            channel: parse(&row.channel)?,
            connection: ChannelConnectionId::from_uuid(row.connection_id),
            external_key: row.external_key,
            address: row.address,
            contact: row.contact_id.map(ContactId::from_uuid),
            user: row.user_id.map(UserId::from_uuid),
            status: parse(&row.status)?,
            assigned_to: row.assigned_to.map(UserId::from_uuid),
            started_at: row.started_at,
            last_message_at: row.last_message_at,
            completed_at: row.completed_at,
        })
    }
}

impl OrgTx {
    /// The conversations of the organisation.
    pub fn conversations(&mut self) -> Conversations<'_> {
        Conversations(self.scope())
    }
}

/// The conversations of one organisation.
#[derive(Debug)]
pub struct Conversations<'a>(pub(crate) Scope<'a>);

impl Conversations<'_> {
    /// The conversation in which a person says something: the one under way, one that ended a short while ago and is taken up again,
    /// or a new one.
    pub async fn continued(&mut self, said: &Said<'_>) -> Result<Conversation> {
        let now = self.0.environment.now();
        if let Some(last) = self.last_of(said.connection, said.external_key).await?
            && let Some(status) = last.status.after_writing(last.completed_at, now)
        {
            let row: ConversationRow = sqlx::query_as(AssertSqlSafe(format!(
                "update conversations set status = $3, completed_at = null, last_message_at = greatest(last_message_at, $4), updated_at = $5
                 where organization_id = $1 and id = $2 returning {COLUMNS}"
            )))
            .bind(self.0.organization.uuid())
            .bind(last.id.uuid())
            .bind(status.as_str())
            .bind(said.at)
            .bind(now)
            .fetch_one(&mut *self.0.connection)
            .await?;
            return row.try_into();
        }
        let (user, contact) = match said.who {
            Some(Who::Member(user)) => (Some(user.uuid()), None),
            Some(Who::Contact(contact)) => (None, Some(contact.uuid())),
            None => (None, None),
        };
        let row: ConversationRow = sqlx::query_as(AssertSqlSafe(format!(
            "insert into conversations (id, organization_id, channel, connection_id, external_key, address, identity_id, contact_id, user_id,
                                        started_at, last_message_at, created_at, updated_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $11)
             on conflict (organization_id, connection_id, external_key) where completed_at is null
             do update set last_message_at = greatest(conversations.last_message_at, excluded.last_message_at), updated_at = excluded.updated_at
             returning {COLUMNS}"
        )))
        .bind(self.0.environment.id::<ConversationId>().uuid())
        .bind(self.0.organization.uuid())
        .bind(said.channel.as_str())
        .bind(said.connection.uuid())
        .bind(said.external_key)
        .bind(said.address)
        .bind(said.identity.map(Id::uuid))
        .bind(contact)
        .bind(user)
        .bind(said.at)
        .bind(now)
        .fetch_one(&mut *self.0.connection)
        .await?;
        row.try_into()
    }

    /// The last conversation with this key on an account.
    pub async fn last_of(
        &mut self,
        connection: ChannelConnectionId,
        external_key: &str,
    ) -> Result<Option<Conversation>> {
        let row: Option<ConversationRow> = sqlx::query_as(AssertSqlSafe(format!(
            "select {COLUMNS} from conversations where organization_id = $1 and connection_id = $2 and external_key = $3
             order by started_at desc limit 1"
        )))
        .bind(self.0.organization.uuid())
        .bind(connection.uuid())
        .bind(external_key)
        .fetch_optional(&mut *self.0.connection)
        .await?;
        row.map(Conversation::try_from).transpose()
    }

    /// One conversation.
    pub async fn by_id(&mut self, id: ConversationId) -> Result<Option<Conversation>> {
        let row: Option<ConversationRow> = sqlx::query_as(AssertSqlSafe(format!(
            "select {COLUMNS} from conversations where organization_id = $1 and id = $2"
        )))
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        row.map(Conversation::try_from).transpose()
    }

    /// Conversations, the latest first.
    pub async fn list(&mut self, page: &PageRequest<ConversationKey>) -> Result<Page<Conversation>> {
        let (after_time, after_id) = page.after.unzip();
        let rows: Vec<ConversationRow> = sqlx::query_as(AssertSqlSafe(format!(
            "select {COLUMNS} from conversations
             where organization_id = $1 and ($2::timestamptz is null or (last_message_at, id) < ($2, $3))
             order by last_message_at desc, id desc limit $4"
        )))
        .bind(self.0.organization.uuid())
        .bind(after_time)
        .bind(after_id.map(Id::uuid))
        .bind(page.rows())
        .fetch_all(&mut *self.0.connection)
        .await?;
        let items = rows
            .into_iter()
            .map(Conversation::try_from)
            .collect::<Result<Vec<_>>>()?;
        Ok(Page::from_rows(items, page.limit, |item| {
            (item.last_message_at, item.id)
        }))
    }

    /// Notes that somebody asked at `at` to stop what is being written in the conversation with this key. False when none is under way.
    pub async fn request_stop(
        &mut self,
        connection: ChannelConnectionId,
        external_key: &str,
        at: DateTime<Utc>,
    ) -> Result<bool> {
        let done = sqlx::query(
            "update conversations set stop_requested_at = greatest(stop_requested_at, $4), updated_at = $5
             where organization_id = $1 and connection_id = $2 and external_key = $3 and completed_at is null",
        )
        .bind(self.0.organization.uuid())
        .bind(connection.uuid())
        .bind(external_key)
        .bind(at)
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Whether somebody has asked since `since` to stop what is being written in a conversation.
    pub async fn is_to_stop(&mut self, id: ConversationId, since: DateTime<Utc>) -> Result<bool> {
        Ok(sqlx::query_scalar(
            "select exists (select from conversations where organization_id = $1 and id = $2 and stop_requested_at >= $3)",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(since)
        .fetch_one(&mut *self.0.connection)
        .await?)
    }

    /// Notes that something was answered: a new conversation is active from then on.
    pub async fn answered(&mut self, id: ConversationId) -> Result<()> {
        sqlx::query(
            "update conversations
             set status = case when status = 'new' then 'active' else status end, first_replied_at = coalesce(first_replied_at, $3),
                 last_message_at = greatest(last_message_at, $3), updated_at = $3
             where organization_id = $1 and id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Moves a conversation to another status. `false`: there is none, or it may not go there from where it stands.
    pub async fn set_status(&mut self, id: ConversationId, next: ConversationStatus) -> Result<bool> {
        let from: Vec<&str> = ConversationStatus::ALL
            .iter()
            .filter(|status| status.may_become(next))
            .map(|status| status.as_str())
            .collect();
        let done = sqlx::query(
            "update conversations set status = $3, completed_at = case when $3 = 'completed' then $4 end, updated_at = $4
             where organization_id = $1 and id = $2 and status = any ($5)",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(next.as_str())
        .bind(self.0.environment.now())
        .bind(from)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(done.rows_affected() == 1)
    }
}
