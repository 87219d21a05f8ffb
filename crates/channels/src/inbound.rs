//! What happens on a platform, in words that all platforms share.

use amebo_core::answer::Rating;
use amebo_core::channel::ChannelKind;
use chrono::{DateTime, Utc};
use serde_json::Value;
use url::Url;

/// What one request of a platform amounts to.
#[derive(Debug, Clone, PartialEq)]
pub struct Inbound {
    /// What the platform wants to hear at once.
    pub answer: Immediate,
    /// What happened; nothing where the platform only tests the connection.
    pub events: Vec<InboundEvent>,
}

/// What a platform wants to hear at once.
#[derive(Debug, Clone, PartialEq)]
pub enum Immediate {
    /// That the request arrived: status 200 and nothing else.
    Acknowledge,
    /// This text, with status 200.
    Text(String),
    /// This JSON, with status 200.
    Json(Value),
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct InboundEvent {
    /// The platform.
    pub channel: ChannelKind,
    /// The account it happened in.
    pub account: Account,
    /// The platform's id of it, unique in the account: what happened is delivered more than once with the same id.
    pub external_id: String,
    /// When it happened, as far as the platform says.
    pub at: Option<DateTime<Utc>>,
    /// What has to be done in order has the same lane: a conversation's key, unique in the account.
    pub lane: String,
    /// What it is.
    pub event: Event,
}

/// The account on a platform that something belongs to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Account {
    /// The app that was told.
    pub app: Option<String>,
    /// The workspace, number or page.
    pub team: Option<String>,
    /// The organisation of workspaces, where there is such.
    pub enterprise: Option<String>,
    /// Whether the app is installed for the whole organisation of workspaces.
    pub org_wide: bool,
}

impl Account {
    /// The external ids under which the account's connection may be kept, to be tried in this order: the workspace, unless the
    /// app is installed for the whole organisation; then the organisation.
    pub fn connection_keys(&self) -> Vec<&str> {
        let (first, second) = if self.org_wide {
            (&self.enterprise, &self.team)
        } else {
            (&self.team, &self.enterprise)
        };
        first.iter().chain(second).map(String::as_str).collect()
    }

    /// The external id under which a new connection of this account is kept.
    pub fn connection_key(&self) -> Option<&str> {
        self.connection_keys().into_iter().next()
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Somebody wrote.
    Message(Box<Message>),
    /// A message was changed.
    MessageChanged(Box<MessageChange>),
    /// A message was deleted.
    MessageDeleted {
        /// Where it was.
        place: Place,
        /// The platform's id of it.
        message: String,
        /// The message its thread hangs on, if it was a reply.
        thread: Option<String>,
    },
    /// Somebody gave a command.
    Command(Box<Command>),
    /// Somebody pressed a button or sent a form.
    Interaction(Box<Interaction>),
    /// Somebody opened Amebo's own page.
    HomeOpened {
        /// Who.
        person: Author,
        /// What was there before: to be named when it is replaced, so that a newer one is not.
        revision: Option<String>,
    },
    /// Somebody opened a conversation with Amebo in which nothing is said yet: the time for suggestions.
    ConversationOpened {
        /// Where.
        place: Place,
        /// The thread that the conversation is in, where it is in one.
        thread: Option<String>,
        /// Who.
        person: Author,
        /// The place they were looking at.
        context: Option<String>,
    },
    /// Somebody asked Amebo to stop writing.
    StopRequested {
        /// Where.
        place: Place,
        /// The thread that the conversation is in.
        thread: Option<String>,
    },
    /// Somebody came to a place or left it.
    Membership {
        /// Where.
        place: Place,
        /// Who.
        person: Author,
        /// Whether they came.
        joined: bool,
    },
    /// A place changed.
    PlaceChanged {
        /// The platform's id of it.
        place: Place,
        /// How.
        change: PlaceChange,
    },
    /// A person's record changed, or a person is new.
    PersonChanged(Box<Person>),
    /// A file changed.
    FileChanged {
        /// The platform's id of it.
        file: String,
        /// How.
        change: FileChange,
    },
    /// The workspace's name or address changed.
    AccountRenamed {
        /// The new name, or domain.
        name: String,
    },
    /// The app was taken out of the account. Nothing can be sent any more.
    Uninstalled,
    /// Access was withdrawn from some tokens, named by whose they are.
    TokensRevoked {
        /// Of the app's own users.
        bots: Vec<String>,
        /// Of people.
        people: Vec<String>,
    },
    /// Workspaces were added to, or taken from, an organisation-wide installation.
    TeamsChanged {
        /// The workspaces.
        teams: Vec<String>,
        /// Whether they were added.
        granted: bool,
    },
    /// The platform left events out, because there were too many: what was said meanwhile has to be fetched.
    EventsMissed {
        /// From when on.
        since: Option<DateTime<Utc>>,
    },
    /// The account is being moved by the platform: nothing can be sent until that is over.
    Migration {
        /// Whether it is over.
        finished: bool,
    },
    /// Something that Amebo does nothing about; counted by name.
    Other {
        /// The platform's word for it.
        name: String,
    },
}

impl Event {
    /// A word for metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Message(_) => "message",
            Self::MessageChanged(_) => "message_changed",
            Self::MessageDeleted { .. } => "message_deleted",
            Self::Command(_) => "command",
            Self::Interaction(_) => "interaction",
            Self::HomeOpened { .. } => "home_opened",
            Self::ConversationOpened { .. } => "conversation_opened",
            Self::StopRequested { .. } => "stop_requested",
            Self::Membership { .. } => "membership",
            Self::PlaceChanged { .. } => "place_changed",
            Self::PersonChanged(_) => "person_changed",
            Self::FileChanged { .. } => "file_changed",
            Self::AccountRenamed { .. } => "account_renamed",
            Self::Uninstalled => "uninstalled",
            Self::TokensRevoked { .. } => "tokens_revoked",
            Self::TeamsChanged { .. } => "teams_changed",
            Self::EventsMissed { .. } => "events_missed",
            Self::Migration { .. } => "migration",
            Self::Other { .. } => "other",
        }
    }
}

/// A place where people write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The platform's id of it.
    pub id: String,
    /// What kind of place it is, as far as the event says.
    pub kind: Option<PlaceKind>,
    /// Whether people of other companies may be in it. An answer there must hold nothing internal.
    pub shared: bool,
}

/// What kind of place it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlaceKind {
    /// Open to every member of the account.
    Public,
    /// Open to those invited.
    Private,
    /// A conversation of a few people.
    Group,
    /// A conversation of one person with Amebo.
    Direct,
}

/// Who did something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Author {
    /// The platform's id of the person; absent for programs that are none.
    pub id: Option<String>,
    /// The account that the person belongs to, where the event names it.
    pub team: Option<String>,
    /// The platform's id of the program, where it was one.
    pub program: Option<String>,
    /// Whether it was Amebo itself. Never to be answered.
    pub is_amebo: bool,
    /// Whether the event shows that the person belongs to another company.
    pub foreign: bool,
}

impl Author {
    /// Whether it was a person.
    pub fn is_person(&self) -> bool {
        self.id.is_some() && self.program.is_none() && !self.is_amebo
    }
}

/// A message.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Where.
    pub place: Place,
    /// The platform's id of it, unique in the place.
    pub id: String,
    /// The message its thread hangs on, if it is a reply. Its own id is not repeated here.
    pub thread: Option<String>,
    /// Who.
    pub author: Author,
    /// The words, as the platform marks them up. Data, never instructions.
    pub text: String,
    /// The words in plain text, Amebo's own name left out: the question, where it is one.
    pub plain: String,
    /// Files with it.
    pub files: Vec<File>,
    /// Whether it is said to Amebo.
    pub addressed: Addressing,
    /// Whether it is something said, rather than a note of the platform such as "joined the channel".
    pub spoken: bool,
    /// The platform's word for what is special about it.
    pub subtype: Option<String>,
    /// When it was last edited.
    pub edited_at: Option<DateTime<Utc>>,
    /// What allows searching on behalf of whoever wrote, while answering.
    pub search_token: Option<String>,
}

impl Message {
    /// The message that an answer's thread hangs on: the thread's first, or this one.
    pub fn root(&self) -> &str {
        self.thread.as_deref().unwrap_or(&self.id)
    }
}

/// Whether a message is said to Amebo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Addressing {
    /// It names Amebo.
    Mention,
    /// It is said in a direct conversation with Amebo.
    Direct,
    /// It is said in the platform's own container for assistants.
    Assistant,
    /// It replies in a thread: said to Amebo if Amebo takes part in that thread.
    Thread,
    /// It is said to others.
    Overheard,
}

/// A changed message.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageChange {
    /// The message as it is now.
    pub message: Message,
    /// Its words before.
    pub previous_text: Option<String>,
    /// Whether it was deleted, and stands only because there are replies to it.
    pub removed: bool,
}

impl MessageChange {
    /// Whether the words changed; platforms report much else as a change, such as a preview of a link.
    pub fn is_rewording(&self) -> bool {
        self.removed || self.previous_text.as_ref() != Some(&self.message.text)
    }
}

/// A file in a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct File {
    /// The platform's id of it.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Its type, as the platform says.
    pub media_type: Option<String>,
    /// Its size in bytes, as the platform says.
    pub size: Option<u64>,
    /// Where its bytes are; access has to be shown.
    pub url: Option<Url>,
    /// Where people read it.
    pub permalink: Option<Url>,
    /// What can be done with it.
    pub access: FileAccess,
}

/// What can be done with a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FileAccess {
    /// It can be downloaded.
    #[default]
    Available,
    /// More has to be asked about it first.
    LookUp,
    /// It lies with somebody else, and is only linked.
    Elsewhere,
    /// It is gone, or hidden by the account's limits.
    Gone,
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Its name, with the slash.
    pub name: String,
    /// What stands after it.
    pub text: String,
    /// Where it was given.
    pub place: Place,
    /// The name of the place.
    pub place_name: Option<String>,
    /// By whom.
    pub person: Author,
    /// Where answers to it go.
    pub callback: Option<Url>,
    /// What allows opening a form, for a few seconds.
    pub trigger: Option<String>,
}

/// A pressed button or a sent form.
#[derive(Debug, Clone, PartialEq)]
pub struct Interaction {
    /// What is wanted.
    pub action: Action,
    /// By whom.
    pub person: Author,
    /// Where, unless it was on Amebo's own page.
    pub place: Option<Place>,
    /// The message the button was on.
    pub message: Option<String>,
    /// The thread that message is in.
    pub thread: Option<String>,
    /// Whether only this person sees the message.
    pub ephemeral: bool,
    /// Where answers go.
    pub callback: Option<Url>,
    /// What allows opening a form, for a few seconds.
    pub trigger: Option<String>,
}

/// What somebody wants by pressing a button or sending a form.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// To rate an answer.
    Rate {
        /// What the button carried.
        reference: String,
        /// How.
        rating: Rating,
    },
    /// To say why.
    Comment {
        /// What the form carried.
        reference: String,
        /// Why.
        text: String,
    },
    /// To show an answer to everybody there.
    Share {
        /// What the button carried.
        reference: String,
    },
    /// To say who they are in the organisation.
    Link,
    /// To be given the form for a question.
    AskForm,
    /// To ask a question by that form.
    Ask {
        /// The question.
        text: String,
    },
    /// Something that Amebo does nothing about, such as following a link.
    Other {
        /// The button's name.
        name: String,
        /// What it carried.
        value: Option<String>,
    },
}

/// How a place changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlaceChange {
    /// It is new.
    Created {
        /// Its name.
        name: Option<String>,
    },
    /// It has another name.
    Renamed {
        /// The new one.
        name: Option<String>,
    },
    /// It was closed, but can be read.
    Archived,
    /// It was opened again.
    Unarchived,
    /// It is gone with everything in it.
    Deleted,
    /// Another company has been let in.
    Shared,
    /// Another company has been let out.
    Unshared,
    /// It goes by another id from now on.
    Moved {
        /// The new one.
        to: String,
    },
    /// Amebo is no longer in it.
    Left,
    /// It was open to every member and no longer is, or the reverse; to be looked up.
    VisibilityChanged,
    /// Messages were removed from it in bulk; to be fetched again.
    HistoryChanged,
}

/// How a file changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileChange {
    /// It is new, or was shown in another place.
    Shared,
    /// It has other content or another name.
    Changed,
    /// It was taken out of a place; to be looked up.
    Unshared,
    /// It is gone.
    Deleted,
}

/// A person's record on a platform.
#[expect(clippy::struct_excessive_bools, reason = "independent facts about a person")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// The platform's id.
    pub id: String,
    /// The account they belong to.
    pub team: Option<String>,
    /// The name to call them by.
    pub name: Option<String>,
    /// Their e-mail address, where Amebo may know it.
    pub email: Option<String>,
    /// Whether the platform says that the address was shown to be theirs; `None` where it does not say.
    pub email_confirmed: Option<bool>,
    /// Whether it is a program.
    pub is_program: bool,
    /// Whether the account is closed.
    pub deactivated: bool,
    /// Whether they are a guest, who sees only what they were invited to.
    pub guest: bool,
    /// Whether they belong to another company.
    pub foreign: bool,
    /// Their language and region, such as `en-US`.
    pub locale: Option<String>,
    /// Their time zone, such as `Europe/Berlin`.
    pub timezone: Option<String>,
}

/// Why a request that a platform sent cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// Not JSON.
    #[error("the body is not the JSON expected")]
    Json(#[source] serde_json::Error),
    /// Not a form.
    #[error("the body is not the form expected")]
    Form(#[source] serde_urlencoded::de::Error),
    /// Nothing that the platform is known to send.
    #[error("the body is nothing that the platform is known to send")]
    Unknown,
    /// Something is missing that the rest is worth nothing without.
    #[error("the body lacks {0}")]
    Missing(&'static str),
}
