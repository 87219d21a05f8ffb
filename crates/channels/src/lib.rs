//! The platforms on which people write to Amebo.
//!
//! Each platform is one folder with the same parts, all but the last pure functions over data, so that they can be replayed
//! and tested alone:
//! - `verify(body, headers, secrets, now)`: did the platform send this, just now? Judged on the raw bytes, before anything is
//!   decoded.
//! - `parse(body)`: what happened ([`inbound`]), and what the platform wants to hear at once.
//! - `render(reply, capabilities)`: a [`outbound::Reply`] in the platform's own form, within its limits ([`Capabilities`]).
//! - `classify(status, headers, body)`: what became of a request to the platform ([`Outcome`]).
//! - `api`: the platform's interface over the one outgoing HTTP client, within the rates it grants.
//!
//! What must hold: nothing a person writes becomes markup, a mention or a link that the platform acts on; what the platform
//! does not document may be absent or new without an event being lost; no secret appears in an error or a log.
//!
//! Deliberately absent: the database, routes, and any decision about who may know what.

pub mod capability;
pub mod inbound;
pub mod outbound;
pub mod outcome;
pub mod slack;
pub mod verify;

pub use amebo_core::channel::{ChannelKind, DeliveryStatus};
pub use capability::Capabilities;
pub use outcome::Outcome;
pub use verify::Refusal;
