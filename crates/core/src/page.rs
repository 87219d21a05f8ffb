//! Pages of a list, and the opaque cursors between them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// How many items a page may hold.
pub const MAX_LIMIT: u32 = 200;
/// How many items a page holds when nothing is asked.
pub const DEFAULT_LIMIT: u32 = 50;

/// The request for one page.
#[derive(Debug, Clone, Copy)]
pub struct PageRequest<K> {
    /// The key of the last item already seen; `None` for the first page.
    pub after: Option<K>,
    /// How many items at most, 1 to [`MAX_LIMIT`].
    pub limit: u32,
}

/// One page of a list.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// What to pass as `cursor` for the next page; absent on the last.
    pub next_cursor: Option<String>,
}

/// A cursor that Amebo did not make, or that was altered.
#[derive(Debug, thiserror::Error)]
#[error("the cursor is not one this list gave out; start again without it")]
pub struct InvalidCursor;

impl<K: Serialize + DeserializeOwned> PageRequest<K> {
    /// Reads the cursor and bounds the limit.
    pub fn new(cursor: Option<&str>, limit: Option<u32>) -> Result<Self, InvalidCursor> {
        let after = cursor
            .map(|text| {
                let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidCursor)?;
                serde_json::from_slice(&bytes).map_err(|_| InvalidCursor)
            })
            .transpose()?;
        Ok(Self {
            after,
            limit: limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT),
        })
    }

    /// How many rows to read: one more than the page holds, which tells whether another page follows.
    pub fn rows(&self) -> i64 {
        i64::from(self.limit) + 1
    }
}

impl<T> Page<T> {
    /// Makes a page of rows read with [`PageRequest::rows`]; `key` gives an item's place in the list.
    pub fn from_rows<K: Serialize>(mut rows: Vec<T>, limit: u32, key: impl Fn(&T) -> K) -> Self {
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next_cursor = rows.last().filter(|_| more).and_then(|last| encode(&key(last)));
        Self {
            items: rows,
            next_cursor,
        }
    }

    /// The same page with every item converted.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(convert).collect(),
            next_cursor: self.next_cursor,
        }
    }
}

fn encode<K: Serialize>(key: &K) -> Option<String> {
    serde_json::to_vec(key)
        .ok()
        .map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}

/// The query parameters every list takes.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct PageQuery {
    /// Where to continue; from `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// How many items, 1 to 200; 50 when absent.
    pub limit: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pages_joined_are_the_list(items in prop::collection::vec(0u32..1000, 0..60), limit in 1u32..20) {
            let mut items = items;
            items.sort_unstable();
            items.dedup();
            let (mut seen, mut cursor) = (Vec::new(), None::<String>);
            loop {
                let request = PageRequest::<u32>::new(cursor.as_deref(), Some(limit)).unwrap();
                let rows = items
                    .iter()
                    .copied()
                    .filter(|item| request.after.is_none_or(|after| *item > after))
                    .take(usize::try_from(request.rows()).unwrap())
                    .collect();
                let page = Page::from_rows(rows, request.limit, |item| *item);
                seen.extend(page.items);
                cursor = page.next_cursor;
                if cursor.is_none() { break; }
            }
            prop_assert_eq!(seen, items);
        }

        #[test]
        fn an_altered_cursor_is_refused_or_harmless(text in ".{0,40}") {
            let _ = PageRequest::<(i64, String)>::new(Some(&text), None);
        }
    }
}
