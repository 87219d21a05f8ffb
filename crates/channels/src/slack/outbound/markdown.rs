//! Markdown as mrkdwn, in pieces of a limited length.
//!
//! Text is kept as spans (words with their style and link) until it is written, so that a cut between two pieces never falls into a
//! link, an entity, or between the two ends of a style.

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd, TextMergeStream};
use url::Url;

use crate::slack::mrkdwn;

const FENCE: &str = "```";
/// How deep lists and quotations are indented at most.
const DEEPEST: usize = 6;
/// The longest row of a table that is shown as one line.
const ROW_LENGTH: usize = 100;

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

/// Code between fences, in as many pieces as it takes.
fn fenced(code: &str, longest: usize) -> Vec<String> {
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

/// Words in as many pieces as it takes.
fn words(part: &Part, longest: usize) -> Vec<String> {
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

/// Reads Markdown.
fn parts(text: &str, links: Links<'_>) -> Vec<Part> {
    let options = Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS;
    let mut reader = Reader {
        parts: Vec::new(),
        spans: Vec::new(),
        style: Style::default(),
        links,
        link: None,
        lists: Vec::new(),
        quotes: 0,
        lead: None,
        code: None,
        table: None,
    };
    for event in TextMergeStream::new(Parser::new_ext(text, options)) {
        reader.read(event);
    }
    reader.end_words(false);
    reader.parts
}

struct Reader<'a> {
    parts: Vec<Part>,
    spans: Vec<Span>,
    style: Style,
    links: Links<'a>,
    /// The address of the link being read, and where its words begin.
    link: Option<(Option<Url>, usize)>,
    /// The number of the next item of each open list; `None` where it is not numbered.
    lists: Vec<Option<u64>>,
    quotes: usize,
    /// What stands before the item being read.
    lead: Option<String>,
    code: Option<String>,
    /// The rows of the table being read, by cells.
    table: Option<Vec<Vec<String>>>,
}

impl Reader<'_> {
    fn read(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => match &mut self.code {
                Some(code) => code.push_str(&text),
                None => self.text(&text),
            },
            Event::Code(code) => {
                let style = Style {
                    code: true,
                    ..self.style
                };
                self.span(&code.replace('\n', " "), style, None);
            }
            // Markup of another kind is shown as it is written, never acted on.
            Event::Html(text)
            | Event::InlineHtml(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text) => {
                self.span(&text, self.style, None);
            }
            Event::FootnoteReference(name) => self.span(&format!("[^{name}]"), self.style, None),
            Event::SoftBreak => self.span(" ", self.style, None),
            Event::HardBreak => self.span("\n", Style::default(), None),
            Event::Rule => {
                self.end_words(false);
                self.span("⸻", Style::default(), None);
                self.end_words(false);
            }
            Event::TaskListMarker(done) => {
                self.span(if done { "☑ " } else { "☐ " }, Style::default(), None);
            }
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { .. } => {
                self.end_words(false);
                self.style.bold = true;
            }
            Tag::BlockQuote(_) => {
                self.end_words(false);
                self.quotes += 1;
            }
            Tag::CodeBlock(kind) => {
                self.end_words(false);
                // The language is no part of the code, and Slack shows none.
                let (CodeBlockKind::Fenced(_) | CodeBlockKind::Indented) = kind;
                self.code = Some(String::new());
            }
            Tag::List(first) => {
                self.end_words(!self.lists.is_empty());
                self.lists.push(first);
            }
            Tag::Item => {
                self.end_words(true);
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        let mark = format!("{number}. ");
                        *number = number.saturating_add(1);
                        mark
                    }
                    _ => "• ".to_owned(),
                };
                self.lead = Some(mark);
            }
            Tag::Emphasis => self.style.italic = true,
            Tag::Strong => self.style.bold = true,
            Tag::Strikethrough => self.style.struck = true,
            Tag::Link {
                link_type, dest_url, ..
            } => {
                // A mark such as [1] is ours, even where a text defines it as a link of its own.
                let named = matches!(link_type, LinkType::Inline | LinkType::Autolink | LinkType::Email);
                let address = match link_type {
                    LinkType::Email => format!("mailto:{dest_url}"),
                    _ => dest_url.to_string(),
                };
                let url = Url::parse(&address)
                    .ok()
                    .filter(|url| named && super::is_linkable(url));
                self.link = Some((url, self.spans.len()));
                if !named {
                    self.span("[", self.style, None);
                }
            }
            Tag::Image { .. } => self.span("🖼 ", Style::default(), None),
            Tag::Table(_) => {
                self.end_words(false);
                self.table = Some(Vec::new());
            }
            Tag::TableHead | Tag::TableRow => {
                if let Some(table) = &mut self.table {
                    table.push(Vec::new());
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => self.end_words(false),
            TagEnd::Heading(_) => {
                self.style.bold = false;
                self.end_words(false);
            }
            TagEnd::BlockQuote(_) => {
                self.end_words(false);
                self.quotes = self.quotes.saturating_sub(1);
            }
            TagEnd::CodeBlock => {
                if let Some(code) = self.code.take() {
                    self.parts.push(Part::Code(code));
                }
            }
            TagEnd::Item => {
                self.end_words(true);
                self.lead = None;
            }
            TagEnd::List(_) => {
                self.lists.pop();
            }
            TagEnd::Emphasis => self.style.italic = false,
            TagEnd::Strong => self.style.bold = false,
            TagEnd::Strikethrough => self.style.struck = false,
            TagEnd::Link => self.end_link(),
            TagEnd::TableCell => {
                let cell: String = self.spans.drain(..).map(|span| span.text).collect();
                if let Some(row) = self.table.as_mut().and_then(|table| table.last_mut()) {
                    row.push(cell.replace('\n', " "));
                }
            }
            TagEnd::Table => {
                if let Some(table) = self.table.take() {
                    self.parts.push(Part::Code(aligned(&table)));
                }
            }
            _ => {}
        }
    }

    /// Gives the words of a link its address. Words that look like another address would deceive, so the true one is shown.
    fn end_link(&mut self) {
        let Some((url, start)) = self.link.take() else {
            return;
        };
        let Some(url) = url else {
            if self
                .spans
                .get(start)
                .is_some_and(|span| span.text.starts_with('['))
            {
                self.span("]", self.style, None);
                self.marks_in(start);
            }
            return;
        };
        let words: String = self.spans[start..]
            .iter()
            .map(|span| span.text.as_str())
            .collect();
        if is_deceptive(&words, &url) {
            self.span(&format!(" ({url})"), self.style, None);
        } else {
            for span in &mut self.spans[start..] {
                span.link = Some(url.clone());
            }
        }
    }

    /// Looks for marks in the words from `start` on, which were read in pieces.
    fn marks_in(&mut self, start: usize) {
        let words: String = self.spans.drain(start..).map(|span| span.text).collect();
        self.text(&words);
    }

    /// Plain text, in which `[1]` is a citation where there is one of that number.
    fn text(&mut self, text: &str) {
        if self.link.is_some() {
            self.span(text, self.style, None);
            return;
        }
        let mut rest = text;
        let mut from = 0;
        while let Some(at) = rest[from..].find('[') {
            let open = from + at;
            let digits = rest[open + 1..]
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len() - open - 1);
            let close = open + 1 + digits;
            let number: Option<u32> = rest[open + 1..close].parse().ok();
            let cited = number
                .filter(|_| rest[close..].starts_with(']'))
                .and_then(|number| (self.links)(number));
            match cited {
                Some(url) => {
                    self.span(&rest[..open], self.style, None);
                    self.span(&rest[open..=close], self.style, url);
                    rest = &rest[close + 1..];
                    from = 0;
                }
                None => from = open + 1,
            }
        }
        self.span(rest, self.style, None);
    }

    fn span(&mut self, text: &str, style: Style, link: Option<Url>) {
        if !text.is_empty() {
            self.spans.push(Span {
                text: text.to_owned(),
                style,
                link,
            });
        }
    }

    /// Ends the paragraph being read, if there is one.
    fn end_words(&mut self, tight: bool) {
        let spans = std::mem::take(&mut self.spans);
        if spans.iter().all(|span| span.text.trim().is_empty()) {
            return;
        }
        let quote = "&gt; ".repeat(self.quotes.min(1));
        let depth = self.lists.len().min(DEEPEST);
        let first = self.lead.take();
        let margin = "    ".repeat(depth.saturating_sub(1));
        // The further lines of an item stand below its words.
        let indent = if depth == 0 {
            quote.clone()
        } else {
            format!("{quote}{margin}  ")
        };
        let tight = tight || (depth > 0 && !self.parts.is_empty());
        self.parts.push(Part::Words {
            lead: match first {
                Some(mark) => format!("{quote}{margin}{mark}"),
                None => indent.clone(),
            },
            indent,
            spans,
            tight,
        });
    }
}

/// Whether words look like an address of another host than the one they lead to.
fn is_deceptive(words: &str, url: &Url) -> bool {
    let words = words.trim();
    let shown = match Url::parse(words) {
        Ok(shown) if shown.has_host() => Some(shown),
        _ if words.contains('.') && !words.contains(char::is_whitespace) => {
            Url::parse(&format!("https://{words}")).ok()
        }
        _ => None,
    };
    shown.is_some_and(|shown| shown.host_str() != url.host_str())
}

/// A table as lines with columns of even width; wide ones as a list of their cells.
fn aligned(table: &[Vec<String>]) -> String {
    let columns = table.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |row: &[String], column: usize| row.get(column).cloned().unwrap_or_default();
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            let cells = table.iter().map(|row| cell(row, column).chars().count());
            cells.max().unwrap_or(0)
        })
        .collect();
    if widths.iter().sum::<usize>() > ROW_LENGTH {
        let (heads, rows) = table
            .split_first()
            .map_or((&[][..], &[][..]), |(heads, rows)| (heads.as_slice(), rows));
        let entries: Vec<String> = rows
            .iter()
            .map(|row| {
                let cells =
                    (0..columns).map(|column| format!("{}: {}", cell(heads, column), cell(row, column)));
                cells.collect::<Vec<_>>().join("\n")
            })
            .collect();
        return entries.join("\n\n");
    }
    let mut lines: Vec<String> = table
        .iter()
        .map(|row| {
            let cells: Vec<String> = widths
                .iter()
                .enumerate()
                .map(|(column, &width)| format!("{:width$}", cell(row, column)))
                .collect();
            cells.join("  ").trim_end().to_owned()
        })
        .collect();
    if lines.len() > 1 {
        let rule: Vec<String> = widths.iter().map(|&width| "-".repeat(width)).collect();
        lines.insert(1, rule.join("  "));
    }
    lines.join("\n")
}
