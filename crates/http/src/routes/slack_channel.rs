//! Channels of connected Slack workspaces: what is kept of them, and how far they have been read.

use amebo_app::mirror::{DocumentReaders, FollowedChannel, Synchronisation};
use amebo_core::document::Audience;
use amebo_core::id::{
    ChannelConnectionId, DocumentId, KnowledgeBaseId, OrganizationId, SlackChannelId, UserId,
};
use amebo_core::slack::SlackChannelKind;
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
        .routes(routes!(list_slack_channels, choose_slack_channels))
        .routes(routes!(get_synchronisation, choose_synchronisation))
        .routes(routes!(choose_slack_channel, forget_slack_channel))
        .routes(routes!(explain_document_audience))
}

/// A channel of a connected workspace.
#[expect(clippy::struct_excessive_bools, reason = "independent facts about a channel")]
#[derive(Serialize, ToSchema)]
struct SlackChannelResponse {
    id: SlackChannelId,
    /// Slack's id.
    external_id: String,
    kind: SlackChannelKind,
    name: String,
    is_archived: bool,
    /// Whether people of other companies are in it.
    is_shared: bool,
    /// How many people are in it, where Slack says so.
    members: Option<u64>,
    /// Whether what is said in it is kept.
    selected: bool,
    /// Whether every member of the organization may see it, if it is public; otherwise its members alone.
    open: bool,
    /// How many messages of its history have been read.
    messages_read: u64,
    /// Down to which time its history has been read, newest first.
    read_back_to: Option<DateTime<Utc>>,
    /// When its history had been read to its beginning, or as far back as messages are kept.
    complete_since: Option<DateTime<Utc>>,
    /// When it was last compared with what Slack has.
    compared_at: Option<DateTime<Utc>>,
    /// How much of the time in which something can have been said has been read, 0 to 1; absent before anything was.
    progress: Option<f64>,
    /// How long reading its history will take, reckoned from how long it took so far, where that can be told.
    remaining_seconds: Option<u64>,
    /// Why it cannot be followed, and what to do.
    problem: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct SlackChannelList {
    items: Vec<SlackChannelResponse>,
    /// When the workspace's channels were last listed to the end; absent while the first list is under way.
    listed_at: Option<DateTime<Utc>>,
    /// Messages that were read and are not written down as documents yet.
    messages_without_document: u64,
    /// Documents of the workspace that are not findable yet.
    documents_in_work: u64,
}

/// What is kept of a connected workspace.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SynchronisationBody {
    /// Where what is said goes; nothing is kept without.
    knowledge_base_id: Option<KnowledgeBaseId>,
    /// Whether public channels are followed as they come.
    #[serde(default)]
    follow_new_public_channels: bool,
    /// For how many days messages are kept; for ever when absent.
    keep_days: Option<u32>,
}

/// What is kept of a channel, and who may see it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChooseSlackChannelRequest {
    /// Whether what is said in it is kept from now on; its history is read then too.
    selected: bool,
    /// Whether every member of the organization may see it, if it is public.
    #[serde(default)]
    open: bool,
}

impl From<FollowedChannel> for SlackChannelResponse {
    fn from(followed: FollowedChannel) -> Self {
        let (described, following) = (followed.channel.described, followed.following);
        Self {
            id: followed.channel.id,
            external_id: described.external,
            kind: described.kind,
            name: described.name,
            is_archived: described.is_archived,
            is_shared: described.is_shared,
            members: described.members,
            selected: following.is_selected,
            open: described.is_open,
            messages_read: following.backfill_messages,
            read_back_to: following.backfill_before,
            complete_since: following.backfilled_at,
            compared_at: following.reconciled_at,
            progress: followed.progress,
            remaining_seconds: followed
                .remaining
                .map(|remaining| remaining.num_seconds().unsigned_abs()),
            problem: following.error,
        }
    }
}

/// List the channels of a connected workspace, by name.
#[utoipa::path(get, path = "/organizations/{organization_id}/channel-connections/{channel_connection_id}/slack-channels", tag = "Slack",
    params(("organization_id" = OrganizationId, Path), ("channel_connection_id" = ChannelConnectionId, Path)),
    responses((status = 200, body = SlackChannelList), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn list_slack_channels(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path(path): Path<(OrganizationId, ChannelConnectionId)>,
) -> Result<axum::Json<SlackChannelList>, Problem> {
    let (_, connection) = path;
    let found = state.app.slack_channels(&access, connection).await?;
    Ok(axum::Json(SlackChannelList {
        items: found.channels.into_iter().map(Into::into).collect(),
        listed_at: found.listed_at,
        messages_without_document: found.pending_messages,
        documents_in_work: found.pending_documents,
    }))
}

/// Get what is kept of a connected workspace.
#[utoipa::path(get, path = "/organizations/{organization_id}/channel-connections/{channel_connection_id}/synchronisation", tag = "Slack",
    params(("organization_id" = OrganizationId, Path), ("channel_connection_id" = ChannelConnectionId, Path)),
    responses((status = 200, body = SynchronisationBody), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn get_synchronisation(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path(path): Path<(OrganizationId, ChannelConnectionId)>,
) -> Result<axum::Json<SynchronisationBody>, Problem> {
    let (_, connection) = path;
    let choice = state.app.slack_synchronisation(&access, connection).await?;
    Ok(axum::Json(SynchronisationBody {
        knowledge_base_id: choice.knowledge_base_id,
        follow_new_public_channels: choice.follow_new_public_channels,
        keep_days: choice.keep_days,
    }))
}

/// Choose what is kept of a connected workspace. Its people and channels are read at once, and again every day.
#[utoipa::path(put, path = "/organizations/{organization_id}/channel-connections/{channel_connection_id}/synchronisation", tag = "Slack",
    params(("organization_id" = OrganizationId, Path), ("channel_connection_id" = ChannelConnectionId, Path)),
    request_body = SynchronisationBody,
    responses((status = 204), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn choose_synchronisation(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path(path): Path<(OrganizationId, ChannelConnectionId)>,
    Json(body): Json<SynchronisationBody>,
) -> Result<StatusCode, Problem> {
    let (_, connection) = path;
    let choice = Synchronisation {
        knowledge_base_id: body.knowledge_base_id,
        follow_new_public_channels: body.follow_new_public_channels,
        keep_days: body.keep_days,
    };
    state
        .app
        .choose_slack_synchronisation(&access, connection, &choice)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Choose whether what is said in a channel is kept, and who may see it.
#[utoipa::path(put, path = "/organizations/{organization_id}/slack-channels/{slack_channel_id}", tag = "Slack",
    params(("organization_id" = OrganizationId, Path), ("slack_channel_id" = SlackChannelId, Path)),
    request_body = ChooseSlackChannelRequest,
    responses((status = 204), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn choose_slack_channel(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path(path): Path<(OrganizationId, SlackChannelId)>,
    Json(body): Json<ChooseSlackChannelRequest>,
) -> Result<StatusCode, Problem> {
    let (_, channel) = path;
    state
        .app
        .choose_slack_channel(&access, channel, body.selected, body.open)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is kept of several channels, and who may see it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChooseSlackChannelsRequest {
    /// At most 1,000 of the workspace's channels.
    channel_ids: Vec<SlackChannelId>,
    /// Whether what is said in them is kept from now on; their history is read then too.
    selected: bool,
    /// Whether every member of the organization may see them, as far as they are public; it stays as it is when absent.
    open: Option<bool>,
}

/// Choose for several channels at once whether what is said in them is kept: for all of them, or for none if one is not there.
#[utoipa::path(patch, path = "/organizations/{organization_id}/channel-connections/{channel_connection_id}/slack-channels", tag = "Slack",
    params(("organization_id" = OrganizationId, Path), ("channel_connection_id" = ChannelConnectionId, Path)),
    request_body = ChooseSlackChannelsRequest,
    responses((status = 204), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn choose_slack_channels(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path(path): Path<(OrganizationId, ChannelConnectionId)>,
    Json(body): Json<ChooseSlackChannelsRequest>,
) -> Result<StatusCode, Problem> {
    let (_, connection) = path;
    state
        .app
        .choose_slack_channels(&access, connection, &body.channel_ids, body.selected, body.open)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Stop keeping what is said in a channel, and erase what was learnt from it: messages and documents.
#[utoipa::path(delete, path = "/organizations/{organization_id}/slack-channels/{slack_channel_id}", tag = "Slack",
    params(("organization_id" = OrganizationId, Path), ("slack_channel_id" = SlackChannelId, Path)),
    responses((status = 204), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn forget_slack_channel(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path(path): Path<(OrganizationId, SlackChannelId)>,
) -> Result<StatusCode, Problem> {
    let (_, channel) = path;
    state.app.forget_slack_channel(&access, channel).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who may see a document, by name where that follows from a Slack channel.
#[derive(Serialize, ToSchema)]
struct DocumentAudienceResponse {
    audience: Audience,
    /// The channel, of a document that comes from one or is for one.
    channel: Option<DocumentChannelResponse>,
    /// Members of the organization who are in the channel now.
    members: Vec<ChannelMemberResponse>,
    /// Who else is in the channel now, as Slack calls them. They have no account here and get answers in Slack only.
    others: Vec<String>,
}

#[derive(Serialize, ToSchema)]
struct DocumentChannelResponse {
    id: SlackChannelId,
    name: String,
    kind: SlackChannelKind,
    /// Whether every member of the organization may see what is said there, if it is public.
    open: bool,
    is_archived: bool,
    /// Where the workspace is opened.
    workspace_url: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct ChannelMemberResponse {
    user_id: UserId,
    name: String,
    email: String,
    /// How Slack calls them.
    slack_name: String,
}

impl From<DocumentReaders> for DocumentAudienceResponse {
    fn from(readers: DocumentReaders) -> Self {
        Self {
            audience: readers.audience,
            channel: readers.channel.map(|channel| DocumentChannelResponse {
                id: channel.id,
                name: channel.described.name,
                kind: channel.described.kind,
                open: channel.described.is_open,
                is_archived: channel.described.is_archived,
                workspace_url: channel.workspace_url,
            }),
            members: readers
                .insiders
                .into_iter()
                .map(|person| ChannelMemberResponse {
                    user_id: person.user,
                    name: person.name,
                    email: person.email,
                    slack_name: person.slack_name,
                })
                .collect(),
            others: readers
                .outsiders
                .into_iter()
                .map(|person| person.slack_name)
                .collect(),
        }
    }
}

/// Explain who may see a document and why: the channel it comes from and who is in it now, at most 500 people. For whoever may see it.
#[utoipa::path(get, path = "/organizations/{organization_id}/documents/{document_id}/audience", tag = "Slack",
    params(("organization_id" = OrganizationId, Path), ("document_id" = DocumentId, Path)),
    responses((status = 200, body = DocumentAudienceResponse), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn explain_document_audience(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path(path): Path<(OrganizationId, DocumentId)>,
) -> Result<axum::Json<DocumentAudienceResponse>, Problem> {
    let (_, document) = path;
    let readers = state.app.document_readers(&access, document).await?;
    Ok(axum::Json(readers.into()))
}
