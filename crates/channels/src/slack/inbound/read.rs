//! Reading objects of which nothing is certain. Slack writes what is not there as absent, as null or as an empty text.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::inbound::{Place, PlaceKind};

pub(in crate::slack) trait Read {
    /// The text at a JSON pointer, unless it is empty.
    fn text(&self, pointer: &str) -> Option<&str>;
    /// The same as a text of its own.
    fn string(&self, pointer: &str) -> Option<String> {
        self.text(pointer).map(str::to_owned)
    }
    /// Whether it says true there; a form writes that as a text.
    fn says(&self, pointer: &str) -> bool;
    /// The texts of the list there.
    fn strings(&self, pointer: &str) -> Vec<String>;
    /// The items of the list there.
    fn items(&self, pointer: &str) -> &[Value];
}

/// The value at a JSON pointer whose names hold neither `~` nor `/`: undoing escapes, as the general one does, costs more than the way.
fn at<'a>(value: &'a Value, pointer: &str) -> Option<&'a Value> {
    pointer
        .split('/')
        .skip(1)
        .try_fold(value, |within, name| match within {
            Value::Object(fields) => fields.get(name),
            Value::Array(items) => items.get(name.parse::<usize>().ok()?),
            _ => None,
        })
}

impl Read for Value {
    fn text(&self, pointer: &str) -> Option<&str> {
        at(self, pointer)?.as_str().filter(|text| !text.is_empty())
    }

    fn says(&self, pointer: &str) -> bool {
        match at(self, pointer) {
            Some(Value::Bool(value)) => *value,
            Some(Value::String(value)) => value == "true",
            _ => false,
        }
    }

    fn strings(&self, pointer: &str) -> Vec<String> {
        self.items(pointer)
            .iter()
            .filter_map(Value::as_str)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
            .collect()
    }

    fn items(&self, pointer: &str) -> &[Value] {
        at(self, pointer)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }
}

/// The instant that a message's id stands for: seconds since 1970 with six digits behind the point.
pub(super) fn instant(ts: &str) -> Option<DateTime<Utc>> {
    let (seconds, fraction) = ts.split_once('.').unwrap_or((ts, "0"));
    let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let micros: u32 = digits.parse().ok()?;
    DateTime::from_timestamp(seconds.parse().ok()?, micros.checked_mul(1_000)?)
}

/// A place by its id and what Slack says of its kind.
pub(super) fn place(id: &str, kind: Option<&str>, shared: bool) -> Place {
    let kind = match kind {
        Some("channel" | "C") => Some(PlaceKind::Public),
        Some("group" | "G" | "privategroup") => Some(PlaceKind::Private),
        Some("mpim") => Some(PlaceKind::Group),
        Some("im" | "app_home" | "directmessage") => Some(PlaceKind::Direct),
        // Ids of direct conversations begin with a D. Those of channels no longer tell public from private.
        _ => id.starts_with('D').then_some(PlaceKind::Direct),
    };
    Place {
        id: id.to_owned(),
        kind,
        shared,
    }
}
