//! Slack: <https://docs.slack.dev>.

pub mod api;
pub mod export;
pub mod inbound;
pub mod limits;
pub mod manifest;
pub mod mrkdwn;
pub mod outbound;
pub mod outcome;
pub mod scope;
pub mod socket;
pub mod transcript;
pub mod verify;

pub use inbound::parse;
pub use limits::CAPABILITIES;
pub use outbound::render;
pub use outcome::classify;
pub use verify::verify;
