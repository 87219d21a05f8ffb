//! Accounts: signing up, one's own profile and password.

use amebo_core::id::{OrganizationId, UserId};
use amebo_core::organization::Plan;
use amebo_store::{Membership, NewOrganization, NewUser, Origin, Person, ThrottleSubject, User};
use secrecy::SecretString;

use super::Fields;
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

/// A person as they see themselves.
#[derive(Debug, Clone)]
pub struct Account {
    /// The person.
    pub user: User,
    /// Where they belong.
    pub memberships: Vec<Membership>,
}

impl App {
    /// Adds a person and an organisation that they own.
    pub async fn sign_up(&self, sign_up: &SignUp, origin: &Origin) -> Result<SignedUp> {
        if !self.identity.sign_up {
            return Err(Error::NotAllowed(
                "this server is not open for sign-up; ask for an invitation",
            ));
        }
        let mut fields = Fields::default();
        let email = fields.email("/email", &sign_up.email);
        let name = fields.name("/name", &sign_up.name, 200);
        let organization = fields.name("/organization", &sign_up.organization, 200);
        fields.password("/password", &sign_up.password, &email);
        fields.finish()?;
        // Whether an address has an account can be learnt here and only here, so trying many is slowed down as guessing passwords is.
        let address = ThrottleSubject::Address(&origin.address);
        self.attempt(&[address]).await?;
        let password_hash = Some(self.passwords.hash(&sign_up.password).await?);
        let mut tx = self.store.begin_system().await?;
        let new = NewUser {
            email,
            name,
            password_hash,
            is_superadmin: false,
        };
        let user = tx.users().insert(&new).await.map_err(taken)?;
        let new = NewOrganization {
            name: organization,
            owner: user,
            plan: Plan::Free,
        };
        let organization = tx.organizations().create(&new).await?;
        tx.throttles().forgive(address).await?;
        tx.commit().await?;
        Ok(SignedUp { user, organization })
    }

    /// A person's own account.
    pub async fn account(&self, person: &Person) -> Result<Account> {
        let mut tx = self.store.begin_system().await?;
        let user = tx.users().by_id(person.user).await?;
        let memberships = tx.users().memberships(person.user).await?;
        tx.commit().await?;
        Ok(Account {
            user: user.ok_or(Error::NotFound("account"))?,
            memberships,
        })
    }

    /// Renames oneself.
    pub async fn rename_account(&self, person: &Person, name: &str) -> Result<()> {
        let mut fields = Fields::default();
        let name = fields.name("/name", name, 200);
        fields.finish()?;
        let mut tx = self.store.begin_system().await?;
        tx.users().rename(person.user, &name).await?;
        Ok(tx.commit().await?)
    }

    /// Changes one's own password, which signs out every other device. Who has none yet need not prove one.
    pub async fn change_password(
        &self,
        person: &Person,
        current: Option<&SecretString>,
        new: &SecretString,
        origin: &Origin,
    ) -> Result<()> {
        let mut tx = self.store.begin_system().await?;
        let user = tx.users().by_id(person.user).await?;
        tx.commit().await?;
        let user = user.ok_or(Error::NotFound("account"))?;
        let mut fields = Fields::default();
        fields.password("/new_password", new, &user.email);
        fields.finish()?;
        let account = ThrottleSubject::Account(&user.email);
        if let Some(hash) = &user.password_hash {
            let wrong = || Error::invalid("/current_password", "this is not your current password");
            let current = current.ok_or_else(wrong)?;
            self.attempt(&[account]).await?;
            if !self.passwords.verify(current, Some(hash)).await? {
                return Err(wrong());
            }
        }
        let hash = self.passwords.hash(new).await?;
        let mut tx = self.store.begin_system().await?;
        tx.throttles().forgive(account).await?;
        tx.users().set_password(user.id, &hash).await?;
        tx.devices().revoke_all(user.id, Some(person.device)).await?;
        tx.account_links().revoke_all(user.id).await?;
        tx.commit().await?;
        tracing::info!(user = %user.id, address = origin.address, "password changed");
        Ok(())
    }
}

/// The address of a new account is somebody's already.
pub(super) fn taken(error: amebo_store::Error) -> Error {
    if error.is_conflict_on("users_email_key") {
        Error::Conflict("there is already an account with this address; sign in instead".to_owned())
    } else {
        error.into()
    }
}
