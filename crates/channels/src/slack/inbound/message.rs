//! Slack's message object, as events and `conversations.*` give it.

use serde_json::Value;
use url::Url;

use super::read::{Read as _, instant};
use crate::inbound::{Addressing, Author, File, FileAccess, Message, Place, PlaceKind};
use crate::slack::mrkdwn;

/// Whom an event is about: the app, and its own user in that workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Us {
    /// The app's id.
    pub app: Option<String>,
    /// The id of the app's own user.
    pub user: Option<String>,
    /// The id of the app as an author. Events do not tell; a connection does.
    pub bot: Option<String>,
    /// The workspace.
    pub team: Option<String>,
}

impl Us {
    /// Whether a program or user is Amebo itself.
    pub(super) fn wrote(&self, message: &Value) -> bool {
        let same = |ours: &Option<String>, pointer| {
            ours.as_deref()
                .is_some_and(|ours| message.text(pointer) == Some(ours))
        };
        same(&self.user, "/user")
            || same(&self.bot, "/bot_id")
            || (message.text("/bot_id").is_some()
                && (same(&self.app, "/app_id") || same(&self.app, "/bot_profile/app_id")))
    }
}

/// What is said, rather than noted by Slack.
const SPOKEN: [&str; 5] = [
    "file_share",
    "thread_broadcast",
    "me_message",
    "bot_message",
    "document_mention",
];

/// Reads a message object; `None` without a `ts`, which is its id. `mention` says that the event itself is a mention of Amebo.
pub fn read(message: &Value, place: Place, us: &Us, mention: bool) -> Option<Message> {
    let id = message.string("/ts")?;
    let thread = message.string("/thread_ts").filter(|root| *root != id);
    let text = message.string("/text").unwrap_or_default();
    let subtype = message.string("/subtype");
    let author = author(message, &place, us);
    let spoken = match subtype.as_deref() {
        None => true,
        Some(subtype) => SPOKEN.contains(&subtype),
    };
    let addressed = if author.is_person() && spoken {
        addressed(message, &text, &place, thread.is_some(), us, mention)
    } else {
        Addressing::Overheard
    };
    Some(Message {
        plain: mrkdwn::plain(&text, us.user.as_deref()),
        files: message.items("/files").iter().filter_map(file).collect(),
        edited_at: message.text("/edited/ts").and_then(instant),
        search_token: message
            .string("/assistant_thread/action_token")
            .or_else(|| message.string("/action_token")),
        place,
        id,
        thread,
        author,
        text,
        addressed,
        spoken,
        subtype,
    })
}

fn addressed(message: &Value, text: &str, place: &Place, reply: bool, us: &Us, mention: bool) -> Addressing {
    let named = us.user.as_deref().map(|user| mrkdwn::mentions(text, user));
    if mention {
        // Named in code only, which is to quote a name and not to call it.
        return match named {
            Some(mrkdwn::Mention::InCode) => Addressing::Overheard,
            _ => Addressing::Mention,
        };
    }
    if place.kind == Some(PlaceKind::Direct) {
        return if message.pointer("/assistant_thread").is_some() {
            Addressing::Assistant
        } else {
            Addressing::Direct
        };
    }
    // The same message comes a second time as a mention, which is then the one to be answered.
    match named {
        Some(mrkdwn::Mention::Called) => Addressing::Overheard,
        _ if reply => Addressing::Thread,
        _ => Addressing::Overheard,
    }
}

fn author(message: &Value, place: &Place, us: &Us) -> Author {
    let team = ["/user_team", "/source_team", "/team"]
        .into_iter()
        .find_map(|pointer| message.string(pointer));
    Author {
        id: message.string("/user"),
        program: message
            .string("/bot_id")
            .or_else(|| message.string("/bot_profile/id"))
            .or_else(|| (message.text("/subtype") == Some("bot_message")).then(|| "unknown".to_owned())),
        is_amebo: us.wrote(message),
        foreign: place.shared && team.is_some() && team != us.team,
        team,
    }
}

/// Reads a file object; `None` without an id.
pub fn file(file: &Value) -> Option<File> {
    let url = |pointer| file.text(pointer).and_then(|url| Url::parse(url).ok());
    let mode = file.text("/mode");
    let access = if matches!(mode, Some("tombstone" | "hidden_by_limit")) {
        FileAccess::Gone
    } else if file.text("/file_access") == Some("check_file_info") {
        FileAccess::LookUp
    } else if file.says("/is_external") || mode == Some("external") {
        FileAccess::Elsewhere
    } else {
        FileAccess::Available
    };
    Some(File {
        id: file.string("/id")?,
        name: file.string("/name").or_else(|| file.string("/title")),
        media_type: file.string("/mimetype"),
        size: file.pointer("/size").and_then(Value::as_u64),
        url: url("/url_private_download").or_else(|| url("/url_private")),
        permalink: url("/permalink"),
        access,
    })
}
