//! Why a request brought nothing.

use std::fmt;
use std::time::Duration;

/// Why a request brought nothing. No variant shows more of the address than its host, since paths and queries can be secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not an address that can be requested.
    #[error("the address is not a valid http or https address without a user name")]
    Address,
    /// A header's name or value, or the body, cannot be sent.
    #[error("the request cannot be written: {0}")]
    Request(&'static str),
    /// The host is, or resolves to, an address outside the public internet that no exception lists.
    #[error("{host} is not on the public internet, and no configured exception allows it")]
    Refused {
        /// The host as asked for.
        host: String,
    },
    /// The host's name is not known.
    #[error("the name {host} could not be resolved")]
    Unresolved {
        /// The host as asked for.
        host: String,
    },
    /// No connection, or no trusted one.
    #[error("no connection to {host}")]
    Connect {
        /// The host as asked for.
        host: String,
        /// What the connection failed of.
        #[source]
        source: reqwest::Error,
    },
    /// No tunnel, or no trusted one.
    #[error("no connection to {host}")]
    Socket {
        /// The host as asked for.
        host: String,
        /// What the connection failed of.
        #[source]
        source: std::io::Error,
    },
    /// A time limit passed.
    #[error("no answer in time: {phase} took longer than {} s", limit.as_secs_f32())]
    Timeout {
        /// What was waited for.
        phase: Phase,
        /// The limit that passed.
        limit: Duration,
    },
    /// The body is larger than allowed.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes after decompression.
        limit: usize,
    },
    /// More redirects than allowed, or one that may not be followed.
    #[error("redirected too often, in a circle, or with a body to another site")]
    Redirect,
    /// The connection broke off.
    #[error("the connection broke off")]
    Interrupted(#[source] reqwest::Error),
    /// The body is not what it should be.
    #[error("the answer is not the JSON expected")]
    Json(#[source] serde_json::Error),
    /// The client could not be set up; on a bare machine the root certificates (package `ca-certificates`) are missing.
    #[error("the HTTP client could not be set up; are the system's root certificates installed?")]
    Setup(#[source] reqwest::Error),
}

/// What a time limit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Resolving the name, connecting and agreeing on encryption.
    Connecting,
    /// Waiting for the head of the answer.
    FirstByte,
    /// Waiting for the next piece of the body.
    Idle,
    /// The whole exchange, retries and redirects included.
    Total,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connecting => "connecting",
            Self::FirstByte => "the first byte",
            Self::Idle => "the next piece",
            Self::Total => "the whole exchange",
        })
    }
}

impl Error {
    /// Whether the same request may well succeed a moment later.
    pub fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::Connect { .. }
                | Self::Socket { .. }
                | Self::Unresolved { .. }
                | Self::Timeout { .. }
                | Self::Interrupted(_)
        )
    }

    /// A word for metrics.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Request(_) => "request",
            Self::Refused { .. } => "refused",
            Self::Unresolved { .. } => "unresolved",
            Self::Connect { .. } | Self::Socket { .. } => "connect",
            Self::Timeout { .. } => "timeout",
            Self::TooLarge { .. } => "too_large",
            Self::Redirect => "redirect",
            Self::Interrupted(_) => "interrupted",
            Self::Json(_) => "json",
            Self::Setup(_) => "setup",
        }
    }
}
