//! Named collections of documents.

use amebo_app::embedders::Choice;
use amebo_app::knowledge_base::KnowledgeBaseForm;
use amebo_app::store::KnowledgeBase;
use amebo_core::document::{KnowledgeBaseStatus, MoveProblem};
use amebo_core::id::{KnowledgeBaseId, OrganizationId};
use amebo_core::page::PageQuery;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::InOrganization;
use crate::extract::{Json, Path, Query, page};
use crate::problem::{Problem, ProblemDocument};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create_knowledge_base, list_knowledge_bases))
        .routes(routes!(
            get_knowledge_base,
            update_knowledge_base,
            delete_knowledge_base
        ))
        .routes(routes!(list_embedding_models))
}

/// A named collection of documents.
#[derive(Serialize, ToSchema)]
struct KnowledgeBaseResponse {
    id: KnowledgeBaseId,
    name: String,
    description: String,
    /// `building` while its passages are being embedded with another model; it is searched with the old one until then.
    status: KnowledgeBaseStatus,
    /// The model whose vectors are searched; null when passages are found by their words alone.
    embedding_model: Option<String>,
    /// How far the change to another model has come.
    #[serde(skip_serializing_if = "Option::is_none")]
    building: Option<BuildingResponse>,
    chunking: Value,
    document_count: u64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// A change of embedding model under way.
#[derive(Serialize, ToSchema)]
struct BuildingResponse {
    /// The model to be.
    embedding_model: String,
    /// Passages in the knowledge base.
    #[serde(skip_serializing_if = "Option::is_none")]
    passages: Option<u64>,
    /// Those that have their new vector.
    #[serde(skip_serializing_if = "Option::is_none")]
    embedded: Option<u64>,
    /// How long the rest may still take, by what was done lately; absent while that cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining_seconds: Option<i64>,
    /// Why it does not go on at the moment; absent while it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<MoveProblem>,
    /// What the model's service said of the problem, in its own words; not for deciding anything by.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// Whether it was given up; naming the model again takes it up where it was.
    given_up: bool,
}

/// An embedding model that a knowledge base can be given.
#[derive(Serialize, ToSchema)]
struct EmbeddingModelResponse {
    /// What to name as `embedding_model`.
    id: String,
    /// What people call it.
    name: String,
    /// The name of your provider that it belongs to; null for one of the server's.
    provider: Option<String>,
    /// How many numbers its vectors have.
    dimension: u32,
    /// The languages it was made for, as ISO 639-1 codes; null when it does not say.
    languages: Option<Vec<String>>,
    /// Whether new knowledge bases take it when nobody names one.
    is_first: bool,
}

#[derive(Serialize, ToSchema)]
struct EmbeddingModelList {
    items: Vec<EmbeddingModelResponse>,
}

impl From<Choice> for EmbeddingModelResponse {
    fn from(choice: Choice) -> Self {
        Self {
            id: choice.id,
            name: choice.name,
            provider: choice.provider,
            dimension: choice.dimension,
            languages: choice.languages,
            is_first: choice.is_first,
        }
    }
}

/// A page of knowledge bases.
#[derive(Serialize, ToSchema)]
struct KnowledgeBasePage {
    items: Vec<KnowledgeBaseResponse>,
    /// What to pass as `cursor` for the next page; absent on the last.
    next_cursor: Option<String>,
}

impl From<KnowledgeBase> for KnowledgeBaseResponse {
    fn from(base: KnowledgeBase) -> Self {
        Self {
            id: base.id,
            name: base.name,
            description: base.description,
            status: base.status,
            embedding_model: base.embedding_model,
            building: base.building_model.map(|embedding_model| BuildingResponse {
                embedding_model,
                passages: None,
                embedded: None,
                remaining_seconds: None,
                problem: None,
                detail: None,
                given_up: false,
            }),
            chunking: base.chunking,
            document_count: base.document_count,
            created_at: base.created_at,
            updated_at: base.updated_at,
        }
    }
}

/// A knowledge base to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateKnowledgeBaseRequest {
    /// 1 to 200 characters, unique in the organization whatever their case.
    name: String,
    /// At most 2,000 characters.
    #[serde(default)]
    description: String,
    /// One of the server's models, or an own one (`embedding_model` of a provider); when absent the own one that is active, or else the
    /// server's first.
    embedding_model: Option<String>,
    /// How large passages are, in characters.
    #[schema(value_type = Option<Object>, example = json!({"target": 700, "max": 1000, "overlap": 160}))]
    chunking: Option<Value>,
}

/// What to change; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpdateKnowledgeBaseRequest {
    name: Option<String>,
    description: Option<String>,
    /// Whether it is taken out of answers.
    archived: Option<bool>,
    /// The model to move to. Passages are embedded in the background, and all switch at once.
    embedding_model: Option<String>,
    /// Counts for documents processed from then on.
    #[schema(value_type = Option<Object>)]
    chunking: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    status: Option<KnowledgeBaseStatus>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// Make a knowledge base.
#[utoipa::path(post, path = "/organizations/{organization_id}/knowledge-bases", tag = "Knowledge bases",
    request_body = CreateKnowledgeBaseRequest, params(("organization_id" = OrganizationId, Path)),
    responses((status = 201, body = KnowledgeBaseResponse), (status = 403, body = ProblemDocument),
        (status = 409, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn create_knowledge_base(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Json(request): Json<CreateKnowledgeBaseRequest>,
) -> Result<(StatusCode, axum::Json<KnowledgeBaseResponse>), Problem> {
    let form = KnowledgeBaseForm {
        name: Some(request.name),
        description: Some(request.description),
        archived: None,
        embedding_model: request.embedding_model,
        chunking: request.chunking,
    };
    let base = state.app.create_knowledge_base(&access, &form).await?;
    Ok((StatusCode::CREATED, axum::Json(base.into())))
}

/// The knowledge bases, newest first.
#[utoipa::path(get, path = "/organizations/{organization_id}/knowledge-bases", tag = "Knowledge bases",
    params(("organization_id" = OrganizationId, Path), ("status" = Option<KnowledgeBaseStatus>, Query),
        ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)),
    responses((status = 200, body = KnowledgeBasePage), (status = 403, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn list_knowledge_bases(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<KnowledgeBasePage>, Problem> {
    let request = PageQuery {
        cursor: query.cursor,
        limit: query.limit,
    };
    let found = state
        .app
        .knowledge_bases(&access, page(&request)?, query.status)
        .await?
        .map(KnowledgeBaseResponse::from);
    Ok(axum::Json(KnowledgeBasePage {
        items: found.items,
        next_cursor: found.next_cursor,
    }))
}

/// One knowledge base.
#[utoipa::path(get, path = "/organizations/{organization_id}/knowledge-bases/{knowledge_base_id}", tag = "Knowledge bases",
    params(("organization_id" = OrganizationId, Path), ("knowledge_base_id" = KnowledgeBaseId, Path)),
    responses((status = 200, body = KnowledgeBaseResponse), (status = 404, body = ProblemDocument)))]
async fn get_knowledge_base(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path(path): Path<(OrganizationId, KnowledgeBaseId)>,
) -> Result<axum::Json<KnowledgeBaseResponse>, Problem> {
    let (_, id) = path;
    let base = state.app.knowledge_base(&access, id).await?;
    let progress = state.app.building(&access, &base).await?;
    let mut response = KnowledgeBaseResponse::from(base);
    if let (Some(building), Some(progress)) = (&mut response.building, progress) {
        building.passages = Some(progress.passages);
        building.embedded = Some(progress.embedded);
        building.remaining_seconds = progress.remaining.map(|remaining| remaining.num_seconds());
        building.problem = progress.problem;
        building.detail = progress.detail;
        building.given_up = progress.given_up;
    }
    Ok(axum::Json(response))
}

/// Change a knowledge base, archive it, bring it back, or move it to another embedding model.
#[utoipa::path(patch, path = "/organizations/{organization_id}/knowledge-bases/{knowledge_base_id}", tag = "Knowledge bases",
    request_body = UpdateKnowledgeBaseRequest,
    params(("organization_id" = OrganizationId, Path), ("knowledge_base_id" = KnowledgeBaseId, Path)),
    responses((status = 200, body = KnowledgeBaseResponse), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument),
        (status = 409, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn update_knowledge_base(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path(path): Path<(OrganizationId, KnowledgeBaseId)>,
    Json(request): Json<UpdateKnowledgeBaseRequest>,
) -> Result<axum::Json<KnowledgeBaseResponse>, Problem> {
    let (_, id) = path;
    let form = KnowledgeBaseForm {
        name: request.name,
        description: request.description,
        archived: request.archived,
        embedding_model: request.embedding_model,
        chunking: request.chunking,
    };
    let base = state.app.update_knowledge_base(&access, id, &form).await?;
    Ok(axum::Json(base.into()))
}

/// The embedding models that knowledge bases can be given: the organization's own by name, then the server's. For those who may change
/// knowledge bases.
#[utoipa::path(get, path = "/organizations/{organization_id}/embedding-models", tag = "Knowledge bases",
    params(("organization_id" = OrganizationId, Path)),
    responses((status = 200, body = EmbeddingModelList), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn list_embedding_models(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
) -> Result<axum::Json<EmbeddingModelList>, Problem> {
    let models = state.app.embedding_models(&access).await?;
    Ok(axum::Json(EmbeddingModelList {
        items: models.into_iter().map(EmbeddingModelResponse::from).collect(),
    }))
}

/// Delete a knowledge base with all its documents.
#[utoipa::path(delete, path = "/organizations/{organization_id}/knowledge-bases/{knowledge_base_id}", tag = "Knowledge bases",
    params(("organization_id" = OrganizationId, Path), ("knowledge_base_id" = KnowledgeBaseId, Path)),
    responses((status = 204), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn delete_knowledge_base(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path(path): Path<(OrganizationId, KnowledgeBaseId)>,
) -> Result<StatusCode, Problem> {
    let (_, id) = path;
    state.app.delete_knowledge_base(&access, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
