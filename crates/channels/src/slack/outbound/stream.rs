//! How an answer appears while it is being written: by Slack's own streams where they are to be had, else by changing the message.
//!
//! A stream takes Markdown, appended at most every 700 ms (`chat.appendStream` is granted about 100 times a minute); it may be begun
//! about 20 times a minute in a workspace, so a busy one falls back to changing messages.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::Capabilities;
use crate::capability::Streaming;
use crate::slack::limits::STREAM_LENGTH;
use crate::slack::mrkdwn;

/// How often changes of a message are sent where streams are not to be had.
const EDIT_PACE: Duration = Duration::from_millis(1_500);

/// How an answer appears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Appended to a stream, at most once in this time.
    Stream(Duration),
    /// By changing the message, at most once in this time.
    Edits(Duration),
    /// When it is complete.
    Whole,
}

impl Pace {
    /// How an answer is to appear. `streams_left` says whether the workspace may begin another stream this minute; `threaded`
    /// whether the answer stands in a thread, which streams need; `ephemeral` whether only one person sees it, which can be
    /// neither streamed nor changed.
    pub fn choose(capabilities: &Capabilities, streams_left: bool, threaded: bool, ephemeral: bool) -> Self {
        match capabilities.streaming {
            _ if ephemeral => Self::Whole,
            Streaming::Native { pace, .. } if streams_left && threaded => Self::Stream(pace),
            Streaming::Native { .. } if capabilities.edits => Self::Edits(EDIT_PACE),
            Streaming::Edits { pace } => Self::Edits(pace),
            Streaming::Native { .. } | Streaming::None => Self::Whole,
        }
    }
}

/// What is to be sent next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Begin the stream, or post the message, with this Markdown.
    Start(String),
    /// Append this Markdown to the stream.
    Append(String),
    /// Put this Markdown, which is all so far, in place of the message's text.
    Replace(String),
    /// End the stream; what follows replaces its message.
    Stop,
}

/// Gathers the pieces of an answer and says when to send what.
#[derive(Debug)]
pub struct Pacer {
    pace: Pace,
    text: String,
    /// How much of the text was sent, in bytes.
    sent: usize,
    last: Option<DateTime<Utc>>,
}

impl Pacer {
    /// Nothing is gathered yet.
    pub fn new(pace: Pace) -> Self {
        Self {
            pace,
            text: String::new(),
            sent: 0,
            last: None,
        }
    }

    /// The same for an answer that appears by changes after all.
    #[must_use]
    pub fn by_edits(mut self) -> Self {
        self.pace = Pace::Edits(EDIT_PACE);
        self
    }

    /// Adds a piece; returns what is due now.
    pub fn push(&mut self, piece: &str, now: DateTime<Utc>) -> Option<Step> {
        self.text.push_str(piece);
        let (Pace::Stream(pace) | Pace::Edits(pace)) = self.pace else {
            return None;
        };
        let rested = self
            .last
            .is_none_or(|last| (now - last).to_std().unwrap_or_default() >= pace);
        // Only whole words are sent: half of one could not be judged.
        let end = self.text.rfind(char::is_whitespace).map_or(0, |at| at + 1);
        if !rested || self.text[self.sent..end.max(self.sent)].trim().is_empty() {
            return None;
        }
        let first = self.last.is_none();
        self.last = Some(now);
        let fresh = mrkdwn::harmless_markdown(&self.text[self.sent..end]);
        self.sent = end;
        Some(match self.pace {
            _ if first => Step::Start(fresh),
            Pace::Stream(_) if fresh.chars().count() <= STREAM_LENGTH => Step::Append(fresh),
            _ => Step::Replace(mrkdwn::harmless_markdown(&self.text[..end])),
        })
    }

    /// Forgets the text so far, which does not count; returns what is to be done about what was sent of it.
    pub fn restart(&mut self) -> Option<Step> {
        let streaming = matches!(self.pace, Pace::Stream(_)) && self.last.is_some();
        self.text.clear();
        self.sent = 0;
        // What a stream has said cannot be unsaid but by changing its message.
        if streaming {
            self.pace = Pace::Edits(EDIT_PACE);
        }
        streaming.then_some(Step::Stop)
    }

    /// What a stream has not been sent yet. With it the stream can be ended; a message that is changed gets its final form as a
    /// whole.
    pub fn rest(&self) -> String {
        mrkdwn::harmless_markdown(&self.text[self.sent..])
    }

    /// All the text so far.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a stream or message has begun.
    pub fn has_begun(&self) -> bool {
        self.last.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slack::CAPABILITIES;
    use chrono::TimeDelta;

    fn at(millis: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(millis)
    }

    #[test]
    fn a_stream_is_chosen_where_it_can_be_had() {
        let choose = |streams, threaded, ephemeral| Pace::choose(&CAPABILITIES, streams, threaded, ephemeral);
        assert!(matches!(choose(true, true, false), Pace::Stream(_)));
        assert!(matches!(choose(false, true, false), Pace::Edits(_)));
        assert!(matches!(choose(true, false, false), Pace::Edits(_)));
        assert_eq!(choose(true, true, true), Pace::Whole);
    }

    #[test]
    fn what_is_streamed_is_the_text_in_whole_words_and_never_too_often() {
        let mut pacer = Pacer::new(Pace::Stream(Duration::from_millis(700)));
        assert_eq!(pacer.push("Refu", at(0)), None);
        assert_eq!(
            pacer.push("nds take ", at(10)),
            Some(Step::Start("Refunds take ".into()))
        );
        assert_eq!(pacer.push("14 days ", at(200)), None);
        assert_eq!(
            pacer.push("<!chan", at(710)),
            Some(Step::Append("14 days ".into()))
        );
        assert_eq!(pacer.push("nel>", at(720)), None);
        assert_eq!(pacer.rest(), "<\u{200b}!channel>");
    }

    #[test]
    fn a_stream_that_begins_again_is_ended_and_its_message_replaced() {
        let mut pacer = Pacer::new(Pace::Stream(Duration::from_millis(700)));
        pacer.push("Wrong words ", at(0));
        assert_eq!(pacer.restart(), Some(Step::Stop));
        assert_eq!(
            pacer.push("Right words ", at(5_000)),
            Some(Step::Replace("Right words ".into()))
        );
    }

    #[test]
    fn without_pace_everything_waits_for_the_end() {
        let mut pacer = Pacer::new(Pace::Whole);
        assert_eq!(pacer.push("All of it ", at(0)), None);
        assert!(!pacer.has_begun());
        assert_eq!(pacer.rest(), "All of it ");
    }
}
