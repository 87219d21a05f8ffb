//! What came back.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::stream::{BoxStream, try_unfold};
use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::error::{Error, Phase};
use crate::request::Limits;

/// The head of an answer, its body still to be read.
pub struct Response {
    pub(crate) inner: reqwest::Response,
    pub(crate) url: Url,
    pub(crate) limits: Limits,
    pub(crate) deadline: Instant,
    pub(crate) retry_after: Option<Duration>,
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.inner.status())
            .finish_non_exhaustive()
    }
}

/// A fetched web page.
#[derive(Debug, Clone)]
pub struct Page {
    /// Where it was in the end, after redirects.
    pub url: Url,
    /// What the server says it is, e.g. `text/html; charset=utf-8`. To be believed only where the content agrees.
    pub content_type: Option<String>,
    /// The status; a page that is not there (404) has a body too.
    pub status: StatusCode,
    /// The body.
    pub body: Bytes,
}

impl Response {
    /// The status.
    pub fn status(&self) -> StatusCode {
        self.inner.status()
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        self.inner.headers()
    }

    /// The address that answered, after redirects.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// How long the server asks to wait before the next request.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The body piece by piece, within the limits of the request. Dropping the stream ends the exchange.
    pub fn stream(self) -> BoxStream<'static, Result<Bytes, Error>> {
        let Self {
            inner,
            limits,
            deadline,
            ..
        } = self;
        try_unfold((inner, 0_usize), move |(mut inner, read)| async move {
            let Some(piece) = next_piece(&mut inner, limits, deadline).await? else {
                return Ok(None);
            };
            let read = read.saturating_add(piece.len());
            if read > limits.body_bytes {
                return Err(Error::TooLarge {
                    limit: limits.body_bytes,
                });
            }
            Ok(Some((piece, (inner, read))))
        })
        .boxed()
    }

    /// The whole body.
    pub async fn bytes(self) -> Result<Bytes, Error> {
        let limit = self.limits.body_bytes;
        let announced = self
            .inner
            .content_length()
            .and_then(|length| usize::try_from(length).ok());
        if announced.is_some_and(|length| length > limit) {
            return Err(Error::TooLarge { limit });
        }
        let mut body = BytesMut::new();
        let mut pieces = self.stream();
        while let Some(piece) = pieces.next().await {
            body.extend_from_slice(&piece?);
        }
        Ok(body.freeze())
    }

    /// The whole body, read as JSON.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        serde_json::from_slice(&self.bytes().await?).map_err(Error::Json)
    }

    /// The whole body as a page.
    pub async fn page(self) -> Result<Page, Error> {
        let content_type = self
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        Ok(Page {
            url: self.url.clone(),
            content_type,
            status: self.status(),
            body: self.bytes().await?,
        })
    }
}

async fn next_piece(
    inner: &mut reqwest::Response,
    limits: Limits,
    deadline: Instant,
) -> Result<Option<Bytes>, Error> {
    let idle = Instant::now() + limits.idle;
    match timeout_at(idle.min(deadline), inner.chunk()).await {
        Ok(piece) => piece.map_err(|error| Error::Interrupted(error.without_url())),
        Err(_) if idle < deadline => Err(Error::Timeout {
            phase: Phase::Idle,
            limit: limits.idle,
        }),
        Err(_) => Err(Error::Timeout {
            phase: Phase::Total,
            limit: limits.total,
        }),
    }
}
