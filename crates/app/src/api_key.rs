//! Machine access to an organisation.

use amebo_core::id::ApiKeyId;
use amebo_core::page::{Page, PageRequest};
use amebo_core::permission::{Action, Permission, Permissions, Resource};
use amebo_store::audit::NewEntry;
use amebo_store::{Access, NewApiKey, Permit};
use chrono::{DateTime, Utc};
use serde_json::json;

use crate::identity::Fields;
use crate::{App, Error, Result};

pub use amebo_store::ApiKey;

impl App {
    /// Makes an API key; the second part of the answer is the key itself, which is never shown again.
    pub async fn create_api_key(
        &self,
        access: &Access,
        name: &str,
        scopes: Vec<Permission>,
        expires_at: Option<DateTime<Utc>>,
    ) -> Result<(ApiKey, String)> {
        let permit = access.permit(Resource::ApiKey, Action::Create)?;
        if access.user().is_none() {
            return Err(Error::NotAllowed("only a signed-in person can make an API key"));
        }
        let mut fields = Fields::default();
        let name = fields.name("/name", name, 100);
        let scopes: Permissions = scopes.into_iter().collect();
        if scopes.is_empty() {
            fields.wrong("/scopes", "name at least one permission, such as question:create");
        }
        if let Some(beyond) = scopes
            .iter()
            .find(|scope| !access.permissions().allows(scope.resource, scope.action))
        {
            fields.wrong(
                "/scopes",
                format!("a key can do no more than you, and you may not do {beyond}"),
            );
        }
        if expires_at.is_some_and(|at| at <= self.environment().now()) {
            fields.wrong("/expires_at", "this is in the past");
        }
        fields.finish()?;
        let new = NewApiKey {
            member: access.member(),
            name,
            scopes: scopes.iter().collect(),
            expires_at,
            is_of_terminal: false,
        };
        self.insert_api_key(&permit, &new).await
    }

    /// Makes a key whose form was checked.
    pub(crate) async fn insert_api_key(&self, permit: &Permit, new: &NewApiKey) -> Result<(ApiKey, String)> {
        let mut tx = self.store.begin(permit).await?;
        let (key, secret) = tx.api_keys().create(new).await?;
        let entry = NewEntry::new("api_key.create", "api_key")
            .of(key.id)
            .details(json!({ "name": key.name, "scopes": key.scopes, "expires_at": key.expires_at }));
        tx.audit().append(entry).await?;
        tx.commit().await?;
        Ok((key, secret))
    }

    /// API keys in the order they were made, revoked ones included.
    pub async fn list_api_keys(&self, access: &Access, page: &PageRequest<ApiKeyId>) -> Result<Page<ApiKey>> {
        let permit = access.permit(Resource::ApiKey, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let keys = tx.api_keys().list(page).await?;
        tx.commit().await?;
        Ok(keys)
    }

    /// Ends an API key at once.
    pub async fn revoke_api_key(&self, access: &Access, id: ApiKeyId) -> Result<()> {
        let permit = access.permit(Resource::ApiKey, Action::Delete)?;
        let mut tx = self.store.begin(&permit).await?;
        let key = tx
            .api_keys()
            .revoke(id)
            .await?
            .ok_or(Error::NotFound("API key"))?;
        let entry = NewEntry::new("api_key.revoke", "api_key")
            .of(id)
            .details(json!({ "name": key.name }));
        tx.audit().append(entry).await?;
        Ok(tx.commit().await?)
    }
}
