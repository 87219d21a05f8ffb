//! The people in an organisation.

use amebo_app::member::{Member, MemberChange};
use amebo_core::id::{MemberId, OrganizationId, UserId};
use amebo_core::organization::MemberStatus;
use amebo_core::page::{Page, PageQuery};
use amebo_core::permission::{CustomPermissions, Role};
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
    OpenApiRouter::new().routes(routes!(list_members)).routes(routes!(
        fetch_member,
        update_member,
        remove_member
    ))
}

#[derive(Serialize, ToSchema)]
struct MemberResponse {
    id: MemberId,
    user_id: UserId,
    email: String,
    name: String,
    role: Role,
    status: MemberStatus,
    custom_permissions: CustomPermissions,
    last_login_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl From<Member> for MemberResponse {
    fn from(member: Member) -> Self {
        Self {
            id: member.id,
            user_id: member.user,
            email: member.email,
            name: member.name,
            role: member.role,
            status: member.status,
            custom_permissions: member.custom_permissions,
            last_login_at: member.last_login_at,
            created_at: member.created_at,
        }
    }
}

/// The members, in the order they joined.
#[utoipa::path(get, path = "/organizations/{organization_id}/members", tag = "Members",
    params(("organization_id" = OrganizationId, Path), PageQuery),
    responses((status = 200, body = Page<MemberResponse>), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn list_members(
    State(state): State<AppState>,
    InOrganization(access): InOrganization,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<MemberResponse>>, Problem> {
    let members = state.app.list_members(&access, &page(&query)?).await?;
    Ok(axum::Json(members.map(MemberResponse::from)))
}

/// One member.
#[utoipa::path(get, path = "/organizations/{organization_id}/members/{member_id}", tag = "Members",
    params(("organization_id" = OrganizationId, Path), ("member_id" = MemberId, Path)),
    responses((status = 200, body = MemberResponse), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn fetch_member(
    State(state): State<AppState>,
    InOrganization(access): InOrganization,
    Path((_organization, id)): Path<(OrganizationId, MemberId)>,
) -> Result<axum::Json<MemberResponse>, Problem> {
    Ok(axum::Json(state.app.fetch_member(&access, id).await?.into()))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpdateMemberRequest {
    /// What they are to be.
    role: Option<Role>,
    /// `suspended` shuts them out of this organization at once, with every credential.
    status: Option<MemberStatus>,
    /// What they may do beyond the role, or may not do despite it.
    custom_permissions: Option<CustomPermissions>,
}

/// Change a member's role, standing or permissions. It holds from their next request on.
#[utoipa::path(patch, path = "/organizations/{organization_id}/members/{member_id}", tag = "Members",
    params(("organization_id" = OrganizationId, Path), ("member_id" = MemberId, Path)), request_body = UpdateMemberRequest,
    responses((status = 200, body = MemberResponse), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn update_member(
    State(state): State<AppState>,
    InOrganization(access): InOrganization,
    Path((_organization, id)): Path<(OrganizationId, MemberId)>,
    Json(request): Json<UpdateMemberRequest>,
) -> Result<axum::Json<MemberResponse>, Problem> {
    let change = MemberChange {
        role: request.role,
        status: request.status,
        custom_permissions: request.custom_permissions,
    };
    Ok(axum::Json(
        state.app.update_member(&access, id, change).await?.into(),
    ))
}

/// Remove a member, with the API keys and invitations they made.
#[utoipa::path(delete, path = "/organizations/{organization_id}/members/{member_id}", tag = "Members",
    params(("organization_id" = OrganizationId, Path), ("member_id" = MemberId, Path)),
    responses((status = 204, description = "Removed"), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument)))]
async fn remove_member(
    State(state): State<AppState>,
    InOrganization(access): InOrganization,
    Path((_organization, id)): Path<(OrganizationId, MemberId)>,
) -> Result<StatusCode, Problem> {
    state.app.remove_member(&access, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
