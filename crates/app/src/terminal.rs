//! The credential of the terminal on the server's own machine.

use amebo_core::id::OrganizationId;
use amebo_core::organization::MemberStatus;
use amebo_core::permission::{Action, Permission, Resource};
use amebo_store::NewApiKey;

use crate::{App, Result};

/// What `amebo ingest`, `ask` and `search` need, and no more.
const SCOPES: [Permission; 6] = [
    Permission::new(Resource::KnowledgeBase, Action::Create),
    Permission::new(Resource::KnowledgeBase, Action::Read),
    Permission::new(Resource::Document, Action::Create),
    Permission::new(Resource::Document, Action::Read),
    Permission::new(Resource::Question, Action::Create),
    Permission::new(Resource::Question, Action::Read),
];

impl App {
    /// An API key for the terminal of whoever administers this machine, in the first administrator's oldest organisation.
    ///
    /// It is one of that person's keys: they see it in their list and can revoke it. `None` when they belong nowhere.
    pub async fn create_terminal_key(&self) -> Result<Option<(OrganizationId, String)>> {
        let mut tx = self.store.begin_system().await?;
        let memberships = match tx.users().first_superadmin().await? {
            Some(user) => tx
                .users()
                .memberships(user.id)
                .await?
                .into_iter()
                .map(|place| (user.id, place))
                .collect(),
            None => Vec::new(),
        };
        tx.commit().await?;
        let Some((user, place)) = memberships
            .into_iter()
            .find(|(_, place)| place.status == MemberStatus::Active)
        else {
            return Ok(None);
        };
        let access = self.access(user, place.organization).await?;
        let permit = access.permit(Resource::ApiKey, Action::Create)?;
        let new = NewApiKey {
            member: access.member(),
            name: "Terminal on the server".to_owned(),
            scopes: SCOPES.to_vec(),
            expires_at: None,
            is_of_terminal: true,
        };
        let (_, key) = self.insert_api_key(&permit, &new).await?;
        Ok(Some((place.organization, key)))
    }
}
