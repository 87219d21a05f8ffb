//! Amebo's own page in Slack.

use std::sync::Arc;

use amebo_channels::inbound::Author;
use amebo_channels::slack::outbound::{Home, RecentQuestion, home};
use amebo_core::answer::Outcome;
use amebo_core::channel::ConnectionStatus;
use amebo_store::job::Lease;

use super::token::{Workspace, call_failed};
use crate::{App, Error, Result};

/// How many recent questions are shown.
const RECENT: u32 = 5;

impl App {
    /// Shows somebody the page: what they asked lately, and what stands in the way.
    pub(super) async fn show_home(
        self: &Arc<Self>,
        lease: &Lease,
        workspace: &Workspace,
        person: &Author,
        revision: Option<&str>,
    ) -> Result<()> {
        let who = person.id.as_deref().ok_or(Error::NotFound("person on Slack"))?;
        let permit = lease.permit();
        let speaker = self.slack_speaker(workspace, &permit, person).await?;
        let mut tx = self.store.begin(&permit).await?;
        let organization = tx.organizations().current().await?;
        let connection = tx.channel_connections().by_id(workspace.id).await?;
        let asked = match &speaker.reader {
            Some(reader) => {
                tx.questions()
                    .asked_by_identity(speaker.identity.id, reader, RECENT)
                    .await?
            }
            None => Vec::new(),
        };
        tx.commit().await?;
        let recent = asked
            .into_iter()
            .map(|question| RecentQuestion {
                outcome: match question.answer.map(|answer| answer.content.verdict.outcome()) {
                    Some(Outcome::Answered) => "answered",
                    Some(Outcome::Declined) => "not answered: nothing written down carries an answer",
                    Some(Outcome::Escalated) => "handed to a person",
                    Some(Outcome::Failed) => "failed",
                    None => "being answered",
                }
                .to_owned(),
                text: question.text,
                asked_at: question.created_at,
                url: None,
            })
            .collect();
        let view = home(&Home {
            organization: organization.name,
            problem: connection
                .filter(|known| known.status == ConnectionStatus::NeedsAttention)
                .and_then(|known| known.status_reason),
            recent,
            places: Vec::new(),
            dashboard: speaker.access.is_some().then(|| self.public_url().clone()),
        });
        match workspace.api.publish_home(who, &view, revision).await {
            // A newer page is there already.
            Err(error) if error.code() == Some("hash_conflict") => Ok(()),
            done => done.map_err(|error| call_failed(&error)),
        }
    }
}
