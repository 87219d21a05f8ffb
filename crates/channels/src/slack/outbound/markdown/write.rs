//! Parts of a text as mrkdwn, in as many pieces as it takes.

use super::{Part, Span, Style, length, push};
use crate::slack::mrkdwn;

const FENCE: &str = "```";

/// Code between fences, in as many pieces as it takes.
pub(super) fn fenced(code: &str, longest: usize) -> Vec<String> {
    let room = longest.saturating_sub(2 * FENCE.len() + 2).max(1);
    let mut pieces: Vec<String> = Vec::new();
    for line in code.trim_end_matches('\n').split('\n') {
        // An escape can be longer than what it stands for, so a line is cut first and escaped then.
        for part in cut(line, (room / 6).max(1), room) {
            push(&mut pieces, mrkdwn::escape_code(&part, true), room, "\n");
        }
    }
    pieces
        .into_iter()
        .map(|piece| {
            // Three backticks may come together where two lines meet.
            let piece = piece.replace(FENCE, "``\u{200b}`");
            format!("{FENCE}\n{piece}\n{FENCE}")
        })
        .collect()
}

/// Words in as many pieces as it takes.
pub(super) fn words(part: &Part, longest: usize) -> Vec<String> {
    let Part::Words {
        lead, indent, spans, ..
    } = part
    else {
        return Vec::new();
    };
    let whole = format!("{lead}{}", write(spans, indent));
    if length(&whole) <= longest {
        return vec![whole];
    }
    let room = longest.saturating_sub(length(lead).max(length(indent))).max(1);
    let mut pieces: Vec<Vec<Span>> = vec![Vec::new()];
    let mut left = room;
    for span in spans.iter().flat_map(|span| split(span, room)) {
        let cost = length(&write(std::slice::from_ref(&span), indent)) + 2;
        if cost > left
            && let Some(last) = pieces.last()
            && !last.is_empty()
        {
            pieces.push(Vec::new());
            left = room;
        }
        left = left.saturating_sub(cost);
        if let Some(last) = pieces.last_mut() {
            last.push(span);
        }
    }
    pieces
        .iter()
        .enumerate()
        .map(|(number, spans)| {
            let before = if number == 0 { lead } else { indent };
            format!("{before}{}", write(spans, indent))
        })
        .map(|piece| piece.trim_end().to_owned())
        .filter(|piece| !piece.trim().is_empty())
        .collect()
}

/// A line in parts: whole where its escaped form fits into `room`, else of `safe` characters.
fn cut(line: &str, safe: usize, room: usize) -> Vec<String> {
    if length(&mrkdwn::escape_code(line, true)) <= room {
        return vec![line.to_owned()];
    }
    let characters: Vec<char> = line.chars().collect();
    characters
        .chunks(safe.div_ceil(2).max(1))
        .map(|part| part.iter().collect())
        .collect()
}

/// A span in words, each short enough to stand alone; a link that is too long for that is not linked.
fn split(span: &Span, room: usize) -> Vec<Span> {
    let address = span
        .link
        .as_ref()
        .map_or(0, |url| length(&mrkdwn::escape_url(url)));
    let link = span.link.clone().filter(|_| address * 2 <= room);
    // An escaped character is at most five long, or three when parted.
    let safe = room.saturating_sub(address + 12).max(16) / 6;
    let piece = |text: &str| Span {
        text: text.to_owned(),
        style: span.style,
        link: link.clone(),
    };
    let mut pieces = Vec::new();
    for word in span.text.split_inclusive(char::is_whitespace) {
        if length(word) <= safe {
            pieces.push(piece(word));
            continue;
        }
        let characters: Vec<char> = word.chars().collect();
        for part in characters.chunks(safe.div_ceil(2).max(1)) {
            pieces.push(piece(&part.iter().collect::<String>()));
        }
    }
    pieces
}

/// Spans as mrkdwn. Neighbours of the same kind become one.
fn write(spans: &[Span], indent: &str) -> String {
    let mut joined: Vec<Span> = Vec::new();
    for span in spans {
        match joined.last_mut() {
            Some(last) if last.style == span.style && last.link == span.link => {
                last.text.push_str(&span.text);
            }
            _ => joined.push(span.clone()),
        }
    }
    let mut out = String::new();
    for span in &joined {
        write_span(span, &mut out);
    }
    if indent.is_empty() {
        out
    } else {
        out.replace('\n', &format!("\n{indent}"))
    }
}

fn write_span(span: &Span, out: &mut String) {
    // Styles do not go over line ends, and do not hold with a space inside their ends.
    for (number, line) in span.text.split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
        }
        let words = line.trim();
        let styled = span.style != Style::default() || span.link.is_some();
        if !styled || words.is_empty() {
            apart(out, line);
            out.push_str(&mrkdwn::escape(line));
            continue;
        }
        let start = line.len() - line.trim_start().len();
        out.push_str(&line[..start]);
        if out.ends_with(|last: char| !last.is_whitespace()) {
            out.push('\u{200b}');
        }
        let marks: Vec<char> = [
            (span.style.bold, '*'),
            (span.style.italic, '_'),
            (span.style.struck, '~'),
        ]
        .into_iter()
        .filter_map(|(set, mark)| set.then_some(mark))
        .collect();
        out.extend(&marks);
        let escaped = if span.style.code {
            format!("`{}`", mrkdwn::escape_code(words, false))
        } else {
            mrkdwn::escape(words)
        };
        match &span.link {
            Some(url) => {
                out.push('<');
                out.push_str(&mrkdwn::escape_url(url));
                out.push('|');
                out.push_str(&escaped);
                out.push('>');
            }
            None => out.push_str(&escaped),
        }
        out.extend(marks.iter().rev());
        out.push_str(&line[start + words.len()..]);
    }
}

/// Keeps the end of a style apart from a word that follows at once.
fn apart(out: &mut String, next: &str) {
    let styled = out.ends_with(['*', '_', '~', '`']);
    if styled && next.starts_with(|first: char| !first.is_whitespace()) {
        out.push('\u{200b}');
    }
}
