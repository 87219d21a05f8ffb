//! The first administrator: how an empty installation is entered.

use amebo_core::organization::Plan;
use amebo_store::{LinkPurpose, NewOrganization, NewUser};
use url::Url;

use super::Fields;
use super::account::taken;
use crate::{App, Result};

impl App {
    /// A link that signs the first administrator in, once, within a day.
    ///
    /// On an empty database this makes the person (platform operator, and owner of an organisation of the given name). As long as they
    /// have never signed in, each call makes a new link; after that there is none.
    pub async fn first_administrator_link(&self, email: &str, organization: &str) -> Result<Option<Url>> {
        let mut fields = Fields::default();
        let email = fields.email("/email", email);
        let organization = fields.name("/organization", organization, 200);
        fields.finish()?;
        let mut tx = self.store.begin_system().await?;
        let administrator = if tx.users().is_empty().await? {
            let new = NewUser {
                email,
                name: "Administrator".to_owned(),
                password_hash: None,
                is_superadmin: true,
            };
            let user = tx.users().insert(&new).await.map_err(taken)?;
            let new = NewOrganization {
                name: organization,
                owner: user,
                plan: Plan::Enterprise,
            };
            tx.organizations().create(&new).await?;
            Some(user)
        } else {
            tx.users()
                .first_superadmin()
                .await?
                .filter(|user| user.last_login_at.is_none() && user.password_hash.is_none())
                .map(|user| user.id)
        };
        let token = match administrator {
            Some(user) => Some(tx.account_links().create(user, LinkPurpose::SignIn).await?),
            None => None,
        };
        tx.commit().await?;
        Ok(token.map(|token| self.link("/sign-in", &token)))
    }
}
