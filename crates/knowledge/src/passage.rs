//! What extraction gives to chunking, and chunking to embedding and indexing.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// The text of a document with its structure, as extraction found it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extracted {
    /// The type decided by content, e.g. `application/pdf`.
    pub mime_type: String,
    /// A title found inside the document.
    pub title: Option<String>,
    /// The whole text, UTF-8, tables and headings included. Citations are byte ranges of it.
    pub text: String,
    /// The structure, in order and without overlap; every range lies on character boundaries of `text`.
    pub blocks: Vec<Block>,
    /// How many pages, slides or sheets there are; 0 where the format has none.
    pub pages: u32,
    /// What the document says of itself: author, created, subject, from, to.
    pub metadata: BTreeMap<String, String>,
    /// What was left out and why, in sentences for a person.
    pub warnings: Vec<String>,
}

/// A stretch of text of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// What it is.
    pub kind: BlockKind,
    /// Its bytes in [`Extracted::text`].
    pub range: Range<usize>,
    /// The page, slide or sheet it stands on, counted from 1.
    pub page: Option<u32>,
}

/// The kind of a [`Block`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// A heading, 1 (outermost) to 6.
    Heading(u8),
    /// Running text.
    Paragraph,
    /// One item of a list.
    ListItem,
    /// A table as text: one row a line, cells joined by ` | `, the header row first.
    Table,
    /// Program text or other preformatted text.
    Code,
}

/// A passage: the unit that is embedded, found and cited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Its place among the document's passages, from 0.
    pub index: u32,
    /// Exactly the bytes `range` of the extracted text.
    pub content: String,
    /// Its bytes in [`Extracted::text`].
    pub range: Range<usize>,
    /// The headings above it, outermost first.
    pub heading_path: Vec<String>,
    /// The page it begins on, counted from 1.
    pub page: Option<u32>,
}
