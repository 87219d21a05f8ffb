//! Lists in pages, with cursors.

use serde_json::{Value, json};

use crate::slack::arguments::Arguments;
use crate::slack::server::{Answer, Refused};

pub(super) fn page(items: Vec<Value>, arguments: &Arguments, default: usize, name: &str) -> Answer {
    let limit = arguments.number("limit").unwrap_or(default);
    if limit == 0 || limit > 1_000 {
        return Err("invalid_limit".into());
    }
    let start = cursor(arguments)?;
    let more = items.len() > start + limit;
    let shown: Vec<Value> = items.into_iter().skip(start).take(limit).collect();
    let next = if more {
        next_cursor(start + limit)
    } else {
        String::new()
    };
    Ok(json!({ name: shown, "response_metadata": { "next_cursor": next } }))
}

pub(super) fn next_cursor(start: usize) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(format!("next:{start}"))
}

pub(super) fn cursor(arguments: &Arguments) -> Result<usize, Refused> {
    use base64::Engine as _;
    let Some(cursor) = arguments.text("cursor") else {
        return Ok(0);
    };
    let decoded = base64::engine::general_purpose::STANDARD.decode(cursor);
    decoded
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok()?.strip_prefix("next:")?.parse().ok())
        .ok_or_else(|| "invalid_cursor".into())
}
