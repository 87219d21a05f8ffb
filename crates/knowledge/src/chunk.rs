//! From extracted text to passages: what is embedded, found and cited.
//!
//! Passages follow sentences, rows, lines and headings. Ranges are law: a passage is exactly the bytes of its range, so a
//! citation can always be checked against the document; context that lies elsewhere (headings, the header row of a table)
//! goes into [`Passage::heading_path`] instead. Time is linear in the text, and memory is that of the passages.

mod oversize;
mod pack;
mod sentence;

use std::ops::Range;

use serde::{Deserialize, Serialize};

pub use sentence::sentences;

use crate::chunk::pack::{Packer, Piece};
use crate::passage::{Block, BlockKind, Extracted, Passage};

/// How large passages are. Lengths are [widths](width): characters, those of Chinese, Japanese and Korean counting double.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// What passages aim at.
    pub target: usize,
    /// What none exceeds; at least `target`, and at least 16.
    pub max: usize,
    /// The longest sentence that is repeated at the beginning of the next passage; 0 repeats none.
    pub overlap: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            target: 700,
            max: 1_000,
            overlap: 160,
        }
    }
}

/// Splits a document into passages, in order, that together hold all its text but white space.
pub fn split(document: &Extracted, settings: &Settings) -> Vec<Passage> {
    let max = settings.max.max(settings.target).max(16);
    let settings = Settings {
        max,
        target: settings.target.clamp(8, max),
        overlap: settings.overlap.min(max / 2),
    };
    let text = document.text.as_str();
    let mut packer = Packer::new(text, settings);
    let mut done = 0;
    for block in &document.blocks {
        // Ranges come from a process that was fed hostile bytes.
        if block.range.start < done || text.get(block.range.clone()).is_none() {
            continue;
        }
        add_prose(&mut packer, text, done..block.range.start, None);
        add_block(&mut packer, text, block);
        done = block.range.end;
    }
    add_prose(&mut packer, text, done..text.len(), None);
    packer.finish()
}

/// What is embedded and lexically indexed for a passage: title, headings, content, without saying a heading twice.
pub fn embedding_text(title: &str, passage: &Passage) -> String {
    let mut text = String::with_capacity(passage.content.len() + 128);
    let headings = passage.heading_path.iter().map(String::as_str);
    for line in std::iter::once(title).chain(headings) {
        if !line.is_empty() && !passage.content.starts_with(line) && text.lines().next_back() != Some(line) {
            text.push_str(line);
            text.push('\n');
        }
    }
    text.push_str(&passage.content);
    text
}

/// How long a text is to a reader: ideographs, kana and hangul say about twice as much as a letter.
pub fn width(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.chars().map(character_width).sum()
    }
}

fn character_width(c: char) -> usize {
    match c {
        '\u{1100}'..='\u{11ff}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{20000}'..='\u{3ffff}' => 2,
        _ => 1,
    }
}

fn add_block(packer: &mut Packer<'_>, text: &str, block: &Block) {
    match block.kind {
        BlockKind::Heading(level) => {
            packer.heading(level, block.range.clone(), block.page);
        }
        BlockKind::Paragraph | BlockKind::ListItem => {
            add_prose(packer, text, block.range.clone(), block.page);
        }
        BlockKind::Table | BlockKind::Code => {
            let is_table = block.kind == BlockKind::Table;
            let mut start = block.range.start;
            for (row, line) in text[block.range.clone()].split_inclusive('\n').enumerate() {
                let range = start..start + line.len();
                start = range.end;
                if is_table && row == 0 {
                    packer.table_header(range.clone());
                }
                packer.add(&Piece {
                    range,
                    page: block.page,
                    prose: false,
                });
            }
            packer.end_table();
        }
    }
}

fn add_prose(packer: &mut Packer<'_>, text: &str, range: Range<usize>, page: Option<u32>) {
    for sentence in sentences(&text[range.clone()]) {
        let range = range.start + sentence.start..range.start + sentence.end;
        packer.add(&Piece {
            range,
            page,
            prose: true,
        });
    }
}
