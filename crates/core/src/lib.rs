//! Amebo's nouns and pure rules. Nothing here reads a clock, a file, a socket or a database:
//! whatever varies comes in as a parameter, so every rule can be replayed and tested alone.

pub mod answer;
pub mod channel;
pub mod conversation;
pub mod document;
pub mod environment;
pub mod failure;
pub mod id;
pub mod job;
pub mod organization;
pub mod page;
pub mod permission;
pub mod picture;
pub mod provider;
pub mod slack;

pub use environment::{Clock, Environment, ManualClock, SystemClock};
