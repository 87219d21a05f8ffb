//! A signed-in person's own conversations.

use amebo_app::analytics::QuestionKey;
use amebo_app::session::{Session, SessionKey};
use amebo_core::id::{OrganizationId, SessionId};
use amebo_core::page::{Page, PageQuery};
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::QuestionResponse;
use crate::AppState;
use crate::caller::InOrganization;
use crate::extract::{Json, Path, Query, page};
use crate::problem::{Problem, ProblemDocument};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create_session, list_sessions))
        .routes(routes!(get_session, rename_session, delete_session))
        .routes(routes!(list_session_questions))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateSessionRequest {
    /// At most 200 characters; the beginning of the first question when absent.
    title: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RenameSessionRequest {
    /// 1 to 200 characters.
    title: String,
}

/// A conversation of yours.
#[derive(Serialize, ToSchema)]
struct SessionResponse {
    id: SessionId,
    title: Option<String>,
    /// When something was last asked in it.
    last_question_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
}

impl From<Session> for SessionResponse {
    fn from(session: Session) -> Self {
        Self {
            id: session.id,
            title: session.title,
            last_question_at: session.last_question_at,
            created_at: session.created_at,
        }
    }
}

/// Start a session.
#[utoipa::path(post, path = "/organizations/{organization_id}/sessions", tag = "Sessions", request_body = CreateSessionRequest,
    params(("organization_id" = OrganizationId, Path)),
    responses((status = 201, body = SessionResponse), (status = 403, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn create_session(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Json(request): Json<CreateSessionRequest>,
) -> Result<(StatusCode, axum::Json<SessionResponse>), Problem> {
    let session = state
        .app
        .create_session(&access, request.title.as_deref())
        .await?;
    Ok((StatusCode::CREATED, axum::Json(session.into())))
}

/// Your sessions, the one last used first.
#[utoipa::path(get, path = "/organizations/{organization_id}/sessions", tag = "Sessions",
    params(("organization_id" = OrganizationId, Path), PageQuery),
    responses((status = 200, body = Page<SessionResponse>), (status = 403, body = ProblemDocument)))]
async fn list_sessions(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<SessionResponse>>, Problem> {
    let sessions = state.app.sessions(&access, &page::<SessionKey>(&query)?).await?;
    Ok(axum::Json(sessions.map(SessionResponse::from)))
}

/// One session of yours.
#[utoipa::path(get, path = "/organizations/{organization_id}/sessions/{session_id}", tag = "Sessions",
    params(("organization_id" = OrganizationId, Path), ("session_id" = SessionId, Path)),
    responses((status = 200, body = SessionResponse), (status = 404, body = ProblemDocument)))]
async fn get_session(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, session)): Path<(OrganizationId, SessionId)>,
) -> Result<axum::Json<SessionResponse>, Problem> {
    Ok(axum::Json(state.app.find_session(&access, session).await?.into()))
}

/// Give a session another title.
#[utoipa::path(patch, path = "/organizations/{organization_id}/sessions/{session_id}", tag = "Sessions", request_body = RenameSessionRequest,
    params(("organization_id" = OrganizationId, Path), ("session_id" = SessionId, Path)),
    responses((status = 200, body = SessionResponse), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn rename_session(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, session)): Path<(OrganizationId, SessionId)>,
    Json(request): Json<RenameSessionRequest>,
) -> Result<axum::Json<SessionResponse>, Problem> {
    let session = state.app.rename_session(&access, session, &request.title).await?;
    Ok(axum::Json(session.into()))
}

/// Delete a session with everything asked and answered in it.
#[utoipa::path(delete, path = "/organizations/{organization_id}/sessions/{session_id}", tag = "Sessions",
    params(("organization_id" = OrganizationId, Path), ("session_id" = SessionId, Path)),
    responses((status = 204), (status = 404, body = ProblemDocument)))]
async fn delete_session(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, session)): Path<(OrganizationId, SessionId)>,
) -> Result<StatusCode, Problem> {
    state.app.delete_session(&access, session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What was asked and answered in a session of yours, in order.
#[utoipa::path(get, path = "/organizations/{organization_id}/sessions/{session_id}/questions", tag = "Sessions",
    params(("organization_id" = OrganizationId, Path), ("session_id" = SessionId, Path), PageQuery),
    responses((status = 200, body = Page<QuestionResponse>), (status = 404, body = ProblemDocument)))]
async fn list_session_questions(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, session)): Path<(OrganizationId, SessionId)>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<QuestionResponse>>, Problem> {
    let questions = state
        .app
        .session_questions(&access, session, &page::<QuestionKey>(&query)?)
        .await?;
    Ok(axum::Json(questions.map(QuestionResponse::from)))
}
