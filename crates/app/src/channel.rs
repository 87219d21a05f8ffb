//! What all channels share: taking webhooks in, doing what they are about, sending what is in the outbox, and the connections
//! themselves.

pub mod connection;
pub(crate) mod deliver;
pub(crate) mod intake;
pub(crate) mod receive;
pub mod workspace;
