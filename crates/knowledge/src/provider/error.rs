//! Why a model did not answer, in words for the person who asked or the one who configured it.

use std::time::Duration;

use amebo_outbound::{Error as OutboundError, Response};
use serde::Deserialize;

/// Longest stretch of a provider's own words that is kept.
const LONGEST_MESSAGE: usize = 300;

/// Why a model did not answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// 401 or 403.
    #[error("The language model's provider does not accept the API key. Check the key in the settings.")]
    Authentication,
    /// The account has no credit or its quota is used up.
    #[error("The account at the language model's provider has no credit left or its quota is used up.")]
    Billing,
    /// 429.
    #[error("The language model's provider limits how often it is asked. Try again in a moment.")]
    RateLimited {
        /// How long the provider asks to wait.
        after: Option<Duration>,
    },
    /// 503, 529 or the like.
    #[error("The language model is overloaded at the moment. Try again in a moment.")]
    Overloaded {
        /// How long the provider asks to wait.
        after: Option<Duration>,
    },
    /// 404: the model or the address does not exist.
    #[error("The provider knows no such language model or address: {0}")]
    NotFound(String),
    /// The request is longer than the model can read.
    #[error("The question with its passages is longer than the language model can read.")]
    TooLong,
    /// Any other 4xx: the provider's own words.
    #[error("The language model's provider refused the request: {0}")]
    BadRequest(String),
    /// The model would not answer.
    #[error("The language model declined to answer.")]
    Refused,
    /// Any other 5xx.
    #[error("The language model's provider failed (status {0}).")]
    Server(u16),
    /// A time limit passed.
    #[error("The language model did not answer in time.")]
    Timeout,
    /// The connection could not be made or was refused by the guard.
    #[error("The language model cannot be reached.")]
    Unreachable(#[source] OutboundError),
    /// The answer ended in the middle.
    #[error("The language model's answer broke off.")]
    Interrupted,
    /// What came back is not the format expected.
    #[error(
        "The address of the language model answers in an unknown form ({0}). Is it the right kind of provider?"
    )]
    Malformed(&'static str),
    /// The settings cannot work.
    #[error("The language model's settings are not valid: {0}.")]
    Settings(&'static str),
}

/// The error object of both formats; providers differ in which fields they fill.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Reported {
    #[serde(rename = "type")]
    kind: Option<String>,
    code: Option<serde_json::Value>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct Body {
    error: Reported,
}

impl Error {
    /// Whether the same request may succeed when sent again at once.
    pub(super) fn is_worth_repeating(&self) -> bool {
        matches!(
            self,
            Self::RateLimited { after: None }
                | Self::Overloaded { after: None }
                | Self::Server(_)
                | Self::Interrupted
        )
    }

    /// The error that an answer with a failing status stands for.
    pub(super) async fn of_response(response: Response) -> Self {
        let (status, after) = (response.status().as_u16(), response.retry_after());
        let reported = match response.bytes().await {
            Ok(body) => serde_json::from_slice::<Body>(&body)
                .map(|body| body.error)
                .unwrap_or_default(),
            Err(_) => Reported::default(),
        };
        Self::new(status, reported, after)
    }

    /// The error that a provider reports inside a stream that began well.
    pub(super) fn of_event(reported: Reported) -> Self {
        let status = match reported.kind.as_deref().unwrap_or_default() {
            "authentication_error" => 401,
            "permission_error" => 403,
            "not_found_error" => 404,
            "rate_limit_error" => 429,
            "overloaded_error" => 529,
            "invalid_request_error" | "exceed_context_size_error" => 400,
            _ => reported
                .code
                .as_ref()
                .and_then(serde_json::Value::as_u64)
                .and_then(|code| u16::try_from(code).ok())
                .filter(|code| (400..600).contains(code))
                .unwrap_or(500),
        };
        Self::new(status, reported, None)
    }

    fn new(status: u16, reported: Reported, after: Option<Duration>) -> Self {
        let kind = reported.kind.unwrap_or_default();
        let code = reported
            .code
            .as_ref()
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default();
        let message: String = reported
            .message
            .filter(|message| !message.is_empty())
            .unwrap_or_else(|| format!("status {status}"))
            .chars()
            .take(LONGEST_MESSAGE)
            .collect();
        let too_long = code == "context_length_exceeded"
            || kind == "exceed_context_size_error"
            || message.contains("prompt is too long")
            || message.contains("maximum context length");
        let unpaid =
            code == "insufficient_quota" || kind == "billing_error" || message.contains("credit balance");
        match status {
            _ if unpaid => Self::Billing,
            _ if too_long => Self::TooLong,
            401 | 403 => Self::Authentication,
            402 => Self::Billing,
            404 => Self::NotFound(message),
            408 | 504 => Self::Timeout,
            413 => Self::TooLong,
            429 => Self::RateLimited { after },
            503 | 529 => Self::Overloaded { after },
            400..500 => Self::BadRequest(message),
            _ => Self::Server(status),
        }
    }
}

impl From<OutboundError> for Error {
    fn from(error: OutboundError) -> Self {
        match error {
            OutboundError::Timeout { .. } => Self::Timeout,
            OutboundError::Interrupted(_) => Self::Interrupted,
            OutboundError::TooLarge { .. } => Self::Malformed("endless"),
            OutboundError::Redirect => Self::Malformed("redirected"),
            error => Self::Unreachable(error),
        }
    }
}
