//! The client itself: checks, redirects, retries.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use amebo_core::Environment;
use http::header;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, timeout_at};
use url::{Host, Url};

use crate::error::{Error, Phase};
use crate::exception::Exception;
use crate::request::{Limits, Request};
use crate::resolve::{Checked, NotPublic, NotResolved, Resolve, SystemResolver, is_permitted};
use crate::response::{Page, Response};
use crate::retry;

/// What the operator sets.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Places inside the operator's own network that may be connected to, such as a model server at `127.0.0.1:11434`.
    pub allow: Vec<Exception>,
    /// Seconds that connecting may take, name resolution and encryption included.
    pub connect_seconds: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            connect_seconds: 10,
        }
    }
}

/// The outgoing HTTP client. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    /// For everything but listed endpoints: its resolver yields permitted addresses only.
    guarded: reqwest::Client,
    /// For endpoints the operator listed by host and port. Apart, so that their connections are not reused by others.
    listed: reqwest::Client,
    exceptions: Arc<[Exception]>,
    resolver: Arc<dyn Resolve>,
    connect: Duration,
    environment: Environment,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("exceptions", &self.0.exceptions)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client that resolves names as the operating system does.
    pub fn new(config: &Config, environment: Environment) -> Result<Self, Error> {
        Self::with_resolver(config, environment, Arc::new(SystemResolver))
    }

    /// A client that resolves names with `resolver`.
    pub fn with_resolver(
        config: &Config,
        environment: Environment,
        resolver: Arc<dyn Resolve>,
    ) -> Result<Self, Error> {
        // The first one stays; a second client finds it installed, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let connect = Duration::from_secs(config.connect_seconds.into());
        let exceptions: Arc<[Exception]> = config.allow.clone().into();
        let guarded = Checked {
            resolver: resolver.clone(),
            exceptions: Some(exceptions.clone()),
        };
        let listed = Checked {
            resolver: resolver.clone(),
            exceptions: None,
        };
        Ok(Self(Arc::new(Inner {
            guarded: connections(guarded, connect)?,
            listed: connections(listed, connect)?,
            exceptions,
            resolver,
            connect,
            environment,
        })))
    }

    /// Sends a request and returns the head of the answer, whatever its status. Follows redirects, and repeats what may be
    /// repeated when the failure is temporary.
    pub async fn send(&self, request: Request) -> Result<Response, Error> {
        request.check()?;
        let purpose = request.purpose;
        let host = request.url.host_str().unwrap_or_default().to_owned();
        let started = Instant::now();
        let outcome = self.send_with_retries(request).await;
        let result = match &outcome {
            Ok(response) => status_class(response.status().as_u16()),
            Err(error) => error.kind(),
        };
        metrics::counter!("amebo_outbound_requests_total", "purpose" => purpose, "result" => result)
            .increment(1);
        metrics::histogram!("amebo_outbound_first_byte_seconds", "purpose" => purpose)
            .record(started.elapsed().as_secs_f64());
        tracing::debug!(purpose, host, result, "outgoing request");
        outcome
    }

    /// Fetches a web page of at most `body_bytes` bytes.
    pub async fn page(&self, url: Url, body_bytes: usize) -> Result<Page, Error> {
        let limits = Limits {
            body_bytes,
            ..Limits::default()
        };
        let request = Request::get(url, "page")
            .header(
                "accept",
                "text/html,application/xhtml+xml,text/plain;q=0.9,*/*;q=0.5",
            )
            .limits(limits);
        self.send(request).await?.page().await
    }

    pub(crate) fn resolver(&self) -> &dyn Resolve {
        &*self.0.resolver
    }

    pub(crate) fn exceptions(&self) -> &[Exception] {
        &self.0.exceptions
    }

    pub(crate) fn connect_time(&self) -> Duration {
        self.0.connect
    }

    async fn send_with_retries(&self, request: Request) -> Result<Response, Error> {
        let limits = request.limits;
        let deadline = Instant::now() + limits.total;
        let mut attempt = 0;
        loop {
            let outcome = self.send_with_redirects(request.clone(), deadline).await;
            let (temporary, asked) = match &outcome {
                Ok(response) => (retry::is_temporary(response.status()), response.retry_after),
                Err(error) => (error.is_temporary(), None),
            };
            if !temporary || !request.repeatable || attempt >= limits.retries {
                return outcome;
            }
            match retry::wait(attempt, asked, &self.0.environment) {
                Some(wait) if Instant::now() + wait < deadline => sleep(wait).await,
                _ => return outcome,
            }
            attempt += 1;
        }
    }

    async fn send_with_redirects(&self, mut request: Request, deadline: Instant) -> Result<Response, Error> {
        let mut followed = 0;
        loop {
            let response = self.send_once(&request, deadline).await?;
            let status = response.status().as_u16();
            let location = match status {
                301 | 302 | 303 | 307 | 308 => response.headers().get(header::LOCATION),
                _ => None,
            };
            let Some(location) = location else {
                return Ok(response);
            };
            if followed >= request.limits.redirects {
                return Err(Error::Redirect);
            }
            let location = location.to_str().map_err(|_| Error::Address)?.to_owned();
            request = request.redirected(status, &location)?;
            followed += 1;
        }
    }

    async fn send_once(&self, request: &Request, deadline: Instant) -> Result<Response, Error> {
        let limits = request.limits;
        let host = || request.url.host_str().unwrap_or_default().to_owned();
        let mut outgoing = self
            .connections_for(&request.url)
            .ok_or_else(|| Error::Refused { host: host() })?
            .request(request.method.clone(), request.url.clone())
            .headers(request.headers.clone());
        if let Some(body) = &request.body {
            outgoing = outgoing.body(body.clone());
        }
        if let Some(path) = &request.file {
            let unreadable = |_| Error::Request("the file that is its body cannot be read");
            let file = tokio::fs::File::open(path).await.map_err(unreadable)?;
            let length = file.metadata().await.map_err(unreadable)?.len();
            outgoing = outgoing.header(header::CONTENT_LENGTH, length).body(file);
        }
        let first_byte = Instant::now() + limits.first_byte;
        match timeout_at(first_byte.min(deadline), outgoing.send()).await {
            Ok(Ok(inner)) => Ok(Response {
                retry_after: retry::retry_after(inner.headers(), self.0.environment.now()),
                inner,
                url: request.url.clone(),
                limits,
                deadline,
            }),
            Ok(Err(error)) => Err(self.classify(error.without_url(), host())),
            Err(_) if first_byte < deadline => Err(Error::Timeout {
                phase: Phase::FirstByte,
                limit: limits.first_byte,
            }),
            Err(_) => Err(Error::Timeout {
                phase: Phase::Total,
                limit: limits.total,
            }),
        }
    }

    /// The connections that may be used for `url`; `None` when its host is a number that may not be connected to. Names are
    /// judged when they are resolved; numbers never reach the resolver, so they are judged here.
    fn connections_for(&self, url: &Url) -> Option<&reqwest::Client> {
        let inner = &*self.0;
        if inner
            .exceptions
            .iter()
            .any(|exception| exception.admits_endpoint(url))
        {
            return Some(&inner.listed);
        }
        let address = match url.host()? {
            Host::Domain(_) => return Some(&inner.guarded),
            Host::Ipv4(address) => IpAddr::V4(address),
            Host::Ipv6(address) => IpAddr::V6(address),
        };
        is_permitted(address, &inner.exceptions).then_some(&inner.guarded)
    }

    fn classify(&self, error: reqwest::Error, host: String) -> Error {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(current) = cause {
            if current.is::<NotPublic>() {
                return Error::Refused { host };
            }
            if current.is::<NotResolved>() {
                return Error::Unresolved { host };
            }
            cause = current.source();
        }
        match error {
            error if error.is_timeout() => Error::Timeout {
                phase: Phase::Connecting,
                limit: self.0.connect,
            },
            error if error.is_connect() => Error::Connect { host, source: error },
            error if error.is_builder() => Error::Address,
            error => Error::Interrupted(error),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the guarded client")]
fn connections(resolver: Checked, connect: Duration) -> Result<reqwest::Client, Error> {
    reqwest::Client::builder()
        .user_agent(concat!("Amebo/", env!("CARGO_PKG_VERSION")))
        .dns_resolver(resolver)
        .connect_timeout(connect)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .build()
        .map_err(Error::Setup)
}

fn status_class(status: u16) -> &'static str {
    match status {
        429 => "429",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    }
}
