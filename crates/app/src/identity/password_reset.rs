//! Choosing a new password without the old one.
//!
//! Only the owner of the mailbox or the platform's operator can start this. An organisation's administrators cannot: the person may
//! belong to other organisations too.

use amebo_core::id::UserId;
use amebo_store::{LinkPurpose, Origin, ThrottleSubject};
use secrecy::SecretString;
use url::Url;

use super::Fields;
use crate::mail::Letter;
use crate::{App, Error, Result};

impl App {
    /// Mails a link to whoever has this address. Says nothing about whether anybody has.
    pub async fn request_password_reset(&self, email: &str, origin: &Origin) -> Result<()> {
        if !self.mailer.is_configured() {
            return Err(Error::NotAllowed(
                "this server sends no mail; ask its operator for a link to choose a new password",
            ));
        }
        let mut fields = Fields::default();
        let email = fields.email("/email", email);
        fields.finish()?;
        self.attempt(&[
            ThrottleSubject::Address(&origin.address),
            ThrottleSubject::PasswordReset(&email),
        ])
        .await?;
        let mut tx = self.store.begin_system().await?;
        let user = tx.users().by_email(&email).await?;
        let user = user.filter(|user| user.is_active);
        let token = match &user {
            Some(user) => Some(
                tx.account_links()
                    .create(user.id, LinkPurpose::PasswordReset)
                    .await?,
            ),
            None => None,
        };
        tx.commit().await?;
        if let (Some(user), Some(token)) = (user, token) {
            let link = self.link("/reset-password", &token);
            // In the background: how long it takes must not tell that there is an account.
            self.mailer.send_later(
                user.email,
                Letter::PasswordReset {
                    name: user.name,
                    link,
                },
            );
        }
        Ok(())
    }

    /// A link with which a person chooses a new password; for the operator, who hands it over.
    pub(crate) async fn password_link_for(&self, user: UserId) -> Result<Url> {
        let mut tx = self.store.begin_system().await?;
        if tx.users().by_id(user).await?.is_none() {
            return Err(Error::NotFound("user"));
        }
        let token = tx
            .account_links()
            .create(user, LinkPurpose::PasswordReset)
            .await?;
        tx.commit().await?;
        Ok(self.link("/reset-password", &token))
    }

    /// A link with which the person of this address chooses a new password; for the terminal of the machine Amebo runs on.
    pub async fn password_link(&self, email: &str) -> Result<Url> {
        let mut tx = self.store.begin_system().await?;
        let user = tx.users().by_email(email).await?;
        tx.commit().await?;
        self.password_link_for(user.ok_or(Error::NotFound("account"))?.id)
            .await
    }

    /// Uses a link up: sets the password and signs out every device.
    pub async fn reset_password(&self, token: &str, password: &SecretString, origin: &Origin) -> Result<()> {
        let mut fields = Fields::default();
        fields.password("/password", password, "");
        fields.finish()?;
        let address = ThrottleSubject::Address(&origin.address);
        self.attempt(&[address]).await?;
        let hash = self.passwords.hash(password).await?;
        let mut tx = self.store.begin_system().await?;
        let user = tx
            .account_links()
            .take(token, LinkPurpose::PasswordReset)
            .await?
            .ok_or(Error::Unauthenticated(
                "this link has been used or has expired; ask for a new one",
            ))?;
        let account = tx.users().by_id(user).await?.ok_or(Error::NotFound("account"))?;
        // Refusing here drops the transaction, so the link still works.
        let mut fields = Fields::default();
        fields.password("/password", password, &account.email);
        fields.finish()?;
        tx.users().set_password(user, &hash).await?;
        tx.devices().revoke_all(user, None).await?;
        tx.account_links().revoke_all(user).await?;
        tx.throttles().forgive(address).await?;
        tx.throttles()
            .forgive(ThrottleSubject::Account(&account.email))
            .await?;
        tx.commit().await?;
        tracing::info!(%user, address = origin.address, "password reset");
        Ok(())
    }
}
