//! Machine access to an organisation.

use amebo_app::api_key::ApiKey;
use amebo_core::id::{ApiKeyId, MemberId, OrganizationId};
use amebo_core::page::{Page, PageQuery};
use amebo_core::permission::Permission;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::{InOrganization, Program};
use crate::extract::{Json, Path, Query, page};
use crate::idempotency::ShowsSecret;
use crate::problem::{Problem, ProblemDocument};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create_api_key, list_api_keys))
        .routes(routes!(revoke_api_key))
        .routes(routes!(fetch_own_api_key))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateApiKeyRequest {
    /// What it is for.
    name: String,
    /// What it may do: some of what you may do. It never does more than you may do at that moment.
    #[schema(value_type = Vec<String>, example = json!(["question:create", "document:read"]))]
    scopes: Vec<Permission>,
    /// Until when it works; for ever when absent.
    expires_at: Option<DateTime<Utc>>,
}

#[derive(Serialize, ToSchema)]
struct ApiKeyResponse {
    id: ApiKeyId,
    name: String,
    /// Its first characters.
    prefix: String,
    #[schema(value_type = Vec<String>)]
    scopes: Vec<Permission>,
    /// Who made it.
    member_id: MemberId,
    expires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    /// To the minute.
    last_used_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
struct CreatedApiKeyResponse {
    #[serde(flatten)]
    api_key: ApiKeyResponse,
    /// The key itself, shown this once: send it as `Authorization: Bearer …`.
    key: String,
}

impl From<ApiKey> for ApiKeyResponse {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id,
            name: key.name,
            prefix: key.prefix,
            scopes: key.scopes,
            member_id: key.member,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
            last_used_at: key.last_used_at,
            created_at: key.created_at,
        }
    }
}

/// Make an API key. It ends with your place in the organization.
#[utoipa::path(post, path = "/organizations/{organization_id}/api-keys", tag = "API keys",
    params(("organization_id" = OrganizationId, Path)), request_body = CreateApiKeyRequest,
    responses((status = 201, body = CreatedApiKeyResponse), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn create_api_key(
    State(state): State<AppState>,
    InOrganization(access): InOrganization,
    Json(request): Json<CreateApiKeyRequest>,
) -> Result<
    (
        StatusCode,
        Extension<ShowsSecret>,
        axum::Json<CreatedApiKeyResponse>,
    ),
    Problem,
> {
    let (api_key, key) = state
        .app
        .create_api_key(&access, &request.name, request.scopes, request.expires_at)
        .await?;
    let body = CreatedApiKeyResponse {
        api_key: api_key.into(),
        key,
    };
    Ok((StatusCode::CREATED, Extension(ShowsSecret), axum::Json(body)))
}

/// API keys in the order they were made, revoked ones included.
#[utoipa::path(get, path = "/organizations/{organization_id}/api-keys", tag = "API keys",
    params(("organization_id" = OrganizationId, Path), PageQuery),
    responses((status = 200, body = Page<ApiKeyResponse>), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn list_api_keys(
    State(state): State<AppState>,
    InOrganization(access): InOrganization,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<ApiKeyResponse>>, Problem> {
    let keys = state.app.list_api_keys(&access, &page(&query)?).await?;
    Ok(axum::Json(keys.map(ApiKeyResponse::from)))
}

/// What the API key of this very request is for.
#[derive(Serialize, ToSchema)]
struct OwnApiKeyResponse {
    /// The organization it opens.
    organization_id: OrganizationId,
    /// What it may do.
    #[schema(value_type = Vec<String>, example = json!(["question:create"]))]
    scopes: Vec<Permission>,
}

/// The API key you call with: the organization it opens and what it may do there.
#[utoipa::path(get, path = "/api-key", tag = "API keys",
    responses((status = 200, body = OwnApiKeyResponse), (status = 401, body = ProblemDocument)))]
async fn fetch_own_api_key(Program(access): Program) -> axum::Json<OwnApiKeyResponse> {
    axum::Json(OwnApiKeyResponse {
        organization_id: access.organization(),
        scopes: access.permissions().iter().collect(),
    })
}

/// End an API key, at once.
#[utoipa::path(delete, path = "/organizations/{organization_id}/api-keys/{api_key_id}", tag = "API keys",
    params(("organization_id" = OrganizationId, Path), ("api_key_id" = ApiKeyId, Path)),
    responses((status = 204, description = "Revoked"), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn revoke_api_key(
    State(state): State<AppState>,
    InOrganization(access): InOrganization,
    Path((_organization, id)): Path<(OrganizationId, ApiKeyId)>,
) -> Result<StatusCode, Problem> {
    state.app.revoke_api_key(&access, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
