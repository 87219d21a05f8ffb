//! The people, channels and memberships of a workspace.

use std::sync::Arc;

use amebo_channels::slack::api::{PlaceFilter, Workspace};
use amebo_core::id::ChannelConnectionId;
use amebo_core::job::Priority;
use amebo_store::job::{Handler, Lease, NewJob, Outcome, Task};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::channel::FollowChannel;
use super::{LISTING, Stop};
use crate::App;
use crate::mirror::said::{of_person, of_place};

/// When a workspace is gone through again.
const NIGHTLY: TimeDelta = TimeDelta::hours(24);

/// Bring people, channels and memberships of a workspace in step, and see that each channel is read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FollowWorkspace {
    /// The connection.
    pub connection: ChannelConnectionId,
    /// Whether it is the daily round rather than an occasion between.
    #[serde(default)]
    pub daily: bool,
}

impl Task for FollowWorkspace {
    const KIND: &'static str = "slack.follow_workspace";
    const PRIORITY: Priority = Priority::Bulk;
}

impl FollowWorkspace {
    /// As soon as possible.
    pub fn now(connection: ChannelConnectionId) -> NewJob {
        Self::of(connection, false)
    }

    /// The daily round.
    fn daily(connection: ChannelConnectionId) -> NewJob {
        Self::of(connection, true)
    }

    fn of(connection: ChannelConnectionId, daily: bool) -> NewJob {
        NewJob::of(&Self { connection, daily }).unique(format!("{connection}:{daily}"))
    }
}

/// Handles [`FollowWorkspace`].
#[derive(Debug, Clone)]
pub struct FollowWorkspaceHandler(pub Arc<App>);

impl Handler for FollowWorkspaceHandler {
    type Task = FollowWorkspace;

    async fn run(&self, task: FollowWorkspace, lease: Lease) -> Outcome {
        let ended = tokio::select! {
            () = lease.stopped() => return Outcome::Cancelled,
            ended = self.0.follow_workspace(&lease, task.connection) => ended,
        };
        match ended {
            Ok(()) => Outcome::Done,
            Err(Stop::Over) => self.come_back(&lease, task.connection, None).await,
            Err(Stop::Wait(wait)) => Outcome::Snooze(wait),
            Err(Stop::Refused(reason)) => self.come_back(&lease, task.connection, Some(&reason)).await,
            // One bad night is not to be the last round.
            Err(Stop::Failed(error)) if lease.is_last_attempt() => {
                self.come_back(&lease, task.connection, Some(&error.to_string()))
                    .await
            }
            Err(Stop::Failed(error)) => Outcome::retry(error),
        }
    }
}

impl FollowWorkspaceHandler {
    /// Ends a round that could not be gone; there is another tomorrow if Slack refused this one, for this reason, or if something is to be
    /// forgotten one day.
    async fn come_back(
        &self,
        lease: &Lease,
        connection: ChannelConnectionId,
        refusal: Option<&str>,
    ) -> Outcome {
        let app = &self.0;
        let permit = lease.permit();
        let ended = async {
            if refusal.is_none() && !app.has_to_forget(&permit, connection).await? {
                return Ok(());
            }
            let mut tx = app.store.begin(&permit).await?;
            if let Some(reason) = refusal {
                tx.channel_connections().note_error(connection, reason).await?;
            }
            if tx.jobs().complete(lease).await? {
                let next = FollowWorkspace::daily(connection).at(app.environment().now() + NIGHTLY);
                tx.jobs().push(next).await?;
                tx.commit().await?;
            }
            Ok::<_, amebo_store::Error>(())
        };
        match ended.await {
            Ok(()) => Outcome::Done,
            Err(error) => Outcome::retry(error),
        }
    }
}

impl App {
    async fn follow_workspace(
        self: &Arc<Self>,
        lease: &Lease,
        connection: ChannelConnectionId,
    ) -> Result<(), Stop> {
        let permit = lease.permit();
        self.forget_what_is_old(&permit, connection).await?;
        let followed = self.followed(&permit, connection).await?;
        let api = followed.api.clone().with_patience(LISTING);
        let mut cursor = None;
        loop {
            let page = api.people(cursor.as_deref()).await?;
            let users: Vec<_> = page.items.iter().filter_map(of_person).collect();
            let mut tx = self.store.begin(&permit).await?;
            tx.slack().put_users(followed.source, &users).await?;
            tx.commit().await?;
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let everything = PlaceFilter {
            private: true,
            archived: true,
            joined: false,
        };
        loop {
            let page = api.conversations(everything, cursor.as_deref()).await?;
            // What Amebo is not in and cannot come into by itself is not shown.
            let places: Vec<_> = page.items.iter().filter_map(of_place).collect();
            let mut tx = self.store.begin(&permit).await?;
            let ids = tx.slack().put_channels(followed.source, &places).await?;
            let chosen: Vec<_> = places
                .iter()
                .filter_map(|place| {
                    let is_new_public = followed.choice.follow_new_public_channels
                        && place.kind == amebo_core::slack::SlackChannelKind::Public
                        && !place.is_archived
                        && !place.is_shared;
                    Some((*ids.get(&place.external)?, is_new_public))
                })
                .collect();
            tx.slack().follow(connection, followed.source, &chosen).await?;
            tx.commit().await?;
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let mut tx = self.store.begin(&permit).await?;
        tx.channel_connections().listed(connection).await?;
        tx.commit().await?;
        self.follow_channels(lease, connection, &api).await
    }

    /// Brings the members of the chosen channels in step, and has each read.
    async fn follow_channels(
        &self,
        lease: &Lease,
        connection: ChannelConnectionId,
        api: &Workspace,
    ) -> Result<(), Stop> {
        let permit = lease.permit();
        let mut tx = self.store.begin(&permit).await?;
        let channels = tx.slack().followed_by(connection).await?;
        tx.commit().await?;
        for channel in channels {
            let mut tx = self.store.begin(&permit).await?;
            let following = tx.slack().following(channel.id).await?;
            tx.commit().await?;
            let Some(following) = following.filter(|following| following.is_selected) else {
                continue;
            };
            let members = match members(api, &channel.described.external).await {
                Err(Stop::Refused(reason)) => {
                    self.note_slack_refusal(&permit, channel.id, &reason).await?;
                    continue;
                }
                members => members?,
            };
            let mut tx = self.store.begin(&permit).await?;
            tx.slack().set_members(channel.id, &members).await?;
            let job = if following.backfilled_at.is_some() {
                FollowChannel::reconcile(connection, channel.id)
            } else {
                FollowChannel::backfill(connection, channel.id)
            };
            tx.jobs().push(job).await?;
            tx.commit().await?;
        }
        let mut tx = self.store.begin(&permit).await?;
        if tx.jobs().complete(lease).await? {
            let next = FollowWorkspace::daily(connection).at(self.environment().now() + NIGHTLY);
            tx.jobs().push(next).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

/// Everybody in a channel.
async fn members(api: &Workspace, channel: &str) -> Result<Vec<String>, Stop> {
    let (mut members, mut cursor) = (Vec::new(), None);
    loop {
        let page = api.members(channel, cursor.as_deref()).await?;
        members.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(members);
        }
    }
}
