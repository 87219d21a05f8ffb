//! What Amebo says, before any platform's form is given to it.

use amebo_core::answer::ConfidenceLevel;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

/// Something Amebo says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// What kind of saying it is.
    pub form: Form,
    /// Its words, as Markdown, with marks such as `[1]` where a citation belongs.
    pub text: String,
    /// What its marks stand for.
    #[serde(default)]
    pub citations: Vec<Citation>,
    /// How likely it is right, in words.
    #[serde(default)]
    pub confidence: Option<ConfidenceLevel>,
    /// What is to be known besides, such as that it quotes.
    #[serde(default)]
    pub notice: Option<String>,
    /// What comes back when somebody rates or shares it: an id of ours that says nothing to others. Nothing can be rated or
    /// shared without.
    #[serde(default)]
    pub reference: Option<String>,
    /// Whether it can be rated.
    #[serde(default)]
    pub rateable: bool,
    /// Whether whoever sees it alone can show it to everybody there.
    #[serde(default)]
    pub shareable: bool,
    /// Whether whoever reads it can say who they are in the organisation.
    #[serde(default)]
    pub linkable: bool,
    /// The question, where those who read the answer have not seen it.
    #[serde(default)]
    pub asked: Option<Asked>,
    /// The language of its words (ISO 639-1); labels follow it where they are known.
    #[serde(default)]
    pub language: Option<String>,
}

/// A question repeated above its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The platform's id of whoever asked.
    pub person: String,
    /// The question.
    pub text: String,
}

/// What kind of saying it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// An answer.
    Answer,
    /// No answer, with what was searched.
    Decline,
    /// A person takes over.
    HandOver,
    /// Something broke.
    Failure,
    /// It is being worked on.
    Working,
    /// Anything else, such as a greeting.
    Notice,
}

/// What a mark in an answer stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Citation {
    /// The number in the mark.
    pub number: u32,
    /// The document's title.
    pub title: String,
    /// Where in it, outermost heading first.
    #[serde(default)]
    pub heading_path: Vec<String>,
    /// The words it rests on.
    #[serde(default)]
    pub quote: String,
    /// Where it can be read: the message on its platform, or the page of the document.
    #[serde(default)]
    pub url: Option<Url>,
}

impl Reply {
    /// A saying of nothing but words.
    pub fn new(form: Form, text: impl Into<String>) -> Self {
        Self {
            form,
            text: text.into(),
            citations: Vec::new(),
            confidence: None,
            notice: None,
            reference: None,
            rateable: false,
            shareable: false,
            linkable: false,
            asked: None,
            language: None,
        }
    }
}

/// One message in a platform's own form. A reply that is too long for one becomes several, to be sent in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutboundPayload {
    /// What notifications and screen readers say.
    pub text: String,
    /// The message's content as the platform takes it; where it goes is added when it is sent.
    pub body: Value,
}

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "snake_case")]
pub enum Destination {
    /// A place, or a thread in it.
    Place {
        /// The platform's id of the place.
        place: String,
        /// The message that the thread hangs on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thread: Option<String>,
    },
    /// One person, in a place that others read too, where the platform can do that.
    Ephemeral {
        /// The platform's id of the place.
        place: String,
        /// The platform's id of the person.
        person: String,
        /// The message that the thread hangs on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thread: Option<String>,
    },
    /// One person, directly.
    Person {
        /// The platform's id of the person.
        person: String,
    },
    /// A message of ours in which the answer began to appear, which it completes or replaces. Where there turns out to be none, it is
    /// sent as a message of its own.
    Draft(Draft),
    /// A sent message, which it replaces.
    Message {
        /// The platform's id of the place.
        place: String,
        /// The platform's id of the message.
        message: String,
    },
    /// The address that came with a command or a pressed button.
    Callback {
        /// The address. It is as good as a password for as long as it lives.
        url: Url,
        /// Whether everybody in the place sees it.
        public: bool,
        /// Whether it replaces the message that the button was on.
        replace: bool,
    },
}

/// A message of ours in which an answer began to appear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The platform's id of the place.
    pub place: String,
    /// The message that the thread hangs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    /// The platform's id of the draft; where it is not known, it is looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The id of ours it was sent with, where the platform could take one.
    pub key: String,
    /// The platform's id of ourselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// When it was begun.
    pub since: DateTime<Utc>,
    /// Whether it is a stream of the platform, which has to be ended.
    pub is_stream: bool,
    /// What is missing of it, where what it shows is the beginning of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing: Option<Closing>,
}

/// The end of a stream whose beginning stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// The rest of the words, as Markdown.
    pub markdown: String,
    /// What stands below them, in the platform's form.
    pub below: Vec<Value>,
}
