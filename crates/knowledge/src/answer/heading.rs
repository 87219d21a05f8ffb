//! Which sentences of a passage are headings: they name what follows and say nothing themselves.
//!
//! The headings above a passage are known. Those within it are told by how they stand: a short paragraph of one line that ends
//! without a mark, and that is followed by one that is none.

use std::ops::Range;

use crate::chunk::{sentences, width};

/// A heading within a passage is narrower than this, as [`width`] counts.
const NARROW: usize = 60;
/// Characters that headings hardly have, but short statements do: `Phone: 12 34`, `a = b`, rows of tables.
const STATING: [char; 6] = [':', '=', '|', '@', '\t', '：'];

/// Whether the sentence at `span` of a passage with these headings above it is a heading.
pub(super) fn is_heading(above: &[String], content: &str, span: &Range<usize>) -> bool {
    above
        .iter()
        .any(|heading| heading.trim() == &content[span.clone()])
        || reads_as_heading(content, span)
}

fn reads_as_heading(content: &str, span: &Range<usize>) -> bool {
    let (before, after) = (&content[..span.start], &content[span.end..]);
    let begins = before.trim().is_empty() || is_gap(&before[before.trim_end().len()..]);
    let next = after.trim_start();
    let is_followed = is_gap(&after[..after.len() - next.len()]);
    let next = sentences(next).next().map_or("", |first| &next[first]);
    // Points on a slide are as short and unmarked, and each is followed by another.
    begins && is_followed && is_bare(&content[span.clone()]) && !next.is_empty() && !is_bare(next)
}

/// Whether words are few, end without a mark and state nothing that is counted or assigned.
fn is_bare(text: &str) -> bool {
    text.starts_with(char::is_alphabetic)
        && text.ends_with(|last: char| last.is_alphanumeric() || last == ')')
        && !text.contains('\n')
        && !text.contains(|c: char| c.is_numeric() || STATING.contains(&c))
        && width(text) < NARROW
}

/// Whether white space parts paragraphs.
fn is_gap(space: &str) -> bool {
    space.matches('\n').count() >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headings(content: &str) -> Vec<&str> {
        sentences(content)
            .filter(|span| reads_as_heading(content, span))
            .map(|span| &content[span])
            .collect()
    }

    #[test]
    fn what_names_the_following_is_a_heading_and_what_states_something_is_none() {
        let content = "Parental leave\n\nEach parent takes 16 weeks.\n\nSick leave\n\nTell your team lead. Then rest\n\n\
                       Room 12\n\nPhone: at the desk\n\nReception is to the left.\n\nBring\na bag\n\n请假\n\n每年 27 天。\n\nThe door stays shut";
        assert_eq!(headings(content), ["Parental leave", "Sick leave", "请假"]);
    }

    #[test]
    fn items_of_a_list_are_quoted() {
        assert_eq!(
            headings("Bring a bag\nPay in cash\nLeave early\n\nThat is all."),
            Vec::<&str>::new()
        );
    }

    #[test]
    fn a_heading_above_the_passage_is_known_whatever_it_looks_like() {
        let above = ["3.2 Leave: what counts?".to_owned()];
        let content = "3.2 Leave: what counts?\nDays count.";
        assert!(is_heading(&above, content, &(0..23)));
        assert!(!is_heading(&above, content, &(24..35)));
    }
}
