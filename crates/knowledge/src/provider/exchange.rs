//! What both wire formats share: sending, reading events, retrying until the first piece of text.

use std::collections::VecDeque;
use std::time::Duration;

use amebo_outbound::{Client, Limits, Request, Response};
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{BoxStream, once, try_unfold};
use http::header;
use url::Url;

use super::sse::{Parser, TooLarge};
use super::{Completion, Delta, Deltas, Error};

/// Local models may read a long prompt for a minute before the first token.
pub(super) const LIMITS: Limits = Limits {
    first_byte: Duration::from_secs(90),
    idle: Duration::from_mins(1),
    total: Duration::from_mins(5),
    body_bytes: 16 << 20,
    redirects: 0,
    retries: 2,
};

/// Understands the events of one wire format.
pub(super) trait Decoder: Default + Send + 'static {
    /// What an event brings, if anything.
    fn event(&mut self, data: &str) -> Result<Option<Delta>, Error>;

    /// The completion, where everything that makes an answer whole has come although no event said so.
    fn end(&mut self) -> Option<Completion>;
}

/// Sends `request` and reads the answer as `D` understands it. A failure that comes before any text is retried once more
/// here, after those retries that the client makes by itself on a failing status.
pub(super) async fn complete<D: Decoder>(client: &Client, request: Request) -> Result<Deltas, Error> {
    let mut repeated = false;
    loop {
        let response = client.send(request.clone().limits(LIMITS).repeatable()).await?;
        let mut deltas = deltas::<D>(response).await?;
        match deltas.next().await {
            Some(Err(error)) if error.is_worth_repeating() && !repeated => repeated = true,
            Some(Err(error)) => return Err(error),
            Some(Ok(first)) => return Ok(once(async { Ok(first) }).chain(deltas).boxed()),
            None => return Err(Error::Interrupted),
        }
    }
}

/// The provider's address with the path of an operation.
pub(super) fn endpoint(base: &Url, path: &str) -> Result<Url, Error> {
    let text = format!("{}/{path}", base.as_str().trim_end_matches('/'));
    Url::parse(&text).map_err(|_| Error::Settings("the base URL cannot be extended"))
}

async fn deltas<D: Decoder>(response: Response) -> Result<Deltas, Error> {
    if !response.status().is_success() {
        return Err(Error::of_response(response).await);
    }
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let is_stream = content_type.is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"));
    if !is_stream {
        return Err(Error::Malformed("not an event stream"));
    }
    let reading = Reading {
        bytes: response.stream(),
        parser: Some(Parser::default()),
        events: VecDeque::new(),
        decoder: D::default(),
        done: false,
    };
    Ok(try_unfold(reading, |mut reading| async move {
        Ok(reading.next().await?.map(|delta| (delta, reading)))
    })
    .boxed())
}

struct Reading<D> {
    bytes: BoxStream<'static, Result<Bytes, amebo_outbound::Error>>,
    /// `None` when the bytes have ended.
    parser: Option<Parser>,
    events: VecDeque<String>,
    decoder: D,
    done: bool,
}

impl<D: Decoder> Reading<D> {
    async fn next(&mut self) -> Result<Option<Delta>, Error> {
        while !self.done {
            let delta = if let Some(data) = self.events.pop_front() {
                self.decoder.event(&data)?
            } else if let Some(parser) = &mut self.parser {
                match self.bytes.next().await {
                    Some(bytes) => {
                        let events = parser
                            .push(&bytes?)
                            .map_err(|TooLarge| Error::Malformed("an endless event"))?;
                        self.events.extend(events);
                    }
                    None => self.events.extend(self.parser.take().and_then(last_event)),
                }
                None
            } else {
                Some(Delta::Done(self.decoder.end().ok_or(Error::Interrupted)?))
            };
            if let Some(delta) = delta {
                self.done = matches!(delta, Delta::Done(_));
                if let Delta::Done(completion) = &delta {
                    count(completion);
                }
                return Ok(Some(delta));
            }
        }
        Ok(None)
    }
}

/// What stood in the parser when the bytes ended, unless it was cut off.
fn last_event(parser: Parser) -> Option<String> {
    parser
        .finish()
        .filter(|data| data == "[DONE]" || serde_json::from_str::<serde::de::IgnoredAny>(data).is_ok())
}

fn count(completion: &Completion) {
    let usage = completion.usage;
    for (kind, tokens) in [
        ("input", usage.input),
        ("cached", usage.cached),
        ("output", usage.output),
    ] {
        metrics::counter!("amebo_model_tokens_total", "kind" => kind).increment(tokens);
    }
}
