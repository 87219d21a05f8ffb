//! What people said in Slack, as documents: which messages belong together, and how they read.
//!
//! A thread is a document. Messages outside threads are grouped into conversations by [`group::Grouper`], which decides for each
//! message when it comes and never takes a decision back, so that a channel grouped while it is followed live is grouped like one
//! that is imported at once. Everything here is pure; what is stored, and when, is not decided here.

pub mod agreement;
pub mod group;
mod message;
mod mrkdwn;
mod render;
mod timestamp;

pub use message::{Attached, LeftOut, Message, Raw, is_id};
pub use mrkdwn::{Names, plain};
pub use render::{Place, Span, SpanKind, Transcript, permalink, render};
pub use timestamp::{ParseTimestampError, Timestamp};
