//! Cutting what has no sentence ends for longer than a passage may be.

use std::ops::Range;

use unicode_segmentation::GraphemeCursor;

use crate::chunk::character_width;
use crate::chunk::sentence::trim;

/// Cuts a range into parts of at most `max` and mostly about `target` wide: at line ends, else after clauses, else between
/// words, else between characters as readers see them. None begins or ends with white space.
pub(super) fn cut(
    text: &str,
    range: Range<usize>,
    target: usize,
    max: usize,
) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut start = range.start;
    std::iter::from_fn(move || {
        while start < range.end {
            start = range.end - text[start..range.end].trim_start().len();
            let end = next_cut(&text[start..range.end], target, max) + start;
            let part = trim(text, start..end);
            start = end;
            if !part.is_empty() {
                return Some(part);
            }
        }
        None
    })
}

/// Where to cut a text: after the best break in the second half of the target, or within the maximum if there is none.
fn next_cut(text: &str, target: usize, max: usize) -> usize {
    // The best break so far, and how good it is.
    let mut best = (0, 0);
    let mut wide = 0;
    let mut previous = None;
    for (at, c) in text.char_indices() {
        let quality = previous.map_or(0, |before| break_quality(before, c));
        if quality > 0 && wide * 2 >= target && quality >= best.0 {
            best = (quality, at);
        }
        wide += character_width(c);
        if (wide > target && best.0 > 0) || wide > max {
            return if best.0 > 0 {
                best.1
            } else {
                whole_characters(text, at)
            };
        }
        previous = Some(c);
    }
    text.len()
}

/// How good it is to part two characters.
fn break_quality(before: char, after: char) -> u8 {
    match before {
        '\n' => 3,
        ';' | ',' | ':' if after.is_whitespace() => 2,
        '，' | '、' | '；' | '：' | '،' => 2,
        _ if before.is_whitespace() && !after.is_whitespace() => 1,
        _ => 0,
    }
}

/// The last place at or before `at` that does not part what a reader sees as one character.
fn whole_characters(text: &str, at: usize) -> usize {
    let mut cursor = GraphemeCursor::new(at, text.len(), true);
    match cursor.is_boundary(text, 0) {
        Ok(false) => match cursor.prev_boundary(text, 0) {
            Ok(Some(boundary)) if boundary > 0 => boundary,
            // One "character" longer than a passage is an attack, not a letter.
            _ => at,
        },
        _ => at,
    }
}
