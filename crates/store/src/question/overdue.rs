//! The sweep over questions whose answering was interrupted.

use amebo_core::id::{AnswerId, Id as _};
use uuid::Uuid;

use crate::SystemTx;
use crate::error::Result;
use crate::transaction::SystemScope;

/// What is said of a question whose answering was interrupted.
pub const INTERRUPTED: &str =
    "The work on this question was interrupted before an answer was found. Please ask again.";

impl SystemTx {
    /// Questions that are still open, in all organisations.
    pub fn open_questions(&mut self) -> OpenQuestions<'_> {
        OpenQuestions(self.scope())
    }
}

/// Questions as maintenance sees them: without text, and only while they are open.
#[derive(Debug)]
pub struct OpenQuestions<'a>(pub(crate) SystemScope<'a>);

impl OpenQuestions<'_> {
    /// Settles as failed at most `limit` questions whose deadline has passed: whatever answered them was interrupted. Returns how
    /// many.
    pub async fn fail_overdue(&mut self, limit: u32) -> Result<u64> {
        let now = self.0.environment.now();
        let overdue: Vec<(Uuid, Uuid)> = sqlx::query_as(
            "select organization_id, id from questions where state = 'open' and deadline < $1
             order by deadline limit $2 for update skip locked",
        )
        .bind(now)
        .bind(i64::from(limit))
        .fetch_all(&mut *self.0.connection)
        .await?;
        let (organizations, questions): (Vec<Uuid>, Vec<Uuid>) = overdue.into_iter().unzip();
        let answers: Vec<Uuid> = questions
            .iter()
            .map(|_| self.0.environment.id::<AnswerId>().uuid())
            .collect();
        sqlx::query(
            "with overdue as (
                 select * from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as o (organization_id, question_id, answer_id)
             ), settled as (
                 update questions q set state = 'settled', updated_at = $5
                 from overdue where q.organization_id = overdue.organization_id and q.id = overdue.question_id
             )
             insert into answers (organization_id, question_id, id, outcome, message, created_at, updated_at)
             select organization_id, question_id, answer_id, 'failed', $4, $5, $5 from overdue",
        )
        .bind(organizations)
        .bind(questions)
        .bind(answers)
        .bind(INTERRUPTED)
        .bind(now)
        .execute(&mut *self.0.connection)
        .await
        .map(|done| done.rows_affected())
        .map_err(Into::into)
    }
}
