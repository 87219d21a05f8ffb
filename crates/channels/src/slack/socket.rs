//! Socket Mode's frames: events over a connection that Amebo opens itself, for installations that nobody can reach from outside
//! (<https://docs.slack.dev/apis/events-api/using-socket-mode>).

mod runner;

use serde_json::{Value, json};

pub use runner::{Receive, SocketStatus, run};

use crate::inbound::{Immediate, Malformed};

/// What comes over the socket.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    /// The connection is ready.
    Hello {
        /// How many connections the app has now, this one included.
        connections: Option<u64>,
        /// For about how many seconds this one will last.
        lifetime_seconds: Option<u64>,
    },
    /// Something happened; to be acknowledged within three seconds by its id.
    Envelope {
        /// The frame's id.
        id: String,
        /// The body that HTTP would have brought.
        payload: Value,
        /// How often it was sent before.
        attempt: u32,
        /// Whether the acknowledgement may carry an answer.
        takes_answer: bool,
    },
    /// The connection is about to end.
    Disconnect {
        /// Why.
        reason: Disconnect,
    },
    /// Nothing to be done.
    Other,
}

/// Why a connection is about to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disconnect {
    /// Soon: a new one is to be opened first.
    Warning,
    /// Now: a new one is to be opened.
    Refresh,
    /// For good: Socket Mode was switched off for the app.
    Disabled,
}

/// Reads a text frame.
pub fn read(frame: &str) -> Result<Frame, Malformed> {
    let frame: Value = serde_json::from_str(frame).map_err(Malformed::Json)?;
    Ok(match frame["type"].as_str() {
        Some("hello") => Frame::Hello {
            connections: frame["num_connections"].as_u64(),
            lifetime_seconds: frame["debug_info"]["approximate_connection_time"].as_u64(),
        },
        Some("disconnect") => Frame::Disconnect {
            reason: match frame["reason"].as_str() {
                Some("link_disabled") => Disconnect::Disabled,
                Some("warning") => Disconnect::Warning,
                _ => Disconnect::Refresh,
            },
        },
        Some("events_api" | "slash_commands" | "interactive") => Frame::Envelope {
            id: frame["envelope_id"]
                .as_str()
                .ok_or(Malformed::Missing("envelope_id"))?
                .to_owned(),
            attempt: frame["retry_attempt"]
                .as_u64()
                .and_then(|attempt| attempt.try_into().ok())
                .unwrap_or(0),
            takes_answer: frame["accepts_response_payload"] == true,
            payload: frame["payload"].clone(),
        },
        _ => Frame::Other,
    })
}

/// The acknowledgement of an envelope.
pub fn acknowledgement(id: &str, answer: &Immediate) -> String {
    match answer {
        Immediate::Json(payload) => json!({ "envelope_id": id, "payload": payload }),
        Immediate::Acknowledge | Immediate::Text(_) => json!({ "envelope_id": id }),
    }
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read() {
        assert_eq!(
            read(r#"{"type":"hello","num_connections":1,"debug_info":{"approximate_connection_time":18060},"connection_info":{"app_id":"A1"}}"#)
                .unwrap(),
            Frame::Hello {
                connections: Some(1),
                lifetime_seconds: Some(18_060)
            }
        );
        for (reason, expected) in [
            ("warning", Disconnect::Warning),
            ("refresh_requested", Disconnect::Refresh),
            ("link_disabled", Disconnect::Disabled),
            ("something new", Disconnect::Refresh),
        ] {
            let frame = json!({ "type": "disconnect", "reason": reason }).to_string();
            assert_eq!(read(&frame).unwrap(), Frame::Disconnect { reason: expected });
        }
        assert_eq!(read(r#"{"type":"new thing"}"#).unwrap(), Frame::Other);
        assert!(read(r#"{"type":"events_api"}"#).is_err());
        assert!(read("hello").is_err());
    }

    #[test]
    fn an_envelope_is_acknowledged_by_its_id() {
        let frame = read(
            r#"{"type":"events_api","envelope_id":"e-1","payload":{"type":"event_callback"},"accepts_response_payload":false,"retry_attempt":2,"retry_reason":"timeout"}"#,
        );
        let Frame::Envelope {
            id,
            attempt,
            takes_answer,
            ..
        } = frame.unwrap()
        else {
            panic!("not an envelope");
        };
        assert_eq!((attempt, takes_answer), (2, false));
        assert_eq!(
            acknowledgement(&id, &Immediate::Acknowledge),
            r#"{"envelope_id":"e-1"}"#
        );
    }
}
