//! Who somebody on Slack is: a member of the organisation, or somebody outside.

use std::sync::Arc;

use amebo_channels::inbound::{Author, Person};
use amebo_channels::slack::api::CallError;
use amebo_core::channel::Standing;
use amebo_core::document::Reader;
use amebo_store::Permit;
use amebo_store::channel_identity::{ChannelIdentity, Profile, Who};
use chrono::TimeDelta;

use super::token::Workspace;
use crate::{Access, App, Error, Result};

/// After how long Slack is asked again who somebody is.
const KNOWN_FOR: TimeDelta = TimeDelta::hours(24);

/// Somebody who says something to Amebo.
#[derive(Debug, Clone)]
pub(super) struct Speaker {
    pub(super) identity: ChannelIdentity,
    /// What they may do as a member. A member who was suspended has none.
    pub(super) access: Option<Access>,
    /// Through whose eyes they see documents; `None` for a member who was suspended.
    pub(super) reader: Option<Reader>,
    /// Why they count as a stranger for the time being, where Slack may tell later who they are.
    pub(super) untold: Option<CallError>,
}

impl App {
    /// Who wrote, as far as it is known or Slack tells.
    pub(super) async fn slack_speaker(
        self: &Arc<Self>,
        workspace: &Workspace,
        permit: &Permit,
        author: &Author,
    ) -> Result<Speaker> {
        let external_id = author.id.as_deref().ok_or(Error::NotFound("person on Slack"))?;
        let (identity, untold) = self
            .slack_identity(workspace, permit, external_id, author.foreign)
            .await?;
        let access = match identity.who {
            Who::Member(user) => self.store.access_of_user(user, permit.organization()).await?,
            Who::Contact(_) => None,
        };
        let reader = match identity.who {
            Who::Member(_) => access.as_ref().map(|access| access.reader().clone()),
            Who::Contact(_) => Some(reader_of_contact(workspace, &identity)),
        };
        Ok(Speaker {
            identity,
            access,
            reader,
            untold,
        })
    }

    /// A person's identity; Slack is asked about those not known, or not lately. When Slack cannot tell, what was known stays, and
    /// somebody it never told of is a stranger for the time being, with the reason where it may tell later.
    pub(super) async fn slack_identity(
        self: &Arc<Self>,
        workspace: &Workspace,
        permit: &Permit,
        external_id: &str,
        foreign: bool,
    ) -> Result<(ChannelIdentity, Option<CallError>)> {
        let mut tx = self.store.begin(permit).await?;
        let known = tx
            .channel_identities(workspace.id)
            .of(&[external_id.to_owned()])
            .await?
            .pop();
        tx.commit().await?;
        let now = self.environment().now();
        if let Some(known) = &known
            && now - known.checked_at < KNOWN_FOR
            && (!foreign || known.standing == Standing::Stranger)
        {
            return Ok((known.clone(), None));
        }
        let (told, untold) = match workspace.api.person(external_id).await {
            Ok(person) => (Some(person), None),
            Err(error) => {
                tracing::warn!(
                    connection = %workspace.id,
                    error = &error as &dyn std::error::Error,
                    "Slack did not tell who somebody is"
                );
                (None, Some(error).filter(|error| error.outcome.is_repeatable()))
            }
        };
        if told.is_none()
            && let Some(known) = known
        {
            // Whoever is from another company is a stranger whatever Slack tells.
            let untold = untold.filter(|_| !known.is_told() && !foreign);
            return Ok((known, untold));
        }
        let told = (told.as_ref(), foreign);
        let identity = self
            .keep_slack_identity(workspace, permit, external_id, told, untold.is_none())
            .await?;
        Ok((identity, untold.filter(|_| !foreign)))
    }

    /// Keeps what Slack told of a person, or that it told nothing.
    pub(super) async fn keep_slack_identity(
        &self,
        workspace: &Workspace,
        permit: &Permit,
        external_id: &str,
        (told, foreign): (Option<&Person>, bool),
        is_told: bool,
    ) -> Result<ChannelIdentity> {
        let profile = Profile {
            external_id,
            display_name: told.and_then(|person| person.name.as_deref()),
            email: told.and_then(|person| person.email.as_deref()),
            email_is_verified: told.and_then(|person| person.email_confirmed) == Some(true),
            standing: match told {
                Some(person) if !foreign => standing(person),
                _ => Standing::Stranger,
            },
            is_told,
        };
        let mut tx = self.store.begin(permit).await?;
        let identity = tx.channel_identities(workspace.id).keep(&profile).await?;
        tx.commit().await?;
        Ok(identity)
    }
}

/// Through whose eyes somebody without a place in the organisation sees documents.
fn reader_of_contact(workspace: &Workspace, identity: &ChannelIdentity) -> Reader {
    if workspace.settings.people_are_colleagues && identity.standing == Standing::Colleague {
        Reader::Machine
    } else {
        Reader::Outsider
    }
}

/// What the workspace says somebody is. A closed account gives no rights any more.
pub(super) fn standing(person: &Person) -> Standing {
    if person.is_program {
        Standing::Bot
    } else if person.foreign || person.deactivated {
        Standing::Stranger
    } else if person.guest {
        Standing::Guest
    } else {
        Standing::Colleague
    }
}
