//! Rows of delimited values (CSV, RFC 4180, and its relatives with other delimiters).

use csv::ReaderBuilder;

use crate::extract::text::decode;
use crate::extract::writer::Writer;
use crate::extract::{Kind, Refusal};
use crate::passage::Extracted;

/// How many rows decide on the delimiter.
const ROWS: usize = 50;
/// How much text decides on the delimiter.
const SAMPLE: usize = 64 * 1024;

/// A delimiter and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Delimiter {
    pub(super) byte: u8,
    /// Every row has the same number of fields, and there are several of both.
    pub(super) certain: bool,
}

/// The delimiter that cuts the most rows into the same number of fields; `None` when none cuts at all.
pub(super) fn delimiter(text: &str) -> Option<Delimiter> {
    let sample = &text[..text.floor_char_boundary(SAMPLE)];
    // The sample may end inside a row.
    let sample = match sample.rfind('\n') {
        Some(end) if sample.len() < text.len() => &sample[..end],
        _ => sample,
    };
    let mut best: Option<(usize, usize, Delimiter)> = None;
    for byte in *b",;\t|" {
        let mut reader = ReaderBuilder::new()
            .delimiter(byte)
            .flexible(true)
            .has_headers(false)
            .from_reader(sample.as_bytes());
        let widths: Vec<usize> = reader
            .byte_records()
            .take(ROWS)
            .map_while(Result::ok)
            .map(|row| row.len())
            .collect();
        let Some(usual) = widths
            .iter()
            .copied()
            .max_by_key(|width| widths.iter().filter(|other| *other == width).count())
        else {
            continue;
        };
        if usual < 2 {
            continue;
        }
        let agreeing = widths.iter().filter(|width| **width == usual).count();
        let certain = agreeing == widths.len() && widths.len() >= 3 && (usual >= 3 || widths.len() >= 5);
        if best.is_none_or(|(rows, width, _)| (agreeing, usual) > (rows, width)) {
            best = Some((agreeing, usual, Delimiter { byte, certain }));
        }
    }
    best.map(|(_, _, found)| found)
}

/// Reads all rows as one table.
pub(super) fn extract(bytes: &[u8]) -> Result<Extracted, Refusal> {
    let (text, guessed) = decode(bytes);
    let delimiter = delimiter(&text).map_or(b',', |found| found.byte);
    let mut writer = Writer::default();
    if guessed {
        writer.warn("The character encoding of this file is not UTF-8; it was guessed.");
    }
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .has_headers(false)
        .from_reader(text.as_bytes());
    let rows = reader
        .records()
        .map_while(Result::ok)
        .map(|row| row.iter().map(str::to_owned).collect::<Vec<_>>());
    writer.table(rows);
    writer.finish(Kind::Csv)
}
