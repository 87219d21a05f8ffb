//! Connected workspaces as those know them who ask: a name for a part of what the organisation knows.

use amebo_core::channel::ChannelKind;
use amebo_core::id::{ChannelConnectionId, KnowledgeBaseId};
use amebo_core::permission::{Action, Resource};
use amebo_store::channel_connection::ChannelConnection;

use crate::mirror::synchronisation_of;
use crate::slack::Settings;
use crate::{Access, App, Error, Result};

/// A workspace to whose knowledge a question can be limited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// Its connection.
    pub id: ChannelConnectionId,
    /// What it is a workspace of.
    pub kind: ChannelKind,
    /// As people call it.
    pub name: String,
    /// What is searched; never empty.
    pub knowledge_bases: Vec<KnowledgeBaseId>,
}

impl App {
    /// The workspaces in use that stand for knowledge bases: those that mentions and `/ask` search there, or, where these search
    /// everything, the one that what is said there is kept in. One that stands for everything, or for nothing that is in use, is not
    /// among them.
    pub async fn workspaces(&self, access: &Access) -> Result<Vec<Workspace>> {
        let permit = access.permit(Resource::Question, Action::Create)?;
        let mut tx = self.store.begin(&permit).await?;
        let connections = tx.channel_connections().list().await?;
        let in_use = tx.knowledge_bases().names().await?;
        tx.commit().await?;
        let workspaces = connections
            .into_iter()
            .filter(|connection| connection.kind == ChannelKind::Slack && connection.status.accepts_events())
            .map(|connection| {
                let mut knowledge_bases = searched(&connection)?;
                knowledge_bases.retain(|id| in_use.iter().any(|(known, _)| known == id));
                Ok(Workspace {
                    id: connection.id,
                    kind: connection.kind,
                    name: connection.display_name,
                    knowledge_bases,
                })
            })
            .collect::<Result<Vec<Workspace>>>()?;
        Ok(workspaces
            .into_iter()
            .filter(|workspace| !workspace.knowledge_bases.is_empty())
            .collect())
    }
}

fn searched(connection: &ChannelConnection) -> Result<Vec<KnowledgeBaseId>> {
    let settings: Settings =
        serde_json::from_value(connection.configuration.clone()).map_err(Error::internal)?;
    if !settings.knowledge_base_ids.is_empty() {
        return Ok(settings.knowledge_base_ids);
    }
    let kept = synchronisation_of(&connection.configuration).knowledge_base_id;
    Ok(kept.into_iter().collect())
}
