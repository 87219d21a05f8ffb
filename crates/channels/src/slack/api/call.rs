//! One call: its turn, the request, the judgement, another attempt.

use std::time::Duration;

use amebo_outbound::{Limits, Request};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::time::{Instant, sleep};
use url::Url;

use super::flight::Full;
use super::method::{Encoding, Method, Tier};
use super::{Api, Patience, Workspace};
use crate::Outcome;
use crate::outcome::Failure;
use crate::slack::outcome::{classify, classify_failure};

/// The largest answer that is read.
const LARGEST_ANSWER: usize = 16 << 20;
/// How often a failure of the moment is tried again within one call.
const ATTEMPTS: u32 = 3;
/// How long a call waits at least while many others of its workspace are under way, before it is put aside.
const IN_CROWD: Duration = Duration::from_secs(1);
const FIRST_BACKOFF: Duration = Duration::from_millis(300);

/// A call that brought nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Slack's {method}: {}", outcome.remedy().unwrap_or_default())]
pub struct CallError {
    /// The method, or `response_url`.
    pub method: &'static str,
    /// What became of it; never [`Outcome::Accepted`].
    pub outcome: Outcome,
}

impl CallError {
    /// The platform's word for it, where it refused the request as such.
    pub fn code(&self) -> Option<&str> {
        match &self.outcome {
            Outcome::Refused(Failure { code, .. })
            | Outcome::PlaceClosed { code }
            | Outcome::Temporary { code, .. }
            | Outcome::CredentialRevoked { code } => Some(code),
            _ => None,
        }
    }
}

/// What became of a request.
pub(super) struct Sent {
    /// The judgement.
    pub(super) outcome: Outcome,
    /// The answer's headers.
    pub(super) headers: HeaderMap,
    /// The answer's body.
    pub(super) body: Bytes,
    /// Whether there was an answer at all, whatever it said.
    pub(super) answered: bool,
}

/// How a call shows who calls.
pub(super) enum Authorization<'a> {
    Bearer(&'a SecretString),
    /// An app by its id and secret.
    Basic(&'a str, &'a SecretString),
}

/// The arguments of a call. Absent ones are left out.
#[derive(Debug, Default, Clone)]
pub(super) struct Arguments(Map<String, Value>);

impl Arguments {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// The arguments of an object.
    pub(super) fn from_object(object: &Value) -> Self {
        Self(object.as_object().cloned().unwrap_or_default())
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    pub(super) fn with_some<T: Into<Value>>(self, name: &str, value: Option<T>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    fn place(&self) -> Option<&str> {
        self.0.get("channel").and_then(Value::as_str)
    }

    /// The body with its content type. Without the character set named, Slack answers with a warning.
    fn encode(&self, encoding: Encoding) -> (&'static str, Bytes) {
        match encoding {
            Encoding::Json => (
                "application/json; charset=utf-8",
                Value::Object(self.0.clone()).to_string().into(),
            ),
            Encoding::Form => {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                for (name, value) in &self.0 {
                    match value {
                        Value::String(text) => form.append_pair(name, text),
                        other => form.append_pair(name, &other.to_string()),
                    };
                }
                (
                    "application/x-www-form-urlencoded; charset=utf-8",
                    form.finish().into(),
                )
            }
        }
    }
}

impl Workspace {
    /// Calls a method and reads its answer.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        arguments: Arguments,
    ) -> Result<T, CallError> {
        let body = self.call_raw(method, &arguments).await?;
        read(method.as_str(), &body)
    }

    /// Calls a method of which only success matters; returns what became of it.
    pub(super) async fn call_raw(&self, method: Method, arguments: &Arguments) -> Result<Bytes, CallError> {
        let authorization = Authorization::Bearer(&self.token);
        self.api
            .call(&self.account, method, arguments, &authorization, self.patience)
            .await
    }
}

impl Api {
    pub(super) async fn call(
        &self,
        account: &std::sync::Arc<str>,
        method: Method,
        arguments: &Arguments,
        authorization: &Authorization<'_>,
        patience: Patience,
    ) -> Result<Bytes, CallError> {
        let failed = |outcome| CallError {
            method: method.as_str(),
            outcome,
        };
        let url = self.settings.api_base.join(method.as_str()).map_err(|_| {
            failed(Outcome::Refused(Failure {
                code: "invalid_api_base".to_owned(),
                details: Vec::new(),
            }))
        })?;
        let deadline = Instant::now() + patience.0;
        let in_crowd = Instant::now() + IN_CROWD;
        let mut attempt = 0;
        loop {
            let pass = match self.flights.enter(account, self.environment.now()) {
                // Installations are the app's own affair, and rare in any one workspace.
                _ if method.tier() == Tier::Installing => None,
                Ok(pass) => Some(pass),
                Err(Full::Crowded(wait)) if Instant::now() + wait < deadline.max(in_crowd) => {
                    sleep(wait).await;
                    continue;
                }
                Err(Full::Crowded(wait) | Full::Silent(wait)) => {
                    return Err(failed(Outcome::RetryAfter(self.spread(wait))));
                }
            };
            let turn = self
                .budgets
                .take(account, method, arguments.place(), self.environment.now());
            if let Err(wait) = turn {
                drop(pass);
                if Instant::now() + wait > deadline {
                    return Err(failed(Outcome::RetryAfter(wait)));
                }
                sleep(wait).await;
                continue;
            }
            let sent = self.send(method, arguments, &url, authorization).await;
            if let Some(pass) = pass {
                pass.ended(sent.answered);
            }
            let Sent { outcome, body, .. } = sent;
            metrics::counter!("amebo_slack_calls_total", "method" => method.as_str(), "result" => outcome.as_str())
                .increment(1);
            let wait = match &outcome {
                Outcome::Accepted { .. } => return Ok(body),
                Outcome::RetryAfter(wait) => {
                    self.budgets
                        .pause(account, method, arguments.place(), *wait, self.environment.now());
                    *wait
                }
                Outcome::Temporary { perhaps_done, .. }
                    if (method.is_repeatable() || !perhaps_done) && attempt + 1 < ATTEMPTS =>
                {
                    FIRST_BACKOFF * 2_u32.pow(attempt) + FIRST_BACKOFF.mul_f64(self.environment.fraction())
                }
                _ => return Err(failed(outcome)),
            };
            if Instant::now() + wait > deadline {
                return Err(failed(outcome));
            }
            sleep(wait).await;
            attempt += 1;
        }
    }

    async fn send(
        &self,
        method: Method,
        arguments: &Arguments,
        url: &Url,
        authorization: &Authorization<'_>,
    ) -> Sent {
        let (content_type, body) = arguments.encode(method.encoding());
        let request = Request::post(url.clone(), "slack").body(content_type, body);
        let request = match authorization {
            Authorization::Bearer(token) => request.bearer(token.expose_secret()),
            Authorization::Basic(id, secret) => {
                use base64::Engine as _;
                let pair = format!("{id}:{}", secret.expose_secret());
                let pair = base64::engine::general_purpose::STANDARD.encode(pair);
                request.header("authorization", &format!("Basic {pair}"))
            }
        };
        self.send_request(request).await
    }

    /// Sends a request once and judges the answer.
    pub(super) async fn send_request(&self, request: Request) -> Sent {
        let total = Duration::from_secs(self.settings.timeout_seconds);
        let limits = Limits {
            first_byte: total,
            idle: total,
            total,
            body_bytes: LARGEST_ANSWER,
            redirects: 0,
            retries: 0,
        };
        let response = match self.client.send(request.limits(limits)).await {
            Ok(response) => response,
            Err(error) => {
                return Sent {
                    outcome: classify_failure(&error),
                    headers: HeaderMap::new(),
                    body: Bytes::new(),
                    answered: false,
                };
            }
        };
        let (status, headers): (StatusCode, _) = (response.status(), response.headers().clone());
        let (outcome, body) = match response.bytes().await {
            Ok(body) => (classify(status, &headers, &body), body),
            // What was said of the rates counts even if the rest did not arrive.
            Err(_) if status == StatusCode::TOO_MANY_REQUESTS => {
                (classify(status, &headers, b""), Bytes::new())
            }
            Err(error) => (classify_failure(&error), Bytes::new()),
        };
        Sent {
            outcome,
            headers,
            body,
            answered: true,
        }
    }

    /// A time to come again, so that not all come at once.
    pub(super) fn spread(&self, wait: Duration) -> Duration {
        wait.mul_f64(1.0 + self.environment.fraction() / 2.0)
    }
}

/// Reads the answer of a call that succeeded.
pub(super) fn read<T: DeserializeOwned>(method: &'static str, body: &[u8]) -> Result<T, CallError> {
    serde_json::from_slice(body).map_err(|error| CallError {
        method,
        outcome: Outcome::Refused(Failure {
            code: "unexpected_answer".to_owned(),
            details: vec![error.to_string()],
        }),
    })
}
