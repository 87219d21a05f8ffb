//! From lines on pages to paragraphs and headings.
//!
//! A PDF knows no paragraphs, only glyphs at places. Lines that follow each other at the usual distance in the same size
//! are one paragraph; a short group of lines set clearly larger than the body is a heading.

use std::collections::BTreeMap;

use crate::extract::writer::Writer;

/// How much larger than the body a heading is set.
const HEADING_RATIO: f32 = 1.15;
/// The longest heading, in characters.
const HEADING_LENGTH: usize = 160;
/// The most lines a heading takes.
const HEADING_LINES: usize = 3;
/// A gap larger than this many font sizes parts paragraphs.
const PARAGRAPH_GAP: f32 = 1.7;

/// A line of text and where it stands; lengths in points.
#[derive(Debug, Default, Clone)]
pub(super) struct Line {
    pub(super) text: String,
    /// The last word goes on in the next line; its hyphen is left out.
    pub(super) broken_word: bool,
    /// How many characters it has, blanks not counted.
    pub(super) count: usize,
    size: f32,
    left: f32,
    bottom: f32,
    measured: bool,
}

impl Line {
    /// Whether nothing is known yet of size and place; the first character tells.
    pub(super) fn needs_measuring(&self) -> bool {
        !self.measured
    }

    /// Sets font size and place.
    pub(super) fn measure(&mut self, size: f32, left: f32, bottom: f32) {
        self.measured = true;
        self.size = if size.is_finite() { size.abs() } else { 0.0 };
        self.left = left;
        self.bottom = bottom;
    }

    /// The line, unless it is blank.
    pub(super) fn finished(mut self) -> Option<Self> {
        self.text.truncate(self.text.trim_end().len());
        (self.count > 0).then_some(self)
    }
}

/// All pages of a document, kept until the usual font size is known.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pages: Vec<(u32, Vec<Line>)>,
}

impl Layout {
    /// Adds a page.
    pub(super) fn page(&mut self, number: u32, lines: Vec<Line>) {
        self.pages.push((number, lines));
    }

    /// Writes all pages.
    pub(super) fn write(self, writer: &mut Writer) {
        let sizes = self.sizes();
        let body = sizes
            .iter()
            .max_by_key(|(_, count)| **count)
            .map_or(0, |(size, _)| *size);
        let headings: Vec<u32> = sizes
            .keys()
            .rev()
            .copied()
            .filter(|size| to_points(*size) >= to_points(body) * HEADING_RATIO)
            .collect();
        for (number, lines) in &self.pages {
            writer.page(*number);
            let mut rest = lines.as_slice();
            while !rest.is_empty() {
                let (paragraph, others) = rest.split_at(paragraph_length(rest));
                rest = others;
                let level = headings.iter().position(|size| *size == key(paragraph[0].size));
                let text = join(paragraph);
                match level {
                    Some(level) if is_heading(paragraph, &text) => {
                        writer.heading(u8::try_from(level + 1).unwrap_or(6).min(4), &text);
                    }
                    _ => writer.paragraph(&text),
                }
            }
        }
    }

    /// How many characters are set in each size.
    fn sizes(&self) -> BTreeMap<u32, usize> {
        let mut sizes = BTreeMap::new();
        for line in self.pages.iter().flat_map(|(_, lines)| lines) {
            *sizes.entry(key(line.size)).or_default() += line.count;
        }
        sizes
    }
}

/// A font size in half points, so that equal sizes compare equal.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturating, and sizes are small and not negative"
)]
fn key(size: f32) -> u32 {
    (size * 2.0).round() as u32
}

#[expect(clippy::cast_precision_loss, reason = "font sizes are small")]
fn to_points(key: u32) -> f32 {
    key as f32 / 2.0
}

fn is_heading(lines: &[Line], text: &str) -> bool {
    lines.len() <= HEADING_LINES
        && text.chars().count() <= HEADING_LENGTH
        && text.chars().filter(|c| c.is_alphabetic()).count() >= 2
        && !text.ends_with(['.', ',', ';', '。'])
}

/// How many of the lines, at least one, make up the first paragraph.
fn paragraph_length(lines: &[Line]) -> usize {
    let mut length = 1;
    for pair in lines.windows(2) {
        let (above, below) = (&pair[0], &pair[1]);
        let size = above.size.max(1.0);
        let gap = above.bottom - below.bottom;
        let same_size = key(above.size).abs_diff(key(below.size)) <= 1;
        let same_line = gap.abs() < size * 0.3;
        if !same_line && (!same_size || gap > size * PARAGRAPH_GAP || gap < 0.0) && !above.broken_word {
            break;
        }
        length += 1;
    }
    length
}

/// Puts lines together: full lines run on, short ones (of tables, addresses, verse) stay lines.
fn join(lines: &[Line]) -> String {
    let widest = lines.iter().map(|line| line.count).max().unwrap_or(0);
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        if index > 0 {
            let above = &lines[index - 1];
            if above.broken_word {
                // The word goes on.
            } else if above.count * 3 >= widest * 2
                && (line.left - above.left).abs() < above.size.max(1.0) * 3.0
            {
                if !(ends_without_space(&above.text) && starts_without_space(&line.text)) {
                    text.push(' ');
                }
            } else {
                text.push('\n');
            }
        }
        text.push_str(line.text.trim());
    }
    text
}

fn ends_without_space(text: &str) -> bool {
    text.chars().next_back().is_some_and(is_spaceless)
}

fn starts_without_space(text: &str) -> bool {
    text.chars().next().is_some_and(is_spaceless)
}

/// Characters of scripts that put no space between words: Chinese, Japanese and their punctuation, Thai, Lao, Khmer, Burmese.
fn is_spaceless(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3000}'..='\u{30ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}')
}
