//! Signing in and out: a device, its refresh tokens, its access tokens.

use amebo_core::id::{TokenFamilyId, UserId};
use amebo_store::{Device, Issued, LinkPurpose, Origin, Person, Rotation, SystemTx, ThrottleSubject};
use secrecy::SecretString;

use crate::{App, Error, Result};

/// A signed-in device's credentials, to be handed over once.
#[derive(Debug, Clone)]
pub struct Session {
    /// The person.
    pub user: UserId,
    /// The device.
    pub device: TokenFamilyId,
    /// Serves 30 minutes.
    pub access_token: String,
    /// Yields the next session, once.
    pub refresh_token: String,
    /// What a browser's pages send along with its cookies.
    pub csrf_token: String,
}

impl App {
    /// Signs a person in with a password.
    ///
    /// Attempts are counted by account and by address before the password is looked at. The answer and the time it takes are the
    /// same whether the account does not exist, is shut out, or has another password.
    pub async fn sign_in(&self, email: &str, password: &SecretString, origin: &Origin) -> Result<Session> {
        let (address, account) = (
            ThrottleSubject::Address(&origin.address),
            ThrottleSubject::Account(email),
        );
        self.attempt(&[address, account]).await?;
        let mut tx = self.store.begin_system().await?;
        let user = tx.users().by_email(email).await?;
        tx.commit().await?;
        let hash = user.as_ref().and_then(|user| user.password_hash.as_deref());
        let matches = self.passwords.verify(password, hash).await?;
        let user = user
            .filter(|user| matches && user.is_active)
            .ok_or(Error::Unauthenticated("the address or the password is wrong"))?;
        let mut tx = self.store.begin_system().await?;
        tx.throttles().forgive(address).await?;
        tx.throttles().forgive(account).await?;
        let session = self.open_session(&mut tx, user.id, origin).await?;
        tx.commit().await?;
        Ok(session)
    }

    /// Signs a person in with a link that works once.
    pub async fn sign_in_with_link(&self, token: &str, origin: &Origin) -> Result<Session> {
        self.attempt(&[ThrottleSubject::Address(&origin.address)]).await?;
        let mut tx = self.store.begin_system().await?;
        let user =
            tx.account_links()
                .take(token, LinkPurpose::SignIn)
                .await?
                .ok_or(Error::Unauthenticated(
                    "this link has been used or has expired; ask for a new one",
                ))?;
        tx.throttles()
            .forgive(ThrottleSubject::Address(&origin.address))
            .await?;
        let session = self.open_session(&mut tx, user, origin).await?;
        tx.commit().await?;
        Ok(session)
    }

    /// Exchanges a refresh token for the next session. A token that was used before signs its device out.
    pub async fn refresh(&self, refresh_token: &str, origin: &Origin) -> Result<Session> {
        let mut tx = self.store.begin_system().await?;
        let rotation = tx.devices().rotate(refresh_token, origin).await?;
        tx.commit().await?;
        match rotation {
            Rotation::Renewed(issued) => self.session(issued),
            Rotation::Reused(device) => {
                tracing::warn!(%device, "a refresh token was used twice; its device is signed out");
                Err(Error::Unauthenticated(
                    "this refresh token was used before, so its device has been signed out; sign in again",
                ))
            }
            Rotation::Refused => Err(Error::Unauthenticated(
                "the refresh token is not valid; sign in again",
            )),
        }
    }

    /// The device a refresh token belongs to.
    pub async fn device_of(&self, refresh_token: &str) -> Result<Option<TokenFamilyId>> {
        let mut tx = self.store.begin_system().await?;
        let device = tx.devices().of_token(refresh_token).await?;
        tx.commit().await?;
        Ok(device)
    }

    /// Whether this is what our pages send along with the cookies of a device.
    pub fn csrf_is_of(&self, token: &str, device: TokenFamilyId) -> bool {
        self.tokens.csrf_is_of(token, device)
    }

    /// The devices on which a person is signed in, newest first.
    pub async fn list_devices(&self, person: &Person) -> Result<Vec<Device>> {
        let mut tx = self.store.begin_system().await?;
        let devices = tx.devices().list(person.user).await?;
        tx.commit().await?;
        Ok(devices)
    }

    /// Signs a person out on one of their devices, at once.
    pub async fn sign_out(&self, person: &Person, device: TokenFamilyId) -> Result<()> {
        let mut tx = self.store.begin_system().await?;
        let was_signed_in = tx.devices().revoke(person.user, device).await?;
        tx.commit().await?;
        if was_signed_in {
            Ok(())
        } else {
            Err(Error::NotFound("device"))
        }
    }

    pub(crate) async fn open_session(
        &self,
        tx: &mut SystemTx,
        user: UserId,
        origin: &Origin,
    ) -> Result<Session> {
        tx.users().signed_in(user).await?;
        self.session(tx.devices().create(user, origin).await?)
    }

    fn session(&self, issued: Issued) -> Result<Session> {
        Ok(Session {
            user: issued.user,
            device: issued.device,
            access_token: self.tokens.issue_access(issued.user, issued.device)?,
            refresh_token: issued.refresh_token,
            csrf_token: self.tokens.csrf(issued.device),
        })
    }

    /// Counts an attempt for each subject and refuses it when one of them has had too many.
    pub(crate) async fn attempt(&self, subjects: &[ThrottleSubject<'_>]) -> Result<()> {
        let mut tx = self.store.begin_system().await?;
        let mut blocked = None;
        for &subject in subjects {
            blocked = blocked.max(tx.throttles().attempt(subject).await?);
        }
        tx.commit().await?;
        match blocked {
            None => Ok(()),
            Some(until) => Err(Error::RateLimited {
                after: (until - self.environment().now()).to_std().unwrap_or_default(),
            }),
        }
    }
}
