//! The server's events, as they come (the event stream format of the HTML standard, as far as our own server uses it).

use anyhow::{Context as _, Result};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use serde::de::DeserializeOwned;

/// The most bytes one event may take.
const LONGEST: usize = 16 << 20;

/// One event.
#[derive(Debug)]
pub struct Event {
    /// What happened.
    pub name: String,
    data: String,
}

impl Event {
    /// What it carries.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.data)
            .with_context(|| format!("the server's event {} cannot be read", self.name))
    }
}

/// A stream of events.
pub struct Events {
    bytes: BoxStream<'static, Result<bytes::Bytes, amebo_outbound::Error>>,
    buffer: Vec<u8>,
}

impl Events {
    pub(super) fn new(bytes: BoxStream<'static, Result<bytes::Bytes, amebo_outbound::Error>>) -> Self {
        Self {
            bytes,
            buffer: Vec::new(),
        }
    }

    /// The next event; `None` when the stream has ended.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
                if let Some(event) = parse(&String::from_utf8_lossy(&block)) {
                    return Ok(Some(event));
                }
                continue;
            }
            anyhow::ensure!(
                self.buffer.len() <= LONGEST,
                "the server sent an event without end"
            );
            match self.bytes.next().await {
                Some(bytes) => self
                    .buffer
                    .extend_from_slice(&bytes.context("the stream was cut off")?),
                None => return Ok(None),
            }
        }
    }
}

/// An event from its lines; `None` for a comment that only keeps the stream alive.
fn parse(block: &str) -> Option<Event> {
    let field = |wanted: &str| {
        let values = block.lines().filter_map(|line| {
            line.strip_prefix(wanted)?
                .strip_prefix(':')
                .map(|value| value.strip_prefix(' ').unwrap_or(value))
        });
        values.collect::<Vec<_>>().join("\n")
    };
    let data = field("data");
    (!data.is_empty()).then(|| Event {
        name: field("event"),
        data,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream;

    #[tokio::test]
    async fn events_are_read_however_the_bytes_are_cut() {
        let text =
            ": alive\n\nevent: token\ndata: {\"text\": \"grüß\"}\n\nevent: verdict\ndata: {}\n\n".as_bytes();
        for size in 1..text.len() {
            let pieces: Vec<_> = text
                .chunks(size)
                .map(|piece| Ok(bytes::Bytes::copy_from_slice(piece)))
                .collect();
            let mut events = Events::new(stream::iter(pieces).boxed());
            let token = events.next().await.unwrap().unwrap();
            assert_eq!(
                (
                    token.name.as_str(),
                    token.json::<serde_json::Value>().unwrap()["text"].as_str()
                ),
                ("token", Some("grüß"))
            );
            assert_eq!(events.next().await.unwrap().unwrap().name, "verdict");
            assert!(events.next().await.unwrap().is_none());
        }
    }
}
