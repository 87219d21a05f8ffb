//! Saying who one is: a person on Slack whose address is no member's is sent a link, and the member who follows it, signed in, and
//! confirms is that person from then on.
//!
//! The link holds a token that works once, for a quarter of an hour, for the one who asked. It is shown to that person alone, is not kept
//! but as its hash, and does nothing until the member has been told whom it would make them and has said yes.

use std::sync::Arc;

use amebo_channels::inbound::{Interaction, PlaceKind};
use amebo_channels::outbound::{Form, Reply};
use amebo_channels::slack::{self, CAPABILITIES};
use amebo_core::id::{ChannelIdentityId, Id as _, OrganizationId, UserId};
use amebo_core::permission::{Action, Resource};
use amebo_store::Permit;
use amebo_store::audit::NewEntry;
use amebo_store::job::Lease;
use serde_json::json;
use url::Url;

pub use amebo_store::channel_identity::OwnIdentity;
pub use amebo_store::channel_link::LinkedPerson;

use super::audience::is_private;
use super::token::{Workspace, call_failed};
use crate::{Access, App, Error, Result};

/// The path of the page on which a link is confirmed.
const PAGE: &str = "link-account";

impl App {
    /// Sends the link to whoever pressed the button, so that nobody else sees it.
    pub(super) async fn offer_link(
        self: &Arc<Self>,
        lease: &Lease,
        workspace: &Workspace,
        interaction: &Interaction,
    ) -> Result<()> {
        let person = interaction
            .person
            .id
            .as_deref()
            .ok_or(Error::NotFound("person on Slack"))?;
        let permit = lease.permit();
        let speaker = self
            .slack_speaker(workspace, &permit, &interaction.person)
            .await?;
        let text = if speaker.access.is_some() {
            "You are known to me already: I answer you as the member of the organization that you are."
                .to_owned()
        } else {
            let mut tx = self.store.begin(&permit).await?;
            let token = tx.channel_links().create(workspace.id, person).await?;
            tx.commit().await?;
            let url = self.link_page(permit.organization(), &token)?;
            format!(
                "[Confirm in Amebo who you are]({url}). The link works once, for 15 minutes. Pass it on to nobody: whoever confirms it \
                 is taken for you, and you for them."
            )
        };
        let payload = slack::render(&Reply::new(Form::Notice, text), &CAPABILITIES)
            .into_iter()
            .next()
            .ok_or(Error::NotFound("message"))?;
        let shared = interaction.place.as_ref().filter(|place| {
            !is_private(place) && !place.id.starts_with('D') && place.kind != Some(PlaceKind::Direct)
        });
        // It is not put into the outbox, which keeps what it sends: a repetition makes another link.
        let told = match shared {
            Some(place) => {
                workspace
                    .api
                    .post_ephemeral(&place.id, person, interaction.thread.as_deref(), &payload)
                    .await
            }
            None => match workspace.api.open_direct(person).await {
                Ok(direct) => workspace.api.post(&direct, None, &payload, None).await.map(drop),
                Err(error) => Err(error),
            },
        };
        told.map_err(|error| call_failed(&error))
    }

    /// Whom a link would make the caller.
    pub async fn channel_link(&self, access: &Access, token: &str) -> Result<LinkedPerson> {
        let (permit, _) = may_link(access)?;
        let mut tx = self.store.begin(&permit).await?;
        let person = tx.channel_links().by_token(token).await?;
        tx.commit().await?;
        person.ok_or(Error::NotFound("link that still works"))
    }

    /// Makes the caller the person who asked for a link, and uses it up.
    pub async fn confirm_channel_link(&self, access: &Access, token: &str) -> Result<LinkedPerson> {
        let (permit, user) = may_link(access)?;
        let gone = || Error::NotFound("link that still works");
        let mut tx = self.store.begin(&permit).await?;
        let person = tx.channel_links().by_token(token).await?.ok_or_else(gone)?;
        if !tx.channel_links().take(person.link).await? {
            return Err(gone());
        }
        tx.channel_identities(person.connection)
            .link(&person.external_id, user)
            .await?;
        tx.slack()
            .link_user_of(person.connection, &person.external_id, Some(user))
            .await?;
        tx.audit()
            .append(
                NewEntry::new("channel_identity.link", "channel_identity")
                    .of(person.identity)
                    .details(json!({ "channel_connection_id": person.connection, "external_id": person.external_id, "user_id": user })),
            )
            .await?;
        tx.commit().await?;
        self.slack_places.forget_all(person.connection);
        Ok(person)
    }

    /// Whom the caller said to be on channels.
    pub async fn own_channel_identities(&self, access: &Access) -> Result<Vec<OwnIdentity>> {
        let (permit, user) = may_link(access)?;
        let mut tx = self.store.begin(&permit).await?;
        let identities = tx.identities_linked_to(user).await?;
        tx.commit().await?;
        Ok(identities)
    }

    /// Ends that the caller is a person on a channel whom they said to be.
    pub async fn unlink_channel_identity(&self, access: &Access, id: ChannelIdentityId) -> Result<()> {
        let (permit, user) = may_link(access)?;
        let mut tx = self.store.begin(&permit).await?;
        let (connection, external_id) = tx
            .unlink_identity(id, user)
            .await?
            .ok_or(Error::NotFound("channel identity"))?;
        tx.slack().link_user_of(connection, &external_id, None).await?;
        tx.audit()
            .append(
                NewEntry::new("channel_identity.unlink", "channel_identity")
                    .of(id)
                    .details(json!({ "channel_connection_id": connection, "external_id": external_id, "user_id": user })),
            )
            .await?;
        tx.commit().await?;
        self.slack_places.forget_all(connection);
        Ok(())
    }

    /// The token stands behind the mark that no browser sends to a server.
    fn link_page(&self, organization: OrganizationId, token: &str) -> Result<Url> {
        let mut url = self.public_url().join(PAGE).map_err(Error::internal)?;
        url.query_pairs_mut()
            .append_pair("organization", &organization.uuid().to_string());
        url.set_fragment(Some(&format!("token={token}")));
        Ok(url)
    }
}

/// Whoever may ask may say who they are; a program is nobody on Slack.
fn may_link(access: &Access) -> Result<(Permit, UserId)> {
    let permit = access.permit(Resource::Question, Action::Create)?;
    let user = access
        .user()
        .ok_or(Error::NotAllowed("a person says who they are; an API key cannot"))?;
    Ok((permit, user))
}
