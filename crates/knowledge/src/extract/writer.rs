//! Puts a document together: text and blocks grow side by side, so ranges are right by construction.

use std::collections::BTreeMap;

use crate::extract::text::{clean, compose, single_line};
use crate::extract::{Kind, Refusal};
use crate::passage::{Block, BlockKind, Extracted};

/// How much text one document may have, in bytes.
const TEXT_LIMIT: usize = 40_000_000;
/// How many blocks; what comes after is joined to the last, since each costs about 80 bytes on the wire.
const BLOCK_LIMIT: usize = 100_000;
/// How long a metadata value or a title may be, in characters.
const VALUE_LIMIT: usize = 1_000;
/// How many warnings are kept.
const WARNING_LIMIT: usize = 20;

/// A document under construction.
#[derive(Debug, Default)]
pub(super) struct Writer {
    text: String,
    blocks: Vec<Block>,
    page: Option<u32>,
    pages: u32,
    title: Option<String>,
    metadata: BTreeMap<String, String>,
    warnings: Vec<String>,
    full: bool,
}

impl Writer {
    /// What follows stands on this page, slide or sheet, counted from 1.
    pub(super) fn page(&mut self, number: u32) {
        self.page = Some(number);
        self.pages = self.pages.max(number);
    }

    /// Sets the title if it says anything and none is set.
    pub(super) fn title(&mut self, title: &str) {
        let title = value(title);
        if self.title.is_none() && !title.is_empty() {
            self.title = Some(title);
        }
    }

    /// Notes what the document says of itself, if it says anything.
    pub(super) fn metadata(&mut self, name: &str, text: &str) {
        let text = value(text);
        if !text.is_empty() {
            self.metadata.insert(name.to_owned(), text);
        }
    }

    /// Notes what was left out.
    pub(super) fn warn(&mut self, warning: impl Into<String>) {
        let warning = warning.into();
        if self.warnings.len() < WARNING_LIMIT && !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Whether the document has reached its limit; more is not taken.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    /// Whether nothing was written.
    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// A heading on one line; levels outside 1 to 6 are brought inside.
    pub(super) fn heading(&mut self, level: u8, text: &str) {
        let line = single_line(&compose(clean(text)));
        self.push(BlockKind::Heading(level.clamp(1, 6)), &line);
    }

    /// Running text; its line breaks stay.
    pub(super) fn paragraph(&mut self, text: &str) {
        self.prose(BlockKind::Paragraph, text);
    }

    /// One item of a list.
    pub(super) fn list_item(&mut self, text: &str) {
        self.prose(BlockKind::ListItem, text);
    }

    /// Preformatted text, kept as it is but for control characters.
    pub(super) fn code(&mut self, text: &str) {
        let cleaned = clean(text);
        self.push(BlockKind::Code, cleaned.trim_matches('\n').trim_end());
    }

    /// A table, header row first; empty rows and empty cells at the end of a row are left out.
    pub(super) fn table<R, C>(&mut self, rows: R)
    where
        R: IntoIterator<Item = C>,
        C: IntoIterator,
        C::Item: AsRef<str>,
    {
        let mut table = String::new();
        for row in rows {
            let start = table.len();
            if start > 0 {
                table.push('\n');
            }
            let row_start = table.len();
            let mut filled = row_start;
            for (column, cell) in row.into_iter().enumerate() {
                if column > 0 {
                    table.push_str(" | ");
                }
                let cell = single_line(&compose(clean(cell.as_ref())));
                table.push_str(&cell);
                if !cell.is_empty() {
                    filled = table.len();
                }
            }
            table.truncate(if filled == row_start { start } else { filled });
            if table.len() > TEXT_LIMIT {
                break;
            }
        }
        self.push(BlockKind::Table, &table);
    }

    /// The document, or a refusal when it holds no text.
    pub(super) fn finish(self, kind: Kind) -> Result<Extracted, Refusal> {
        let Some(first) = self.blocks.first() else {
            return Err(Refusal::NoText);
        };
        let heading =
            matches!(first.kind, BlockKind::Heading(_)).then(|| value(&self.text[first.range.clone()]));
        Ok(Extracted {
            mime_type: kind.mime_type().to_owned(),
            title: self.title.or(heading),
            text: self.text,
            blocks: self.blocks,
            pages: self.pages,
            metadata: self.metadata,
            warnings: self.warnings,
        })
    }

    fn prose(&mut self, kind: BlockKind, text: &str) {
        let cleaned = compose(clean(text));
        self.push(kind, cleaned.trim());
    }

    fn push(&mut self, kind: BlockKind, text: &str) {
        if text.trim().is_empty() || self.full {
            return;
        }
        let separator = match self.blocks.last().map(|block| block.kind) {
            None => "",
            Some(BlockKind::ListItem) if kind == BlockKind::ListItem => "\n",
            Some(_) => "\n\n",
        };
        let room = TEXT_LIMIT.saturating_sub(self.text.len() + separator.len());
        let mut text = text;
        if text.len() > room {
            text = &text[..text.floor_char_boundary(room)];
            self.full = true;
            self.warn("This document holds more than 40 MB of text; the rest was left out.");
            if text.is_empty() {
                return;
            }
        }
        self.text.push_str(separator);
        let range = self.text.len()..self.text.len() + text.len();
        self.text.push_str(text);
        let crowded = self.blocks.len() >= BLOCK_LIMIT;
        match self.blocks.last_mut() {
            Some(last) if crowded => {
                last.kind = BlockKind::Paragraph;
                last.range.end = range.end;
            }
            _ => self.blocks.push(Block {
                kind,
                range,
                page: self.page,
            }),
        }
    }
}

/// A short text on one line.
fn value(text: &str) -> String {
    single_line(&compose(clean(text)))
        .chars()
        .take(VALUE_LIMIT)
        .collect()
}
