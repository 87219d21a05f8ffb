//! Where documents come from, and web pages that are read again from time to time.

use amebo_app::source::{PageSourceForm, Source, SourceChange};
use amebo_core::document::{Audience, Interval, ReadOutcome, SourceKind};
use amebo_core::failure::Failure;
use amebo_core::id::{KnowledgeBaseId, OrganizationId, SourceId};
use amebo_core::page::{Page, PageQuery};
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::InOrganization;
use crate::extract::{Json, Path, Query, page};
use crate::problem::{Problem, ProblemDocument};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_sources, create_source))
        .routes(routes!(update_source, delete_source))
        .routes(routes!(read_source))
}

/// Where documents come from.
#[derive(Serialize, ToSchema)]
struct SourceResponse {
    id: SourceId,
    knowledge_base_id: KnowledgeBaseId,
    kind: SourceKind,
    /// Empty for documents that were added one by one.
    name: String,
    /// The web page it reads; absent for sources that do not read one.
    url: Option<String>,
    /// Who may see the documents it makes, where it says so.
    audience: Option<Audience>,
    /// How often it is read again; absent when only on demand, or when it follows its own times.
    every: Option<Interval>,
    /// In whose night it is read, as an IANA name.
    timezone: Option<String>,
    paused: bool,
    document_count: u64,
    /// Whether it is being read, or is about to be.
    is_being_read: bool,
    next_read_at: Option<DateTime<Utc>>,
    last_read_at: Option<DateTime<Utc>>,
    last_outcome: Option<ReadOutcome>,
    /// Why it could not be read last.
    last_error: Option<String>,
    /// The same for programs: a code, with the figures that the sentence names. Absent for what failed before there were codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
    created_at: DateTime<Utc>,
}

impl From<Source> for SourceResponse {
    fn from(source: Source) -> Self {
        Self {
            id: source.id,
            knowledge_base_id: source.knowledge_base,
            kind: source.kind,
            name: source.name,
            url: source.url,
            audience: source.audience,
            every: source.every,
            timezone: source.timezone,
            paused: source.paused,
            document_count: source.document_count,
            is_being_read: source.is_being_read,
            next_read_at: source.next_read_at,
            last_read_at: source.last_read_at,
            last_outcome: source.last_outcome,
            last_error: source.last_error,
            failure: source.failure,
            created_at: source.created_at,
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListSourcesQuery {
    /// Only those of this knowledge base.
    knowledge_base_id: Option<KnowledgeBaseId>,
    /// Where to continue; from `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many items, 1 to 200; 50 when absent.
    limit: Option<u32>,
}

/// Where documents come from, the newest first.
#[utoipa::path(get, path = "/organizations/{organization_id}/sources", tag = "Sources",
    params(("organization_id" = OrganizationId, Path), ListSourcesQuery),
    responses((status = 200, body = Page<SourceResponse>), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn list_sources(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Query(query): Query<ListSourcesQuery>,
) -> Result<axum::Json<Page<SourceResponse>>, Problem> {
    let request = page::<SourceId>(&PageQuery {
        cursor: query.cursor,
        limit: query.limit,
    })?;
    let sources = state
        .app
        .sources(&access, query.knowledge_base_id, &request)
        .await?;
    Ok(axum::Json(sources.map(SourceResponse::from)))
}

/// A web page to be read from time to time.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateSourceRequest {
    /// The knowledge base it fills.
    knowledge_base_id: KnowledgeBaseId,
    #[schema(example = "https://example.com/handbook")]
    url: String,
    /// As people see it, also as the document's title; what the page says when absent.
    name: Option<String>,
    /// Who may see its document.
    #[serde(default)]
    audience: Audience,
    /// How often it is read again; only on demand when absent.
    every: Option<Interval>,
    /// In whose night it is read, as an IANA name.
    #[serde(default = "utc")]
    #[schema(example = "Europe/Madrid")]
    timezone: String,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// Add a web page to be read now and then at its times. When the page has changed, its document is replaced.
#[utoipa::path(post, path = "/organizations/{organization_id}/sources", tag = "Sources", request_body = CreateSourceRequest,
    params(("organization_id" = OrganizationId, Path)),
    responses((status = 201, body = SourceResponse), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument),
        (status = 409, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn create_source(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Json(request): Json<CreateSourceRequest>,
) -> Result<(StatusCode, axum::Json<SourceResponse>), Problem> {
    let form = PageSourceForm {
        knowledge_base: request.knowledge_base_id,
        url: request.url,
        name: request.name,
        audience: request.audience,
        every: request.every,
        timezone: request.timezone,
    };
    let source = state.app.create_source(&access, &form).await?;
    Ok((StatusCode::CREATED, axum::Json(source.into())))
}

/// What to change; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "null and nothing said are different wishes")]
struct UpdateSourceRequest {
    name: Option<String>,
    /// How often it is read again; `null` for only on demand.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Interval>)]
    every: Option<Option<Interval>>,
    timezone: Option<String>,
    /// Whether it is left alone until somebody lets it go on.
    paused: Option<bool>,
}

/// Tells `null` from nothing said.
fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Change when a web page is read, pause it, or call it otherwise.
#[utoipa::path(patch, path = "/organizations/{organization_id}/sources/{source_id}", tag = "Sources", request_body = UpdateSourceRequest,
    params(("organization_id" = OrganizationId, Path), ("source_id" = SourceId, Path)),
    responses((status = 200, body = SourceResponse), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument),
        (status = 409, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn update_source(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, id)): Path<(OrganizationId, SourceId)>,
    Json(request): Json<UpdateSourceRequest>,
) -> Result<axum::Json<SourceResponse>, Problem> {
    let change = SourceChange {
        name: request.name,
        every: request.every,
        timezone: request.timezone,
        paused: request.paused,
    };
    let source = state.app.update_source(&access, id, &change).await?;
    Ok(axum::Json(source.into()))
}

/// Stop reading a web page. The document that came of it stays.
#[utoipa::path(delete, path = "/organizations/{organization_id}/sources/{source_id}", tag = "Sources",
    params(("organization_id" = OrganizationId, Path), ("source_id" = SourceId, Path)),
    responses((status = 204), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument)))]
async fn delete_source(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, id)): Path<(OrganizationId, SourceId)>,
) -> Result<StatusCode, Problem> {
    state.app.delete_source(&access, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Read a web page now, whether or not it is paused.
#[utoipa::path(post, path = "/organizations/{organization_id}/sources/{source_id}/read", tag = "Sources",
    params(("organization_id" = OrganizationId, Path), ("source_id" = SourceId, Path)),
    responses((status = 202, body = SourceResponse), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument),
        (status = 409, body = ProblemDocument)))]
async fn read_source(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, id)): Path<(OrganizationId, SourceId)>,
) -> Result<(StatusCode, axum::Json<SourceResponse>), Problem> {
    let source = state.app.read_source_now(&access, id).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(source.into())))
}
