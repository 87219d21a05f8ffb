//! Who one is on channels: following a link that Amebo sent there, and ending it.

use amebo_app::slack::link::{LinkedPerson, OwnIdentity};
use amebo_core::id::{ChannelConnectionId, ChannelIdentityId, OrganizationId};
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
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
        .routes(routes!(describe_channel_link))
        .routes(routes!(list_channel_identities, confirm_channel_link))
        .routes(routes!(unlink_channel_identity))
}

/// A link that Amebo sent to somebody on a channel.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChannelLinkRequest {
    /// What stands behind `#token=` in the link.
    token: String,
}

/// The person on a channel who asked for a link.
#[derive(Serialize, ToSchema)]
struct ChannelLinkResponse {
    /// The person.
    channel_identity_id: ChannelIdentityId,
    channel_connection_id: ChannelConnectionId,
    /// How the connected account is called.
    connection: String,
    /// How they are called there.
    name: Option<String>,
    /// Their address there.
    email: Option<String>,
    /// Until when the link works.
    expires_at: DateTime<Utc>,
}

/// A person on a channel whom you said to be.
#[derive(Serialize, ToSchema)]
struct ChannelIdentityResponse {
    id: ChannelIdentityId,
    channel_connection_id: ChannelConnectionId,
    /// How the connected account is called.
    connection: String,
    /// How you are called there.
    name: Option<String>,
    /// When you said so.
    linked_at: Option<DateTime<Utc>>,
}

#[derive(Serialize, ToSchema)]
struct ChannelIdentityList {
    items: Vec<ChannelIdentityResponse>,
}

impl From<LinkedPerson> for ChannelLinkResponse {
    fn from(person: LinkedPerson) -> Self {
        Self {
            channel_identity_id: person.identity,
            channel_connection_id: person.connection,
            connection: person.connection_name,
            name: person.name,
            email: person.email,
            expires_at: person.expires_at,
        }
    }
}

impl From<OwnIdentity> for ChannelIdentityResponse {
    fn from(identity: OwnIdentity) -> Self {
        Self {
            id: identity.id,
            channel_connection_id: identity.connection,
            connection: identity.connection_name,
            name: identity.name,
            linked_at: identity.since,
        }
    }
}

/// Whom a link that Amebo sent on a channel would make you. It does nothing yet.
#[utoipa::path(post, path = "/organizations/{organization_id}/channel-links/describe", tag = "Channels",
    params(("organization_id" = OrganizationId, Path)), request_body = ChannelLinkRequest,
    responses((status = 200, body = ChannelLinkResponse), (status = 404, description = "The link does not work any more", body = ProblemDocument)))]
async fn describe_channel_link(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Json(request): Json<ChannelLinkRequest>,
) -> Result<axum::Json<ChannelLinkResponse>, Problem> {
    let person = state.app.channel_link(&access, &request.token).await?;
    Ok(axum::Json(person.into()))
}

/// Whom you said to be on channels.
#[utoipa::path(get, path = "/organizations/{organization_id}/channel-identities", tag = "Channels",
    params(("organization_id" = OrganizationId, Path)),
    responses((status = 200, body = ChannelIdentityList), (status = 403, body = ProblemDocument)))]
async fn list_channel_identities(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
) -> Result<axum::Json<ChannelIdentityList>, Problem> {
    let identities = state.app.own_channel_identities(&access).await?;
    Ok(axum::Json(ChannelIdentityList {
        items: identities.into_iter().map(Into::into).collect(),
    }))
}

/// Confirm that you are the person on a channel who asked for the link, and use it up. From then on you are answered there as the member
/// that you are.
#[utoipa::path(post, path = "/organizations/{organization_id}/channel-identities", tag = "Channels",
    params(("organization_id" = OrganizationId, Path)), request_body = ChannelLinkRequest,
    responses((status = 201, body = ChannelLinkResponse), (status = 404, description = "The link does not work any more", body = ProblemDocument)))]
async fn confirm_channel_link(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Json(request): Json<ChannelLinkRequest>,
) -> Result<(StatusCode, axum::Json<ChannelLinkResponse>), Problem> {
    let person = state.app.confirm_channel_link(&access, &request.token).await?;
    Ok((StatusCode::CREATED, axum::Json(person.into())))
}

/// End that you are a person on a channel whom you said to be.
#[utoipa::path(delete, path = "/organizations/{organization_id}/channel-identities/{channel_identity_id}", tag = "Channels",
    params(("organization_id" = OrganizationId, Path), ("channel_identity_id" = ChannelIdentityId, Path)),
    responses((status = 204), (status = 404, body = ProblemDocument)))]
async fn unlink_channel_identity(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, id)): Path<(OrganizationId, ChannelIdentityId)>,
) -> Result<StatusCode, Problem> {
    state.app.unlink_channel_identity(&access, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
