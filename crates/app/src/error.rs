//! What a use case answers when it cannot do what was asked. Messages are written for the caller: they say what to do next and never
//! show what is inside.

use std::time::Duration;

use amebo_core::permission::Permission;
use amebo_store::Forbidden;

/// The result of a use case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One thing wrong with the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Where, as a JSON pointer (RFC 6901); empty for the whole.
    pub pointer: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Why a use case did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It does not exist, or the caller may not know that it does.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Who calls could not be established.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The caller is known and may not do this.
    #[error("this needs the permission {0}; ask an administrator of your organization")]
    Forbidden(Permission),
    /// The caller may not do this for a reason that is not a permission.
    #[error("{0}")]
    NotAllowed(&'static str),
    /// The input is wrong.
    #[error("the request has {} invalid field(s)", .0.len())]
    Invalid(Vec<FieldError>),
    /// It contradicts what is stored.
    #[error("{0}")]
    Conflict(String),
    /// The plan does not allow more.
    #[error("the plan's limit of {limit} {metric} is reached; remove some or ask for a larger plan")]
    QuotaExceeded {
        /// What is limited.
        metric: &'static str,
        /// The largest allowed amount.
        limit: u64,
    },
    /// Too large to be taken.
    #[error("the upload is larger than the {limit} bytes your plan allows for one file")]
    TooLarge {
        /// The largest allowed size in bytes.
        limit: u64,
    },
    /// Too often.
    #[error("too many requests; try again in {} s", .after.as_secs() + 1)]
    RateLimited {
        /// When to try again.
        after: Duration,
    },
    /// Something needed is away and expected back.
    #[error("{0} is not available at the moment; try again shortly")]
    Unavailable(&'static str),
    /// Something broke inside.
    #[error("something went wrong inside Amebo")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// One wrong field.
    pub fn invalid(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError {
            pointer: pointer.into(),
            message: message.into(),
        }])
    }

    /// Something broke inside; `source` is logged, never shown.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }
}

impl From<amebo_store::Error> for Error {
    fn from(error: amebo_store::Error) -> Self {
        match error {
            amebo_store::Error::Unavailable(source) => {
                tracing::error!(
                    error = &source as &dyn std::error::Error,
                    "the database is unavailable"
                );
                Self::Unavailable("the database")
            }
            other => Self::internal(other),
        }
    }
}

impl From<Forbidden> for Error {
    fn from(Forbidden(permission): Forbidden) -> Self {
        Self::Forbidden(permission)
    }
}
