//! The language models an organisation brings.

use amebo_app::provider::{Key, Provider, ProviderForm};
use amebo_core::id::{OrganizationId, ProviderId};
use amebo_core::provider::{ProviderKind, ProviderProtocol};
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::InOrganization;
use crate::extract::{Json, Path};
use crate::problem::{Problem, ProblemDocument};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create_provider, list_providers))
        .routes(routes!(get_provider, change_provider, delete_provider))
        .routes(routes!(test_provider))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProviderRequest {
    /// How you call it; unique.
    #[schema(example = "Claude")]
    name: String,
    /// What it is for; stays as it is.
    #[serde(default = "language")]
    kind: ProviderKind,
    protocol: ProviderProtocol,
    /// Where it answers, up to and including the version; the vendor's own address when absent.
    #[schema(example = "https://models.example.com/v1")]
    base_url: Option<String>,
    /// The model's name, as the provider knows it.
    model: String,
    /// Its key. It is kept sealed and never shown again. When absent, a key given before stays.
    #[schema(value_type = Option<String>, format = Password)]
    key: Option<SecretString>,
    /// Whether it has no key.
    #[serde(default)]
    without_key: bool,
    /// Whether it does the work of its kind from now on: writes the answers, or embeds new knowledge bases. The one that did so steps
    /// back.
    #[serde(default)]
    is_active: bool,
}

fn language() -> ProviderKind {
    ProviderKind::Language
}

impl From<ProviderRequest> for ProviderForm {
    fn from(request: ProviderRequest) -> Self {
        Self {
            name: request.name,
            kind: request.kind,
            protocol: request.protocol,
            base_url: request.base_url.filter(|url| !url.is_empty()),
            model: request.model,
            key: match (request.key, request.without_key) {
                (Some(key), _) => Key::Set(key),
                (None, true) => Key::None,
                (None, false) => Key::Keep,
            },
            is_active: request.is_active,
        }
    }
}

/// A language or embedding model; its key is never shown.
#[derive(Serialize, ToSchema)]
struct ProviderResponse {
    id: ProviderId,
    name: String,
    kind: ProviderKind,
    protocol: ProviderProtocol,
    base_url: Option<String>,
    model: String,
    /// What knowledge bases call it, for an embedding model.
    embedding_model: Option<String>,
    /// How many numbers its vectors have, for an embedding model.
    dimension: Option<u32>,
    /// Whether a key is kept.
    has_key: bool,
    /// Whether it does the work of its kind.
    is_active: bool,
    last_tested_at: Option<DateTime<Utc>>,
    /// What the last test said; absent after a success.
    last_test_error: Option<String>,
    created_at: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
struct ProviderList {
    items: Vec<ProviderResponse>,
}

impl From<Provider> for ProviderResponse {
    fn from(provider: Provider) -> Self {
        Self {
            embedding_model: provider.embedding_model(),
            dimension: provider.dimension,
            id: provider.id,
            name: provider.name,
            kind: provider.kind,
            protocol: provider.protocol,
            base_url: provider.base_url,
            model: provider.model,
            has_key: provider.sealed_key.is_some(),
            is_active: provider.is_active,
            last_tested_at: provider.last_tested_at,
            last_test_error: provider.last_test_error,
            created_at: provider.created_at,
        }
    }
}

/// Add a language model, or an embedding model, which is asked for a vector at once.
#[utoipa::path(post, path = "/organizations/{organization_id}/providers", tag = "Providers", request_body = ProviderRequest,
    params(("organization_id" = OrganizationId, Path)),
    responses((status = 201, body = ProviderResponse), (status = 403, body = ProblemDocument), (status = 409, body = ProblemDocument),
        (status = 422, body = ProblemDocument)))]
async fn create_provider(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Json(request): Json<ProviderRequest>,
) -> Result<(StatusCode, axum::Json<ProviderResponse>), Problem> {
    let provider = state.app.create_provider(&access, &request.into()).await?;
    Ok((StatusCode::CREATED, axum::Json(provider.into())))
}

/// All language and embedding models, by name.
#[utoipa::path(get, path = "/organizations/{organization_id}/providers", tag = "Providers",
    params(("organization_id" = OrganizationId, Path)),
    responses((status = 200, body = ProviderList), (status = 403, body = ProblemDocument)))]
async fn list_providers(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
) -> Result<axum::Json<ProviderList>, Problem> {
    let providers = state.app.providers(&access).await?;
    Ok(axum::Json(ProviderList {
        items: providers.into_iter().map(ProviderResponse::from).collect(),
    }))
}

/// One language or embedding model.
#[utoipa::path(get, path = "/organizations/{organization_id}/providers/{provider_id}", tag = "Providers",
    params(("organization_id" = OrganizationId, Path), ("provider_id" = ProviderId, Path)),
    responses((status = 200, body = ProviderResponse), (status = 404, body = ProblemDocument)))]
async fn get_provider(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, id)): Path<(OrganizationId, ProviderId)>,
) -> Result<axum::Json<ProviderResponse>, Problem> {
    Ok(axum::Json(state.app.provider(&access, id).await?.into()))
}

/// Change a language or embedding model. With another address its key has to be given again. While knowledge bases are embedded with
/// it, an embedding model stays the same model.
#[utoipa::path(put, path = "/organizations/{organization_id}/providers/{provider_id}", tag = "Providers", request_body = ProviderRequest,
    params(("organization_id" = OrganizationId, Path), ("provider_id" = ProviderId, Path)),
    responses((status = 200, body = ProviderResponse), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument),
        (status = 422, body = ProblemDocument)))]
async fn change_provider(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, id)): Path<(OrganizationId, ProviderId)>,
    Json(request): Json<ProviderRequest>,
) -> Result<axum::Json<ProviderResponse>, Problem> {
    let provider = state.app.change_provider(&access, id, &request.into()).await?;
    Ok(axum::Json(provider.into()))
}

/// Remove a language or embedding model with its key. An embedding model stays as long as knowledge bases use it.
#[utoipa::path(delete, path = "/organizations/{organization_id}/providers/{provider_id}", tag = "Providers",
    params(("organization_id" = OrganizationId, Path), ("provider_id" = ProviderId, Path)),
    responses((status = 204), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument)))]
async fn delete_provider(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, id)): Path<(OrganizationId, ProviderId)>,
) -> Result<StatusCode, Problem> {
    state.app.delete_provider(&access, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ask a model for a word or a vector, to see whether address, key and name are right. `last_test_error` says what was wrong.
#[utoipa::path(post, path = "/organizations/{organization_id}/providers/{provider_id}/test", tag = "Providers",
    params(("organization_id" = OrganizationId, Path), ("provider_id" = ProviderId, Path)),
    responses((status = 200, body = ProviderResponse), (status = 404, body = ProblemDocument)))]
async fn test_provider(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, id)): Path<(OrganizationId, ProviderId)>,
) -> Result<axum::Json<ProviderResponse>, Problem> {
    Ok(axum::Json(state.app.test_provider(&access, id).await?.into()))
}
