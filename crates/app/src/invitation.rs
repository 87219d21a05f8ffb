//! Inviting people, and accepting.
//!
//! An invitation carries the authority of whoever made it, at the moment it is accepted: it is worth nothing once they lost theirs.

use amebo_core::id::InvitationId;
use amebo_core::page::{Page, PageRequest};
use amebo_core::permission::{Action, Resource, Role};
use amebo_store::audit::NewEntry;
use amebo_store::branding::SocialLink;
use amebo_store::{Access, NewUser, OpenInvitation, Origin, RequestOrigin, ThrottleSubject};
use secrecy::SecretString;
use serde_json::json;
use url::Url;

use crate::identity::{Fields, Session};
use crate::mail::{Delivery, Letter};
use crate::member::{confer, role_permissions};
use crate::{App, Error, Result};

pub use amebo_store::Invitation;

/// A new invitation with its link.
#[derive(Debug)]
pub struct Invited {
    /// The invitation.
    pub invitation: Invitation,
    /// To be handed over when no letter goes out; shown once.
    pub link: Url,
    /// What became of the letter.
    pub delivery: Delivery,
}

/// An invitation as whoever holds its link sees it.
#[derive(Debug)]
pub struct InvitationPreview {
    /// The organisation's name.
    pub organization: String,
    /// Who is invited.
    pub email: String,
    /// What they will be.
    pub role: Role,
    /// Whether they have an account, so that they prove its password rather than choose one.
    pub has_account: bool,
    /// The organisation's public profiles.
    pub social_links: Vec<SocialLink>,
}

/// What a link leads to.
struct Opened {
    invitation: OpenInvitation,
    /// Whether the invited address has an account.
    has_account: bool,
    social_links: Vec<SocialLink>,
}

/// What somebody answers to an invitation.
#[derive(Debug)]
pub struct Acceptance {
    /// From the link.
    pub token: String,
    /// Their name; needed by those who have no account.
    pub name: Option<String>,
    /// The password of their account, or of the one to be made.
    pub password: SecretString,
}

impl App {
    /// Invites somebody. An earlier invitation to the same address stops working.
    pub async fn create_invitation(&self, access: &Access, email: &str, role: Role) -> Result<Invited> {
        let permit = access.permit(Resource::Invitation, Action::Create)?;
        let mut fields = Fields::default();
        let email = fields.email("/email", email);
        fields.finish()?;
        let mut tx = self.store.begin(&permit).await?;
        tx.members().lock().await?;
        confer(access, role, &role_permissions(&mut tx, role).await?)?;
        if tx.members().has_email(&email).await? {
            return Err(Error::Conflict(
                "somebody with this address is a member already".to_owned(),
            ));
        }
        let places = tx.members().count().await? + tx.invitations().count_open().await?;
        within_plan(access.limits().members, places)?;
        let (invitation, token) = tx.invitations().create(&email, role, access.member()).await?;
        let inviter = tx.members().get(access.member()).await?;
        let organization = tx.organizations().current().await?.name;
        let entry = NewEntry::new("invitation.create", "invitation")
            .of(invitation.id)
            .details(json!({ "email": email, "role": role }));
        tx.audit().append(entry).await?;
        tx.commit().await?;
        let link = self.link("/accept-invitation", &token);
        let letter = Letter::Invitation {
            inviter: inviter.map_or_else(|| organization.clone(), |inviter| inviter.name),
            organization,
            link: link.clone(),
        };
        let delivery = self.mailer.send(&email, &letter).await;
        Ok(Invited {
            invitation,
            link,
            delivery,
        })
    }

    /// Invitations in the order they were made.
    pub async fn list_invitations(
        &self,
        access: &Access,
        page: &PageRequest<InvitationId>,
    ) -> Result<Page<Invitation>> {
        let permit = access.permit(Resource::Invitation, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let invitations = tx.invitations().list(page).await?;
        tx.commit().await?;
        Ok(invitations)
    }

    /// Takes an invitation back; its link stops working.
    pub async fn revoke_invitation(&self, access: &Access, id: InvitationId) -> Result<()> {
        let permit = access.permit(Resource::Invitation, Action::Delete)?;
        let mut tx = self.store.begin(&permit).await?;
        let revoked = tx
            .invitations()
            .delete(id)
            .await?
            .ok_or(Error::NotFound("invitation"))?;
        let entry = NewEntry::new("invitation.revoke", "invitation")
            .of(id)
            .details(json!({ "email": revoked.email, "role": revoked.role }));
        tx.audit().append(entry).await?;
        Ok(tx.commit().await?)
    }

    /// What a link leads to, for whoever holds it.
    pub async fn preview_invitation(&self, token: &str, origin: &Origin) -> Result<InvitationPreview> {
        let Opened {
            invitation,
            has_account,
            social_links,
        } = self.open_invitation(token, origin).await?;
        Ok(InvitationPreview {
            organization: invitation.organization_name,
            email: invitation.email,
            role: invitation.role,
            has_account,
            social_links,
        })
    }

    /// Accepts an invitation: makes the account or proves the password of the one there is, takes the place, and signs in.
    pub async fn accept_invitation(
        &self,
        acceptance: &Acceptance,
        origin: &Origin,
        request: RequestOrigin,
    ) -> Result<Session> {
        let Opened {
            invitation,
            has_account,
            ..
        } = self.open_invitation(&acceptance.token, origin).await?;
        let session = if has_account {
            self.sign_in(&invitation.email, &acceptance.password, origin)
                .await?
        } else {
            self.create_invited(&invitation, acceptance, origin).await?
        };
        let gone = || Error::NotFound("invitation");
        let inviter = self
            .store
            .access_of_user(invitation.inviter, invitation.organization)
            .await?
            .ok_or_else(gone)?;
        inviter
            .permit(Resource::Invitation, Action::Create)
            .map_err(|_| gone())?;
        let mut tx = self
            .store
            .begin(&invitation.permit(session.user, request))
            .await?;
        tx.members().lock().await?;
        let permissions = role_permissions(&mut tx, invitation.role).await?;
        confer(&inviter, invitation.role, &permissions).map_err(|_| gone())?;
        within_plan(inviter.limits().members, tx.members().count().await?)?;
        tx.invitations().delete(invitation.id).await?.ok_or_else(gone)?;
        let member = tx
            .members()
            .insert(session.user, invitation.role)
            .await
            .map_err(|error| {
                if error.is_conflict_on("organization_members_organization_id_user_id_key") {
                    Error::Conflict("you are a member already".to_owned())
                } else {
                    error.into()
                }
            })?;
        let entry = NewEntry::new("invitation.accept", "member")
            .of(member)
            .details(json!({ "role": invitation.role, "invited_by": invitation.inviter }));
        tx.audit().append(entry).await?;
        tx.commit().await?;
        Ok(session)
    }

    async fn open_invitation(&self, token: &str, origin: &Origin) -> Result<Opened> {
        let address = ThrottleSubject::Address(&origin.address);
        self.attempt(&[address]).await?;
        let mut tx = self.store.begin_system().await?;
        let invitation = tx
            .invitations()
            .by_token(token)
            .await?
            .ok_or(Error::NotFound("invitation"))?;
        tx.throttles().forgive(address).await?;
        let has_account = tx.users().by_email(&invitation.email).await?.is_some();
        let social_links = tx.branding().social_links(invitation.organization).await?;
        tx.commit().await?;
        Ok(Opened {
            invitation,
            has_account,
            social_links,
        })
    }

    async fn create_invited(
        &self,
        invitation: &OpenInvitation,
        acceptance: &Acceptance,
        origin: &Origin,
    ) -> Result<Session> {
        let mut fields = Fields::default();
        let name = fields.name("/name", acceptance.name.as_deref().unwrap_or_default(), 200);
        fields.password("/password", &acceptance.password, &invitation.email);
        fields.finish()?;
        let new = NewUser {
            email: invitation.email.clone(),
            name,
            password_hash: Some(self.passwords.hash(&acceptance.password).await?),
            is_superadmin: false,
        };
        let mut tx = self.store.begin_system().await?;
        let user = tx.users().insert(&new).await.map_err(|error| {
            if error.is_conflict_on("users_email_key") {
                Error::Conflict(
                    "there is an account with this address now; accept with its password".to_owned(),
                )
            } else {
                error.into()
            }
        })?;
        let session = self.open_session(&mut tx, user, origin).await?;
        tx.commit().await?;
        Ok(session)
    }
}

fn within_plan(limit: u64, taken: u64) -> Result<()> {
    if taken < limit {
        Ok(())
    } else {
        Err(Error::QuotaExceeded {
            metric: "members",
            limit,
        })
    }
}
