//! Why a document was set aside or a page not read: the sentence that programs and logs show, and the code that pages say in the
//! reader's language. Both are made at one place, so that they never tell different things.

use std::fmt;

use amebo_core::failure::{Failure, FailureCode};
use amebo_knowledge::{embed, extract};
use amebo_outbound as outbound;

use crate::Error;

/// A reason in both forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    /// In English, for a person who can act on it.
    pub(crate) sentence: String,
    /// For programs, and for other languages.
    pub(crate) failure: Failure,
}

impl Reason {
    /// A sentence that says what the failure says.
    pub(crate) fn new(sentence: impl Into<String>, failure: impl Into<Failure>) -> Self {
        Self {
            sentence: sentence.into(),
            failure: failure.into(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl From<&extract::Error> for Reason {
    fn from(error: &extract::Error) -> Self {
        use FailureCode as C;
        use extract::Error as E;
        let failure = match error {
            E::Refused(refusal) => refused(refusal),
            E::TooLarge { limit } => Failure::from(C::TooLarge).at_most(*limit),
            E::TimedOut { seconds } => Failure::from(C::TimedOut).within(*seconds),
            E::TooMuchText => C::TooMuchText.into(),
            E::Crashed => C::Damaged.into(),
            E::Unavailable(_) => C::ReaderUnavailable.into(),
        };
        Self::new(error.to_string(), failure)
    }
}

fn refused(refusal: &extract::Refusal) -> Failure {
    use FailureCode as C;
    use extract::Refusal as R;
    let code = match refusal {
        R::TooLarge { megabytes, .. } => {
            return Failure::from(C::TooLarge).at_most(megabytes.saturating_mul(1_000_000));
        }
        R::Empty => C::Empty,
        R::NoText => C::NoText,
        R::OldWord => C::OldWord,
        R::OldExcel => C::OldExcel,
        R::OldPowerPoint => C::OldPowerPoint,
        R::OutlookMessage => C::OutlookMessage,
        R::OldOffice => C::OldOffice,
        R::PasswordProtected => C::PasswordProtected,
        R::OpenDocument => C::OpenDocument,
        R::RichText => C::RichText,
        R::PostScript => C::PostScript,
        R::ElectronicBook => C::ElectronicBook,
        R::Image => C::Image,
        R::Media => C::Media,
        R::Archive => C::Archive,
        R::Unknown => C::UnknownKind,
        R::Damaged => C::Damaged,
        R::TooDeep => C::TooDeep,
        R::NoPdfEngine => C::NoPdfEngine,
    };
    code.into()
}

impl From<&embed::Error> for Reason {
    fn from(error: &embed::Error) -> Self {
        let failure = match error {
            embed::Error::Unavailable { reason, .. } => {
                Failure::from(FailureCode::ModelUnavailable).saying(reason.as_str())
            }
            embed::Error::Refused(reason) => Failure::from(FailureCode::ModelRefused).saying(reason.as_str()),
            embed::Error::BadAnswer(reason) => {
                Failure::from(FailureCode::ModelUnusable).saying(reason.as_str())
            }
            embed::Error::Failed(_) => FailureCode::Failed.into(),
        };
        Self::new(error.to_string(), failure)
    }
}

impl From<&outbound::Error> for Reason {
    fn from(error: &outbound::Error) -> Self {
        use FailureCode as C;
        use outbound::Error as E;
        let failure = match error {
            E::Refused { host } => Failure::from(C::PageRefused).at_host(host.as_str()),
            E::Unresolved { host } => Failure::from(C::PageUnresolved).at_host(host.as_str()),
            E::Connect { host, .. } | E::Socket { host, .. } => {
                Failure::from(C::PageUnreachable).at_host(host.as_str())
            }
            E::Timeout { .. } => C::PageTimedOut.into(),
            E::TooLarge { limit } => Failure::from(C::PageTooLarge).at_most(*limit as u64),
            E::Redirect => C::PageRedirects.into(),
            E::Interrupted(_) => C::PageUnreachable.into(),
            E::Address | E::Request(_) | E::Json(_) | E::Setup(_) => C::Failed.into(),
        };
        Self::new(format!("the page could not be fetched: {error}"), failure)
    }
}

impl From<&Error> for Reason {
    fn from(error: &Error) -> Self {
        use FailureCode as C;
        let (sentence, failure) = match error {
            Error::Invalid(fields) => {
                let said: Vec<&str> = fields.iter().map(|field| field.message.as_str()).collect();
                (said.join("; "), C::Failed.into())
            }
            Error::QuotaExceeded { .. } => (error.to_string(), C::LimitReached.into()),
            Error::TooLarge { limit } => (error.to_string(), Failure::from(C::TooLarge).at_most(*limit)),
            Error::Conflict(_) => (error.to_string(), C::AlreadyThere.into()),
            other => (other.to_string(), C::Failed.into()),
        };
        Self::new(sentence, failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_carries_the_figures_that_its_sentence_names() {
        let slow = Reason::from(&extract::Error::TimedOut { seconds: 60 });
        assert!(slow.sentence.contains("60 seconds"), "{slow}");
        assert_eq!(
            serde_json::to_value(&slow.failure).unwrap(),
            serde_json::json!({ "code": "timed_out", "seconds": 60 })
        );
        let large = Reason::from(&extract::Error::from(extract::Refusal::TooLarge {
            kind: "HTML".to_owned(),
            megabytes: 20,
        }));
        assert_eq!(large.failure.megabytes, Some(20));
        let full = Reason::from(&Error::QuotaExceeded {
            metric: "documents",
            limit: 5,
        });
        assert_eq!(full.failure.code, FailureCode::LimitReached);
    }
}
