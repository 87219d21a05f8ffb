//! Questions with known answers, and their replays.

use amebo_app::evaluation::{Case, EvaluationRun, EvaluationSet, NewEvaluationSet, RunState};
use amebo_core::id::{DocumentId, EvaluationRunId, EvaluationSetId, OrganizationId, UserId};
use amebo_core::page::{Page, PageQuery};
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::InOrganization;
use crate::extract::{Json, Path, Query, page};
use crate::problem::{Problem, ProblemDocument};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create_evaluation_set, list_evaluation_sets))
        .routes(routes!(get_evaluation_set, delete_evaluation_set))
        .routes(routes!(start_evaluation_run, list_evaluation_runs))
        .routes(routes!(get_evaluation_run))
}

/// One question with what is known about its answer.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CaseBody {
    /// What is asked.
    question: String,
    /// The documents that hold the answer.
    #[serde(default)]
    document_ids: Vec<DocumentId>,
    /// Texts of which an answer should contain one.
    #[serde(default)]
    answers: Vec<String>,
    /// Whether the documents hold an answer; when not, declining is right.
    #[serde(default = "yes")]
    answerable: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateEvaluationSetRequest {
    /// 1 to 200 characters, unique.
    name: String,
    /// What it is for.
    #[serde(default)]
    description: String,
    /// 1 to 5,000 cases.
    cases: Vec<CaseBody>,
}

/// A set of questions with known answers.
#[derive(Serialize, ToSchema)]
struct EvaluationSetResponse {
    id: EvaluationSetId,
    name: String,
    description: String,
    /// How many cases it has.
    size: u32,
    created_at: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
struct EvaluationSetList {
    items: Vec<EvaluationSetResponse>,
}

#[derive(Serialize, ToSchema)]
struct EvaluationSetWithCases {
    #[serde(flatten)]
    set: EvaluationSetResponse,
    cases: Vec<CaseBody>,
}

/// One replay of a set.
#[derive(Serialize, ToSchema)]
struct EvaluationRunResponse {
    id: EvaluationRunId,
    evaluation_set_id: EvaluationSetId,
    /// `queued`, `running`, `done` or `failed`.
    state: &'static str,
    /// Who started it; documents are seen through their eyes.
    started_by: Option<UserId>,
    cases_total: u32,
    cases_done: u32,
    /// Figures over all cases, once it is done.
    metrics: Option<serde_json::Value>,
    /// Why it failed.
    error: Option<String>,
    created_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
}

#[derive(Serialize, ToSchema)]
struct EvaluationRunWithResults {
    #[serde(flatten)]
    run: EvaluationRunResponse,
    /// What was found and answered for each case, in the order of the set, once it is done.
    results: Option<serde_json::Value>,
}

impl From<EvaluationSet> for EvaluationSetResponse {
    fn from(set: EvaluationSet) -> Self {
        Self {
            id: set.id,
            name: set.name,
            description: set.description,
            size: set.size,
            created_at: set.created_at,
        }
    }
}

impl From<EvaluationRun> for EvaluationRunResponse {
    fn from(run: EvaluationRun) -> Self {
        let (state, metrics, error) = match run.state {
            RunState::Queued => ("queued", None, None),
            RunState::Running => ("running", None, None),
            RunState::Done { metrics } => ("done", Some(metrics), None),
            RunState::Failed { error } => ("failed", None, Some(error)),
        };
        Self {
            id: run.id,
            evaluation_set_id: run.set,
            state,
            started_by: run.started_by,
            cases_total: run.cases_total,
            cases_done: run.cases_done,
            metrics,
            error,
            created_at: run.created_at,
            finished_at: run.finished_at,
        }
    }
}

/// Keep a set of questions with known answers.
#[utoipa::path(post, path = "/organizations/{organization_id}/evaluation-sets", tag = "Evaluation",
    params(("organization_id" = OrganizationId, Path)), request_body = CreateEvaluationSetRequest,
    responses((status = 201, body = EvaluationSetResponse), (status = 403, body = ProblemDocument), (status = 409, body = ProblemDocument),
        (status = 422, body = ProblemDocument)))]
async fn create_evaluation_set(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Json(request): Json<CreateEvaluationSetRequest>,
) -> Result<(StatusCode, axum::Json<EvaluationSetResponse>), Problem> {
    let new = NewEvaluationSet {
        name: request.name,
        description: request.description,
        cases: request
            .cases
            .into_iter()
            .map(|case| Case {
                question: case.question,
                documents: case.document_ids,
                answers: case.answers,
                answerable: case.answerable,
            })
            .collect(),
    };
    let set = state.app.create_evaluation_set(&access, &new).await?;
    Ok((StatusCode::CREATED, axum::Json(set.into())))
}

/// All sets, by name.
#[utoipa::path(get, path = "/organizations/{organization_id}/evaluation-sets", tag = "Evaluation",
    params(("organization_id" = OrganizationId, Path)),
    responses((status = 200, body = EvaluationSetList), (status = 403, body = ProblemDocument)))]
async fn list_evaluation_sets(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
) -> Result<axum::Json<EvaluationSetList>, Problem> {
    let sets = state.app.evaluation_sets(&access).await?;
    Ok(axum::Json(EvaluationSetList {
        items: sets.into_iter().map(EvaluationSetResponse::from).collect(),
    }))
}

/// One set with its cases.
#[utoipa::path(get, path = "/organizations/{organization_id}/evaluation-sets/{evaluation_set_id}", tag = "Evaluation",
    params(("organization_id" = OrganizationId, Path), ("evaluation_set_id" = EvaluationSetId, Path)),
    responses((status = 200, body = EvaluationSetWithCases), (status = 404, body = ProblemDocument)))]
async fn get_evaluation_set(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, id)): Path<(OrganizationId, EvaluationSetId)>,
) -> Result<axum::Json<EvaluationSetWithCases>, Problem> {
    let (set, cases) = state.app.evaluation_set(&access, id).await?;
    Ok(axum::Json(EvaluationSetWithCases {
        set: set.into(),
        cases: cases
            .into_iter()
            .map(|case| CaseBody {
                question: case.question,
                document_ids: case.documents,
                answers: case.answers,
                answerable: case.answerable,
            })
            .collect(),
    }))
}

/// Delete a set with its runs.
#[utoipa::path(delete, path = "/organizations/{organization_id}/evaluation-sets/{evaluation_set_id}", tag = "Evaluation",
    params(("organization_id" = OrganizationId, Path), ("evaluation_set_id" = EvaluationSetId, Path)),
    responses((status = 204), (status = 404, body = ProblemDocument)))]
async fn delete_evaluation_set(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, id)): Path<(OrganizationId, EvaluationSetId)>,
) -> Result<StatusCode, Problem> {
    state.app.delete_evaluation_set(&access, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Replay a set in the background, as you would be answered now.
#[utoipa::path(post, path = "/organizations/{organization_id}/evaluation-sets/{evaluation_set_id}/runs", tag = "Evaluation",
    params(("organization_id" = OrganizationId, Path), ("evaluation_set_id" = EvaluationSetId, Path)),
    responses((status = 202, body = EvaluationRunResponse), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn start_evaluation_run(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, id)): Path<(OrganizationId, EvaluationSetId)>,
) -> Result<(StatusCode, axum::Json<EvaluationRunResponse>), Problem> {
    let run = state.app.start_evaluation_run(&access, id).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(run.into())))
}

/// The runs of a set, the latest first.
#[utoipa::path(get, path = "/organizations/{organization_id}/evaluation-sets/{evaluation_set_id}/runs", tag = "Evaluation",
    params(("organization_id" = OrganizationId, Path), ("evaluation_set_id" = EvaluationSetId, Path), PageQuery),
    responses((status = 200, body = Page<EvaluationRunResponse>), (status = 404, body = ProblemDocument)))]
async fn list_evaluation_runs(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, id)): Path<(OrganizationId, EvaluationSetId)>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<EvaluationRunResponse>>, Problem> {
    let runs = state.app.evaluation_runs(&access, id, &page(&query)?).await?;
    Ok(axum::Json(runs.map(EvaluationRunResponse::from)))
}

/// One run with what each case gave.
#[utoipa::path(get, path = "/organizations/{organization_id}/evaluation-runs/{evaluation_run_id}", tag = "Evaluation",
    params(("organization_id" = OrganizationId, Path), ("evaluation_run_id" = EvaluationRunId, Path)),
    responses((status = 200, body = EvaluationRunWithResults), (status = 404, body = ProblemDocument)))]
async fn get_evaluation_run(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, id)): Path<(OrganizationId, EvaluationRunId)>,
) -> Result<axum::Json<EvaluationRunWithResults>, Problem> {
    let (run, results) = state.app.evaluation_run(&access, id).await?;
    Ok(axum::Json(EvaluationRunWithResults {
        run: run.into(),
        results,
    }))
}
