//! Why a request is not believed.

/// Why a request that claims to come from a platform is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// It carries no signature.
    #[error("the request is not signed")]
    Unsigned,
    /// Its signature or time is not written as the platform writes it.
    #[error("the signature is not written as the platform writes it")]
    Malformed,
    /// It was signed too long ago, or in the future: a replay, or a clock that is wrong.
    #[error("the request was not signed just now; is this machine's clock right?")]
    Stale,
    /// No secret of ours makes this signature.
    #[error("the signature is not the platform's")]
    Forged,
}

impl Refusal {
    /// A word for metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unsigned => "unsigned",
            Self::Malformed => "malformed",
            Self::Stale => "stale",
            Self::Forged => "forged",
        }
    }
}
