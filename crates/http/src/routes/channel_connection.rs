//! Connected accounts of channels: connecting, looking after, disconnecting.

use amebo_app::channel::connection::ChannelConnection;
use amebo_app::slack::Settings;
use amebo_app::slack::install::{CameBack, IN_USE};
use amebo_app::slack::own_app::OwnAppForm;
use amebo_app::{App, Error};
use amebo_core::channel::{ChannelKind, ConnectionStatus};
use amebo_core::id::{ChannelConnectionId, KnowledgeBaseId, OrganizationId, UserId};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::InOrganization;
use crate::extract::{Json, Path, Query};
use crate::problem::{Problem, ProblemDocument};

/// Binds an installation to the browser that began it.
const INSTALLATION: &str = "amebo_installation";
/// Where Slack sends the browser back to; the cookie goes there and nowhere else.
pub(super) const CALLBACK: &str = "/channels/slack/callback";

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_channel_connections))
        .routes(routes!(
            get_channel_connection,
            update_channel_connection,
            erase_channel_connection
        ))
        .routes(routes!(disconnect_channel_connection))
        .routes(routes!(begin_slack_installation))
        .routes(routes!(create_slack_app))
        .routes(routes!(set_slack_app))
        .routes(routes!(connect_slack_with_token))
        .routes(routes!(get_slack_manifest))
}

/// A connected account; its secrets are never shown.
#[derive(Serialize, ToSchema)]
struct ChannelConnectionResponse {
    id: ChannelConnectionId,
    kind: ChannelKind,
    /// The account's id on the platform; absent until it is authorised.
    account: Option<String>,
    display_name: String,
    status: ConnectionStatus,
    /// Why it cannot be used, and what to do.
    status_reason: Option<String>,
    /// Whether it is connected through an app of your own.
    has_own_app: bool,
    /// Whether events come over a connection that Amebo opens.
    socket_mode: bool,
    /// Where the workspace is opened.
    url: Option<String>,
    scopes: ScopesResponse,
    /// When the present token runs out; it is renewed before.
    token_expires_at: Option<DateTime<Utc>>,
    settings: SlackSettings,
    connected_by: Option<UserId>,
    connected_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    health: HealthResponse,
}

/// What the platform allows, compared with what Amebo makes use of.
#[derive(Serialize, ToSchema)]
struct ScopesResponse {
    granted: Vec<String>,
    /// Not granted, so that something does not work; connect again to grant them.
    missing: Vec<String>,
    /// Granted and not needed.
    extra: Vec<String>,
}

/// How an account is doing.
#[derive(Serialize, ToSchema)]
struct HealthResponse {
    /// When it last sent something, to the minute.
    last_event_at: Option<DateTime<Utc>>,
    /// What went wrong last, and what to do.
    last_error: Option<String>,
    last_error_at: Option<DateTime<Utc>>,
    /// How many requests were refused in its name: forged, stale, too large, after disconnecting.
    refused: u64,
    /// Why the last one was.
    last_refusal: Option<String>,
    last_refused_at: Option<DateTime<Utc>>,
}

/// What administrators choose for a Slack workspace.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct SlackSettings {
    /// Whether the workspace's own people (not its guests, nor people of other companies) may know what every member of the organization
    /// may know, even those without an account here. Otherwise they learn what is public.
    people_are_colleagues: bool,
    /// What mentions, direct messages and `/ask` search; everything in use when empty. `/askall` always searches everything.
    knowledge_base_ids: Vec<KnowledgeBaseId>,
    /// Whether nothing that is said in the workspace is kept, and what was kept is forgotten: direct messages to Amebo search it live
    /// instead, where Slack offers that.
    searches_live: bool,
}

#[derive(Serialize, ToSchema)]
struct ChannelConnectionList {
    items: Vec<ChannelConnectionResponse>,
    /// Whether this server has a Slack app of its own to connect through; otherwise bring yours.
    has_server_slack_app: bool,
}

impl From<ChannelConnection> for ChannelConnectionResponse {
    fn from(connection: ChannelConnection) -> Self {
        let (missing, extra) = if connection.status == ConnectionStatus::Pending {
            (Vec::new(), Vec::new())
        } else {
            App::slack_scope_drift(&connection)
        };
        // What cannot be read is shown as the defaults; the configuration is written by Amebo alone.
        let settings: Settings = serde_json::from_value(connection.configuration).unwrap_or_default();
        Self {
            id: connection.id,
            kind: connection.kind,
            account: connection.account,
            display_name: connection.display_name,
            status: connection.status,
            status_reason: connection.status_reason,
            has_own_app: connection.has_own_app,
            socket_mode: settings.socket_mode,
            url: connection.facts["url"].as_str().map(str::to_owned),
            scopes: ScopesResponse {
                granted: connection.scopes,
                missing,
                extra,
            },
            token_expires_at: connection.token_expires_at,
            settings: SlackSettings {
                people_are_colleagues: settings.people_are_colleagues,
                knowledge_base_ids: settings.knowledge_base_ids,
                searches_live: settings.searches_live,
            },
            connected_by: connection.connected_by,
            connected_at: connection.connected_at,
            created_at: connection.created_at,
            health: HealthResponse {
                last_event_at: connection.health.last_event_at,
                last_error: connection.health.last_error,
                last_error_at: connection.health.last_error_at,
                refused: connection.health.refused,
                last_refusal: connection.health.last_refusal,
                last_refused_at: connection.health.last_refused_at,
            },
        }
    }
}

impl From<SlackSettings> for Settings {
    fn from(settings: SlackSettings) -> Self {
        Self {
            people_are_colleagues: settings.people_are_colleagues,
            knowledge_base_ids: settings.knowledge_base_ids,
            searches_live: settings.searches_live,
            ..Self::default()
        }
    }
}

/// All connected accounts, in the order they were added.
#[utoipa::path(get, path = "/organizations/{organization_id}/channel-connections", tag = "Channels",
    params(("organization_id" = OrganizationId, Path)),
    responses((status = 200, body = ChannelConnectionList), (status = 403, body = ProblemDocument)))]
async fn list_channel_connections(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
) -> Result<axum::Json<ChannelConnectionList>, Problem> {
    let connections = state.app.channel_connections(&access).await?;
    Ok(axum::Json(ChannelConnectionList {
        items: connections
            .into_iter()
            .map(ChannelConnectionResponse::from)
            .collect(),
        has_server_slack_app: state.app.has_slack_app(),
    }))
}

/// One connected account, with its health.
#[utoipa::path(get, path = "/organizations/{organization_id}/channel-connections/{channel_connection_id}", tag = "Channels",
    params(("organization_id" = OrganizationId, Path), ("channel_connection_id" = ChannelConnectionId, Path)),
    responses((status = 200, body = ChannelConnectionResponse), (status = 404, body = ProblemDocument)))]
async fn get_channel_connection(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, id)): Path<(OrganizationId, ChannelConnectionId)>,
) -> Result<axum::Json<ChannelConnectionResponse>, Problem> {
    let connection = state.app.channel_connection(&access, id).await?;
    Ok(axum::Json(connection.into()))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpdateChannelConnectionRequest {
    /// How you call it.
    display_name: Option<String>,
    settings: SlackSettings,
}

/// Change what you chose for a connected Slack workspace.
#[utoipa::path(patch, path = "/organizations/{organization_id}/channel-connections/{channel_connection_id}", tag = "Channels",
    params(("organization_id" = OrganizationId, Path), ("channel_connection_id" = ChannelConnectionId, Path)),
    request_body = UpdateChannelConnectionRequest,
    responses((status = 200, body = ChannelConnectionResponse), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn update_channel_connection(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, id)): Path<(OrganizationId, ChannelConnectionId)>,
    Json(request): Json<UpdateChannelConnectionRequest>,
) -> Result<axum::Json<ChannelConnectionResponse>, Problem> {
    let connection = state
        .app
        .configure_slack(
            &access,
            id,
            request.display_name.as_deref(),
            &request.settings.into(),
        )
        .await?;
    Ok(axum::Json(connection.into()))
}

/// Stop using an account. Its tokens are revoked and forgotten; what came from it stays.
#[utoipa::path(post, path = "/organizations/{organization_id}/channel-connections/{channel_connection_id}/disconnect", tag = "Channels",
    params(("organization_id" = OrganizationId, Path), ("channel_connection_id" = ChannelConnectionId, Path)),
    responses((status = 200, body = ChannelConnectionResponse), (status = 404, body = ProblemDocument)))]
async fn disconnect_channel_connection(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, id)): Path<(OrganizationId, ChannelConnectionId)>,
) -> Result<axum::Json<ChannelConnectionResponse>, Problem> {
    let connection = state.app.disconnect_channel(&access, id).await?;
    Ok(axum::Json(connection.into()))
}

/// Remove an account and erase what came from it: conversations, messages, people known only there, stored events, and the documents of
/// its channels.
#[utoipa::path(delete, path = "/organizations/{organization_id}/channel-connections/{channel_connection_id}", tag = "Channels",
    params(("organization_id" = OrganizationId, Path), ("channel_connection_id" = ChannelConnectionId, Path)),
    responses((status = 204), (status = 404, body = ProblemDocument)))]
async fn erase_channel_connection(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, id)): Path<(OrganizationId, ChannelConnectionId)>,
) -> Result<StatusCode, Problem> {
    state.app.erase_channel(&access, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BeginSlackInstallationRequest {
    /// The connection to authorise (again), such as one with an app of your own; absent for a new one through the server's app.
    channel_connection_id: Option<ChannelConnectionId>,
    #[serde(default)]
    settings: SlackSettings,
}

#[derive(Serialize, ToSchema)]
struct BegunResponse {
    /// Slack's page, to be opened in the same browser within ten minutes.
    authorize_url: String,
}

/// Begin to connect a Slack workspace. Open `authorize_url` in the browser that made this request: the answer sets a cookie that Slack's
/// answer is checked against.
#[utoipa::path(post, path = "/organizations/{organization_id}/channel-connections/slack/installations", tag = "Channels",
    params(("organization_id" = OrganizationId, Path)), request_body = BeginSlackInstallationRequest,
    responses((status = 201, body = BegunResponse), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn begin_slack_installation(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Json(request): Json<BeginSlackInstallationRequest>,
) -> Result<Response, Problem> {
    let begun = state
        .app
        .begin_slack_installation(&access, request.channel_connection_id, &request.settings.into())
        .await?;
    // Lax, since the browser comes back from Slack's page.
    let cookie = Cookie::build((INSTALLATION, begun.state))
        .path(CALLBACK)
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(state.app.public_url().scheme() == "https")
        .max_age(time::Duration::minutes(10))
        .build();
    let body = BegunResponse {
        authorize_url: begun.authorize_url.into(),
    };
    Ok((
        StatusCode::CREATED,
        CookieJar::new().add(cookie),
        axum::Json(body),
    )
        .into_response())
}

#[derive(Deserialize)]
pub(super) struct CallbackQuery {
    code: Option<String>,
    error: Option<String>,
    state: Option<String>,
}

/// The end of an installation: Slack sent the browser back with a code. A browser is taken to the dashboard, whatever the end is.
pub(super) async fn finish_slack_installation(
    State(state): State<AppState>,
    jar: CookieJar,
    headers: HeaderMap,
    Query(query): Query<CallbackQuery>,
) -> Result<Response, Problem> {
    let back = CameBack {
        code: query.code,
        error: query.error,
        state: query.state,
        cookie: jar.get(INSTALLATION).map(|cookie| cookie.value().to_owned()),
    };
    let is_denied = back.error.as_deref() == Some("access_denied");
    let is_elsewhere = back.state.is_none() || back.state != back.cookie;
    let page = match state.app.finish_slack_installation(back).await {
        Ok(finished) => format!(
            "/o/{}/slack/{}?connected=1",
            finished.organization_slug, finished.connection.id
        ),
        Err(error) if is_for_a_person(&headers) => {
            let why = match &error {
                _ if is_elsewhere => "browser",
                Error::NotAllowed(_) if is_denied => "denied",
                Error::NotAllowed(_) => "expired",
                Error::Forbidden(_) | Error::NotFound(_) => "forbidden",
                Error::Conflict(message) if message == IN_USE => "taken",
                Error::Conflict(_) => "refused",
                Error::Unavailable(_) => "unavailable",
                _ => return Err(error.into()),
            };
            format!("/slack-failed?why={why}")
        }
        Err(error) => return Err(error.into()),
    };
    let jar = jar.remove(Cookie::build(INSTALLATION).path(CALLBACK));
    Ok((
        jar,
        [(header::REFERRER_POLICY, "no-referrer")],
        Redirect::to(&page),
    )
        .into_response())
}

/// Whether a page is what the caller would rather read.
fn is_for_a_person(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateSlackAppRequest {
    /// How you call it until the workspace's name is known.
    display_name: String,
    #[serde(flatten)]
    #[schema(inline)]
    app: SlackAppRequest,
    /// Whether events are to come over a connection that Amebo opens; an app-level token says the same.
    #[serde(default)]
    socket_mode: bool,
    #[serde(default)]
    settings: SlackSettings,
}

/// A Slack app of your own.
#[derive(Deserialize, ToSchema)]
struct SlackAppRequest {
    client_id: Option<String>,
    #[schema(format = Password)]
    client_secret: Option<String>,
    /// What Slack signs the app's requests with.
    #[schema(format = Password)]
    signing_secret: Option<String>,
    /// An app-level token, for Socket Mode: events then come over a connection that Amebo opens.
    #[schema(format = Password)]
    app_token: Option<String>,
}

impl From<SlackAppRequest> for OwnAppForm {
    fn from(request: SlackAppRequest) -> Self {
        Self {
            client_id: request.client_id,
            client_secret: request.client_secret,
            signing_secret: request.signing_secret,
            app_token: request.app_token,
        }
    }
}

/// Add a Slack app of your own. Without its id and secrets a connection is prepared: its manifest names the connection's addresses, and
/// the app that you make from it is set afterwards.
#[utoipa::path(post, path = "/organizations/{organization_id}/channel-connections/slack/apps", tag = "Channels",
    params(("organization_id" = OrganizationId, Path)), request_body = CreateSlackAppRequest,
    responses((status = 201, body = ChannelConnectionResponse), (status = 403, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn create_slack_app(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Json(request): Json<CreateSlackAppRequest>,
) -> Result<(StatusCode, axum::Json<ChannelConnectionResponse>), Problem> {
    let settings = Settings {
        socket_mode: request.socket_mode,
        ..request.settings.into()
    };
    let connection = state
        .app
        .create_slack_app(&access, &request.display_name, request.app.into(), &settings)
        .await?;
    Ok((StatusCode::CREATED, axum::Json(connection.into())))
}

/// Set the Slack app of a connection, or replace parts of it; what is absent stays. A replaced signing secret is good until the next one
/// is replaced.
#[utoipa::path(put, path = "/organizations/{organization_id}/channel-connections/{channel_connection_id}/slack-app", tag = "Channels",
    params(("organization_id" = OrganizationId, Path), ("channel_connection_id" = ChannelConnectionId, Path)),
    request_body = SlackAppRequest,
    responses((status = 200, body = ChannelConnectionResponse), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument),
        (status = 409, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn set_slack_app(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, id)): Path<(OrganizationId, ChannelConnectionId)>,
    Json(request): Json<SlackAppRequest>,
) -> Result<axum::Json<ChannelConnectionResponse>, Problem> {
    let connection = state.app.set_slack_app(&access, id, request.into()).await?;
    Ok(axum::Json(connection.into()))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ConnectSlackRequest {
    /// The “Bot User OAuth Token” that Slack shows once the app is installed.
    #[schema(format = Password)]
    bot_token: String,
}

/// Connect a workspace with the token of an app of your own that is installed there already: for servers that Slack cannot send a browser
/// back to.
#[utoipa::path(post, path = "/organizations/{organization_id}/channel-connections/{channel_connection_id}/slack-token", tag = "Channels",
    params(("organization_id" = OrganizationId, Path), ("channel_connection_id" = ChannelConnectionId, Path)),
    request_body = ConnectSlackRequest,
    responses((status = 200, body = ChannelConnectionResponse), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument),
        (status = 409, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn connect_slack_with_token(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path((_organization, id)): Path<(OrganizationId, ChannelConnectionId)>,
    Json(request): Json<ConnectSlackRequest>,
) -> Result<axum::Json<ChannelConnectionResponse>, Problem> {
    let connection = state
        .app
        .connect_slack_with_token(&access, id, &request.bot_token)
        .await?;
    Ok(axum::Json(connection.into()))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ManifestQuery {
    /// The connection whose addresses it names; absent for the server's app.
    channel_connection_id: Option<ChannelConnectionId>,
    /// Whether events come over a connection that Amebo opens.
    #[serde(default)]
    socket_mode: bool,
}

/// The app manifest to paste into Slack.
#[utoipa::path(get, path = "/organizations/{organization_id}/channel-connections/slack/manifest", tag = "Channels",
    params(("organization_id" = OrganizationId, Path), ManifestQuery),
    responses((status = 200, body = serde_json::Value), (status = 403, body = ProblemDocument)))]
async fn get_slack_manifest(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Query(query): Query<ManifestQuery>,
) -> Result<axum::Json<serde_json::Value>, Problem> {
    let manifest = state
        .app
        .slack_manifest(&access, query.channel_connection_id, query.socket_mode)
        .await?;
    Ok(axum::Json(manifest))
}
