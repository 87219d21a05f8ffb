//! What Slack answers, as far as Amebo uses it. As with events, nothing is required but what the rest is worth nothing without.

use chrono::{DateTime, Utc};
use serde_json::Value;
use url::Url;

use crate::inbound::{Message, PlaceKind};
use crate::slack::inbound::Read as _;

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// What is on it; it may be empty although there is more.
    pub items: Vec<T>,
    /// What brings the next one; `None` at the end.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// The items that `read` makes of the list at `pointer`.
    pub(super) fn read(answer: &Value, pointer: &str, read: impl FnMut(&Value) -> Option<T>) -> Self {
        Self {
            items: answer.items(pointer).iter().filter_map(read).collect(),
            next: answer.string("/response_metadata/next_cursor"),
        }
    }
}

/// Who a token belongs to: `auth.test`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// The workspace's address.
    pub url: Option<Url>,
    /// The workspace's name.
    pub team_name: Option<String>,
    /// The workspace.
    pub team: Option<String>,
    /// The organisation of workspaces.
    pub enterprise: Option<String>,
    /// The user the token acts as.
    pub user: Option<String>,
    /// The same as an author of messages.
    pub bot: Option<String>,
    /// The app.
    pub app: Option<String>,
    /// Whether the token is good for the whole organisation of workspaces.
    pub org_wide: bool,
    /// What the token may do, as the answer's headers or body name it.
    pub scopes: Vec<String>,
}

impl Identity {
    pub(super) fn read(answer: &Value) -> Self {
        Self {
            url: answer.text("/url").and_then(|url| Url::parse(url).ok()),
            team_name: answer.string("/team"),
            team: answer.string("/team_id"),
            enterprise: answer.string("/enterprise_id"),
            user: answer.string("/user_id"),
            bot: answer.string("/bot_id"),
            app: answer.string("/app_id"),
            org_wide: answer.says("/is_enterprise_install"),
            scopes: Vec::new(),
        }
    }
}

/// A workspace: `team.info`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Team {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// The first part of its address.
    pub domain: Option<String>,
    /// The domains of e-mail addresses that are its members'.
    pub email_domains: Vec<String>,
    /// The organisation of workspaces that it belongs to.
    pub enterprise: Option<String>,
}

impl Team {
    pub(super) fn read(team: &Value) -> Option<Self> {
        Some(Self {
            id: team.string("/id")?,
            name: team.string("/name"),
            domain: team.string("/domain"),
            email_domains: team
                .text("/email_domain")
                .into_iter()
                .flat_map(|domains| domains.split(','))
                .map(|domain| domain.trim().to_owned())
                .filter(|domain| !domain.is_empty())
                .collect(),
            enterprise: team.string("/enterprise_id"),
        })
    }

    /// Where people read a message, without asking Slack. `thread` is the message that its thread hangs on.
    pub fn permalink(&self, place: &str, message: &str, thread: Option<&str>) -> Option<Url> {
        let domain = self.domain.as_deref()?;
        permalink(&format!("https://{domain}.slack.com"), place, message, thread)
    }
}

/// Where people read a message of the workspace at `base`, such as `https://acme.slack.com`.
pub fn permalink(base: &str, place: &str, message: &str, thread: Option<&str>) -> Option<Url> {
    let mut url = Url::parse(base).ok()?;
    let id: String = message.chars().filter(char::is_ascii_digit).collect();
    url.path_segments_mut()
        .ok()?
        .clear()
        .extend(["archives", place, &format!("p{id}")]);
    if let Some(thread) = thread.filter(|thread| *thread != message) {
        url.query_pairs_mut()
            .append_pair("thread_ts", thread)
            .append_pair("cid", place);
    }
    Some(url)
}

/// A place: a channel, a group or a direct conversation.
#[expect(clippy::struct_excessive_bools, reason = "independent facts about a place")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Its id.
    pub id: String,
    /// Its name; direct conversations have none.
    pub name: Option<String>,
    /// What it is for, as its members put it.
    pub purpose: Option<String>,
    /// What kind of place it is.
    pub kind: PlaceKind,
    /// Whether it is closed.
    pub archived: bool,
    /// Whether it is the one that every member is in.
    pub general: bool,
    /// Whether Amebo is in it.
    pub member: bool,
    /// Whether people of other companies are, or are about to be, in it.
    pub shared: bool,
    /// How many people are in it.
    pub members: Option<u64>,
    /// When it was made.
    pub created: Option<DateTime<Utc>>,
    /// The workspace it belongs to.
    pub team: Option<String>,
    /// The other person in a direct conversation.
    pub person: Option<String>,
    /// Ids that it went by before.
    pub previous_names: Vec<String>,
}

impl Conversation {
    pub(super) fn read(place: &Value) -> Option<Self> {
        let kind = if place.says("/is_im") {
            PlaceKind::Direct
        } else if place.says("/is_mpim") {
            PlaceKind::Group
        } else if place.says("/is_private") || place.says("/is_group") {
            PlaceKind::Private
        } else {
            PlaceKind::Public
        };
        Some(Self {
            id: place.string("/id")?,
            name: place.string("/name"),
            purpose: place.string("/purpose/value"),
            kind,
            archived: place.says("/is_archived"),
            general: place.says("/is_general"),
            member: place.says("/is_member") || kind == PlaceKind::Direct,
            shared: place.says("/is_ext_shared") || place.says("/is_pending_ext_shared"),
            members: place.pointer("/num_members").and_then(Value::as_u64),
            created: place
                .pointer("/created")
                .and_then(Value::as_i64)
                .and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
            team: place
                .string("/context_team_id")
                .or_else(|| place.string("/shared_team_ids/0")),
            person: place.string("/user"),
            previous_names: place.strings("/previous_names"),
        })
    }
}

/// A message as `conversations.history` and `conversations.replies` give it.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryMessage {
    /// The message.
    pub message: Message,
    /// The name a program gave itself.
    pub username: Option<String>,
    /// How many replies there are in the thread that hangs on it.
    pub replies: u64,
    /// The last of those replies.
    pub latest_reply: Option<String>,
    /// The id that Amebo gave it when it was sent.
    pub delivery: Option<String>,
}
