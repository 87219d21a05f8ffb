//! What Slack shows and takes. Figures from <https://docs.slack.dev/reference/block-kit/blocks>, the official SDKs' own checks, and,
//! for the sum of all blocks, what the platform was seen to refuse (`msg_blocks_too_long` from about 13,200 on).

use std::time::Duration;

use amebo_core::channel::ChannelKind;

use crate::capability::{
    BlockLimits, ButtonLimits, CallbackLimits, Capabilities, FileLimits, Markup, Streaming,
};

/// Everything that Slack offers to an ordinary app. A host that lacks something, such as `GovSlack` the rating element, is this
/// with that field changed.
pub const CAPABILITIES: Capabilities = Capabilities {
    kind: ChannelKind::Slack,
    markup: Markup::SlackMrkdwn,
    message_length: 4_000,
    blocks: Some(BlockLimits {
        per_message: 50,
        per_view: 100,
        block_length: 3_000,
        total_length: 11_000,
        rating: true,
    }),
    buttons: Some(ButtonLimits {
        per_row: 25,
        label_length: 75,
        value_length: 2_000,
    }),
    threads: true,
    edits: true,
    streaming: Streaming::Native {
        pace: Duration::from_millis(700),
        starts_per_minute: 20,
    },
    typing: true,
    ephemeral: true,
    files: Some(FileLimits {
        bytes: 1 << 30,
        per_message: 10,
    }),
    reply_window: None,
    callback: Some(CallbackLimits {
        uses: 5,
        lifetime: Duration::from_mins(30),
    }),
    receipts: false,
};

/// Text of the element for notifications and screen readers.
pub const FALLBACK_LENGTH: usize = 300;
/// One element of a context block.
pub const CONTEXT_LENGTH: usize = 2_000;
/// The title of a form.
pub const TITLE_LENGTH: usize = 24;
/// Text that a message stream takes in one piece.
pub const STREAM_LENGTH: usize = 12_000;
