//! Places, who is in them, and what was said there.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::call::{Arguments, CallError};
use super::messages::DELIVERY_EVENT;
use super::method::Method;
use super::model::{Conversation, HistoryMessage, Page};
use super::{Regime, Workspace, budget};
use crate::inbound::{Place, PlaceKind};
use crate::outbound::Draft;
use crate::slack::inbound::{Read as _, Us, read_message};

/// Which places to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaceFilter {
    /// Private ones too; those that Amebo is in.
    pub private: bool,
    /// Closed ones too.
    pub archived: bool,
    /// Only those that Amebo is in. Costs less.
    pub joined: bool,
}

/// Which messages to read, newest first. Times are ids of messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Nothing older than this message.
    pub oldest: Option<String>,
    /// Nothing newer than this message.
    pub latest: Option<String>,
    /// Whether those two count as well.
    pub inclusive: bool,
    /// What the page before said.
    pub cursor: Option<String>,
    /// How many messages at most; as many as the limits allow where absent.
    pub limit: Option<usize>,
}

/// How many a page of messages holds where the limits are the ordinary ones. Slack recommends no more than 200.
const PAGE: usize = 200;

impl Workspace {
    /// The workspace's places, one page. `cursor` is what the page before said.
    pub async fn conversations(
        &self,
        filter: PlaceFilter,
        cursor: Option<&str>,
    ) -> Result<Page<Conversation>, CallError> {
        let types = if filter.private {
            "public_channel,private_channel"
        } else {
            "public_channel"
        };
        let method = if filter.joined {
            Method::UsersConversations
        } else {
            Method::ConversationList
        };
        let arguments = Arguments::new()
            .with("types", types)
            .with("exclude_archived", !filter.archived)
            .with("limit", PAGE)
            .with_some("cursor", cursor)
            .with_some("team_id", self.team.as_deref());
        let answer: Value = self.call(method, arguments).await?;
        let mut page = Page::read(&answer, "/channels", Conversation::read);
        if filter.joined {
            // There it goes without saying.
            for place in &mut page.items {
                place.member = true;
            }
        }
        Ok(page)
    }

    /// One place.
    pub async fn conversation(&self, place: &str) -> Result<Conversation, CallError> {
        let arguments = Arguments::new()
            .with("channel", place)
            .with("include_num_members", true);
        let answer: Value = self.call(Method::ConversationInfo, arguments).await?;
        conversation_in(Method::ConversationInfo, &answer)
    }

    /// Who is in a place, by id, one page.
    pub async fn members(&self, place: &str, cursor: Option<&str>) -> Result<Page<String>, CallError> {
        let arguments = Arguments::new()
            .with("channel", place)
            .with("limit", PAGE)
            .with_some("cursor", cursor);
        let answer: Value = self.call(Method::ConversationMembers, arguments).await?;
        Ok(Page::read(&answer, "/members", |id| {
            id.as_str().map(str::to_owned)
        }))
    }

    /// Goes into an open place.
    pub async fn join(&self, place: &str) -> Result<Conversation, CallError> {
        let answer: Value = self
            .call(Method::ConversationJoin, Arguments::new().with("channel", place))
            .await?;
        conversation_in(Method::ConversationJoin, &answer)
    }

    /// The direct conversation with a person, which is made if there is none.
    pub async fn open_direct(&self, person: &str) -> Result<String, CallError> {
        let answer: Value = self
            .call(Method::ConversationOpen, Arguments::new().with("users", person))
            .await?;
        answer
            .string("/channel/id")
            .ok_or_else(|| unexpected(Method::ConversationOpen, "a channel"))
    }

    /// What was said in a place, replies in threads left out, newest first, one page.
    pub async fn history(
        &self,
        place: &str,
        query: &HistoryQuery,
    ) -> Result<Page<HistoryMessage>, CallError> {
        self.messages(Method::History, place, Arguments::new(), query)
            .await
    }

    /// A thread, its first message included, oldest first, one page.
    pub async fn replies(
        &self,
        place: &str,
        thread: &str,
        query: &HistoryQuery,
    ) -> Result<Page<HistoryMessage>, CallError> {
        self.messages(Method::Replies, place, Arguments::new().with("ts", thread), query)
            .await
    }

    /// Looks for a message of ours by the id it was sent with. `since` is when it was first sent.
    pub(super) async fn find_delivery(
        &self,
        place: &str,
        thread: Option<&str>,
        delivery: &str,
        since: DateTime<Utc>,
    ) -> Result<Option<String>, CallError> {
        self.find(place, thread, since, |item| {
            item.delivery.as_deref() == Some(delivery)
        })
        .await
    }

    /// Looks for a draft: it bears the id it was sent with or, being a stream, which cannot be given one, is the message of ours that
    /// bears none.
    pub(super) async fn find_draft(&self, draft: &Draft) -> Result<Option<String>, CallError> {
        let is_ours = |item: &HistoryMessage| {
            draft.is_stream
                && item.delivery.is_none()
                && draft.author.is_some()
                && item.message.author.id == draft.author
        };
        self.find(&draft.place, draft.thread.as_deref(), draft.since, |item| {
            item.delivery.as_deref() == Some(draft.key.as_str()) || is_ours(item)
        })
        .await
    }

    async fn find(
        &self,
        place: &str,
        thread: Option<&str>,
        since: DateTime<Utc>,
        is_it: impl Fn(&HistoryMessage) -> bool,
    ) -> Result<Option<String>, CallError> {
        let mut query = HistoryQuery {
            // Clocks differ a little.
            oldest: Some(format!("{}.000000", since.timestamp() - 60)),
            inclusive: true,
            ..HistoryQuery::default()
        };
        loop {
            let page = match thread {
                Some(thread) => self.replies(place, thread, &query).await?,
                None => self.history(place, &query).await?,
            };
            if let Some(found) = page.items.into_iter().find(&is_it) {
                return Ok(Some(found.message.id));
            }
            if page.next.is_none() || page.next == query.cursor {
                return Ok(None);
            }
            query.cursor = page.next;
        }
    }

    async fn messages(
        &self,
        method: Method,
        place: &str,
        arguments: Arguments,
        query: &HistoryQuery,
    ) -> Result<Page<HistoryMessage>, CallError> {
        let most = match self.regime() {
            Regime::Restricted => budget::RESTRICTED_PAGE,
            Regime::Ordinary | Regime::Unknown => PAGE,
        };
        let limit = query.limit.unwrap_or(most).clamp(1, most);
        let arguments = arguments
            .with("channel", place)
            .with("limit", limit)
            .with("include_all_metadata", true)
            .with("inclusive", query.inclusive)
            .with_some("oldest", query.oldest.as_deref())
            .with_some("latest", query.latest.as_deref())
            .with_some("cursor", query.cursor.as_deref());
        let answer: Value = self.call(method, arguments).await?;
        let shown = answer.items("/messages").len();
        let page = Page::read(&answer, "/messages", |message| {
            self.history_message(place, message)
        });
        let more = page.next.is_some() || answer.says("/has_more");
        // A thread's first message comes with every page of it.
        let got = if method == Method::Replies {
            shown.saturating_sub(1)
        } else {
            shown
        };
        self.api.budgets.saw_page(&self.account, limit, got, more);
        Ok(page)
    }

    fn history_message(&self, place: &str, value: &Value) -> Option<HistoryMessage> {
        let kind = place.starts_with('D').then_some(PlaceKind::Direct);
        let place = Place {
            id: place.to_owned(),
            kind,
            shared: false,
        };
        let us = Us {
            team: self.team.clone(),
            ..Us::default()
        };
        Some(HistoryMessage {
            message: read_message(value, place, &us, false)?,
            username: value
                .string("/username")
                .or_else(|| value.string("/bot_profile/name")),
            replies: value.pointer("/reply_count").and_then(Value::as_u64).unwrap_or(0),
            latest_reply: value.string("/latest_reply"),
            delivery: value
                .string("/metadata/event_payload/delivery")
                .filter(|_| value.text("/metadata/event_type") == Some(DELIVERY_EVENT)),
        })
    }
}

fn conversation_in(method: Method, answer: &Value) -> Result<Conversation, CallError> {
    answer
        .pointer("/channel")
        .and_then(Conversation::read)
        .ok_or_else(|| unexpected(method, "a channel"))
}

pub(super) fn unexpected(method: Method, missing: &str) -> CallError {
    use crate::Outcome;
    use crate::outcome::Failure;
    CallError {
        method: method.as_str(),
        outcome: Outcome::Refused(Failure {
            code: "unexpected_answer".to_owned(),
            details: vec![format!("the answer lacks {missing}")],
        }),
    }
}

/// What marks a message as ours.
pub(super) fn delivery_metadata(delivery: &str) -> Value {
    json!({ "event_type": DELIVERY_EVENT, "event_payload": { "delivery": delivery } })
}
