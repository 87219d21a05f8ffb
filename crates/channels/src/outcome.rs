//! What became of a request to a platform.

use std::time::Duration;

/// What became of a request to a platform, as far as the sender has to act differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Accepted {
        /// The platform's name for the message, where one was made.
        message: Option<String>,
        /// Where it was put, which may differ from where it was sent.
        place: Option<String>,
    },
    /// Too much at once: to be sent again after this time. Concerns this account and method alone.
    RetryAfter(Duration),
    /// A failure of the moment: to be sent again after a growing wait.
    Temporary {
        /// The platform's word for it, or ours.
        code: String,
        /// Whether it may have been done all the same, so that it has to be looked up before it is repeated.
        perhaps_done: bool,
    },
    /// The access token ran out; a fresh one is to be fetched and the request sent again.
    CredentialExpired,
    /// The platform withdrew access. Nothing can be sent to this account until somebody connects it again.
    CredentialRevoked {
        /// The platform's word for it.
        code: String,
    },
    /// The connection lacks a permission; connecting again and granting it helps.
    PermissionMissing {
        /// What is needed, in the platform's words.
        needed: Option<String>,
        /// What was granted.
        granted: Option<String>,
    },
    /// The place cannot be written to: gone, archived, or Amebo is not in it.
    PlaceClosed {
        /// The platform's word for it.
        code: String,
    },
    /// The request will never succeed as it is.
    Refused(Failure),
}

/// A failure that repeating does not mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The platform's word for it.
    pub code: String,
    /// What the platform says besides.
    pub details: Vec<String>,
}

impl Outcome {
    /// Whether it was done.
    pub fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted { .. })
    }

    /// Whether sending the same again later may succeed.
    pub fn is_repeatable(&self) -> bool {
        matches!(
            self,
            Self::RetryAfter(_) | Self::Temporary { .. } | Self::CredentialExpired
        )
    }

    /// A word for metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::RetryAfter(_) => "retry_after",
            Self::Temporary { .. } => "temporary",
            Self::CredentialExpired => "credential_expired",
            Self::CredentialRevoked { .. } => "credential_revoked",
            Self::PermissionMissing { .. } => "permission_missing",
            Self::PlaceClosed { .. } => "place_closed",
            Self::Refused(_) => "refused",
        }
    }

    /// What an administrator can do about it, as a sentence; `None` where nothing is to be done.
    pub fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::Accepted { .. } => return None,
            Self::RetryAfter(wait) => format!(
                "The platform asks to wait {} s; Amebo sends again by itself.",
                wait.as_secs().max(1)
            ),
            Self::Temporary { code, .. } => {
                format!("The platform had a problem ({code}); Amebo sends again by itself.")
            }
            Self::CredentialExpired => {
                "The access token ran out; Amebo fetches a new one by itself.".to_owned()
            }
            Self::CredentialRevoked { code } => {
                format!("The platform withdrew access ({code}). Connect the account again.")
            }
            Self::PermissionMissing { needed, .. } => match needed {
                Some(needed) => {
                    format!("The permission {needed} is missing. Connect the account again and grant it.")
                }
                None => {
                    "A permission is missing. Connect the account again and grant all of them.".to_owned()
                }
            },
            Self::PlaceClosed { code } => {
                format!("Amebo cannot write there ({code}). Invite it to the channel, or choose another one.")
            }
            Self::Refused(failure) if failure.details.is_empty() => format!(
                "The platform refused the request ({}). Sending it again does not help.",
                failure.code
            ),
            Self::Refused(failure) => format!(
                "The platform refused the request ({}: {}). Sending it again does not help.",
                failure.code,
                failure.details.join("; ")
            ),
        })
    }
}
