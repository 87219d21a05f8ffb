//! Sessions: a signed-in person's own conversations. Nobody reaches another person's, whatever their role.

use amebo_core::id::{SessionId, UserId};
use amebo_core::page::{Page, PageRequest};
use amebo_core::permission::{Action, Resource};
use amebo_store::answer::Question;
use amebo_store::question::QuestionKey;
pub use amebo_store::session::{Session, SessionKey};

use crate::{Access, App, Error, Result};

/// The longest title, in characters.
const LONGEST_TITLE: usize = 200;

impl App {
    /// Starts a session.
    pub async fn create_session(&self, access: &Access, title: Option<&str>) -> Result<Session> {
        let permit = access.permit(Resource::Session, Action::Create)?;
        let user = person(access)?;
        let title = title.map(checked_title).transpose()?;
        let mut tx = self.store.begin(&permit).await?;
        let session = tx.sessions(user).insert(title).await?;
        tx.commit().await?;
        Ok(session)
    }

    /// The caller's sessions, the one last used first.
    pub async fn sessions(&self, access: &Access, page: &PageRequest<SessionKey>) -> Result<Page<Session>> {
        let permit = access.permit(Resource::Session, Action::Read)?;
        let user = person(access)?;
        let mut tx = self.store.begin(&permit).await?;
        let sessions = tx.sessions(user).list(page).await?;
        tx.commit().await?;
        Ok(sessions)
    }

    /// One session of the caller.
    pub async fn find_session(&self, access: &Access, id: SessionId) -> Result<Session> {
        let permit = access.permit(Resource::Session, Action::Read)?;
        let user = person(access)?;
        let mut tx = self.store.begin(&permit).await?;
        let session = tx.sessions(user).by_id(id).await?;
        tx.commit().await?;
        session.ok_or(Error::NotFound("session"))
    }

    /// What was asked and answered in a session of the caller, in order.
    pub async fn session_questions(
        &self,
        access: &Access,
        id: SessionId,
        page: &PageRequest<QuestionKey>,
    ) -> Result<Page<Question>> {
        let permit = access.permit(Resource::Session, Action::Read)?;
        let user = person(access)?;
        let mut tx = self.store.begin(&permit).await?;
        if tx.sessions(user).by_id(id).await?.is_none() {
            return Err(Error::NotFound("session"));
        }
        let questions = tx.questions().of_session(id, access.reader(), page).await?;
        tx.commit().await?;
        Ok(questions)
    }

    /// Gives a session of the caller another title.
    pub async fn rename_session(&self, access: &Access, id: SessionId, title: &str) -> Result<Session> {
        let permit = access.permit(Resource::Session, Action::Update)?;
        let user = person(access)?;
        let title = checked_title(title)?;
        let mut tx = self.store.begin(&permit).await?;
        tx.sessions(user).rename(id, title).await?;
        let session = tx.sessions(user).by_id(id).await?;
        tx.commit().await?;
        session.ok_or(Error::NotFound("session"))
    }

    /// Deletes a session of the caller with everything asked and answered in it.
    pub async fn delete_session(&self, access: &Access, id: SessionId) -> Result<()> {
        let permit = access.permit(Resource::Session, Action::Delete)?;
        let user = person(access)?;
        let mut tx = self.store.begin(&permit).await?;
        let deleted = tx.sessions(user).delete(id).await?;
        tx.commit().await?;
        deleted.then_some(()).ok_or(Error::NotFound("session"))
    }
}

/// The person who calls.
pub(crate) fn person(access: &Access) -> Result<UserId> {
    access.user().ok_or(Error::NotAllowed(
        "sessions belong to people; a program asks without one and sends the conversation along",
    ))
}

fn checked_title(title: &str) -> Result<&str> {
    let title = title.trim();
    if title.is_empty() || title.chars().count() > LONGEST_TITLE {
        return Err(Error::invalid(
            "/title",
            format!("a title has 1 to {LONGEST_TITLE} characters"),
        ));
    }
    Ok(title)
}
