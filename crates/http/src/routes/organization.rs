//! The organisation itself, what its plan allows, and what its roles may do.

use amebo_app::Access;
use amebo_app::member::RolePermissionsView;
use amebo_app::organization::{Organization, OrganizationChange};
use amebo_core::id::OrganizationId;
use amebo_core::organization::{Limits, Plan, SubscriptionStatus};
use amebo_core::permission::{Permission, Role, RoleOverrides};
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::{InOrganization, SignedIn};
use crate::extract::{Json, Path};
use crate::problem::{Problem, ProblemDocument};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create_organization))
        .routes(routes!(
            fetch_organization,
            update_organization,
            delete_organization
        ))
        .routes(routes!(fetch_usage))
        .routes(routes!(leave_organization))
        .routes(routes!(list_roles))
        .routes(routes!(update_role))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateOrganizationRequest {
    /// Your company.
    name: String,
}

#[derive(Serialize, ToSchema)]
struct CreatedOrganizationResponse {
    id: OrganizationId,
}

/// Start another organization, which you own.
#[utoipa::path(post, path = "/organizations", tag = "Organization", request_body = CreateOrganizationRequest,
    responses((status = 201, body = CreatedOrganizationResponse), (status = 401, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn create_organization(
    State(state): State<AppState>,
    SignedIn(person): SignedIn,
    Json(request): Json<CreateOrganizationRequest>,
) -> Result<(StatusCode, axum::Json<CreatedOrganizationResponse>), Problem> {
    let id = state.app.create_organization(&person, &request.name).await?;
    Ok((
        StatusCode::CREATED,
        axum::Json(CreatedOrganizationResponse { id }),
    ))
}

#[derive(Serialize, ToSchema)]
struct OrganizationResponse {
    id: OrganizationId,
    name: String,
    slug: String,
    subscription_status: SubscriptionStatus,
    subscription_plan: Plan,
    trial_ends_at: Option<DateTime<Utc>>,
    limits: Limits,
    /// The colour of its pages, a hue of 0 to 359 degrees; Amebo's own when absent.
    accent_hue: Option<u16>,
    /// Where its logo is, on this server; absent when it has none.
    #[schema(example = "/api/v1/logos/acme?v=0123456789abcdef")]
    logo: Option<String>,
    created_at: DateTime<Utc>,
    /// What you are here; absent for an API key.
    your_role: Option<Role>,
    /// What you may do here.
    #[schema(value_type = Vec<String>, example = json!(["document:read"]))]
    your_permissions: Vec<Permission>,
}

fn view(organization: Organization, access: &Access) -> OrganizationResponse {
    OrganizationResponse {
        logo: organization
            .logo_version
            .map(|version| format!("/api/v1/logos/{}?v={version}", organization.slug)),
        id: organization.id,
        name: organization.name,
        slug: organization.slug,
        subscription_status: organization.subscription_status,
        subscription_plan: organization.subscription_plan,
        trial_ends_at: organization.trial_ends_at,
        limits: organization.limits,
        accent_hue: organization.accent_hue,
        created_at: organization.created_at,
        your_role: access.role(),
        your_permissions: access.permissions().iter().collect(),
    }
}

/// The organization, and what you may do in it.
#[utoipa::path(get, path = "/organizations/{organization_id}", tag = "Organization", params(("organization_id" = OrganizationId, Path)),
    responses((status = 200, body = OrganizationResponse), (status = 401, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn fetch_organization(
    State(state): State<AppState>,
    InOrganization(access): InOrganization,
) -> Result<axum::Json<OrganizationResponse>, Problem> {
    let organization = state.app.fetch_organization(&access).await?;
    Ok(axum::Json(view(organization, &access)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpdateOrganizationRequest {
    /// What it is called.
    name: Option<String>,
    /// The colour of its pages, a hue of 0 to 359 degrees.
    #[schema(maximum = 359)]
    accent_hue: Option<u16>,
}

/// Rename the organization or give its pages another colour. What is absent stays.
#[utoipa::path(patch, path = "/organizations/{organization_id}", tag = "Organization", params(("organization_id" = OrganizationId, Path)),
    request_body = UpdateOrganizationRequest,
    responses((status = 200, body = OrganizationResponse), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn update_organization(
    State(state): State<AppState>,
    InOrganization(access): InOrganization,
    Json(request): Json<UpdateOrganizationRequest>,
) -> Result<axum::Json<OrganizationResponse>, Problem> {
    let change = OrganizationChange {
        name: request.name,
        accent_hue: request.accent_hue,
    };
    let organization = state.app.update_organization(&access, change).await?;
    Ok(axum::Json(view(organization, &access)))
}

/// Delete the organization and everything in it, for good.
#[utoipa::path(delete, path = "/organizations/{organization_id}", tag = "Organization", params(("organization_id" = OrganizationId, Path)),
    responses((status = 204, description = "Deleted"), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn delete_organization(
    State(state): State<AppState>,
    InOrganization(access): InOrganization,
) -> Result<StatusCode, Problem> {
    state.app.delete_organization(&access).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize, ToSchema)]
struct UsageResponse {
    /// What the plan allows.
    limits: Limits,
    /// People with access.
    members: u64,
    /// Documents kept.
    documents: u64,
    /// Bytes of original files kept.
    storage_bytes: u64,
    /// Questions answered this calendar month (UTC).
    ai_answers: u64,
}

/// How much of its plan the organization has used.
#[utoipa::path(get, path = "/organizations/{organization_id}/usage", tag = "Organization", params(("organization_id" = OrganizationId, Path)),
    responses((status = 200, body = UsageResponse), (status = 404, body = ProblemDocument)))]
async fn fetch_usage(
    State(state): State<AppState>,
    InOrganization(access): InOrganization,
) -> Result<axum::Json<UsageResponse>, Problem> {
    let usage = state.app.fetch_usage(&access).await?;
    Ok(axum::Json(UsageResponse {
        limits: usage.limits,
        members: usage.members,
        documents: usage.documents,
        storage_bytes: usage.storage_bytes,
        ai_answers: usage.ai_answers,
    }))
}

/// Give up your place in the organization. Its last owner cannot.
#[utoipa::path(post, path = "/organizations/{organization_id}/leave", tag = "Organization", params(("organization_id" = OrganizationId, Path)),
    responses((status = 204, description = "Left"), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument)))]
async fn leave_organization(
    State(state): State<AppState>,
    InOrganization(access): InOrganization,
) -> Result<StatusCode, Problem> {
    state.app.leave_organization(&access).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize, ToSchema)]
struct RoleResponse {
    role: Role,
    /// Everything it may do here.
    #[schema(value_type = Vec<String>, example = json!(["document:read"]))]
    permissions: Vec<Permission>,
    /// Where the organization deviates from the default.
    #[schema(value_type = std::collections::BTreeMap<String, Vec<amebo_core::permission::Action>>)]
    overrides: RoleOverrides,
}

impl From<RolePermissionsView> for RoleResponse {
    fn from(view: RolePermissionsView) -> Self {
        Self {
            role: view.role,
            permissions: view.permissions.iter().collect(),
            overrides: view.overrides,
        }
    }
}

#[derive(Serialize, ToSchema)]
struct RolesResponse {
    items: Vec<RoleResponse>,
}

/// What each role may do here.
#[utoipa::path(get, path = "/organizations/{organization_id}/roles", tag = "Organization", params(("organization_id" = OrganizationId, Path)),
    responses((status = 200, body = RolesResponse), (status = 404, body = ProblemDocument)))]
async fn list_roles(
    State(state): State<AppState>,
    InOrganization(access): InOrganization,
) -> Result<axum::Json<RolesResponse>, Problem> {
    let roles = state.app.list_roles(&access).await?;
    Ok(axum::Json(RolesResponse {
        items: roles.into_iter().map(RoleResponse::from).collect(),
    }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpdateRoleRequest {
    /// For each resource named, all that the role may do to it; resources not named follow the default.
    #[schema(value_type = std::collections::BTreeMap<String, Vec<amebo_core::permission::Action>>, example = json!({"document": ["read"]}))]
    overrides: RoleOverrides,
}

/// Change what a role may do here. Nobody can give a role more than they have.
#[utoipa::path(put, path = "/organizations/{organization_id}/roles/{role}", tag = "Organization",
    params(("organization_id" = OrganizationId, Path), ("role" = Role, Path)), request_body = UpdateRoleRequest,
    responses((status = 200, body = RoleResponse), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn update_role(
    State(state): State<AppState>,
    InOrganization(access): InOrganization,
    Path((_organization, role)): Path<(OrganizationId, Role)>,
    Json(request): Json<UpdateRoleRequest>,
) -> Result<axum::Json<RoleResponse>, Problem> {
    let role = state.app.update_role(&access, role, request.overrides).await?;
    Ok(axum::Json(role.into()))
}
