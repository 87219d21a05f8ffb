//! Exports of Slack workspaces: sending one in, and how far it has come.

use std::collections::BTreeMap;

use amebo_app::mirror::{ImportStatus, NewImport, SlackImport, SlackImportProblem};
use amebo_core::id::{KnowledgeBaseId, OrganizationId, SlackImportId, SourceId, UserId};
use amebo_core::page::PageQuery;
use amebo_core::slack::SlackImportState;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::InOrganization;
use crate::extract::{Path, Query, page};
use crate::problem::{Problem, ProblemDocument};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(import_slack_export))
        // What an archive may weigh is the plan's to say, and is checked while it streams.
        .layer(DefaultBodyLimit::disable())
        .routes(routes!(list_slack_imports))
        .routes(routes!(get_slack_import))
}

/// Who may see the documents of an export.
#[derive(Deserialize, Clone, Copy, Default, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum ImportAudience {
    /// The members of each channel.
    #[default]
    Channel,
    /// Every member of the organization, for public channels.
    Organization,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImportQuery {
    #[serde(default)]
    name: String,
    workspace: Option<String>,
    #[serde(default)]
    audience: ImportAudience,
}

/// An import of a Slack export.
#[derive(Serialize, ToSchema)]
struct SlackImportResponse {
    id: SlackImportId,
    knowledge_base_id: KnowledgeBaseId,
    source_id: SourceId,
    /// The archive's name.
    file_name: String,
    /// The workspace's address, where it is known.
    workspace: Option<String>,
    state: SlackImportState,
    /// Why it was given up.
    error: Option<String>,
    /// Files of messages in the archive, one for each day of a channel.
    days: u64,
    /// How many of them are stored.
    days_done: u64,
    users: u64,
    channels: u64,
    /// Messages that were kept.
    messages: u64,
    /// How many of them were not known or not the same before.
    messages_new: u64,
    /// How many were not kept, by reason: `bot`, `notice`, `empty`, `malformed`.
    left_out: BTreeMap<String, u64>,
    /// Files that could not be read, the first hundred.
    problems: Vec<UnreadFile>,
    /// How many files could not be read.
    problem_count: u64,
    created_by: Option<UserId>,
    created_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
}

/// A file of an export that could not be read.
#[derive(Serialize, ToSchema)]
struct UnreadFile {
    /// Its name in the archive.
    file: String,
    /// Why, in a sentence.
    reason: String,
}

/// An import and what is still to be done for it.
#[derive(Serialize, ToSchema)]
struct SlackImportStatusResponse {
    #[serde(flatten)]
    import: SlackImportResponse,
    /// Messages of the workspace whose document is not written yet.
    messages_without_document: u64,
    /// How long storing the rest will take, reckoned from how long it took so far.
    remaining_seconds: Option<u64>,
}

/// A page of imports.
#[derive(Serialize, ToSchema)]
struct SlackImportPage {
    items: Vec<SlackImportResponse>,
    /// What to pass as `cursor` for the next page; absent on the last.
    next_cursor: Option<String>,
}

impl From<SlackImport> for SlackImportResponse {
    fn from(import: SlackImport) -> Self {
        let progress = import.progress;
        Self {
            id: import.id,
            knowledge_base_id: import.knowledge_base,
            source_id: import.source,
            file_name: import.file_name,
            workspace: import.workspace_url,
            state: import.state,
            error: import.error,
            days: progress.days,
            days_done: progress.days_done,
            users: progress.users,
            channels: progress.channels,
            messages: progress.messages,
            messages_new: progress.messages_new,
            left_out: progress.left_out,
            problems: progress.problems.into_iter().map(UnreadFile::from).collect(),
            problem_count: progress.problem_count,
            created_by: import.created_by,
            created_at: import.created_at,
            finished_at: import.finished_at,
        }
    }
}

impl From<SlackImportProblem> for UnreadFile {
    fn from(problem: SlackImportProblem) -> Self {
        Self {
            file: problem.file,
            reason: problem.reason,
        }
    }
}

impl From<ImportStatus> for SlackImportStatusResponse {
    fn from(status: ImportStatus) -> Self {
        Self {
            import: status.import.into(),
            messages_without_document: status.pending,
            remaining_seconds: status
                .remaining
                .map(|remaining| remaining.num_seconds().unsigned_abs()),
        }
    }
}

/// Import a Slack export: the zip archive as the body. It is durable once this answers, and read in the background; importing a workspace
/// again adds what is new and changes nothing twice.
#[utoipa::path(post, path = "/organizations/{organization_id}/knowledge-bases/{knowledge_base_id}/slack-imports", tag = "Slack",
    request_body(content = Vec<u8>, content_type = "application/zip"),
    params(("organization_id" = OrganizationId, Path), ("knowledge_base_id" = KnowledgeBaseId, Path),
        ("name" = Option<String>, Query, description = "The archive's name"),
        ("workspace" = Option<String>, Query, description = "The workspace's address, such as https://acme.slack.com; documents link there. Without it the export goes to the workspace that its users belong to, whose address is known where it is connected"),
        ("audience" = Option<String>, Query, description = "`channel`: documents are seen by the members of their channel, who are known by their addresses. `organization`: those of public channels are seen by every member")),
    responses((status = 202, body = SlackImportStatusResponse), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument),
        (status = 409, body = ProblemDocument), (status = 413, body = ProblemDocument), (status = 422, body = ProblemDocument),
        (status = 429, body = ProblemDocument)))]
async fn import_slack_export(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path(path): Path<(OrganizationId, KnowledgeBaseId)>,
    Query(query): Query<ImportQuery>,
    body: Body,
) -> Result<(StatusCode, axum::Json<SlackImportStatusResponse>), Problem> {
    let (_, knowledge_base) = path;
    let new = NewImport {
        knowledge_base,
        file_name: query.name,
        workspace_url: query.workspace,
        is_open: query.audience == ImportAudience::Organization,
    };
    let status = state
        .app
        .receive_slack_export(&access, &new, body.into_data_stream())
        .await?;
    Ok((StatusCode::ACCEPTED, axum::Json(status.into())))
}

/// List imports of Slack exports, newest first.
#[utoipa::path(get, path = "/organizations/{organization_id}/slack-imports", tag = "Slack",
    params(("organization_id" = OrganizationId, Path), ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)),
    responses((status = 200, body = SlackImportPage), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn list_slack_imports(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<SlackImportPage>, Problem> {
    let found = state.app.slack_imports(&access, page(&query)?).await?;
    Ok(axum::Json(SlackImportPage {
        items: found.items.into_iter().map(Into::into).collect(),
        next_cursor: found.next_cursor,
    }))
}

/// Get an import of a Slack export, with what is still to be done.
#[utoipa::path(get, path = "/organizations/{organization_id}/slack-imports/{slack_import_id}", tag = "Slack",
    params(("organization_id" = OrganizationId, Path), ("slack_import_id" = SlackImportId, Path)),
    responses((status = 200, body = SlackImportStatusResponse), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn get_slack_import(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
    Path(path): Path<(OrganizationId, SlackImportId)>,
) -> Result<axum::Json<SlackImportStatusResponse>, Problem> {
    let (_, id) = path;
    let status = state.app.slack_import(&access, id).await?;
    Ok(axum::Json(status.into()))
}
