//! The arguments of a call, however they came: as JSON, as a form with JSON in its fields, or in the address.

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use serde_json::{Map, Value};

pub(super) struct Arguments(pub(super) Value);

impl Arguments {
    pub(super) fn read(headers: &HeaderMap, query: Option<&str>, body: &Bytes) -> Self {
        let json = headers
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| kind.starts_with("application/json"));
        let mut fields = Map::new();
        let mut add = |form: &[u8]| {
            for (name, value) in url::form_urlencoded::parse(form) {
                fields.insert(name.into_owned(), Value::String(value.into_owned()));
            }
        };
        add(query.unwrap_or_default().as_bytes());
        if json {
            if let Ok(Value::Object(object)) = serde_json::from_slice(body) {
                fields.extend(object);
            }
        } else {
            add(body);
        }
        // An argument that is null was not meant.
        fields.retain(|_, value| !value.is_null());
        Self(Value::Object(fields))
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    pub(super) fn number(&self, name: &str) -> Option<usize> {
        match self.0.get(name)? {
            Value::String(text) => text.parse().ok(),
            value => usize::try_from(value.as_u64()?).ok(),
        }
    }

    pub(super) fn says(&self, name: &str) -> bool {
        match self.0.get(name) {
            Some(Value::Bool(value)) => *value,
            Some(Value::String(text)) => matches!(text.as_str(), "true" | "1"),
            Some(Value::Number(number)) => number.as_u64() == Some(1),
            _ => false,
        }
    }

    /// An object or a list, which forms carry as text.
    pub(super) fn structure(&self, name: &str) -> Result<Option<Value>, serde_json::Error> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => serde_json::from_str(text).map(Some),
            Some(value) => Ok(Some(value.clone())),
        }
    }
}
