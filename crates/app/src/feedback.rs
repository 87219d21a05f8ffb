//! What askers think of answers.

use amebo_core::answer::Rating;
use amebo_core::id::QuestionId;
use amebo_core::permission::{Action, Resource};

use crate::{Access, App, Error, Result};

/// The longest comment, in characters.
const LONGEST_COMMENT: usize = 4_000;

impl App {
    /// Keeps what the asker thought of the answer to their question; `None` takes it back.
    pub async fn rate_answer(
        &self,
        access: &Access,
        question: QuestionId,
        rating: Option<Rating>,
        comment: Option<&str>,
    ) -> Result<()> {
        let permit = access.permit(Resource::Question, Action::Create)?;
        let comment = comment.map(str::trim).filter(|comment| !comment.is_empty());
        if comment.is_some_and(|comment| comment.chars().count() > LONGEST_COMMENT) {
            return Err(Error::invalid(
                "/comment",
                format!("a comment has at most {LONGEST_COMMENT} characters"),
            ));
        }
        let mut tx = self.store.begin(&permit).await?;
        let rated = tx.questions().rate(question, rating, comment).await?;
        tx.commit().await?;
        rated.then_some(()).ok_or(Error::NotFound("answer of yours"))
    }
}
