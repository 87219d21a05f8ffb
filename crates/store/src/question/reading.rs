//! Reading questions back, through the eyes of whoever reads.

use amebo_core::answer::{Origin, Outcome, Rating};
use amebo_core::document::Reader;
use amebo_core::id::{ChannelConnectionId, ChannelIdentityId, Id, QuestionId, SessionId};
use amebo_core::page::{Page, PageRequest};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{QuestionFilter, QuestionKey, Questions, actor_columns};
use crate::answer::{Question, QuestionRow, SELECT};
use crate::error::Result;

/// How many earlier exchanges of a session a question brings along.
const HISTORY: i64 = 6;

impl Questions<'_> {
    /// One question, whoever asked it, as `reader` may see it.
    pub async fn by_id(&mut self, id: QuestionId, reader: &Reader) -> Result<Option<Question>> {
        let row: Option<QuestionRow> = sqlx::query_as(AssertSqlSafe(format!(
            "{SELECT} where q.organization_id = $1 and q.id = $2"
        )))
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        row.map(|row| row.seen_by(reader)).transpose()
    }

    /// What was settled last in a session of the acting person, oldest first; for follow-up questions.
    pub async fn history(&mut self, session: SessionId, reader: &Reader) -> Result<Vec<Question>> {
        let (user, _) = actor_columns(self.0.actor);
        let rows: Vec<QuestionRow> = sqlx::query_as(AssertSqlSafe(format!(
            "{SELECT} where q.organization_id = $1 and q.session_id = $2 and q.user_id = $3 and q.state = 'settled'
             order by q.created_at desc, q.id desc limit $4"
        )))
        .bind(self.0.organization.uuid())
        .bind(session.uuid())
        .bind(user)
        .bind(HISTORY)
        .fetch_all(&mut *self.0.connection)
        .await?;
        rows.into_iter().rev().map(|row| row.seen_by(reader)).collect()
    }

    /// The questions of a session of the acting person, in the order asked.
    pub async fn of_session(
        &mut self,
        session: SessionId,
        reader: &Reader,
        page: &PageRequest<QuestionKey>,
    ) -> Result<Page<Question>> {
        let (user, _) = actor_columns(self.0.actor);
        let (after_time, after_id) = page.after.unzip();
        let rows: Vec<QuestionRow> = sqlx::query_as(AssertSqlSafe(format!(
            "{SELECT} where q.organization_id = $1 and q.session_id = $2 and q.user_id = $3
               and ($4::timestamptz is null or (q.created_at, q.id) > ($4, $5))
             order by q.created_at, q.id limit $6"
        )))
        .bind(self.0.organization.uuid())
        .bind(session.uuid())
        .bind(user)
        .bind(after_time)
        .bind(after_id.map(Id::uuid))
        .bind(page.rows())
        .fetch_all(&mut *self.0.connection)
        .await?;
        to_page(rows, reader, page.limit)
    }

    /// The organisation's questions, the latest first, as `reader` may see them.
    pub async fn list(
        &mut self,
        filter: &QuestionFilter,
        reader: &Reader,
        page: &PageRequest<QuestionKey>,
    ) -> Result<Page<Question>> {
        let (after_time, after_id) = page.after.unzip();
        let rows: Vec<QuestionRow> = sqlx::query_as(AssertSqlSafe(format!(
            "{SELECT} where q.organization_id = $1
               and ($2::text is null or a.outcome = $2) and ($3::text is null or a.rating = $3)
               and ($4::timestamptz is null or (q.created_at, q.id) < ($4, $5)) and ($7::text is null or q.origin = $7)
             order by q.created_at desc, q.id desc limit $6"
        )))
        .bind(self.0.organization.uuid())
        .bind(filter.outcome.map(Outcome::as_str))
        .bind(filter.rating.map(Rating::as_str))
        .bind(after_time)
        .bind(after_id.map(Id::uuid))
        .bind(page.rows())
        .bind(filter.origin.map(Origin::as_str))
        .fetch_all(&mut *self.0.connection)
        .await?;
        to_page(rows, reader, page.limit)
    }

    /// What a person on a channel asked last, the latest first, as `reader` may see it.
    pub async fn asked_by_identity(
        &mut self,
        identity: ChannelIdentityId,
        reader: &Reader,
        limit: u32,
    ) -> Result<Vec<Question>> {
        let rows: Vec<QuestionRow> = sqlx::query_as(AssertSqlSafe(format!(
            "{SELECT} join conversations k on k.organization_id = q.organization_id and k.id = q.conversation_id
             join channel_identities i on i.organization_id = q.organization_id and i.id = $2
             where q.organization_id = $1 and k.connection_id = i.connection_id
               and (q.user_id = i.user_id or q.contact_id = i.contact_id)
             order by q.created_at desc, q.id desc limit $3"
        )))
        .bind(self.0.organization.uuid())
        .bind(identity.uuid())
        .bind(i64::from(limit))
        .fetch_all(&mut *self.0.connection)
        .await?;
        rows.into_iter().map(|row| row.seen_by(reader)).collect()
    }

    /// Questions that several people asked and that were answered, those asked most first: of each, the one asked last.
    pub async fn often_asked(&mut self, since: DateTime<Utc>, limit: u32) -> Result<Vec<QuestionId>> {
        let rows: Vec<Uuid> = sqlx::query_scalar(
            "select (array_agg(q.id order by q.created_at desc, q.id desc))[1]
             from questions q
             join answers a on a.organization_id = q.organization_id and a.question_id = q.id and a.outcome = 'answered'
             where q.organization_id = $1 and q.created_at >= $2 and length(q.text) between 8 and 200
             group by lower(btrim(q.text))
             having count(distinct coalesce(q.user_id, q.contact_id)) > 1
             order by count(*) desc, max(q.created_at) desc limit $3",
        )
        .bind(self.0.organization.uuid())
        .bind(since)
        .bind(i64::from(limit))
        .fetch_all(&mut *self.0.connection)
        .await?;
        Ok(rows.into_iter().map(QuestionId::from_uuid).collect())
    }

    /// Whether a question was asked on a connected account by the person the platform calls so.
    pub async fn was_asked_by(
        &mut self,
        question: QuestionId,
        connection: ChannelConnectionId,
        external_id: &str,
    ) -> Result<bool> {
        Ok(sqlx::query_scalar(
            "select exists (
                 select from messages m
                 join messages a on a.organization_id = m.organization_id and a.conversation_id = m.conversation_id and a.question_id = $2
                 join channel_identities i on i.organization_id = m.organization_id and i.id = m.identity_id
                 where m.organization_id = $1 and m.connection_id = $3 and m.sender_type = 'user' and i.external_id = $4)",
        )
        .bind(self.0.organization.uuid())
        .bind(question.uuid())
        .bind(connection.uuid())
        .bind(external_id)
        .fetch_one(&mut *self.0.connection)
        .await?)
    }

    /// The connected account that a question was asked on; `None` for questions asked elsewhere.
    pub async fn connection_of(&mut self, question: QuestionId) -> Result<Option<ChannelConnectionId>> {
        let connection: Option<Uuid> = sqlx::query_scalar(
            "select k.connection_id from questions q
             join conversations k on k.organization_id = q.organization_id and k.id = q.conversation_id
             where q.organization_id = $1 and q.id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(question.uuid())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        Ok(connection.map(ChannelConnectionId::from_uuid))
    }

    /// For whose eyes a question was answered, where that is kept.
    pub async fn readers(&mut self, question: QuestionId) -> Result<Option<Value>> {
        let readers: Option<Option<Value>> =
            sqlx::query_scalar("select readers from questions where organization_id = $1 and id = $2")
                .bind(self.0.organization.uuid())
                .bind(question.uuid())
                .fetch_optional(&mut *self.0.connection)
                .await?;
        Ok(readers.flatten())
    }
}

fn to_page(rows: Vec<QuestionRow>, reader: &Reader, limit: u32) -> Result<Page<Question>> {
    let questions = rows
        .into_iter()
        .map(|row| row.seen_by(reader))
        .collect::<Result<Vec<_>>>()?;
    Ok(Page::from_rows(questions, limit, |question| {
        (question.created_at, question.id)
    }))
}
