//! One's own account: profile, password, devices.

use amebo_app::identity::Device;
use amebo_core::id::{MemberId, OrganizationId, TokenFamilyId, UserId};
use amebo_core::organization::MemberStatus;
use amebo_core::permission::Role;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::SignedIn;
use crate::extract::{Json, Path};
use crate::origin::Visitor;
use crate::problem::{Problem, ProblemDocument};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(fetch_account, update_account))
        .routes(routes!(change_password))
        .routes(routes!(list_devices))
        .routes(routes!(sign_out_device))
}

#[derive(Serialize, ToSchema)]
struct AccountResponse {
    id: UserId,
    email: String,
    name: String,
    /// Whether you operate the platform.
    is_superadmin: bool,
    /// Whether you have chosen a password.
    has_password: bool,
    created_at: DateTime<Utc>,
    /// Where you belong.
    organizations: Vec<MembershipResponse>,
}

#[derive(Serialize, ToSchema)]
struct MembershipResponse {
    organization_id: OrganizationId,
    name: String,
    slug: String,
    member_id: MemberId,
    role: Role,
    status: MemberStatus,
}

/// Your account and the organizations you belong to.
#[utoipa::path(get, path = "/me", tag = "Account",
    responses((status = 200, body = AccountResponse), (status = 401, body = ProblemDocument)))]
async fn fetch_account(
    State(state): State<AppState>,
    SignedIn(person): SignedIn,
) -> Result<axum::Json<AccountResponse>, Problem> {
    let account = state.app.account(&person).await?;
    Ok(axum::Json(AccountResponse {
        id: account.user.id,
        email: account.user.email,
        name: account.user.name,
        is_superadmin: account.user.is_superadmin,
        has_password: account.user.password_hash.is_some(),
        created_at: account.user.created_at,
        organizations: account
            .memberships
            .into_iter()
            .map(|membership| MembershipResponse {
                organization_id: membership.organization,
                name: membership.name,
                slug: membership.slug,
                member_id: membership.member,
                role: membership.role,
                status: membership.status,
            })
            .collect(),
    }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpdateAccountRequest {
    /// How you are called.
    name: String,
}

/// Change your name.
#[utoipa::path(patch, path = "/me", tag = "Account", request_body = UpdateAccountRequest,
    responses((status = 200, body = AccountResponse), (status = 401, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn update_account(
    State(state): State<AppState>,
    SignedIn(person): SignedIn,
    Json(request): Json<UpdateAccountRequest>,
) -> Result<axum::Json<AccountResponse>, Problem> {
    state.app.rename_account(&person, &request.name).await?;
    fetch_account(State(state), SignedIn(person)).await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangePasswordRequest {
    /// Your present password; absent when you have none yet.
    #[schema(value_type = Option<String>, format = Password)]
    current_password: Option<SecretString>,
    /// At least 12 characters.
    #[schema(value_type = String, format = Password)]
    new_password: SecretString,
}

/// Change your password. Signs out your other devices.
#[utoipa::path(put, path = "/me/password", tag = "Account", request_body = ChangePasswordRequest,
    responses((status = 204, description = "Changed"), (status = 401, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn change_password(
    State(state): State<AppState>,
    SignedIn(person): SignedIn,
    Visitor(origin): Visitor,
    Json(request): Json<ChangePasswordRequest>,
) -> Result<StatusCode, Problem> {
    state
        .app
        .change_password(
            &person,
            request.current_password.as_ref(),
            &request.new_password,
            &origin,
        )
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize, ToSchema)]
struct DeviceResponse {
    id: TokenFamilyId,
    /// What the device calls itself.
    user_agent: String,
    /// Where it was last used from.
    address: String,
    created_at: DateTime<Utc>,
    last_used_at: DateTime<Utc>,
    /// Whether it is the one that asks.
    is_current: bool,
}

#[derive(Serialize, ToSchema)]
struct DevicesResponse {
    items: Vec<DeviceResponse>,
}

/// The devices you are signed in on, newest first.
#[utoipa::path(get, path = "/me/devices", tag = "Account",
    responses((status = 200, body = DevicesResponse), (status = 401, body = ProblemDocument)))]
async fn list_devices(
    State(state): State<AppState>,
    SignedIn(person): SignedIn,
) -> Result<axum::Json<DevicesResponse>, Problem> {
    let devices = state.app.list_devices(&person).await?;
    let view = |device: Device| DeviceResponse {
        id: device.id,
        user_agent: device.origin.user_agent,
        address: device.origin.address,
        created_at: device.created_at,
        last_used_at: device.last_used_at,
        is_current: device.id == person.device,
    };
    Ok(axum::Json(DevicesResponse {
        items: devices.into_iter().map(view).collect(),
    }))
}

/// Sign out on one of your devices, at once.
#[utoipa::path(delete, path = "/me/devices/{device_id}", tag = "Account", params(("device_id" = TokenFamilyId, Path)),
    responses((status = 204, description = "Signed out there"), (status = 401, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn sign_out_device(
    State(state): State<AppState>,
    SignedIn(person): SignedIn,
    Path(device): Path<TokenFamilyId>,
) -> Result<StatusCode, Problem> {
    state.app.sign_out(&person, device).await?;
    Ok(StatusCode::NO_CONTENT)
}
