//! Problem details (RFC 9457): the one form in which anything that goes wrong is answered.

use std::time::Duration;

use amebo_app::{Error, FieldError};
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// The kinds of problem. Their names are part of the API and stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request cannot be read.
    MalformedRequest,
    /// A field has a wrong value.
    InvalidFields,
    /// Who calls could not be established.
    Unauthenticated,
    /// The caller may not do this.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// The path knows other methods.
    MethodNotAllowed,
    /// It contradicts what is stored.
    Conflict,
    /// Too large.
    TooLarge,
    /// The content type is not accepted here.
    UnsupportedMediaType,
    /// The plan allows no more.
    QuotaExceeded,
    /// Too often.
    RateLimited,
    /// Something broke.
    Internal,
    /// Something needed is away.
    Unavailable,
}

impl Kind {
    /// Every kind, for documentation and tests.
    pub const ALL: &'static [Kind] = &[
        Kind::MalformedRequest,
        Kind::InvalidFields,
        Kind::Unauthenticated,
        Kind::Forbidden,
        Kind::NotFound,
        Kind::MethodNotAllowed,
        Kind::Conflict,
        Kind::TooLarge,
        Kind::UnsupportedMediaType,
        Kind::QuotaExceeded,
        Kind::RateLimited,
        Kind::Internal,
        Kind::Unavailable,
    ];

    /// The stable identifier.
    pub fn urn(self) -> String {
        format!("urn:amebo:problem:{}", self.facts().0)
    }

    /// The stable name, title and status.
    pub const fn facts(self) -> (&'static str, &'static str, StatusCode) {
        match self {
            Kind::MalformedRequest => (
                "malformed-request",
                "The request cannot be read",
                StatusCode::BAD_REQUEST,
            ),
            Kind::InvalidFields => (
                "invalid-fields",
                "Some fields are invalid",
                StatusCode::UNPROCESSABLE_ENTITY,
            ),
            Kind::Unauthenticated => ("unauthenticated", "Sign in first", StatusCode::UNAUTHORIZED),
            Kind::Forbidden => ("forbidden", "Not allowed", StatusCode::FORBIDDEN),
            Kind::NotFound => ("not-found", "Not found", StatusCode::NOT_FOUND),
            Kind::MethodNotAllowed => (
                "method-not-allowed",
                "Method not allowed",
                StatusCode::METHOD_NOT_ALLOWED,
            ),
            Kind::Conflict => ("conflict", "Conflict", StatusCode::CONFLICT),
            Kind::TooLarge => ("too-large", "Too large", StatusCode::PAYLOAD_TOO_LARGE),
            Kind::UnsupportedMediaType => (
                "unsupported-media-type",
                "Content type not accepted",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ),
            Kind::QuotaExceeded => (
                "quota-exceeded",
                "The plan's limit is reached",
                StatusCode::FORBIDDEN,
            ),
            Kind::RateLimited => ("rate-limited", "Too many requests", StatusCode::TOO_MANY_REQUESTS),
            Kind::Internal => (
                "internal",
                "Something went wrong",
                StatusCode::INTERNAL_SERVER_ERROR,
            ),
            Kind::Unavailable => (
                "unavailable",
                "Not available at the moment",
                StatusCode::SERVICE_UNAVAILABLE,
            ),
        }
    }
}

/// A problem on its way to the caller. The middleware around every request adds the request id and writes the body.
#[derive(Debug, Clone)]
pub struct Problem {
    kind: Kind,
    detail: String,
    errors: Vec<FieldProblem>,
    retry_after: Option<Duration>,
    /// Said to platforms that would send the request again.
    is_final: bool,
    request_id: String,
}

/// One field that is wrong.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Where, as a JSON pointer (RFC 6901).
    #[schema(example = "/email")]
    pub pointer: String,
    /// What is wrong and what would be right.
    pub detail: String,
}

/// A problem document (RFC 9457), `application/problem+json`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemDocument {
    /// The kind of problem, a stable identifier.
    #[serde(rename = "type")]
    #[schema(example = "urn:amebo:problem:not-found")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status.
    #[schema(example = 404)]
    pub status: u16,
    /// What happened this time and what to do.
    pub detail: String,
    /// The fields that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
    /// What to quote when asking for help.
    pub request_id: String,
}

impl Problem {
    /// A problem of a kind, explained.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
            is_final: false,
            request_id: String::new(),
        }
    }

    /// The same problem, said to a platform that would otherwise send the request again.
    #[must_use]
    pub(crate) fn not_to_be_repeated(self) -> Self {
        Self {
            is_final: true,
            ..self
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    pub(crate) fn errors(&self) -> &[FieldProblem] {
        &self.errors
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    pub(crate) fn with_request_id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.request_id);
        self
    }

    pub(crate) fn render(self) -> Response {
        let (_, title, status) = self.kind.facts();
        let body = ProblemDocument {
            kind: self.kind.urn(),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: self.detail,
            errors: self.errors,
            request_id: self.request_id,
        };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(after) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(after)));
        }
        if self.is_final {
            headers.insert("x-slack-no-retry", HeaderValue::from_static("1"));
        }
        if self.kind == Kind::Unauthenticated {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Rounded up, so that whoever waits that long has waited long enough.
fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.kind.facts().2.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::NotFound(_) => Kind::NotFound,
            Error::Unauthenticated(_) => Kind::Unauthenticated,
            Error::Forbidden(_) | Error::NotAllowed(_) => Kind::Forbidden,
            Error::Invalid(_) => Kind::InvalidFields,
            Error::Conflict(_) => Kind::Conflict,
            Error::QuotaExceeded { .. } => Kind::QuotaExceeded,
            Error::TooLarge { .. } => Kind::TooLarge,
            Error::RateLimited { .. } => Kind::RateLimited,
            Error::Unavailable(_) => Kind::Unavailable,
            Error::Internal(source) => {
                tracing::error!(
                    error = source.as_ref() as &dyn std::error::Error,
                    "request failed"
                );
                Kind::Internal
            }
        };
        let mut problem = Self::new(kind, error.to_string());
        match error {
            Error::Invalid(errors) => problem.errors = errors.into_iter().map(FieldProblem::from).collect(),
            Error::RateLimited { after } => problem.retry_after = Some(after),
            Error::Unavailable(_) => problem.retry_after = Some(Duration::from_secs(5)),
            _ => {}
        }
        problem
    }
}

impl From<FieldError> for FieldProblem {
    fn from(error: FieldError) -> Self {
        Self {
            pointer: error.pointer,
            detail: error.message,
        }
    }
}

/// Answers a path that leads nowhere.
pub async fn no_such_route() -> Problem {
    Problem::new(
        Kind::NotFound,
        "there is nothing at this address; /api/openapi.json lists what there is",
    )
}

/// Answers a method that the path does not know.
pub async fn method_not_allowed() -> Problem {
    Problem::new(
        Kind::MethodNotAllowed,
        "this address does not accept this method; /api/openapi.json lists what it accepts",
    )
}
