//! What is asked for.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde::Serialize;
use url::Url;

use crate::error::Error;

/// How long and how much a request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From sending until the head of the answer is there, connecting included.
    pub first_byte: Duration,
    /// Between two pieces of the body.
    pub idle: Duration,
    /// The whole exchange, retries, redirects and body included.
    pub total: Duration,
    /// The body in bytes, after decompression.
    pub body_bytes: usize,
    /// How many redirects are followed.
    pub redirects: u32,
    /// How many further attempts are made when the failure is temporary and the request may be repeated.
    pub retries: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first_byte: Duration::from_secs(20),
            idle: Duration::from_secs(20),
            total: Duration::from_mins(1),
            body_bytes: 8 << 20,
            redirects: 5,
            retries: 2,
        }
    }
}

/// A request, to be sent with [`Client::send`](crate::Client::send).
#[derive(Clone)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
    pub(crate) file: Option<PathBuf>,
    pub(crate) limits: Limits,
    pub(crate) repeatable: bool,
    pub(crate) purpose: &'static str,
    problem: Option<&'static str>,
}

impl std::fmt::Debug for Request {
    /// Shows neither path nor headers nor body: all three can be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("host", &self.url.host_str())
            .field("purpose", &self.purpose)
            .finish_non_exhaustive()
    }
}

impl Request {
    /// A request; `purpose` is a fixed word for metrics and logs, such as `model` or `slack`.
    pub fn new(method: Method, url: Url, purpose: &'static str) -> Self {
        Self {
            repeatable: method.is_idempotent(),
            method,
            url,
            headers: HeaderMap::new(),
            body: None,
            file: None,
            limits: Limits::default(),
            purpose,
            problem: None,
        }
    }

    /// A GET request.
    pub fn get(url: Url, purpose: &'static str) -> Self {
        Self::new(Method::GET, url, purpose)
    }

    /// A POST request.
    pub fn post(url: Url, purpose: &'static str) -> Self {
        Self::new(Method::POST, url, purpose)
    }

    /// Sets a header; one that cannot be sent becomes an error when the request is sent.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            (Ok(name), Ok(mut value)) => {
                value.set_sensitive(true);
                self.headers.insert(name, value);
            }
            _ => self.problem = Some("a header contains characters that headers cannot carry"),
        }
        self
    }

    /// Sets the header `Authorization: Bearer …`.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Sets the body and its content type.
    #[must_use]
    pub fn body(mut self, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        self.headers
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        self.body = Some(body.into());
        self
    }

    /// Sets the body to what a file holds when the request is sent; it is read as it is sent, whatever its size. The time until the
    /// answer's head, [`Limits::first_byte`], includes that.
    #[must_use]
    pub fn file(mut self, content_type: &'static str, path: PathBuf) -> Self {
        self.headers
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        self.file = Some(path);
        self
    }

    /// Sets the body to `value` as JSON.
    #[must_use]
    pub fn json(mut self, value: &impl Serialize) -> Self {
        if let Ok(body) = serde_json::to_vec(value) {
            self.body("application/json", body)
        } else {
            self.problem = Some("the body cannot be written as JSON");
            self
        }
    }

    /// Sets the limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Says that sending it twice does no harm although its method does not promise that, so that it may be retried.
    #[must_use]
    pub fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.problem {
            Some(problem) => Err(Error::Request(problem)),
            None => check_url(&self.url),
        }
    }

    /// This request as a server at another place asked for it (RFC 9110 section 15.4), without what is not that place's
    /// business.
    pub(crate) fn redirected(&self, status: u16, location: &str) -> Result<Self, Error> {
        let url = self.url.join(location).map_err(|_| Error::Address)?;
        check_url(&url)?;
        let mut next = self.clone();
        let becomes_get = match status {
            303 => self.method != Method::HEAD,
            301 | 302 => self.method == Method::POST,
            _ => false,
        };
        if becomes_get {
            next.method = Method::GET;
            next.body = None;
            next.file = None;
            next.headers.remove(header::CONTENT_TYPE);
        }
        if url.origin() != self.url.origin() {
            if next.body.is_some() || next.file.is_some() {
                return Err(Error::Redirect);
            }
            next.headers = self
                .headers
                .iter()
                .filter(|(name, _)| {
                    [header::ACCEPT, header::ACCEPT_LANGUAGE, header::USER_AGENT].contains(name)
                })
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
        }
        next.url = url;
        Ok(next)
    }
}

fn check_url(url: &Url) -> Result<(), Error> {
    let plain = url.username().is_empty() && url.password().is_none();
    if matches!(url.scheme(), "http" | "https") && url.has_host() && plain {
        Ok(())
    } else {
        Err(Error::Address)
    }
}
