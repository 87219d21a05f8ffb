//! Searching a workspace live, for connections that store nothing: `assistant.search.context`.

use serde_json::Value;
use url::Url;

use super::Workspace;
use super::call::{Arguments, CallError};
use super::method::Method;
use super::model::Page;
use crate::slack::inbound::Read as _;

/// What to search.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchQuery {
    /// The words.
    pub query: String,
    /// What came with the message that is being answered: it searches with that person's eyes.
    pub token: String,
    /// What the page before said.
    pub cursor: Option<String>,
    /// How many at most, up to 20.
    pub limit: Option<usize>,
    /// Nothing before this time, in seconds since 1970.
    pub after: Option<i64>,
}

/// A message that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The place.
    pub place: String,
    /// The place's name.
    pub place_name: Option<String>,
    /// The message.
    pub message: String,
    /// Who wrote it.
    pub author: Option<String>,
    /// Their name.
    pub author_name: Option<String>,
    /// Its words, in mrkdwn.
    pub text: String,
    /// Where it can be read.
    pub permalink: Option<Url>,
}

impl Workspace {
    /// Searches messages in open places, one page.
    pub async fn search(&self, query: &SearchQuery) -> Result<Page<Found>, CallError> {
        let arguments = Arguments::new()
            .with("query", query.query.as_str())
            .with("action_token", query.token.as_str())
            .with("content_types", vec!["messages"])
            .with("channel_types", vec!["public_channel"])
            .with_some("limit", query.limit)
            .with_some("after", query.after)
            .with_some("cursor", query.cursor.as_deref());
        let answer: Value = self.call(Method::SearchContext, arguments).await?;
        Ok(Page::read(&answer, "/results/messages", |found| {
            Some(Found {
                place: found.string("/channel_id")?,
                place_name: found.string("/channel_name"),
                message: found.string("/message_ts")?,
                author: found.string("/author_user_id"),
                author_name: found.string("/author_name"),
                text: found.string("/content").unwrap_or_default(),
                permalink: found.text("/permalink").and_then(|url| Url::parse(url).ok()),
            })
        }))
    }
}
