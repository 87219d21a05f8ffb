//! Reading what Slack sends: the three doors of HTTP (events as JSON, commands as a form, interactions as JSON in a form) and the
//! payloads of Socket Mode, which are the same objects.
//!
//! Slack's objects grow without notice, and fields are absent, null or empty where others were expected. So nothing is
//! required but what an event is worth nothing without; what is unknown becomes [`Event::Other`] and is counted.

mod command;
mod event;
mod interaction;
mod message;
mod person;
mod read;

use serde_json::Value;

use crate::inbound::{Event, Immediate, Inbound, Malformed};
pub(super) use read::Read;

pub use message::{Us, file as read_file, read as read_message};
pub use person::{Home, read as read_person};

/// How often Slack sent this before, and why it does again; for metrics. A repeated delivery is judged like a first one: it may be
/// the only one that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redelivery {
    /// 1 for the first repetition.
    pub number: u32,
    /// Slack's word for what went wrong before, such as `http_timeout`.
    pub reason: String,
}

/// What the headers say about earlier deliveries of the same event.
pub fn redelivery(headers: &http::HeaderMap) -> Option<Redelivery> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    Some(Redelivery {
        number: text("x-slack-retry-num")?.parse().ok()?,
        reason: text("x-slack-retry-reason").unwrap_or("unknown_error").to_owned(),
    })
}

/// Reads the body of a request whose signature was verified, through whichever door it came.
pub fn parse(body: &[u8]) -> Result<Inbound, Malformed> {
    let body = body.trim_ascii();
    if body.starts_with(b"{") {
        return parse_object(&json(body)?);
    }
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(body).map_err(Malformed::Form)?;
    if let Some((_, payload)) = pairs.iter().find(|(name, _)| name == "payload") {
        return parse_object(&json(payload.as_bytes())?);
    }
    let fields = pairs
        .into_iter()
        .map(|(name, value)| (name, Value::String(value)))
        .collect();
    parse_object(&Value::Object(fields))
}

/// Reads an object that came over a socket, or out of a form.
pub fn parse_object(object: &Value) -> Result<Inbound, Malformed> {
    let done = |answer| {
        Ok(Inbound {
            answer,
            events: Vec::new(),
        })
    };
    if object.text("/ssl_check").is_some() {
        return done(Immediate::Acknowledge);
    }
    if object.text("/command").is_some() {
        return command::parse(object);
    }
    match object.text("/type").ok_or(Malformed::Unknown)? {
        "url_verification" => done(Immediate::Text(
            object
                .text("/challenge")
                .ok_or(Malformed::Missing("challenge"))?
                .to_owned(),
        )),
        "event_callback" => event::parse(object),
        "app_rate_limited" => event::parse_rate_limit(object),
        "block_actions" => interaction::parse_actions(object),
        "view_submission" => interaction::parse_form(object),
        "view_closed" | "shortcut" | "message_action" | "block_suggestion" | "interactive_message" => {
            interaction::parse_other(object)
        }
        _ => Err(Malformed::Unknown),
    }
}

fn json(body: &[u8]) -> Result<Value, Malformed> {
    serde_json::from_slice(body).map_err(Malformed::Json)
}

/// What is to be acknowledged, with these events.
fn acknowledge(events: Vec<crate::inbound::InboundEvent>) -> Inbound {
    Inbound {
        answer: Immediate::Acknowledge,
        events,
    }
}

fn other(name: &str) -> Event {
    Event::Other {
        name: name.to_owned(),
    }
}

#[cfg(test)]
mod tests;
