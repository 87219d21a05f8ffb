//! Invitations to join an organisation.

use amebo_app::invitation::Invitation;
use amebo_app::mail::Delivery;
use amebo_core::id::{InvitationId, MemberId, OrganizationId};
use amebo_core::page::{Page, PageQuery};
use amebo_core::permission::Role;
use axum::Extension;
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
use crate::idempotency::ShowsSecret;
use crate::problem::{Problem, ProblemDocument};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create_invitation, list_invitations))
        .routes(routes!(revoke_invitation))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateInvitationRequest {
    /// Whom to invite.
    #[schema(example = "ben@example.com")]
    email: String,
    /// What they are to be.
    role: Role,
}

#[derive(Serialize, ToSchema)]
struct InvitationResponse {
    id: InvitationId,
    email: String,
    role: Role,
    /// The member whose authority it carries.
    invited_by: MemberId,
    expires_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
struct InvitedResponse {
    #[serde(flatten)]
    invitation: InvitationResponse,
    /// Shown once; hand it over when no letter went out.
    link: String,
    /// What became of the letter.
    delivery: DeliveryResponse,
    /// What to do when no letter went out.
    warning: Option<&'static str>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum DeliveryResponse {
    /// The mail server took it.
    Sent,
    /// The mail server did not take it.
    Failed,
    /// This server sends no mail.
    NotConfigured,
}

impl From<Delivery> for DeliveryResponse {
    fn from(delivery: Delivery) -> Self {
        match delivery {
            Delivery::Sent => Self::Sent,
            Delivery::Failed => Self::Failed,
            Delivery::NotConfigured => Self::NotConfigured,
        }
    }
}

impl From<Invitation> for InvitationResponse {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: invitation.id,
            email: invitation.email,
            role: invitation.role,
            invited_by: invitation.invited_by,
            expires_at: invitation.expires_at,
            created_at: invitation.created_at,
        }
    }
}

/// Invite somebody, with a role you may give. An earlier invitation to the same address stops working.
#[utoipa::path(post, path = "/organizations/{organization_id}/invitations", tag = "Members",
    params(("organization_id" = OrganizationId, Path)), request_body = CreateInvitationRequest,
    responses((status = 201, body = InvitedResponse), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn create_invitation(
    State(state): State<AppState>,
    InOrganization(access): InOrganization,
    Json(request): Json<CreateInvitationRequest>,
) -> Result<(StatusCode, Extension<ShowsSecret>, axum::Json<InvitedResponse>), Problem> {
    let invited = state
        .app
        .create_invitation(&access, &request.email, request.role)
        .await?;
    let body = InvitedResponse {
        invitation: invited.invitation.into(),
        link: invited.link.into(),
        delivery: invited.delivery.into(),
        warning: match invited.delivery {
            Delivery::Sent => None,
            Delivery::Failed => Some(
                "The mail server did not take the letter. The invitation stands: hand the link over yourself, and ask the operator of \
                 this server to look into its log.",
            ),
            Delivery::NotConfigured => {
                Some("This server sends no mail. The invitation stands: hand the link over yourself.")
            }
        },
    };
    Ok((StatusCode::CREATED, Extension(ShowsSecret), axum::Json(body)))
}

/// Invitations not yet accepted, those past their time included, in the order they were made.
#[utoipa::path(get, path = "/organizations/{organization_id}/invitations", tag = "Members",
    params(("organization_id" = OrganizationId, Path), PageQuery),
    responses((status = 200, body = Page<InvitationResponse>), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn list_invitations(
    State(state): State<AppState>,
    InOrganization(access): InOrganization,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<InvitationResponse>>, Problem> {
    let invitations = state.app.list_invitations(&access, &page(&query)?).await?;
    Ok(axum::Json(invitations.map(InvitationResponse::from)))
}

/// Take an invitation back.
#[utoipa::path(delete, path = "/organizations/{organization_id}/invitations/{invitation_id}", tag = "Members",
    params(("organization_id" = OrganizationId, Path), ("invitation_id" = InvitationId, Path)),
    responses((status = 204, description = "Revoked"), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn revoke_invitation(
    State(state): State<AppState>,
    InOrganization(access): InOrganization,
    Path((_organization, id)): Path<(OrganizationId, InvitationId)>,
) -> Result<StatusCode, Problem> {
    state.app.revoke_invitation(&access, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
