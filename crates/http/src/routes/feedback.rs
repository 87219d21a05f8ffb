//! What askers think of answers.

use amebo_core::answer::Rating;
use amebo_core::id::{OrganizationId, QuestionId};
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::InOrganization;
use crate::extract::{Json, Path};
use crate::problem::{Problem, ProblemDocument};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(rate_answer, withdraw_rating))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FeedbackRequest {
    rating: Rating,
    /// In your words; at most 4,000 characters.
    comment: Option<String>,
}

/// Say whether the answer to your question helped. Saying it again replaces what you said.
#[utoipa::path(put, path = "/organizations/{organization_id}/questions/{question_id}/feedback", tag = "Questions",
    params(("organization_id" = OrganizationId, Path), ("question_id" = QuestionId, Path)), request_body = FeedbackRequest,
    responses((status = 204), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn rate_answer(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, question)): Path<(OrganizationId, QuestionId)>,
    Json(request): Json<FeedbackRequest>,
) -> Result<StatusCode, Problem> {
    state
        .app
        .rate_answer(
            &access,
            question,
            Some(request.rating),
            request.comment.as_deref(),
        )
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take back what you said about an answer.
#[utoipa::path(delete, path = "/organizations/{organization_id}/questions/{question_id}/feedback", tag = "Questions",
    params(("organization_id" = OrganizationId, Path), ("question_id" = QuestionId, Path)),
    responses((status = 204), (status = 404, body = ProblemDocument)))]
async fn withdraw_rating(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, question)): Path<(OrganizationId, QuestionId)>,
) -> Result<StatusCode, Problem> {
    state.app.rate_answer(&access, question, None, None).await?;
    Ok(StatusCode::NO_CONTENT)
}
