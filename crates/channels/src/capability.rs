//! What a platform can show and do, as data.

use std::time::Duration;

use amebo_core::channel::ChannelKind;

/// What a platform can show and do. Lengths are in UTF-16 code units unless said otherwise: no platform counts more strictly.
#[expect(clippy::struct_excessive_bools, reason = "independent facts about a platform")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// The platform.
    pub kind: ChannelKind,
    /// How text is marked up.
    pub markup: Markup,
    /// The longest text of one message.
    pub message_length: usize,
    /// Limits of structured messages, where there are such.
    pub blocks: Option<BlockLimits>,
    /// Limits of buttons, where there are any.
    pub buttons: Option<ButtonLimits>,
    /// Whether a message can be answered in a thread of its own.
    pub threads: bool,
    /// Whether a sent message can be changed.
    pub edits: bool,
    /// How an answer can appear while it is being written.
    pub streaming: Streaming,
    /// Whether "is working on it" can be shown.
    pub typing: bool,
    /// Whether a message can be shown to one person of a shared place only.
    pub ephemeral: bool,
    /// Limits of files, where they can be sent.
    pub files: Option<FileLimits>,
    /// How long after a person's last message they may be written to freely; `None` where that is not limited.
    pub reply_window: Option<Duration>,
    /// The address that comes with a command and takes answers to it, where there is such.
    pub callback: Option<CallbackLimits>,
    /// Whether the platform reports that a message arrived or was seen.
    pub receipts: bool,
}

/// How text is marked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Markup {
    /// Not at all.
    Plain,
    /// Slack's own.
    SlackMrkdwn,
    /// Markdown.
    Markdown,
    /// A few HTML elements.
    Html,
}

/// Limits of messages made of blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockLimits {
    /// Blocks in one message.
    pub per_message: usize,
    /// Blocks in one view, such as a home page.
    pub per_view: usize,
    /// The text of one block.
    pub block_length: usize,
    /// The text of all blocks of one message together.
    pub total_length: usize,
    /// Whether there is an element made for rating an answer; buttons are used otherwise.
    pub rating: bool,
}

/// Limits of buttons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ButtonLimits {
    /// Buttons in a row.
    pub per_row: usize,
    /// The label.
    pub label_length: usize,
    /// What comes back when it is pressed.
    pub value_length: usize,
}

/// Limits of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileLimits {
    /// The largest file, in bytes.
    pub bytes: u64,
    /// Files of one message.
    pub per_message: usize,
}

/// Limits of the address that comes with a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallbackLimits {
    /// How often it can be used.
    pub uses: u32,
    /// For how long.
    pub lifetime: Duration,
}

/// How an answer can appear while it is being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Streaming {
    /// Only when it is complete.
    None,
    /// By changing the message, at most once in `pace`.
    Edits {
        /// The time between two changes.
        pace: Duration,
    },
    /// By appending to it, at most once in `pace`.
    Native {
        /// The time between two pieces.
        pace: Duration,
        /// How many streams may begin a minute; beyond that, edits are to be used.
        starts_per_minute: u32,
    },
}
