//! Figures about questions and answers, and how an organisation wants to be answered.

use amebo_app::analytics::{AnswerSettings, Figures, Tally, TopSource};
use amebo_core::id::{DocumentId, OrganizationId};
use axum::extract::State;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::InOrganization;
use crate::extract::{Json, Query};
use crate::problem::{Problem, ProblemDocument};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(get_figures))
        .routes(routes!(list_top_sources))
        .routes(routes!(get_answer_settings, change_answer_settings))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FiguresQuery {
    /// From when on; 30 days before `until` when absent.
    from: Option<DateTime<Utc>>,
    /// Before when; now when absent. At most 400 days after `from`.
    until: Option<DateTime<Utc>>,
}

/// What happened in a stretch of time. Holds no text of anybody.
#[derive(Serialize, ToSchema)]
struct FiguresResponse {
    total: TallyResponse,
    /// Day by day (UTC), the earliest first; days on which nothing was asked are absent.
    days: Vec<DayResponse>,
    /// Members who asked.
    askers: u64,
    /// Half of the answers took no longer than this, in microseconds.
    latency_p50_us: u64,
    /// 95 of 100 answers took no longer than this, in microseconds.
    latency_p95_us: u64,
    /// How often declined, by reason.
    declined: Vec<DeclinedResponse>,
}

#[derive(Serialize, ToSchema)]
struct DayResponse {
    day: NaiveDate,
    #[serde(flatten)]
    tally: TallyResponse,
}

#[derive(Serialize, ToSchema)]
struct DeclinedResponse {
    reason: String,
    questions: u64,
}

/// Counts of questions by what became of them.
#[derive(Serialize, ToSchema)]
struct TallyResponse {
    questions: u64,
    answered: u64,
    declined: u64,
    escalated: u64,
    failed: u64,
    /// Stopped by whoever asked while the answer was written; not counted as failed.
    stopped: u64,
    rated_up: u64,
    rated_down: u64,
    /// Mean confidence of what was answered.
    mean_confidence: Option<f64>,
    /// Tokens read by language models.
    input_tokens: u64,
    /// Tokens written by language models.
    output_tokens: u64,
}

impl From<Tally> for TallyResponse {
    fn from(tally: Tally) -> Self {
        Self {
            questions: tally.questions,
            answered: tally.answered,
            declined: tally.declined,
            escalated: tally.escalated,
            failed: tally.failed,
            stopped: tally.stopped,
            rated_up: tally.rated_up,
            rated_down: tally.rated_down,
            mean_confidence: tally.mean_confidence,
            input_tokens: tally.input_tokens,
            output_tokens: tally.output_tokens,
        }
    }
}

impl From<Figures> for FiguresResponse {
    fn from(figures: Figures) -> Self {
        Self {
            total: figures.total.into(),
            days: figures
                .days
                .into_iter()
                .map(|(day, tally)| DayResponse {
                    day,
                    tally: tally.into(),
                })
                .collect(),
            askers: figures.askers,
            latency_p50_us: figures.latency_p50_us,
            latency_p95_us: figures.latency_p95_us,
            declined: figures
                .declined
                .into_iter()
                .map(|(reason, questions)| DeclinedResponse { reason, questions })
                .collect(),
        }
    }
}

/// Figures about what was asked and answered, without any text.
#[utoipa::path(get, path = "/organizations/{organization_id}/analytics", tag = "Analytics",
    params(("organization_id" = OrganizationId, Path), FiguresQuery),
    responses((status = 200, body = FiguresResponse), (status = 403, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn get_figures(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Query(query): Query<FiguresQuery>,
) -> Result<axum::Json<FiguresResponse>, Problem> {
    let figures = state.app.figures(&access, query.from, query.until).await?;
    Ok(axum::Json(figures.into()))
}

/// A document that answers rest on.
#[derive(Serialize, ToSchema)]
struct TopSourceResponse {
    document_id: DocumentId,
    /// What it is called now.
    title: String,
    /// How many answers cite it.
    answers: u64,
}

#[derive(Serialize, ToSchema)]
struct TopSourceList {
    items: Vec<TopSourceResponse>,
}

impl From<TopSource> for TopSourceResponse {
    fn from(source: TopSource) -> Self {
        Self {
            document_id: source.document,
            title: source.title,
            answers: source.answers,
        }
    }
}

/// The ten documents that most answers rest on, of those that you may see.
#[utoipa::path(get, path = "/organizations/{organization_id}/analytics/sources", tag = "Analytics",
    params(("organization_id" = OrganizationId, Path), FiguresQuery),
    responses((status = 200, body = TopSourceList), (status = 403, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn list_top_sources(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Query(query): Query<FiguresQuery>,
) -> Result<axum::Json<TopSourceList>, Problem> {
    let sources = state.app.top_sources(&access, query.from, query.until).await?;
    Ok(axum::Json(TopSourceList {
        items: sources.into_iter().map(TopSourceResponse::from).collect(),
    }))
}

/// How the organization wants to be answered.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AnswerSettingsBody {
    /// Below this probability a question is declined rather than answered; Amebo's own threshold when null.
    #[schema(minimum = 0, maximum = 1)]
    confidence_threshold: Option<f64>,
}

/// How the organization wants to be answered.
#[utoipa::path(get, path = "/organizations/{organization_id}/answer-settings", tag = "Questions",
    params(("organization_id" = OrganizationId, Path)),
    responses((status = 200, body = AnswerSettingsBody), (status = 403, body = ProblemDocument)))]
async fn get_answer_settings(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
) -> Result<axum::Json<AnswerSettingsBody>, Problem> {
    let settings = state.app.answer_settings(&access).await?;
    Ok(axum::Json(AnswerSettingsBody {
        confidence_threshold: settings.confidence_threshold,
    }))
}

/// Change how the organization wants to be answered.
#[utoipa::path(put, path = "/organizations/{organization_id}/answer-settings", tag = "Questions", request_body = AnswerSettingsBody,
    params(("organization_id" = OrganizationId, Path)),
    responses((status = 200, body = AnswerSettingsBody), (status = 403, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn change_answer_settings(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Json(request): Json<AnswerSettingsBody>,
) -> Result<axum::Json<AnswerSettingsBody>, Problem> {
    let settings = AnswerSettings {
        confidence_threshold: request.confidence_threshold,
    };
    state.app.change_answer_settings(&access, &settings).await?;
    Ok(axum::Json(request))
}
