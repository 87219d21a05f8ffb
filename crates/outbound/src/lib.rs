//! The one outgoing HTTP client of Amebo.
//!
//! Much of what Amebo fetches is named by tenants or by strangers: web pages, webhooks, redirects of either. So every
//! request leaves through here, and here it must hold that
//! - only addresses of the public internet are connected to, unless the operator listed an exception ([`Exception`]);
//! - what is checked is what is connected to: the check sits in the resolver that the connection itself uses, so a name
//!   that answers differently the second time gains nothing;
//! - each redirect is a new request under the same checks, and nothing secret follows it to another origin;
//! - size and time are limited, after decompression and in every phase;
//! - a server that asks to wait (`Retry-After`) is given that time, within bounds.
//!
//! Deliberately absent: proxies from the environment, cookies, and addresses in errors, logs or metrics beyond the host.

mod address;
mod client;
mod error;
mod exception;
mod request;
mod resolve;
mod response;
mod retry;
mod tunnel;

pub use address::is_public;
pub use client::{Client, Config};
pub use error::{Error, Phase};
pub use exception::{Exception, InvalidException};
pub use request::{Limits, Request};
pub use resolve::{Resolve, SystemResolver};
pub use response::{Page, Response};
pub use retry::retry_after;
pub use tunnel::Tunnel;
