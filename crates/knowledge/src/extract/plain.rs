//! Plain text: paragraphs are what empty lines part.

use crate::extract::text::{clean, decode};
use crate::extract::writer::Writer;
use crate::extract::{Kind, Refusal};
use crate::passage::Extracted;

/// Reads plain text of any encoding.
pub(super) fn extract(bytes: &[u8]) -> Result<Extracted, Refusal> {
    let (text, guessed) = decode(bytes);
    let mut writer = Writer::default();
    if guessed {
        writer.warn("The character encoding of this file is not UTF-8; it was guessed.");
    }
    paragraphs(&mut writer, &text);
    writer.finish(Kind::Text)
}

/// Writes each stretch of non-empty lines as a paragraph.
pub(super) fn paragraphs(writer: &mut Writer, text: &str) {
    let text = clean(text);
    let mut start = None;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        if line.trim().is_empty() {
            if let Some(start) = start.take() {
                writer.paragraph(&text[start..offset]);
            }
        } else {
            start.get_or_insert(offset);
        }
        offset += line.len();
    }
    if let Some(start) = start {
        writer.paragraph(&text[start..]);
    }
}
