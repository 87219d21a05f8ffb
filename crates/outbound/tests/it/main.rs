//! The outgoing client against servers that misbehave.

#![expect(clippy::unwrap_used, reason = "a preparation that fails should fail its test")]

mod guard;
mod limits;
mod redirect;
mod retry;
mod server;
mod tunnel;
