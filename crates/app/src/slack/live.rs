//! Searching a workspace live, for connections that keep nothing of what is said there.
//!
//! Slack searches with the eyes of whoever wrote, proved by what came with their message, and only what an answer for them alone needs:
//! what is found goes into no channel, no index and no store.

use std::sync::Arc;

use amebo_channels::inbound::Message;
use amebo_channels::outcome::Outcome;
use amebo_channels::slack::api::{Found, SearchQuery};
use amebo_channels::slack::mrkdwn;
use amebo_store::job::Lease;

use super::converse::{Addressed, Readers};
use super::token::Workspace;
use crate::ask::live::LivePassage;
use crate::{App, Result};

/// How many messages are looked at; the platform gives no more at once.
const MOST: usize = 20;

/// What allows searching on behalf of whoever wrote.
pub(super) fn token_of(message: &Message) -> Option<String> {
    message.search_token.clone()
}

impl App {
    /// What a workspace holds on a question, as far as the asker may see it and nobody else reads the answer.
    pub(super) async fn search_slack(
        self: &Arc<Self>,
        lease: &Lease,
        workspace: &Workspace,
        said: &Addressed,
    ) -> Result<Vec<LivePassage>> {
        if !workspace.settings.searches_live || said.readers != Readers::Asker {
            return Ok(Vec::new());
        }
        let Some(token) = said.search_token.clone() else {
            return Ok(Vec::new());
        };
        let query = SearchQuery {
            query: said.text.clone(),
            token,
            limit: Some(MOST),
            ..SearchQuery::default()
        };
        match workspace.api.search(&query).await {
            Ok(page) => Ok(page
                .items
                .into_iter()
                .filter_map(|found| self.live_passage(found))
                .collect()),
            Err(error) => {
                let told = match &error.outcome {
                    outcome if outcome.is_repeatable() => None,
                    Outcome::PermissionMissing { .. } => error.outcome.remedy(),
                    _ => Some(format!(
                        "Slack does not offer live search in this workspace ({}), so nothing that is said there is found.",
                        error.code().unwrap_or_default()
                    )),
                };
                if let Some(reason) = told {
                    let mut tx = self.store.begin(&lease.permit()).await?;
                    tx.channel_connections().note_error(workspace.id, &reason).await?;
                    tx.commit().await?;
                }
                // What is written down elsewhere may hold an answer all the same.
                Ok(Vec::new())
            }
        }
    }

    fn live_passage(&self, found: Found) -> Option<LivePassage> {
        let content = mrkdwn::plain(&found.text, None);
        let place = found.place_name.unwrap_or(found.place);
        (!content.trim().is_empty()).then(|| LivePassage {
            document: self.environment().id(),
            title: match found.author_name {
                Some(author) => format!("#{place}, {author}"),
                None => format!("#{place}"),
            },
            content,
            url: found.permalink,
        })
    }
}
