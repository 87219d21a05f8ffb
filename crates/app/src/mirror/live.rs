//! Following what happens in a connected workspace, event by event.

use amebo_channels::inbound::{Event, FileChange, Place, PlaceChange};
use amebo_core::id::ChannelConnectionId;
use amebo_store::OrgTx;
use amebo_store::Permit;
use amebo_store::slack::{NewSlackChannel, SlackChannel};
use chrono::TimeDelta;

use super::compose::Compose;
use super::file::FetchFiles;
use super::follow::{FollowChannel, FollowWorkspace};
use super::said::{of_message, of_person, time, title};
use crate::{App, Result};

/// How long a document waits for what is said next.
const SETTLES: TimeDelta = TimeDelta::seconds(10);

impl App {
    /// Keeps the mirror in step with an event; what does not concern it changes nothing, and the same event twice changes nothing twice.
    pub(crate) async fn mirror_event(
        &self,
        permit: &Permit,
        connection: ChannelConnectionId,
        event: &Event,
    ) -> Result<()> {
        match event {
            Event::Message(message) => {
                let Some(kept) = of_message(message) else {
                    return Ok(());
                };
                self.mirrored(permit, connection, &message.place, async |tx, channel| {
                    tx.slack().put_messages(channel.id, &[kept]).await?;
                    self.compose_soon(tx, channel).await
                })
                .await
            }
            Event::MessageChanged(change) => {
                let kept = of_message(&change.message).filter(|_| !change.removed);
                let Some(ts) = time(&change.message.id).filter(|_| change.is_rewording()) else {
                    return Ok(());
                };
                self.mirrored(permit, connection, &change.message.place, async |tx, channel| {
                    match kept {
                        Some(kept) => tx.slack().put_messages(channel.id, &[kept]).await?,
                        None => tx.slack().delete_messages(channel.id, &[ts]).await?,
                    };
                    self.compose_soon(tx, channel).await
                })
                .await
            }
            Event::MessageDeleted { place, message, .. } => {
                let Some(ts) = time(message) else { return Ok(()) };
                self.mirrored(permit, connection, place, async |tx, channel| {
                    tx.slack().delete_messages(channel.id, &[ts]).await?;
                    self.compose_soon(tx, channel).await
                })
                .await
            }
            Event::Membership {
                place,
                person,
                joined,
            } => {
                let Some(person) = person.id.clone() else {
                    return Ok(());
                };
                self.known(permit, connection, place, async |tx, channel| {
                    if *joined {
                        tx.slack().add_members(channel.id, &[person]).await?;
                        // Somebody new is not known by name yet.
                        tx.jobs().push(FollowWorkspace::now(connection)).await?;
                    } else {
                        tx.slack().remove_member(channel.id, &person).await?;
                    }
                    Ok(())
                })
                .await
            }
            Event::PersonChanged(person) => {
                let Some(user) = of_person(person) else {
                    return Ok(());
                };
                let mut tx = self.store.begin(permit).await?;
                for source in tx.slack().sources_of(connection).await? {
                    tx.slack().put_users(source, std::slice::from_ref(&user)).await?;
                }
                Ok(tx.commit().await?)
            }
            Event::FileChanged { file, change } => {
                let mut tx = self.store.begin(permit).await?;
                match change {
                    // What is shared comes with a message.
                    FileChange::Shared => {}
                    FileChange::Deleted => {
                        tx.slack().delete_file(connection, file).await?;
                    }
                    FileChange::Changed => {
                        for channel in tx.slack().renew_file(connection, file).await? {
                            tx.jobs().push(FetchFiles::job(channel)).await?;
                        }
                    }
                    // Which messages have it no more is not told.
                    FileChange::Unshared => {
                        for channel in tx.slack().channels_with_file(connection, file).await? {
                            tx.jobs()
                                .push(FollowChannel::reconcile(connection, channel))
                                .await?;
                        }
                    }
                }
                Ok(tx.commit().await?)
            }
            Event::PlaceChanged { place, change } => {
                self.mirror_place(permit, connection, place, change).await
            }
            Event::EventsMissed { .. } => {
                let mut tx = self.store.begin(permit).await?;
                for channel in tx.slack().followed_by(connection).await? {
                    tx.jobs()
                        .push(FollowChannel::reconcile(connection, channel.id))
                        .await?;
                }
                Ok(tx.commit().await?)
            }
            _ => Ok(()),
        }
    }

    async fn mirror_place(
        &self,
        permit: &Permit,
        connection: ChannelConnectionId,
        place: &Place,
        change: &PlaceChange,
    ) -> Result<()> {
        if matches!(
            change,
            PlaceChange::Created { .. } | PlaceChange::VisibilityChanged
        ) {
            let mut tx = self.store.begin(permit).await?;
            if !tx.slack().sources_of(connection).await?.is_empty() {
                tx.jobs().push(FollowWorkspace::now(connection)).await?;
            }
            return Ok(tx.commit().await?);
        }
        self.known(permit, connection, place, async |tx, channel| {
            let described = |change: &dyn Fn(&mut NewSlackChannel)| {
                let mut described = channel.described.clone();
                change(&mut described);
                described
            };
            let changed = match change {
                PlaceChange::Renamed { name } => {
                    described(&|new| new.name = title(name.as_deref(), &new.external))
                }
                PlaceChange::Archived => described(&|new| new.is_archived = true),
                PlaceChange::Unarchived => described(&|new| new.is_archived = false),
                PlaceChange::Shared => described(&|new| new.is_shared = true),
                PlaceChange::Unshared => described(&|new| new.is_shared = false),
                PlaceChange::Moved { to } => {
                    tx.slack().rename_channel(channel.id, to).await?;
                    return Ok(());
                }
                PlaceChange::Left => {
                    let reason =
                        "Amebo is not in this channel any more. Invite it again to follow what is said.";
                    tx.slack().reconciled(channel.id, Some(reason)).await?;
                    return Ok(());
                }
                PlaceChange::Deleted => {
                    tx.slack().delete_channel(channel.id).await?;
                    return Ok(());
                }
                PlaceChange::HistoryChanged => {
                    tx.jobs()
                        .push(FollowChannel::reconcile(connection, channel.id))
                        .await?;
                    return Ok(());
                }
                PlaceChange::Created { .. } | PlaceChange::VisibilityChanged => return Ok(()),
            };
            tx.slack().put_channels(channel.source, &[changed]).await?;
            Ok(())
        })
        .await
    }

    /// Does something to a channel that the connection follows, if it does.
    async fn known(
        &self,
        permit: &Permit,
        connection: ChannelConnectionId,
        place: &Place,
        change: impl AsyncFnOnce(&mut OrgTx, &SlackChannel) -> Result<()>,
    ) -> Result<()> {
        let mut tx = self.store.begin(permit).await?;
        let Some(channel) = tx.slack().followed(connection, &place.id).await? else {
            return Ok(());
        };
        change(&mut tx, &channel).await?;
        Ok(tx.commit().await?)
    }

    /// The same for a channel in which what is said is kept.
    async fn mirrored(
        &self,
        permit: &Permit,
        connection: ChannelConnectionId,
        place: &Place,
        change: impl AsyncFnOnce(&mut OrgTx, &SlackChannel) -> Result<()>,
    ) -> Result<()> {
        self.known(permit, connection, place, async |tx, channel| {
            if tx.slack().hold_selected(channel.id).await? {
                change(tx, channel).await?;
            }
            Ok(())
        })
        .await
    }

    async fn compose_soon(&self, tx: &mut OrgTx, channel: &SlackChannel) -> Result<()> {
        let time = self.environment().now() + SETTLES;
        tx.jobs().push(Compose::job(channel.id).at(time)).await?;
        Ok(())
    }
}
