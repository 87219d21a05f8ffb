//! Markdown as mrkdwn, in pieces of a limited length.
//!
//! Text is read into spans (`read`: words with their style and link), and kept so until it is written (`write`), so that a cut between
//! two pieces never falls into a link, an entity, or between the two ends of a style.

mod read;
mod table;
mod write;

use url::Url;

use read::parts;
use write::{fenced, words};

/// The length that Slack's limits are held against, counted as strictly as anybody counts.
pub(super) fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// What a mark's number stands for: `None` where it is no citation, `Some(None)` where it cannot be linked.
pub(super) type Links<'a> = &'a dyn Fn(u32) -> Option<Option<Url>>;

/// Words of one style.
#[derive(Debug, Clone, PartialEq)]
struct Span {
    text: String,
    style: Style,
    link: Option<Url>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "styles combine freely")]
struct Style {
    bold: bool,
    italic: bool,
    struck: bool,
    code: bool,
}

/// One part of a text.
enum Part {
    /// A paragraph, a heading or an item of a list.
    Words {
        /// What stands before its first line.
        lead: String,
        /// What stands before its further lines.
        indent: String,
        spans: Vec<Span>,
        /// Whether it follows the part before without an empty line.
        tight: bool,
    },
    /// Code, or a table.
    Code(String),
}

/// A text as sections of mrkdwn, none longer than `longest`.
pub(super) fn sections(text: &str, longest: usize, links: Links<'_>) -> Vec<String> {
    let mut sections: Vec<String> = Vec::new();
    for part in parts(text, links) {
        let (written, separator) = match &part {
            Part::Words { tight, .. } => (words(&part, longest), if *tight { "\n" } else { "\n\n" }),
            Part::Code(code) => (fenced(code, longest), "\n\n"),
        };
        for piece in written {
            push(&mut sections, piece, longest, separator);
        }
    }
    if sections.is_empty() {
        sections.push("…".to_owned());
    }
    sections
}

/// Lines in sections, none longer than `longest`; a line that is longer by itself stays as it is.
pub(super) fn packed(lines: Vec<String>, longest: usize, separator: &str) -> Vec<String> {
    let mut sections = Vec::new();
    for line in lines {
        push(&mut sections, line, longest, separator);
    }
    sections
}

/// The words of a text alone.
pub(super) fn plain(text: &str) -> String {
    let lines: Vec<String> = parts(text, &|_| None)
        .into_iter()
        .map(|part| match part {
            Part::Words { spans, .. } => spans.into_iter().map(|span| span.text).collect(),
            Part::Code(code) => code,
        })
        .collect();
    lines.join("\n")
}

fn push(sections: &mut Vec<String>, piece: String, longest: usize, separator: &str) {
    match sections.last_mut() {
        Some(last) if length(last) + length(separator) + length(&piece) <= longest => {
            last.push_str(separator);
            last.push_str(&piece);
        }
        _ => sections.push(piece),
    }
}
