//! Connected accounts, as administrators see and keep them.

use std::sync::Arc;

use amebo_core::channel::{ChannelKind, ConnectionStatus};
use amebo_core::id::{ChannelConnectionId, Id as _};
use amebo_core::permission::{Action, Resource};
use amebo_store::Permit;
use amebo_store::audit::NewEntry;
use serde_json::json;

pub use amebo_store::channel_connection::{ChannelConnection, Health};

use crate::mirror::{FollowWorkspace, SYNCHRONISATION, Synchronisation, give_back};
use crate::slack::Settings;
use crate::{Access, App, Error, Result};

impl App {
    /// All connected accounts, in the order they were added.
    pub async fn channel_connections(&self, access: &Access) -> Result<Vec<ChannelConnection>> {
        let permit = access.permit(Resource::ChannelConnection, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let connections = tx.channel_connections().list().await?;
        tx.commit().await?;
        Ok(connections)
    }

    /// One of them.
    pub async fn channel_connection(
        &self,
        access: &Access,
        id: ChannelConnectionId,
    ) -> Result<ChannelConnection> {
        let permit = access.permit(Resource::ChannelConnection, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let connection = tx.channel_connections().by_id(id).await?;
        tx.commit().await?;
        connection.ok_or(Error::NotFound("channel connection"))
    }

    /// Changes what administrators choose for a Slack workspace; what is synchronised is kept elsewhere and stays.
    pub async fn configure_slack(
        &self,
        access: &Access,
        id: ChannelConnectionId,
        display_name: Option<&str>,
        settings: &Settings,
    ) -> Result<ChannelConnection> {
        let permit = access.permit(Resource::ChannelConnection, Action::Update)?;
        let mut tx = self.store.begin(&permit).await?;
        let before = tx
            .channel_connections()
            .by_id(id)
            .await?
            .filter(|connection| connection.kind == ChannelKind::Slack)
            .ok_or(Error::NotFound("channel connection"))?;
        let name = display_name.map_or(before.display_name.as_str(), str::trim);
        if !(1..=200).contains(&name.chars().count()) {
            return Err(Error::invalid("/display_name", "a name has 1 to 200 characters"));
        }
        let in_use = tx.knowledge_bases().names().await?;
        if let Some((index, missing)) = settings
            .knowledge_base_ids
            .iter()
            .enumerate()
            .find(|(_, id)| !in_use.iter().any(|(known, _)| known == *id))
        {
            return Err(Error::invalid(
                format!("/knowledge_base_ids/{index}"),
                format!("there is no knowledge base {missing} in use"),
            ));
        }
        let old: Settings = serde_json::from_value(before.configuration.clone()).map_err(Error::internal)?;
        let new = Settings {
            // How events come goes with the app's credentials.
            socket_mode: old.socket_mode,
            other: old.other,
            ..settings.clone()
        };
        let mut configuration = serde_json::to_value(&new).map_err(Error::internal)?;
        if new.searches_live {
            // From now on nothing is kept, and what was is forgotten.
            configuration[SYNCHRONISATION] = json!(Synchronisation::default());
            tx.jobs().push(FollowWorkspace::now(id)).await?;
        }
        tx.channel_connections()
            .configure(id, name, &configuration)
            .await?;
        tx.audit()
            .append(
                NewEntry::new("channel_connection.update", "channel_connection")
                    .of(id)
                    .details(json!({ "before": before.configuration, "after": configuration })),
            )
            .await?;
        let connection = tx.channel_connections().by_id(id).await?;
        tx.commit().await?;
        connection.ok_or(Error::NotFound("channel connection"))
    }

    /// Ends the use of an account: here at once, and on the platform as far as it answers. What came from it stays.
    pub async fn disconnect_channel(
        self: &Arc<Self>,
        access: &Access,
        id: ChannelConnectionId,
    ) -> Result<ChannelConnection> {
        let permit = access.permit(Resource::ChannelConnection, Action::Update)?;
        self.leave_platform(&permit, id).await?;
        let mut tx = self.store.begin(&permit).await?;
        tx.channel_connections()
            .disconnect(id, "Disconnected by an administrator.")
            .await?;
        tx.events()
            .append(
                "channel_connection.disconnected",
                Some(id.uuid()),
                &json!({ "reason": "administrator" }),
            )
            .await?;
        tx.audit()
            .append(NewEntry::new("channel_connection.disconnect", "channel_connection").of(id))
            .await?;
        let connection = tx.channel_connections().by_id(id).await?;
        tx.commit().await?;
        connection.ok_or(Error::NotFound("channel connection"))
    }

    /// Tells the platform that Amebo leaves an account in use, while there still is a token to say it with. Whether it hears it or
    /// not, the use ends here.
    async fn leave_platform(
        self: &Arc<Self>,
        permit: &Permit,
        id: ChannelConnectionId,
    ) -> Result<ChannelConnection> {
        let mut tx = self.store.begin(permit).await?;
        let known = tx
            .channel_connections()
            .by_id(id)
            .await?
            .ok_or(Error::NotFound("channel connection"))?;
        tx.commit().await?;
        if known.kind == ChannelKind::Slack && known.status == ConnectionStatus::Active {
            self.leave_slack(permit, &known).await;
        }
        Ok(known)
    }

    /// Removes a connection and erases what came from it: conversations, messages, identities, stored events, and what was learnt from
    /// its channels.
    pub async fn erase_channel(self: &Arc<Self>, access: &Access, id: ChannelConnectionId) -> Result<()> {
        let permit = access.permit(Resource::ChannelConnection, Action::Delete)?;
        let before = self.leave_platform(&permit, id).await?;
        let mut tx = self.store.begin(&permit).await?;
        tx.contacts().delete_known_only_on(id).await?;
        let removed = tx.slack().erase_connection(id).await?;
        give_back(&mut tx, &removed).await?;
        tx.channel_connections().delete(id).await?;
        tx.audit()
            .append(
                NewEntry::new("channel_connection.erase", "channel_connection")
                    .of(id)
                    .details(json!({ "kind": before.kind, "account": before.account, "documents": removed.documents })),
            )
            .await?;
        Ok(tx.commit().await?)
    }
}
