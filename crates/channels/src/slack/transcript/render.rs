//! How a thread or conversation reads: who said what and when, one paragraph a message, code kept as it is.

use std::fmt::Write as _;
use std::ops::Range;

use super::{Message, Names, Timestamp, plain};

/// How many characters of the first message a title shows.
const TITLE: usize = 120;

/// Where something was said.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The channel as people call it: `#general`, or the names of those in a direct message.
    pub channel: &'a str,
    /// The channel's id.
    pub channel_id: &'a str,
    /// The workspace's address, such as `https://acme.slack.com`, where it is known.
    pub workspace: Option<&'a str>,
}

/// A thread or conversation as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript {
    /// The channel and what it begins with.
    pub title: String,
    /// The text.
    pub text: String,
    /// Its parts in order, without overlap.
    pub spans: Vec<Span>,
    /// Where it begins in Slack, when the workspace's address is known.
    pub link: Option<String>,
}

/// A part of a transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// What it is.
    pub kind: SpanKind,
    /// Its bytes.
    pub range: Range<usize>,
}

/// What a part of a transcript is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanKind {
    /// Something said.
    Prose,
    /// Program text.
    Code,
}

/// The address of a message, which needs no call of Slack's interface (`chat.getPermalink` answers the same form).
pub fn permalink(workspace: &str, channel: &str, ts: Timestamp, thread: Option<Timestamp>) -> String {
    let workspace = workspace.trim_end_matches('/');
    let micros = ts.micros();
    let mut link = format!("{workspace}/archives/{channel}/p{micros:016}");
    if let Some(thread) = thread.filter(|thread| *thread != ts) {
        let _ = write!(link, "?thread_ts={thread}&cid={channel}");
    }
    link
}

/// Writes down messages of one thread or conversation, which come in order; nothing for none.
pub fn render(messages: &[Message], names: &Names, place: Place<'_>) -> Transcript {
    let mut writer = Writer::default();
    let Some(first) = messages.first() else {
        return Transcript {
            title: place.channel.to_owned(),
            text: String::new(),
            spans: Vec::new(),
            link: None,
        };
    };
    // The channel stands in the title and the date with the first message of each day: a line of its own would be quoted as if
    // somebody had said it.
    let mut day = None;
    for message in messages {
        let time = message.ts.time();
        let when = if day == Some(time.date_naive()) {
            time.format("%H:%M")
        } else {
            day = Some(time.date_naive());
            time.format("%-d %B %Y %H:%M UTC")
        };
        writer.message(
            &format!("{} ({when}): ", names.user(&message.user)),
            &said(message, names),
        );
    }
    Transcript {
        title: title(first, names, place),
        text: writer.text,
        spans: writer.spans,
        link: place
            .workspace
            .map(|workspace| permalink(workspace, place.channel_id, first.ts, first.thread)),
    }
}

fn title(first: &Message, names: &Names, place: Place<'_>) -> String {
    let text = plain(&first.text, names);
    let words = text
        .replace("```", " ")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let words = if words.is_empty() {
        first
            .files
            .first()
            .map_or(String::new(), |file| file.name.clone())
    } else {
        words
    };
    let mut title: String = words.chars().take(TITLE).collect();
    if title.len() < words.len() {
        // A word that is cut in two says something else.
        if let Some(end) = title.rfind(' ').filter(|end| *end > TITLE / 2) {
            title.truncate(end);
        }
        title.push('…');
    }
    let title: String = title.chars().filter(|c| !c.is_control()).collect();
    let channel: String = place.channel.chars().take(200).collect();
    format!("{channel}: {title}")
}

/// What a message says, files included.
fn said(message: &Message, names: &Names) -> String {
    let mut text = plain(&message.text, names).trim().to_owned();
    for file in &message.files {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str("[file: ");
        text.push_str(&file.name);
        if let Some(link) = &file.link {
            text.push_str(", ");
            text.push_str(link);
        }
        text.push(']');
    }
    text
}

#[derive(Default)]
struct Writer {
    text: String,
    spans: Vec<Span>,
}

impl Writer {
    /// One message: prose, with what stands between code fences as code.
    fn message(&mut self, speaker: &str, said: &str) {
        let mut parts = said.split("```");
        let mut prose = speaker.to_owned();
        prose.push_str(parts.next().unwrap_or_default().trim());
        let mut is_code = true;
        let mut rest = parts.peekable();
        while let Some(part) = rest.next() {
            // The last fence of an odd number opens nothing.
            if is_code && rest.peek().is_some() {
                self.prose(&prose);
                prose.clear();
                self.write(SpanKind::Code, part.trim_matches('\n'));
            } else {
                if is_code {
                    prose.push_str("```");
                }
                prose.push_str(part.trim());
            }
            is_code = !is_code;
        }
        self.prose(&prose);
    }

    fn prose(&mut self, text: &str) {
        self.write(SpanKind::Prose, text.trim());
    }

    fn write(&mut self, kind: SpanKind, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        if !self.text.is_empty() {
            self.text.push_str("\n\n");
        }
        let start = self.text.len();
        // Empty lines part messages, so a message has none; code keeps its own.
        if kind == SpanKind::Prose && text.contains("\n\n") {
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            self.text.push_str(&lines.collect::<Vec<_>>().join("\n"));
        } else {
            self.text.push_str(text);
        }
        self.spans.push(Span {
            kind,
            range: start..self.text.len(),
        });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::Attached;
    use super::*;
    use proptest::prelude::*;

    const PLACE: Place<'static> = Place {
        channel: "#ops",
        channel_id: "C1",
        workspace: Some("https://acme.slack.com/"),
    };

    fn names() -> Names {
        let users = [("U1", "Ada"), ("U2", "Ben")];
        Names {
            users: users.map(|(id, name)| (id.to_owned(), name.to_owned())).into(),
            channels: HashMap::new(),
        }
    }

    fn said(ts: &str, user: &str, text: &str) -> Message {
        Message {
            ts: ts.parse().unwrap(),
            thread: None,
            user: user.to_owned(),
            text: text.to_owned(),
            files: Vec::new(),
            edited: None,
            latest_reply: None,
        }
    }

    #[test]
    fn a_conversation_reads_with_speakers_times_code_and_files() {
        let mut answer = said(
            "1532343184.000159",
            "U2",
            "<@U1> it is:\n```\nrestart --now\n\n# done\n```\n\nand wait",
        );
        answer.files.push(Attached {
            id: "F1".to_owned(),
            name: "Runbook.pdf".to_owned(),
            media_type: None,
            size_bytes: None,
            link: Some("https://acme.slack.com/files/F1".to_owned()),
            address: None,
        });
        let messages = [
            said("1532337021.000087", "U1", "How do I restart &lt;the&gt; proxy?"),
            answer,
            said("1532437021.000087", "U3", "thanks"),
        ];
        let transcript = render(&messages, &names(), PLACE);
        assert_eq!(
            transcript.text,
            "Ada (23 July 2018 09:10 UTC): How do I restart <the> proxy?\n\n\
             Ben (10:53): @Ada it is:\n\n\
             restart --now\n\n# done\n\n\
             and wait\n[file: Runbook.pdf, https://acme.slack.com/files/F1]\n\n\
             U3 (24 July 2018 12:57 UTC): thanks"
        );
        assert_eq!(transcript.title, "#ops: How do I restart <the> proxy?");
        assert_eq!(
            transcript.link.as_deref(),
            Some("https://acme.slack.com/archives/C1/p1532337021000087")
        );
        let code: Vec<_> = transcript
            .spans
            .iter()
            .filter(|span| span.kind == SpanKind::Code)
            .map(|span| &transcript.text[span.range.clone()])
            .collect();
        assert_eq!(code, ["restart --now\n\n# done"]);
    }

    #[test]
    fn a_reply_is_linked_in_its_thread() {
        let ts: Timestamp = "1532343184.000159".parse().unwrap();
        let thread = "1532337021.000087".parse().unwrap();
        assert_eq!(
            permalink("https://acme.slack.com", "C1", ts, Some(thread)),
            "https://acme.slack.com/archives/C1/p1532343184000159?thread_ts=1532337021.000087&cid=C1"
        );
    }

    proptest! {
        #[test]
        fn spans_are_in_order_and_on_character_boundaries(texts in prop::collection::vec("(`{1,3}|[a-zé\n ]|<){0,60}", 1..6)) {
            let messages: Vec<_> = texts.iter().zip(0..)
                .map(|(text, n)| said(&format!("15323370{n:02}.000001"), "U1", text)).collect();
            let transcript = render(&messages, &names(), PLACE);
            let mut end = 0;
            for span in &transcript.spans {
                prop_assert!(span.range.start >= end && !transcript.text[span.range.clone()].trim().is_empty());
                end = span.range.end;
            }
            prop_assert_eq!(end, transcript.text.len());
            prop_assert!(transcript.title.chars().count() <= 500);
        }
    }
}
