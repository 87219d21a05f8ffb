//! Markdown as parts: paragraphs, headings, items of lists, code and tables, each with its words as spans.

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd, TextMergeStream};
use url::Url;

use super::table::aligned;
use super::{Links, Part, Span, Style};
use crate::slack::outbound::is_linkable;

/// How deep lists and quotations are indented at most.
const DEEPEST: usize = 6;

/// Reads Markdown.
pub(super) fn parts(text: &str, links: Links<'_>) -> Vec<Part> {
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
                let url = Url::parse(&address).ok().filter(|url| named && is_linkable(url));
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
