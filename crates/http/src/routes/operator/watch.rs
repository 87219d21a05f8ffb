//! How the platform is doing, and the jobs that were given up.

use amebo_app::operator::{Health, ModelHealth, QueuedJob};
use amebo_core::id::{JobId, OrganizationId};
use amebo_core::job::{JobState, Priority};
use amebo_core::page::{Page, PageQuery};
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::Operator;
use crate::extract::{Path, Query, page};
use crate::problem::{Problem, ProblemDocument};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(fetch_health))
        .routes(routes!(list_jobs))
        .routes(routes!(retry_job))
        .routes(routes!(discard_job))
}

/// How the platform is doing.
#[derive(Serialize, ToSchema)]
struct PlatformHealthResponse {
    /// Amebo's version.
    version: &'static str,
    database: DatabaseHealthResponse,
    queue: QueueHealthResponse,
    /// The search index in this process; absent when it is kept elsewhere.
    index: Option<IndexHealthResponse>,
    /// The server's embedding models. Without any, passages are found by their words alone.
    embedding_models: Vec<ModelHealthResponse>,
    /// The server's language model; absent when answers quote unless an organization brings one.
    language_model: Option<String>,
}

/// How the database is doing.
#[derive(Serialize, ToSchema)]
struct DatabaseHealthResponse {
    /// Its server's version.
    version: String,
    /// How long it took to answer, in microseconds.
    answered_us: u64,
    size_bytes: u64,
    /// What it has not been brought up to yet.
    pending_migrations: Vec<String>,
}

/// How the queue is doing.
#[derive(Serialize, ToSchema)]
struct QueueHealthResponse {
    queued: u64,
    running: u64,
    /// Given up, with a reason.
    dead: u64,
    /// Since when the job waits that has waited longest of those that nothing keeps from running.
    waiting_since: Option<DateTime<Utc>>,
}

/// What the search index holds.
#[derive(Serialize, ToSchema)]
struct IndexHealthResponse {
    /// Organizations whose index is loaded.
    organizations: usize,
    passages: usize,
    /// The memory they take, roughly.
    bytes: usize,
}

/// How a model is doing.
#[derive(Serialize, ToSchema)]
struct ModelHealthResponse {
    name: String,
    /// How long it took to make a vector, in microseconds.
    answered_us: Option<u64>,
    /// Why it made none.
    error: Option<String>,
}

impl From<ModelHealth> for ModelHealthResponse {
    fn from(model: ModelHealth) -> Self {
        let (answered_us, error) = match model.answered {
            Ok(time) => (Some(micros(time)), None),
            Err(error) => (None, Some(error)),
        };
        Self {
            name: model.name,
            answered_us,
            error,
        }
    }
}

impl From<Health> for PlatformHealthResponse {
    fn from(health: Health) -> Self {
        Self {
            version: health.version,
            database: DatabaseHealthResponse {
                version: health.database.version,
                answered_us: micros(health.database.answered_in),
                size_bytes: health.database.size_bytes,
                pending_migrations: health.database.pending_migrations,
            },
            queue: QueueHealthResponse {
                queued: health.queue.queued,
                running: health.queue.running,
                dead: health.queue.dead,
                waiting_since: health.queue.waiting_since,
            },
            index: health.index.map(|index| IndexHealthResponse {
                organizations: index.organizations,
                passages: index.passages,
                bytes: index.bytes,
            }),
            embedding_models: health
                .embedding_models
                .into_iter()
                .map(ModelHealthResponse::from)
                .collect(),
            language_model: health.language_model,
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// How the platform is doing: queue, database, index, models. Each embedding model is asked for a vector.
#[utoipa::path(get, path = "/operator/health", tag = "Operator",
    responses((status = 200, body = PlatformHealthResponse), (status = 403, body = ProblemDocument)))]
async fn fetch_health(
    State(state): State<AppState>,
    Operator(operator): Operator,
) -> Result<axum::Json<PlatformHealthResponse>, Problem> {
    Ok(axum::Json(state.app.health(operator).await?.into()))
}

/// A job, without what it carries.
#[derive(Serialize, ToSchema)]
struct QueuedJobResponse {
    id: JobId,
    organization_id: OrganizationId,
    organization_name: String,
    /// What kind of work it is.
    #[schema(example = "document.ingest")]
    kind: String,
    state: JobState,
    priority: Priority,
    attempts: u32,
    max_attempts: u32,
    /// When it runs next, or was to run last.
    run_at: DateTime<Utc>,
    /// Why it last failed.
    last_error: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<QueuedJob> for QueuedJobResponse {
    fn from(job: QueuedJob) -> Self {
        Self {
            id: job.id,
            organization_id: job.organization,
            organization_name: job.organization_name,
            kind: job.kind,
            state: job.state,
            priority: job.priority,
            attempts: job.attempts,
            max_attempts: job.max_attempts,
            run_at: job.run_at,
            last_error: job.last_error,
            created_at: job.created_at,
            updated_at: job.updated_at,
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListJobsQuery {
    /// Those in this state; `dead` when absent. Finished jobs leave nothing behind.
    state: Option<JobState>,
    /// Where to continue; from `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many items, 1 to 200; 50 when absent.
    limit: Option<u32>,
}

/// The jobs of all organizations in one state, without what they carry.
#[utoipa::path(get, path = "/operator/jobs", tag = "Operator", params(ListJobsQuery),
    responses((status = 200, body = Page<QueuedJobResponse>), (status = 403, body = ProblemDocument)))]
async fn list_jobs(
    State(state): State<AppState>,
    Operator(operator): Operator,
    Query(query): Query<ListJobsQuery>,
) -> Result<axum::Json<Page<QueuedJobResponse>>, Problem> {
    let request = page::<i64>(&PageQuery {
        cursor: query.cursor,
        limit: query.limit,
    })?;
    let wanted = query.state.unwrap_or(JobState::Dead);
    let jobs = state.app.list_jobs(operator, wanted, &request).await?;
    Ok(axum::Json(jobs.map(QueuedJobResponse::from)))
}

/// Try a job again that was given up. Its organization's audit log shows it.
#[utoipa::path(post, path = "/operator/jobs/{job_id}/retry", tag = "Operator", params(("job_id" = JobId, Path)),
    responses((status = 204), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument)))]
async fn retry_job(
    State(state): State<AppState>,
    Operator(operator): Operator,
    Path(job): Path<JobId>,
) -> Result<StatusCode, Problem> {
    state.app.retry_job(operator, job).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Throw a job away that was given up. Its organization's audit log shows it.
#[utoipa::path(delete, path = "/operator/jobs/{job_id}", tag = "Operator", params(("job_id" = JobId, Path)),
    responses((status = 204), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument)))]
async fn discard_job(
    State(state): State<AppState>,
    Operator(operator): Operator,
    Path(job): Path<JobId>,
) -> Result<StatusCode, Problem> {
    state.app.discard_job(operator, job).await?;
    Ok(StatusCode::NO_CONTENT)
}
