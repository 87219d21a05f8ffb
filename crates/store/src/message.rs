//! What is said in conversations.

use amebo_core::channel::{DeliveryStatus, MessageType, Sender};
use amebo_core::id::{
    ChannelConnectionId, ChannelIdentityId, ConversationId, Id, InboundEventId, MessageId, QuestionId,
};
use amebo_core::page::{Page, PageRequest};
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::error::{Error, Result, parse};
use crate::transaction::{Scope, SystemScope};
use crate::{OrgTx, SystemTx};

/// The longest message kept, in characters.
pub const LONGEST_MESSAGE: usize = 100_000;

/// One utterance.
#[derive(Debug, Clone)]
pub struct Message {
    /// The message.
    pub id: MessageId,
    /// Where it was said.
    pub conversation: ConversationId,
    /// Who said it.
    pub sender: Sender,
    /// Its form.
    pub message_type: MessageType,
    /// Its words.
    pub content: String,
    /// What the platform calls it.
    pub external_id: Option<String>,
    /// How far it has come, if it goes out.
    pub delivery_status: Option<DeliveryStatus>,
    /// Why it did not arrive.
    pub failure: Option<String>,
    /// The question it asked or answers.
    pub question: Option<QuestionId>,
    /// The webhook it came with.
    pub event: Option<InboundEventId>,
    /// When it was said.
    pub sent_at: DateTime<Utc>,
}

/// An utterance to be stored.
#[derive(Debug, Clone)]
pub struct NewMessage<'a> {
    /// Where it was said.
    pub conversation: ConversationId,
    /// The connected account.
    pub connection: ChannelConnectionId,
    /// Who said it.
    pub sender: Sender,
    /// Their identity on the channel.
    pub identity: Option<ChannelIdentityId>,
    /// Its words.
    pub content: &'a str,
    /// What the platform calls it; `None` for what goes out.
    pub external_id: Option<&'a str>,
    /// The question it answers.
    pub question: Option<QuestionId>,
    /// The webhook it came with.
    pub event: Option<InboundEventId>,
    /// When it was said: the platform's time of it for what came in.
    pub sent_at: DateTime<Utc>,
}

/// Where a message stands in a list.
pub type MessageKey = (DateTime<Utc>, MessageId);

#[derive(sqlx::FromRow)]
struct MessageRow {
    id: Uuid,
    conversation_id: Uuid,
    sender_type: String,
    message_type: String,
    content: String,
    external_id: Option<String>,
    delivery_status: Option<String>,
    failure: Option<String>,
    question_id: Option<Uuid>,
    event_id: Option<Uuid>,
    sent_at: DateTime<Utc>,
}

const COLUMNS: &str = "id, conversation_id, sender_type, message_type, content, external_id, delivery_status, failure, question_id,
    (metadata ->> 'event')::uuid as event_id, sent_at";

impl TryFrom<MessageRow> for Message {
    type Error = Error;

    fn try_from(row: MessageRow) -> Result<Self> {
        Ok(Self {
            id: MessageId::from_uuid(row.id),
            conversation: ConversationId::from_uuid(row.conversation_id),
            sender: parse(&row.sender_type)?,
            message_type: parse(&row.message_type)?,
            content: row.content,
            external_id: row.external_id,
            delivery_status: row.delivery_status.as_deref().map(parse).transpose()?,
            failure: row.failure,
            question: row.question_id.map(QuestionId::from_uuid),
            event: row.event_id.map(InboundEventId::from_uuid),
            sent_at: row.sent_at,
        })
    }
}

impl OrgTx {
    /// What is said in the organisation's conversations.
    pub fn messages(&mut self) -> Messages<'_> {
        Messages(self.scope())
    }
}

/// What is said in one organisation's conversations.
#[derive(Debug)]
pub struct Messages<'a>(Scope<'a>);

impl Messages<'_> {
    /// Stores an utterance. `None`: the platform's id is there already.
    pub async fn insert(&mut self, new: &NewMessage<'_>) -> Result<Option<MessageId>> {
        let (id, now) = (self.0.environment.id::<MessageId>(), self.0.environment.now());
        let content: String = new
            .content
            .chars()
            .filter(|c| *c != '\0')
            .take(LONGEST_MESSAGE)
            .collect();
        let outgoing = new.sender != Sender::User;
        let done = sqlx::query(
            "insert into messages (id, organization_id, conversation_id, connection_id, sent_at, sender_type, identity_id, content,
                                   external_id, delivery_status, question_id, created_at, updated_at, metadata)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12,
                     case when $13::uuid is null then '{}' else jsonb_build_object('event', $13) end) on conflict do nothing",
        )
        .bind(id.uuid())
        .bind(self.0.organization.uuid())
        .bind(new.conversation.uuid())
        .bind(new.connection.uuid())
        .bind(new.sent_at)
        .bind(new.sender.as_str())
        .bind(new.identity.map(Id::uuid))
        .bind(content)
        .bind(new.external_id)
        .bind(outgoing.then_some(DeliveryStatus::Queued.as_str()))
        .bind(new.question.map(Id::uuid))
        .bind(now)
        .bind(new.event.map(Id::uuid))
        .execute(&mut *self.0.connection)
        .await?;
        Ok((done.rows_affected() == 1).then_some(id))
    }

    /// The message the platform calls so.
    pub async fn by_external_id(
        &mut self,
        connection: ChannelConnectionId,
        external_id: &str,
    ) -> Result<Option<Message>> {
        let row: Option<MessageRow> = sqlx::query_as(AssertSqlSafe(format!(
            "select {COLUMNS} from messages where organization_id = $1 and connection_id = $2 and external_id = $3"
        )))
        .bind(self.0.organization.uuid())
        .bind(connection.uuid())
        .bind(external_id)
        .fetch_optional(&mut *self.0.connection)
        .await?;
        row.map(Message::try_from).transpose()
    }

    /// What was said last in a conversation before `before`, oldest first.
    pub async fn before(
        &mut self,
        conversation: ConversationId,
        before: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Message>> {
        let mut rows: Vec<MessageRow> = sqlx::query_as(AssertSqlSafe(format!(
            "select {COLUMNS} from messages
             where organization_id = $1 and conversation_id = $2 and sent_at < $3 and message_type <> 'note'
             order by sent_at desc, id desc limit $4"
        )))
        .bind(self.0.organization.uuid())
        .bind(conversation.uuid())
        .bind(before)
        .bind(i64::from(limit))
        .fetch_all(&mut *self.0.connection)
        .await?;
        rows.reverse();
        rows.into_iter().map(Message::try_from).collect()
    }

    /// The messages of a conversation, in order.
    pub async fn list(
        &mut self,
        conversation: ConversationId,
        page: &PageRequest<MessageKey>,
    ) -> Result<Page<Message>> {
        let (after_time, after_id) = page.after.unzip();
        let rows: Vec<MessageRow> = sqlx::query_as(AssertSqlSafe(format!(
            "select {COLUMNS} from messages
             where organization_id = $1 and conversation_id = $2 and ($3::timestamptz is null or (sent_at, id) > ($3, $4))
             order by sent_at, id limit $5"
        )))
        .bind(self.0.organization.uuid())
        .bind(conversation.uuid())
        .bind(after_time)
        .bind(after_id.map(Id::uuid))
        .bind(page.rows())
        .fetch_all(&mut *self.0.connection)
        .await?;
        let items = rows
            .into_iter()
            .map(Message::try_from)
            .collect::<Result<Vec<_>>>()?;
        Ok(Page::from_rows(items, page.limit, |item| (item.sent_at, item.id)))
    }

    /// Notes the question that a message asked, and that it is dealt with.
    pub async fn processed(
        &mut self,
        id: MessageId,
        sent_at: DateTime<Utc>,
        question: Option<QuestionId>,
    ) -> Result<()> {
        sqlx::query(
            "update messages set is_processed = true, question_id = coalesce($4, question_id), updated_at = $5
             where organization_id = $1 and id = $2 and sent_at = $3",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(sent_at)
        .bind(question.map(Id::uuid))
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Moves the delivery status of a message forward; `news` that come late or twice change nothing.
    pub async fn advance(
        &mut self,
        id: MessageId,
        sent_at: DateTime<Utc>,
        news: DeliveryStatus,
        external_id: Option<&str>,
        failure: Option<&str>,
    ) -> Result<()> {
        let behind: Vec<&str> = DeliveryStatus::ALL
            .iter()
            .filter(|status| **status < news)
            .map(|status| status.as_str())
            .collect();
        sqlx::query(
            "update messages set delivery_status = $4, external_id = coalesce(external_id, $5), failure = $6, updated_at = $7
             where organization_id = $1 and id = $2 and sent_at = $3 and delivery_status = any ($8)",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(sent_at)
        .bind(news.as_str())
        .bind(external_id)
        .bind(failure.map(|text| text.chars().take(1_000).collect::<String>()))
        .bind(self.0.environment.now())
        .bind(behind)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }
}

impl SystemTx {
    /// Makes the partitions of messages for this month and the two after it.
    pub(crate) async fn prepare_message_months(&mut self) -> Result<()> {
        let SystemScope {
            connection,
            environment,
        } = self.scope();
        sqlx::query("select ensure_month_partitions('messages', $1::date, 3)")
            .bind(environment.now().date_naive())
            .execute(connection)
            .await?;
        Ok(())
    }
}
