//! Connected workspaces as those know them who ask.

use amebo_app::channel::workspace::Workspace;
use amebo_core::channel::ChannelKind;
use amebo_core::id::{ChannelConnectionId, KnowledgeBaseId, OrganizationId};
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::InOrganization;
use crate::problem::{Problem, ProblemDocument};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_workspaces))
}

/// A workspace to whose knowledge a question can be limited.
#[derive(Serialize, ToSchema)]
struct WorkspaceResponse {
    /// The id of its channel connection.
    id: ChannelConnectionId,
    kind: ChannelKind,
    name: String,
    /// What `/ask` searches there; where that is everything, what the knowledge base holds in which its messages are kept. Never empty:
    /// pass it as `knowledge_base_ids` of a question.
    knowledge_base_ids: Vec<KnowledgeBaseId>,
}

#[derive(Serialize, ToSchema)]
struct WorkspaceList {
    items: Vec<WorkspaceResponse>,
}

impl From<Workspace> for WorkspaceResponse {
    fn from(workspace: Workspace) -> Self {
        Self {
            id: workspace.id,
            kind: workspace.kind,
            name: workspace.name,
            knowledge_base_ids: workspace.knowledge_bases,
        }
    }
}

/// Connected workspaces that stand for knowledge bases, for whoever may ask.
#[utoipa::path(get, path = "/organizations/{organization_id}/workspaces", tag = "Questions",
    params(("organization_id" = OrganizationId, Path)),
    responses((status = 200, body = WorkspaceList), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn list_workspaces(
    InOrganization(access): InOrganization,
    State(state): State<AppState>,
) -> Result<axum::Json<WorkspaceList>, Problem> {
    let workspaces = state.app.workspaces(&access).await?;
    Ok(axum::Json(WorkspaceList {
        items: workspaces.into_iter().map(WorkspaceResponse::from).collect(),
    }))
}
