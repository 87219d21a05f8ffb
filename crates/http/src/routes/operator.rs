//! For the operator of the platform: organisations, plans, suspension, accounts. Nothing of what is inside an organisation.

mod watch;

use amebo_app::identity::User;
use amebo_app::operator::TermsChange;
use amebo_app::organization::Organization;
use amebo_core::id::{MemberId, OrganizationId, UserId};
use amebo_core::organization::{LimitOverrides, Limits, Plan, SubscriptionStatus};
use amebo_core::page::{Page, PageQuery};
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::Operator;
use crate::extract::{Json, Path, Query, page};
use crate::problem::{Problem, ProblemDocument};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_organizations, provision_organization))
        .routes(routes!(update_terms))
        .routes(routes!(join_organization))
        .routes(routes!(list_users))
        .routes(routes!(update_user))
        .routes(routes!(create_password_link))
        .merge(watch::routes())
}

#[derive(Serialize, ToSchema)]
struct TenantResponse {
    id: OrganizationId,
    name: String,
    slug: String,
    subscription_status: SubscriptionStatus,
    subscription_plan: Plan,
    trial_ends_at: Option<DateTime<Utc>>,
    limits: Limits,
    /// What the plan allows by itself.
    plan_limits: Limits,
    /// Where `limits` differ from the plan.
    limit_overrides: LimitOverrides,
    created_at: DateTime<Utc>,
}

impl From<Organization> for TenantResponse {
    fn from(organization: Organization) -> Self {
        Self {
            id: organization.id,
            name: organization.name,
            slug: organization.slug,
            subscription_status: organization.subscription_status,
            subscription_plan: organization.subscription_plan,
            trial_ends_at: organization.trial_ends_at,
            limits: organization.limits,
            plan_limits: organization.subscription_plan.limits(),
            limit_overrides: organization.limit_overrides,
            created_at: organization.created_at,
        }
    }
}

/// Every organization, in the order they came.
#[utoipa::path(get, path = "/operator/organizations", tag = "Operator", params(PageQuery),
    responses((status = 200, body = Page<TenantResponse>), (status = 403, body = ProblemDocument)))]
async fn list_organizations(
    State(state): State<AppState>,
    Operator(operator): Operator,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<TenantResponse>>, Problem> {
    let organizations = state.app.list_organizations(operator, &page(&query)?).await?;
    Ok(axum::Json(organizations.map(TenantResponse::from)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProvisionOrganizationRequest {
    /// The company.
    name: String,
    /// Who is to own it.
    owner_email: String,
    /// Their name, used when they have no account.
    owner_name: String,
    /// What it subscribes to.
    plan: Plan,
}

#[derive(Serialize, ToSchema)]
struct ProvisionedResponse {
    organization_id: OrganizationId,
    owner_user_id: UserId,
    /// Signs the owner in, once, within a day; absent when they had an account.
    link: Option<String>,
}

/// Make an organization for somebody.
#[utoipa::path(post, path = "/operator/organizations", tag = "Operator", request_body = ProvisionOrganizationRequest,
    responses((status = 201, body = ProvisionedResponse), (status = 403, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn provision_organization(
    State(state): State<AppState>,
    Operator(operator): Operator,
    Json(request): Json<ProvisionOrganizationRequest>,
) -> Result<(StatusCode, axum::Json<ProvisionedResponse>), Problem> {
    let provisioned = state
        .app
        .provision_organization(
            operator,
            &request.name,
            &request.owner_email,
            &request.owner_name,
            request.plan,
        )
        .await?;
    let body = ProvisionedResponse {
        organization_id: provisioned.organization,
        owner_user_id: provisioned.owner,
        link: provisioned.link.map(String::from),
    };
    Ok((StatusCode::CREATED, axum::Json(body)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpdateTermsRequest {
    /// `inactive` leaves reading only, `cancelled` nothing; both act at once on every credential.
    subscription_status: Option<SubscriptionStatus>,
    subscription_plan: Option<Plan>,
    /// When the trial ends; matters only while the status is `trial`.
    trial_ends_at: Option<DateTime<Utc>>,
    /// Deviations from the plan's limits; replaces earlier ones.
    limits: Option<LimitOverrides>,
}

/// Change an organization's plan, limits or standing. Its audit log shows it.
#[utoipa::path(patch, path = "/operator/organizations/{tenant_id}", tag = "Operator", params(("tenant_id" = OrganizationId, Path)),
    request_body = UpdateTermsRequest,
    responses((status = 200, body = TenantResponse), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn update_terms(
    State(state): State<AppState>,
    Operator(operator): Operator,
    Path(organization): Path<OrganizationId>,
    Json(request): Json<UpdateTermsRequest>,
) -> Result<axum::Json<TenantResponse>, Problem> {
    let change = TermsChange {
        status: request.subscription_status,
        plan: request.subscription_plan,
        trial_ends_at: request.trial_ends_at,
        limits: request.limits,
    };
    let organization = state.app.update_terms(operator, organization, change).await?;
    Ok(axum::Json(organization.into()))
}

#[derive(Serialize, ToSchema)]
struct JoinedResponse {
    member_id: MemberId,
}

/// Join an organization as an administrator. Its audit log shows it.
#[utoipa::path(post, path = "/operator/organizations/{tenant_id}/join", tag = "Operator", params(("tenant_id" = OrganizationId, Path)),
    responses((status = 201, body = JoinedResponse), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument)))]
async fn join_organization(
    State(state): State<AppState>,
    Operator(operator): Operator,
    Path(organization): Path<OrganizationId>,
) -> Result<(StatusCode, axum::Json<JoinedResponse>), Problem> {
    let member_id = state.app.join_organization(operator, organization).await?;
    Ok((StatusCode::CREATED, axum::Json(JoinedResponse { member_id })))
}

#[derive(Serialize, ToSchema)]
struct UserResponse {
    id: UserId,
    email: String,
    name: String,
    is_superadmin: bool,
    is_active: bool,
    last_login_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl From<User> for UserResponse {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            email: user.email,
            name: user.name,
            is_superadmin: user.is_superadmin,
            is_active: user.is_active,
            last_login_at: user.last_login_at,
            created_at: user.created_at,
        }
    }
}

/// Every account, in the order they came.
#[utoipa::path(get, path = "/operator/users", tag = "Operator", params(PageQuery),
    responses((status = 200, body = Page<UserResponse>), (status = 403, body = ProblemDocument)))]
async fn list_users(
    State(state): State<AppState>,
    Operator(operator): Operator,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<UserResponse>>, Problem> {
    let users = state.app.list_users(operator, &page(&query)?).await?;
    Ok(axum::Json(users.map(UserResponse::from)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpdateUserRequest {
    /// Whether they may sign in. `false` shuts them out at once, with every credential.
    is_active: bool,
}

/// Let a person in, or shut them out.
#[utoipa::path(patch, path = "/operator/users/{user_id}", tag = "Operator", params(("user_id" = UserId, Path)),
    request_body = UpdateUserRequest,
    responses((status = 204, description = "Changed"), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn update_user(
    State(state): State<AppState>,
    Operator(operator): Operator,
    Path(user): Path<UserId>,
    Json(request): Json<UpdateUserRequest>,
) -> Result<StatusCode, Problem> {
    state
        .app
        .set_user_active(operator, user, request.is_active)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize, ToSchema)]
struct PasswordLinkResponse {
    /// With it the person chooses a new password, once, within an hour.
    link: String,
}

/// Make a link with which a person chooses a new password, to be handed over.
#[utoipa::path(post, path = "/operator/users/{user_id}/password-link", tag = "Operator", params(("user_id" = UserId, Path)),
    responses((status = 201, body = PasswordLinkResponse), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn create_password_link(
    State(state): State<AppState>,
    Operator(operator): Operator,
    Path(user): Path<UserId>,
) -> Result<(StatusCode, axum::Json<PasswordLinkResponse>), Problem> {
    let link = state.app.create_password_link(operator, user).await?.into();
    Ok((StatusCode::CREATED, axum::Json(PasswordLinkResponse { link })))
}
