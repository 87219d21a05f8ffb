//! A message as Slack writes it (in exports, in `conversations.history` and in events alike), and what is kept of it.

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// A message as Slack writes it, as far as it is looked at. Fields: the Web API reference, `message` event.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Raw {
    #[serde(rename = "type")]
    kind: Option<String>,
    subtype: Option<String>,
    user: Option<String>,
    bot_id: Option<String>,
    text: Option<String>,
    ts: Option<String>,
    thread_ts: Option<String>,
    reply_count: Option<u64>,
    latest_reply: Option<String>,
    hidden: Option<bool>,
    edited: Option<Edited>,
    files: Option<Vec<RawFile>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Edited {
    ts: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct RawFile {
    id: Option<String>,
    name: Option<String>,
    title: Option<String>,
    mimetype: Option<String>,
    size: Option<u64>,
    mode: Option<String>,
    permalink: Option<String>,
    url_private_download: Option<String>,
    url_private: Option<String>,
}

/// What a person said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// When; its id within the channel.
    pub ts: Timestamp,
    /// The message that begins its thread: itself for a message that has replies, `None` outside threads.
    pub thread: Option<Timestamp>,
    /// Who, as Slack's user id.
    pub user: String,
    /// In mrkdwn, as Slack escapes it.
    pub text: String,
    /// Files that came with it.
    pub files: Vec<Attached>,
    /// When it was last edited.
    pub edited: Option<Timestamp>,
    /// When it was last replied to, for a message that begins a thread, where Slack says so.
    pub latest_reply: Option<Timestamp>,
}

/// A file that came with a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// Slack's id.
    pub id: String,
    /// Its title, or its name when it has none.
    pub name: String,
    /// Its media type as Slack says.
    pub media_type: Option<String>,
    /// Its size in bytes as Slack says.
    pub size_bytes: Option<u64>,
    /// Its page in Slack.
    pub link: Option<String>,
    /// Where an export says that its bytes are; with a token, so it is not kept with the message.
    #[serde(skip)]
    pub address: Option<String>,
}

impl LeftOut {
    /// The reason's stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Notice => "notice",
            Self::Empty => "empty",
            Self::Malformed => "malformed",
        }
    }
}

/// Why a message is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeftOut {
    /// An app wrote it.
    Bot,
    /// Slack wrote it: somebody joined, a topic was set, a message was removed.
    Notice,
    /// It has neither text nor files.
    Empty,
    /// It has no author or no usable timestamp.
    Malformed,
}

impl Raw {
    /// When it was posted, if it says so in a usable way.
    pub fn ts(&self) -> Option<Timestamp> {
        self.ts.as_deref()?.parse().ok()
    }

    /// What is kept of it. `is_bot` tells which users are apps.
    pub fn read(self, is_bot: impl Fn(&str) -> bool) -> Result<Message, LeftOut> {
        if self.kind.as_deref().is_some_and(|kind| kind != "message") || self.hidden == Some(true) {
            return Err(LeftOut::Notice);
        }
        match self.subtype.as_deref() {
            None | Some("file_share" | "me_message" | "thread_broadcast" | "reply_broadcast") => {}
            Some("bot_message") => return Err(LeftOut::Bot),
            Some(_) => return Err(LeftOut::Notice),
        }
        if self.bot_id.is_some() {
            return Err(LeftOut::Bot);
        }
        let ts = self.ts().ok_or(LeftOut::Malformed)?;
        let user = self.user.filter(|user| is_id(user)).ok_or(LeftOut::Malformed)?;
        if user == "USLACKBOT" || is_bot(&user) {
            return Err(LeftOut::Bot);
        }
        // PostgreSQL's text cannot hold NUL, and nobody can type it.
        let text = self.text.unwrap_or_default().replace('\0', "");
        let files: Vec<Attached> = self
            .files
            .unwrap_or_default()
            .into_iter()
            .filter_map(RawFile::read)
            .collect();
        if text.trim().is_empty() && files.is_empty() {
            return Err(LeftOut::Empty);
        }
        let parse = |text: Option<String>| text.and_then(|text| text.parse::<Timestamp>().ok());
        let thread = parse(self.thread_ts);
        let begins_thread = thread.is_none_or(|thread| thread == ts);
        Ok(Message {
            ts,
            // A message that says it is its own thread but has no replies left is not in a thread.
            thread: thread.filter(|_| !begins_thread || self.reply_count.is_none_or(|count| count > 0)),
            user,
            text,
            files,
            edited: parse(self.edited.and_then(|edited| edited.ts)),
            latest_reply: parse(self.latest_reply).filter(|_| begins_thread),
        })
    }
}

impl RawFile {
    fn read(self) -> Option<Attached> {
        if matches!(self.mode.as_deref(), Some("tombstone" | "hidden_by_limit")) {
            return None;
        }
        let clean = |text: Option<String>| {
            text.map(|text| {
                text.chars()
                    .filter(|c| !c.is_control())
                    .take(500)
                    .collect::<String>()
            })
            .filter(|text| !text.trim().is_empty())
        };
        Some(Attached {
            id: self.id.filter(|id| is_id(id))?,
            name: clean(self.title).or_else(|| clean(self.name))?,
            media_type: clean(self.mimetype),
            size_bytes: self.size,
            link: clean(self.permalink).filter(|link| link.starts_with("https://")),
            address: self
                .url_private_download
                .or(self.url_private)
                .filter(|address| address.len() <= 2_000),
        })
    }
}

/// Whether a text may be an id of Slack: short, and letters and digits only.
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Message, LeftOut> {
        serde_json::from_str::<Raw>(json)
            .unwrap()
            .read(|user| user == "UBOT")
    }

    #[test]
    fn what_a_person_wrote_is_kept() {
        let message = read(
            r#"{"type":"message","user":"U1","text":"See this","ts":"1500000000.000100","thread_ts":"1500000000.000100",
                "reply_count":2,"latest_reply":"1500000300.000200","edited":{"user":"U1","ts":"1500000100.000000"},
                "files":[{"id":"F1","title":"Plan","mimetype":"application/pdf","size":9,"permalink":"https://x.slack.com/f"},
                         {"id":"F2","mode":"tombstone","name":"gone"}]}"#,
        )
        .unwrap();
        assert_eq!(message.thread, Some(message.ts));
        assert_eq!(message.latest_reply.unwrap().to_string(), "1500000300.000200");
        assert_eq!(message.edited.unwrap().to_string(), "1500000100.000000");
        assert_eq!(message.files.len(), 1);
        assert_eq!(message.files[0].name, "Plan");
    }

    #[test]
    fn bots_notices_and_what_says_nothing_are_left_out() {
        let cases = [
            (
                r#"{"subtype":"bot_message","bot_id":"B1","text":"x","ts":"1500000000.1"}"#,
                LeftOut::Bot,
            ),
            (
                r#"{"user":"U1","bot_id":"B1","text":"x","ts":"1500000000.1"}"#,
                LeftOut::Bot,
            ),
            (r#"{"user":"UBOT","text":"x","ts":"1500000000.1"}"#, LeftOut::Bot),
            (
                r#"{"user":"USLACKBOT","text":"x","ts":"1500000000.1"}"#,
                LeftOut::Bot,
            ),
            (
                r#"{"subtype":"channel_join","user":"U1","text":"joined","ts":"1500000000.1"}"#,
                LeftOut::Notice,
            ),
            (
                r#"{"subtype":"tombstone","user":"U1","text":"x","ts":"1500000000.1"}"#,
                LeftOut::Notice,
            ),
            (
                r#"{"user":"U1","text":" \u0000 ","ts":"1500000000.1"}"#,
                LeftOut::Empty,
            ),
            (r#"{"text":"x","ts":"1500000000.1"}"#, LeftOut::Malformed),
            (r#"{"user":"U1","text":"x","ts":"yesterday"}"#, LeftOut::Malformed),
            (
                r#"{"user":"../U1","text":"x","ts":"1500000000.1"}"#,
                LeftOut::Malformed,
            ),
        ];
        for (json, reason) in cases {
            assert_eq!(read(json).unwrap_err(), reason, "{json}");
        }
    }

    #[test]
    fn a_thread_whose_replies_are_gone_is_none() {
        let json =
            r#"{"user":"U1","text":"x","ts":"1500000000.1","thread_ts":"1500000000.1","reply_count":0}"#;
        assert_eq!(read(json).unwrap().thread, None);
    }
}
