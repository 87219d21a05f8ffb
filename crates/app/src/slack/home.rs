//! Amebo's own page in Slack.

use std::sync::Arc;

use amebo_channels::inbound::Author;
use amebo_channels::slack::outbound::{Home, RecentQuestion, SyncedPlace, home};
use amebo_core::channel::ConnectionStatus;
use amebo_core::document::Reader;
use amebo_core::slack::SlackChannelKind;
use amebo_store::Permit;
use amebo_store::answer::Verdict;
use amebo_store::job::Lease;
use amebo_store::slack::{Following, SlackChannel};
use chrono::TimeDelta;

use super::person::Speaker;
use super::reply;
use super::token::{Workspace, call_failed};
use crate::{App, Error, Result};

/// How many recent questions are shown.
const RECENT: u32 = 5;
/// How many questions are suggested.
const SUGGESTED: usize = 3;
/// How many often-asked questions are looked at for those.
const LOOKED_AT: u32 = 20;
/// How long ago a question may have been asked to be suggested.
const ASKED_WITHIN: TimeDelta = TimeDelta::days(60);

impl App {
    /// Questions that others asked and that were answered from what `reader` may see, all of it.
    pub(super) async fn suggested_questions(&self, permit: &Permit, reader: &Reader) -> Result<Vec<String>> {
        let since = self.environment().now() - ASKED_WITHIN;
        let mut tx = self.store.begin(permit).await?;
        let mut suggested = Vec::new();
        for id in tx.questions().often_asked(since, LOOKED_AT).await? {
            let question = tx.questions().by_id(id, reader).await?;
            let answered = question.filter(|question| {
                question.answer.as_ref().is_some_and(|answer| {
                    !answer.redacted && matches!(answer.content.verdict, Verdict::Answered { .. })
                })
            });
            suggested.extend(answered.map(|question| question.text));
            if suggested.len() == SUGGESTED {
                break;
            }
        }
        tx.commit().await?;
        Ok(suggested)
    }

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
        let followed = tx.slack().followed_for(workspace.id, who).await?;
        tx.commit().await?;
        let recent = asked
            .into_iter()
            .map(|question| RecentQuestion {
                outcome: match question.answer.map(|answer| answer.content.verdict) {
                    Some(Verdict::Answered { .. }) => "answered",
                    Some(Verdict::Declined { .. }) => "not answered: nothing written down carries an answer",
                    Some(Verdict::Escalated { .. }) => "handed to a person",
                    Some(Verdict::Failed { stopped: true, .. }) => "stopped",
                    Some(Verdict::Failed { stopped: false, .. }) => "failed",
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
            groups: groups(&followed),
            places: followed
                .iter()
                .map(|(channel, following)| SyncedPlace {
                    place: channel.described.external.clone(),
                    state: state(channel, following),
                })
                .collect(),
            settings: settings(workspace, &speaker),
            can_link: speaker.access.is_none() && speaker.reader.is_some(),
            dashboard: speaker.access.is_some().then(|| self.public_url().clone()),
        });
        match workspace.api.publish_home(who, &view, revision).await {
            // A newer page is there already.
            Err(error) if error.code() == Some("hash_conflict") => Ok(()),
            done => done.map_err(|error| call_failed(&error)),
        }
    }
}

/// How far a channel has been read, in words.
fn state(channel: &SlackChannel, following: &Following) -> String {
    match (&following.error, following.backfilled_at, following.reconciled_at) {
        (Some(problem), _, _) => format!("cannot be read: {problem}"),
        (None, None, _) => format!("is being read: {} messages so far", following.backfill_messages),
        (None, Some(_), _) if channel.described.is_archived => "is archived, and read to its end".to_owned(),
        (None, Some(_), Some(compared)) => {
            format!(
                "is read as it goes on, last compared on {}",
                compared.format("%Y-%m-%d")
            )
        }
        (None, Some(_), None) => "is read as it goes on".to_owned(),
    }
}

/// How far each kind of channels is, in a sentence each.
fn groups(followed: &[(SlackChannel, Following)]) -> Vec<String> {
    let kinds = [
        ("Public channels", SlackChannelKind::Public),
        ("Private channels", SlackChannelKind::Private),
    ];
    let mut sentences = Vec::new();
    for (name, kind) in kinds {
        let of_kind = || {
            followed
                .iter()
                .filter(|(channel, _)| channel.described.kind == kind)
                .map(|(_, following)| following)
        };
        let all = of_kind().count();
        if all == 0 {
            continue;
        }
        let broken = of_kind().filter(|following| following.error.is_some()).count();
        let open = of_kind()
            .filter(|following| following.error.is_none() && following.backfilled_at.is_none())
            .count();
        let read = all - broken - open;
        sentences.push(format!(
            "{name}: {read} read, {open} being read, {broken} with a problem."
        ));
    }
    sentences
}

/// What holds for somebody here, in a sentence each.
fn settings(workspace: &Workspace, speaker: &Speaker) -> Vec<String> {
    let mut sentences = vec![
        "A mention is answered in its thread, from what everybody there may know. /ask, direct messages and questions from this page are \
         answered for you alone."
            .to_owned(),
    ];
    sentences.push(
        match (&speaker.access, &speaker.reader) {
            (Some(_), _) => "You are known to me as a member of the organization.",
            (None, Some(Reader::Machine)) => {
                "You are no member of the organization here, but count as a colleague: I answer from what all members may know."
            }
            (None, Some(_)) => {
                "I do not know you as a member of the organization, so I answer from what is public. If you have an account in Amebo, \
                 link it."
            }
            (None, None) => reply::SUSPENDED,
        }
        .to_owned(),
    );
    if workspace.settings.searches_live {
        sentences.push(
            "Nothing that is said in this workspace is kept: ask me directly, and I search it live with your eyes.".to_owned(),
        );
    }
    sentences
}
