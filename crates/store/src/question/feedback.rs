//! What askers do with an answer: rate it, share it.

use amebo_core::answer::Rating;
use amebo_core::id::{ChannelConnectionId, Id as _, QuestionId};

use super::{Questions, actor_columns};
use crate::error::Result;

impl Questions<'_> {
    /// Keeps what the asker thought of an answer; `None` takes it back. `false`: the actor asked no such question, or it has no
    /// answer yet.
    pub async fn rate(
        &mut self,
        question: QuestionId,
        rating: Option<Rating>,
        comment: Option<&str>,
    ) -> Result<bool> {
        let (user, key) = actor_columns(self.0.actor);
        let now = self.0.environment.now();
        let done = sqlx::query(
            "update answers a set rating = $5, comment = $6, rated_at = $7, updated_at = $8
             from questions q
             where a.organization_id = $1 and a.question_id = $2
               and q.organization_id = $1 and q.id = $2 and (q.user_id = $3 or q.api_key_id = $4)",
        )
        .bind(self.0.organization.uuid())
        .bind(question.uuid())
        .bind(user)
        .bind(key)
        .bind(rating.map(Rating::as_str))
        .bind(comment.filter(|_| rating.is_some()))
        .bind(rating.map(|_| now))
        .bind(now)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Keeps what somebody on a channel thought of the answer to a question asked in a conversation. `false`: there is no such
    /// answer.
    pub async fn rate_in_conversation(
        &mut self,
        question: QuestionId,
        connection: ChannelConnectionId,
        rating: Option<Rating>,
        comment: Option<&str>,
    ) -> Result<bool> {
        let now = self.0.environment.now();
        let done = sqlx::query(
            "update answers a set rating = coalesce($4, a.rating), comment = coalesce($5, a.comment), rated_at = $6, updated_at = $6
             from questions q join conversations c on c.organization_id = q.organization_id and c.id = q.conversation_id
             where a.organization_id = $1 and a.question_id = $2 and q.organization_id = $1 and q.id = $2 and c.connection_id = $3
               and ($4 is not null or a.rating is not null)",
        )
        .bind(self.0.organization.uuid())
        .bind(question.uuid())
        .bind(connection.uuid())
        .bind(rating.map(Rating::as_str))
        .bind(comment)
        .bind(now)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Shares a question of the acting person with the organisation, or takes that back. `None`: they asked no such question; else
    /// whether it changed anything.
    pub async fn share(&mut self, question: QuestionId, shared: bool) -> Result<Option<bool>> {
        let (user, _) = actor_columns(self.0.actor);
        let was_shared: Option<bool> = sqlx::query_scalar(
            "with asked as (
                 select id, shared_at is not null as was_shared from questions
                 where organization_id = $1 and id = $2 and user_id = $3 for update
             ), changed as (
                 update questions q set shared_at = case when $4 then $5 end, updated_at = $5
                 from asked where q.organization_id = $1 and q.id = asked.id and asked.was_shared <> $4
             )
             select was_shared from asked",
        )
        .bind(self.0.organization.uuid())
        .bind(question.uuid())
        .bind(user)
        .bind(shared)
        .bind(self.0.environment.now())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        Ok(was_shared.map(|before| before != shared))
    }
}
