//! Sessions: a signed-in person's own conversations with Amebo. Every statement names the person, so nobody reaches another's.

use amebo_core::id::{Id, SessionId, UserId};
use amebo_core::page::{Page, PageRequest};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::OrgTx;
use crate::error::Result;
use crate::transaction::Scope;

/// A conversation.
#[derive(Debug, Clone)]
pub struct Session {
    /// The session.
    pub id: SessionId,
    /// Chosen by the person, or the beginning of the first question.
    pub title: Option<String>,
    /// When something was last asked; when it was made, until then.
    pub last_question_at: DateTime<Utc>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Where a session stands in the list, which begins with the latest.
pub type SessionKey = (DateTime<Utc>, SessionId);

type SessionRow = (Uuid, Option<String>, DateTime<Utc>, DateTime<Utc>);

fn session((id, title, last_question_at, created_at): SessionRow) -> Session {
    Session {
        id: SessionId::from_uuid(id),
        title,
        last_question_at,
        created_at,
    }
}

/// The sessions of one person.
#[derive(Debug)]
pub struct Sessions<'a> {
    pub(crate) scope: Scope<'a>,
    pub(crate) user: UserId,
}

impl Sessions<'_> {
    /// Starts a session.
    pub async fn insert(&mut self, title: Option<&str>) -> Result<Session> {
        let (id, now) = (
            self.scope.environment.id::<SessionId>(),
            self.scope.environment.now(),
        );
        sqlx::query(
            "insert into sessions (id, organization_id, user_id, title, last_question_at, created_at, updated_at)
             values ($1, $2, $3, $4, $5, $5, $5)",
        )
        .bind(id.uuid())
        .bind(self.scope.organization.uuid())
        .bind(self.user.uuid())
        .bind(title)
        .bind(now)
        .execute(&mut *self.scope.connection)
        .await?;
        Ok(Session {
            id,
            title: title.map(str::to_owned),
            last_question_at: now,
            created_at: now,
        })
    }

    /// One session.
    pub async fn by_id(&mut self, id: SessionId) -> Result<Option<Session>> {
        let row: Option<SessionRow> = sqlx::query_as(
            "select id, title, last_question_at, created_at from sessions
             where organization_id = $1 and user_id = $2 and id = $3",
        )
        .bind(self.scope.organization.uuid())
        .bind(self.user.uuid())
        .bind(id.uuid())
        .fetch_optional(&mut *self.scope.connection)
        .await?;
        Ok(row.map(session))
    }

    /// The person's sessions, the one last used first.
    pub async fn list(&mut self, page: &PageRequest<SessionKey>) -> Result<Page<Session>> {
        let (after_time, after_id) = page.after.unzip();
        let rows: Vec<SessionRow> = sqlx::query_as(
            "select id, title, last_question_at, created_at from sessions
             where organization_id = $1 and user_id = $2
               and ($3::timestamptz is null or (last_question_at, id) < ($3, $4))
             order by last_question_at desc, id desc limit $5",
        )
        .bind(self.scope.organization.uuid())
        .bind(self.user.uuid())
        .bind(after_time)
        .bind(after_id.map(Id::uuid))
        .bind(page.rows())
        .fetch_all(&mut *self.scope.connection)
        .await?;
        let sessions = rows.into_iter().map(session).collect();
        Ok(Page::from_rows(sessions, page.limit, |session| {
            (session.last_question_at, session.id)
        }))
    }

    /// Gives a session a title. `false`: the person has no such session.
    pub async fn rename(&mut self, id: SessionId, title: &str) -> Result<bool> {
        let done = sqlx::query(
            "update sessions set title = $4, updated_at = $5 where organization_id = $1 and user_id = $2 and id = $3",
        )
        .bind(self.scope.organization.uuid())
        .bind(self.user.uuid())
        .bind(id.uuid())
        .bind(title)
        .bind(self.scope.environment.now())
        .execute(&mut *self.scope.connection)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Deletes a session with its questions and answers. `false`: the person has no such session.
    pub async fn delete(&mut self, id: SessionId) -> Result<bool> {
        let done =
            sqlx::query("delete from sessions where organization_id = $1 and user_id = $2 and id = $3")
                .bind(self.scope.organization.uuid())
                .bind(self.user.uuid())
                .bind(id.uuid())
                .execute(&mut *self.scope.connection)
                .await?;
        Ok(done.rows_affected() == 1)
    }
}

impl OrgTx {
    /// The sessions of one person.
    pub fn sessions(&mut self, user: UserId) -> Sessions<'_> {
        Sessions {
            scope: self.scope(),
            user,
        }
    }
}
