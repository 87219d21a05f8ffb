//! Everything to be sent out on channels.
//!
//! ```text
//!            begin            all parts taken
//!  queued ──────────▶ sending ───────────────▶ sent
//!    ▲                  │  │
//!    └── not taken ─────┘  └── refused for good ──▶ failed
//! ```
//! `sending` that a crash left behind means that nobody knows whether the platform took it: the next attempt asks first.

use amebo_core::id::{ChannelConnectionId, ConversationId, DeliveryId, Id, InboundEventId, MessageId};
use amebo_core::job::Priority;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::OrgTx;
use crate::error::Result;
use crate::job::{NewJob, Task};
use crate::transaction::Scope;

/// Sends a delivery.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Deliver {
    /// Which one.
    pub delivery: DeliveryId,
}

impl Task for Deliver {
    const KIND: &'static str = "channel.deliver";
    const PRIORITY: Priority = Priority::Interactive;
    const MAX_ATTEMPTS: u16 = 12;
}

/// Something to be sent.
#[derive(Debug, Clone)]
pub struct NewDelivery<'a> {
    /// The connected account.
    pub connection: ChannelConnectionId,
    /// The conversation it belongs to.
    pub conversation: Option<ConversationId>,
    /// The message it carries, with its time.
    pub message: Option<(MessageId, DateTime<Utc>)>,
    /// What it is the outcome of.
    pub outcome_of: Option<InboundEventId>,
    /// What is sent, in parts, in the platform's form.
    pub payload: &'a Value,
}

/// Something that is sent or was.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The delivery.
    pub id: DeliveryId,
    /// The connected account.
    pub connection: ChannelConnectionId,
    /// The message it carries, with its time.
    pub message: Option<(MessageId, DateTime<Utc>)>,
    /// What is sent, in parts, in the platform's form.
    pub payload: Value,
    /// How many parts the platform has taken.
    pub parts_sent: u32,
    /// Whether an attempt began whose end is not known.
    pub is_uncertain: bool,
    /// What the platform calls the first part.
    pub provider_message_id: Option<String>,
    /// When it was to be sent.
    pub created_at: DateTime<Utc>,
}

type Row = (
    Uuid,
    Option<Uuid>,
    Option<DateTime<Utc>>,
    Value,
    i32,
    String,
    Option<String>,
    DateTime<Utc>,
);

impl OrgTx {
    /// What the organisation sends out.
    pub fn deliveries(&mut self) -> Deliveries<'_> {
        Deliveries(self.scope())
    }
}

/// What one organisation sends out.
#[derive(Debug)]
pub struct Deliveries<'a>(Scope<'a>);

impl Deliveries<'_> {
    /// Queues something with its job, in order with what else goes to `lane`. `None`: what it is the outcome of has one.
    pub async fn push(&mut self, new: &NewDelivery<'_>, lane: &str) -> Result<Option<DeliveryId>> {
        let (id, now) = (self.0.environment.id::<DeliveryId>(), self.0.environment.now());
        let (message, message_at) = new.message.unzip();
        let done = sqlx::query(
            "insert into deliveries (id, organization_id, connection_id, conversation_id, message_id, message_sent_at, inbound_event_id,
                                     payload, created_at, updated_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) on conflict on constraint deliveries_one_outcome do nothing",
        )
        .bind(id.uuid())
        .bind(self.0.organization.uuid())
        .bind(new.connection.uuid())
        .bind(new.conversation.map(Id::uuid))
        .bind(message.map(Id::uuid))
        .bind(message_at)
        .bind(new.outcome_of.map(Id::uuid))
        .bind(new.payload)
        .bind(now)
        .execute(&mut *self.0.connection)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(None);
        }
        let job = NewJob::of(&Deliver { delivery: id }).lane(lane);
        crate::job::Jobs(self.0.again()).push(job).await?;
        Ok(Some(id))
    }

    /// Whether something has its outcome.
    pub async fn has_outcome(&mut self, event: InboundEventId) -> Result<bool> {
        Ok(sqlx::query_scalar(
            "select exists (select from deliveries where organization_id = $1 and inbound_event_id = $2)",
        )
        .bind(self.0.organization.uuid())
        .bind(event.uuid())
        .fetch_one(&mut *self.0.connection)
        .await?)
    }

    /// Begins an attempt at one that is not settled; what is returned tells how the one before ended.
    pub async fn begin(&mut self, id: DeliveryId) -> Result<Option<Delivery>> {
        let row: Option<Row> = sqlx::query_as(
            "update deliveries d set state = 'sending', attempts = d.attempts + 1, next_attempt_at = null, updated_at = $3
             from (select id, state from deliveries where organization_id = $1 and id = $2 for update) as before
             where d.organization_id = $1 and d.id = before.id and before.state in ('queued', 'sending')
             returning d.connection_id, d.message_id, d.message_sent_at, d.payload, d.parts_sent, before.state, d.provider_message_id,
                       d.created_at",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(self.0.environment.now())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        Ok(row.map(
            |(connection, message, message_at, payload, parts, before, provider_message_id, created_at)| {
                Delivery {
                    id,
                    connection: ChannelConnectionId::from_uuid(connection),
                    message: message.map(MessageId::from_uuid).zip(message_at),
                    payload,
                    parts_sent: u32::try_from(parts).unwrap_or_default(),
                    is_uncertain: before == "sending",
                    provider_message_id,
                    created_at,
                }
            },
        ))
    }

    /// Notes that the platform has taken this many parts, and what it calls the first.
    pub async fn parts_taken(
        &mut self,
        id: DeliveryId,
        parts: u32,
        provider_message_id: Option<&str>,
        complete: bool,
    ) -> Result<()> {
        let now = self.0.environment.now();
        sqlx::query(
            "update deliveries set parts_sent = greatest(parts_sent, $3), provider_message_id = coalesce(provider_message_id, $4),
                                   state = case when $5 then 'sent' else state end, sent_at = case when $5 then $6 end,
                                   last_error = case when $5 then null else last_error end, updated_at = $6
             where organization_id = $1 and id = $2 and state in ('queued', 'sending')",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(i32::try_from(parts).unwrap_or(i32::MAX))
        .bind(provider_message_id)
        .bind(complete)
        .bind(now)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Notes that an attempt was not taken, and when the next is due. `uncertain`: it may have been taken all the same.
    pub async fn postponed(
        &mut self,
        id: DeliveryId,
        error: &str,
        uncertain: bool,
        next: Option<DateTime<Utc>>,
    ) -> Result<()> {
        sqlx::query(
            "update deliveries set state = case when $3 then 'sending' else 'queued' end, last_error = $4, next_attempt_at = $5, updated_at = $6
             where organization_id = $1 and id = $2 and state in ('queued', 'sending')",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(uncertain)
        .bind(cut(error))
        .bind(next)
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Gives a delivery up, with the reason.
    pub async fn failed(&mut self, id: DeliveryId, error: &str) -> Result<()> {
        sqlx::query(
            "update deliveries set state = 'failed', last_error = $3, next_attempt_at = null, updated_at = $4
             where organization_id = $1 and id = $2 and state in ('queued', 'sending')",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(cut(error))
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Forgets what was sent, or given up.
    pub async fn forget(&mut self, id: DeliveryId) -> Result<()> {
        sqlx::query(
            "update deliveries set payload = '{}', updated_at = $3 where organization_id = $1 and id = $2 and state in ('sent', 'failed')",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Replaces what is to be sent, for a delivery that takes another way.
    pub async fn redirected(&mut self, id: DeliveryId, payload: &Value) -> Result<()> {
        sqlx::query(
            "update deliveries set payload = $3, parts_sent = 0, state = 'queued', updated_at = $4
             where organization_id = $1 and id = $2 and state in ('queued', 'sending')",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(payload)
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }
}

fn cut(text: &str) -> String {
    text.chars().take(2_000).collect()
}
