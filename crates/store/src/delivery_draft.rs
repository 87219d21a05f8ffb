//! Messages in which answers begin to appear before they are complete.
//!
//! A draft is noted before the platform is asked for it and named as soon as the platform has answered, so that after a stop in between
//! it is known that there may be one.

use amebo_core::id::{ConversationId, Id, InboundEventId};
use chrono::{DateTime, Utc};

use crate::OrgTx;
use crate::error::Result;
use crate::transaction::Scope;

/// A message in which the answer to an event began to appear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryDraft {
    /// Where it is, in the platform's terms.
    pub place: String,
    /// The message its thread hangs on.
    pub thread: Option<String>,
    /// What the platform calls it; `None` when it has not said so.
    pub message: Option<String>,
    /// Whether it is a stream, which has to be ended.
    pub is_stream: bool,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
}

type Row = (String, Option<String>, Option<String>, bool, DateTime<Utc>);

impl OrgTx {
    /// The drafts of answers.
    pub fn delivery_drafts(&mut self) -> DeliveryDrafts<'_> {
        DeliveryDrafts(self.scope())
    }
}

/// The drafts of answers of one organisation.
#[derive(Debug)]
pub struct DeliveryDrafts<'a>(Scope<'a>);

impl DeliveryDrafts<'_> {
    /// The draft of the answer to an event.
    pub async fn of(&mut self, event: InboundEventId) -> Result<Option<DeliveryDraft>> {
        let row: Option<Row> = sqlx::query_as(
            "select place, thread, message, is_stream, created_at from delivery_drafts
             where organization_id = $1 and inbound_event_id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(event.uuid())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        Ok(
            row.map(|(place, thread, message, is_stream, created_at)| DeliveryDraft {
                place,
                thread,
                message,
                is_stream,
                created_at,
            }),
        )
    }

    /// Notes that the answer to an event begins to appear. `false`: there is a draft of it already, or something that was to be said
    /// before it in the conversation has not been sent yet.
    pub async fn begin(
        &mut self,
        event: InboundEventId,
        conversation: ConversationId,
        (place, thread): (&str, Option<&str>),
        is_stream: bool,
    ) -> Result<bool> {
        let done = sqlx::query(
            "insert into delivery_drafts (organization_id, inbound_event_id, place, thread, is_stream, created_at, updated_at)
             select $1, $2, $4, $5, $6, $7, $7
             where not exists (select from deliveries
                 where organization_id = $1 and conversation_id = $3 and state in ('queued', 'sending'))
             on conflict do nothing",
        )
        .bind(self.0.organization.uuid())
        .bind(event.uuid())
        .bind(conversation.uuid())
        .bind(place)
        .bind(thread)
        .bind(is_stream)
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Notes of which kind a draft is, and what the platform calls it once that is known.
    pub async fn note(
        &mut self,
        event: InboundEventId,
        is_stream: bool,
        message: Option<&str>,
    ) -> Result<()> {
        sqlx::query(
            "update delivery_drafts set is_stream = $3, message = coalesce($4, message), updated_at = $5
             where organization_id = $1 and inbound_event_id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(event.uuid())
        .bind(is_stream)
        .bind(message)
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }
}
