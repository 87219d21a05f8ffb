//! Who calls: sign-up, sign-in, tokens.

mod password;
mod token;

use amebo_core::id::{OrganizationId, UserId};
use amebo_core::organization::Plan;
use amebo_store::{Access, NewOrganization, NewUser};
use secrecy::SecretString;

pub use password::Passwords;
pub use token::AccessTokens;

use crate::{App, Error, Result};

/// What somebody fills in to start using Amebo.
#[derive(Debug)]
pub struct SignUp {
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// At least 12 characters.
    pub password: SecretString,
    /// The company they start.
    pub organization: String,
}

/// A new person with their new organisation.
#[derive(Debug, Clone, Copy)]
pub struct SignedUp {
    /// The person.
    pub user: UserId,
    /// The organisation they own.
    pub organization: OrganizationId,
}

impl App {
    /// Adds a person and an organisation that they own.
    pub async fn sign_up(&self, sign_up: &SignUp) -> Result<SignedUp> {
        let password_hash = Some(self.passwords.hash(&sign_up.password).await?);
        let mut tx = self.store.begin_system().await?;
        let new = NewUser {
            email: sign_up.email.clone(),
            name: sign_up.name.clone(),
            password_hash,
            is_superadmin: false,
        };
        let user = tx.users().insert(&new).await.map_err(|error| {
            if error.is_conflict_on("users_email_key") {
                Error::Conflict("there is already an account with this address; sign in instead".to_owned())
            } else {
                error.into()
            }
        })?;
        let new = NewOrganization {
            name: sign_up.organization.clone(),
            owner: user,
            plan: Plan::Free,
        };
        let organization = tx.organizations().create(&new).await?;
        tx.commit().await?;
        Ok(SignedUp { user, organization })
    }

    /// Makes an access token for a person who proved a password.
    pub async fn sign_in(&self, email: &str, password: &SecretString) -> Result<String> {
        let mut tx = self.store.begin_system().await?;
        let user = tx.users().by_email(email).await?;
        tx.commit().await?;
        let hash = user.as_ref().and_then(|user| user.password_hash.as_deref());
        let matches = self.passwords.verify(password, hash).await?;
        let user = user
            .filter(|user| matches && user.is_active)
            .ok_or(Error::Unauthenticated("the address or the password is wrong"))?;
        self.access_tokens.issue(user.id)
    }

    /// The person an access token was made for.
    pub fn authenticate(&self, token: &str) -> Result<UserId> {
        self.access_tokens.verify(token)
    }

    /// Proof of what a person may do in an organisation. Somebody else's organisation does not exist for them.
    pub async fn access(&self, user: UserId, organization: OrganizationId) -> Result<Access> {
        let mut tx = self.store.begin_system().await?;
        let access = tx.users().access(user, organization).await?;
        tx.commit().await?;
        access.ok_or(Error::NotFound("organization"))
    }
}
