//! Sharing an answer inside the organisation: the asker's own act, which the audit log keeps. Whoever opens it sees of it what rests on
//! documents that they may see themselves.

use amebo_core::id::QuestionId;
use amebo_core::permission::{Action, Resource};
use amebo_store::answer::{Question, Verdict};
use amebo_store::audit::NewEntry;

use crate::session::person;
use crate::{Access, App, Error, Result};

impl App {
    /// Shows a question of the caller, with its answer, to the organisation; or takes that back.
    pub async fn share_question(&self, access: &Access, question: QuestionId, shared: bool) -> Result<()> {
        let permit = access.permit(Resource::Question, Action::Create)?;
        person(access)?;
        let mut tx = self.store.begin(&permit).await?;
        let changed = tx.questions().share(question, shared).await?;
        if changed.ok_or(Error::NotFound("question of yours"))? {
            let action = if shared {
                "question.share"
            } else {
                "question.unshare"
            };
            tx.audit()
                .append(NewEntry::new(action, "question").of(question))
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// A shared question as others see it: without the conversation it belongs to and what the asker thought of it. `None` when it is not
/// shared, or when nothing is left of its answer for the eyes it was read with.
pub(crate) fn as_shared(mut question: Question) -> Option<Question> {
    question.shared_at?;
    question.session = None;
    if let Some(answer) = &mut question.answer {
        answer.feedback = None;
        if let Verdict::Answered { sentences, .. } = &answer.content.verdict
            && sentences.is_empty()
        {
            return None;
        }
    }
    Some(question)
}
