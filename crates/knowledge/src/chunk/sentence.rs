//! Where sentences end, in any script, in one pass.
//!
//! Unicode's own rule (UAX 29) parts "Dr. Smith" and is slow; this one looks only at characters that can end a sentence.

use std::ops::Range;

/// Words before a full stop that rarely end a sentence, in lower case.
const ABBREVIATIONS: &[&str] = &[
    "dr", "mr", "mrs", "ms", "prof", "sr", "jr", "st", "vs", "e.g", "i.e", "no", "fig", "figs", "eq", "sec",
    "art", "nr", "z.b", "bzw", "ca", "approx", "inc", "ltd", "co", "corp", "cf", "al", "vol", "pp", "ed",
    "eds", "dept", "est", "gen", "gov", "rep", "sen", "rev", "hon", "str", "tel", "ext", "jan", "feb", "mar",
    "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "sra", "dra", "ud", "uds", "p.ej", "m",
    "mme", "mlle", "u.s", "u.k", "d.h", "u.a", "usw", "evtl", "ggf", "abs",
];

/// The sentences of a text as byte ranges, in order, without white space at their ends; together all of it but white space.
///
/// An empty line always ends a sentence, a line break inside a paragraph does not.
pub fn sentences(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut start = 0;
    std::iter::from_fn(move || {
        while start < text.len() {
            let end = end_of_sentence(text, start);
            let trimmed = trim(text, start..end);
            start = end;
            if !trimmed.is_empty() {
                return Some(trimmed);
            }
        }
        None
    })
}

/// A range without the white space at its ends.
pub(super) fn trim(text: &str, range: Range<usize>) -> Range<usize> {
    let slice = &text[range.clone()];
    let end = range.start + slice.trim_end().len();
    let start = (range.end - slice.trim_start().len()).min(end);
    start..end
}

/// The end of the sentence that begins at `start`: past its closing marks.
fn end_of_sentence(text: &str, start: usize) -> usize {
    let mut at = start;
    while let Some(found) = text[at..].find(is_terminator) {
        let mark_start = at + found;
        let mark = text[mark_start..].chars().next().unwrap_or('\n');
        if mark == '\n' {
            let after = mark_start + 1;
            let blank = text[after..].trim_start_matches([' ', '\t']);
            if blank.starts_with('\n') {
                return text.len() - blank.len() + 1;
            }
            at = text.len() - blank.len();
            continue;
        }
        let rest = text[mark_start..]
            .trim_start_matches(is_terminator_mark)
            .trim_start_matches(is_closing);
        let end = text.len() - rest.len();
        let next = rest.chars().next();
        let ends = match mark {
            '.' => next.is_none_or(char::is_whitespace) && full_stop_ends(&text[start..mark_start], rest),
            '!' | '?' | '…' => next.is_none_or(char::is_whitespace),
            _ => true,
        };
        if ends {
            return end;
        }
        at = end;
    }
    text.len()
}

/// Whether a full stop after `before` ends its sentence, given what follows.
fn full_stop_ends(before: &str, after: &str) -> bool {
    let word = before
        .rsplit(char::is_whitespace)
        .next()
        .unwrap_or_default()
        .trim_start_matches(['(', '[', '"', '\'', '“', '«']);
    if after.trim_start().chars().next().is_some_and(char::is_lowercase) {
        return false;
    }
    let mut characters = word.chars();
    let first = characters.next();
    let is_initial = first.is_some_and(char::is_uppercase) && characters.next().is_none();
    // "3." at the beginning is the number of what follows.
    let is_number = word.len() == before.len()
        && !word.is_empty()
        && word.chars().all(|c| c.is_ascii_digit() || c == '.');
    let is_abbreviation = word.len() <= 6 && ABBREVIATIONS.contains(&word.to_lowercase().as_str());
    !(is_initial || is_number || is_abbreviation)
}

fn is_terminator(c: char) -> bool {
    c == '\n' || is_terminator_mark(c)
}

fn is_terminator_mark(c: char) -> bool {
    matches!(
        c,
        '.' | '!'
            | '?'
            | '…'
            | '。'
            | '！'
            | '？'
            | '｡'
            | '؟'
            | '۔'
            | '।'
            | '॥'
            | '።'
            | '។'
            | '၊'
            | '။'
    )
}

fn is_closing(c: char) -> bool {
    matches!(
        c,
        ')' | ']' | '}' | '"' | '\'' | '”' | '’' | '»' | '」' | '』' | '）' | '】' | '》' | '〉' | '›'
    )
}
