//! Web pages: what a reader would see of the page itself, with headings, lists, tables and preformatted text.
//!
//! Parsed as browsers do (WHATWG HTML) and walked without recursion, so depth costs nothing but memory. Navigation, page
//! footers and what is hidden are left out, unless nothing else is there.

use encoding_rs::Encoding;
use scraper::node::Element;
use scraper::{Html, Node};

use crate::extract::grid::Grid;
use crate::extract::text::{decode, single_line};
use crate::extract::writer::Writer;
use crate::extract::{Kind, Refusal};
use crate::passage::Extracted;

/// The largest page that is parsed, in megabytes; its tree takes some twenty times as much memory.
const LIMIT: usize = 10;

/// How deep elements may nest: parsing takes time with the square of it.
const DEEPEST: usize = 10_000;

type NodeRef<'a> = ego_tree::NodeRef<'a, Node>;

/// Reads a page in any encoding.
pub(super) fn extract(bytes: &[u8]) -> Result<Extracted, Refusal> {
    let mut writer = Writer::default();
    let declared = declared_encoding(bytes).filter(|_| std::str::from_utf8(bytes).is_err());
    let text = match declared {
        Some(encoding) => encoding.decode(bytes).0,
        None => decode(bytes).0,
    };
    write(&mut writer, &text)?;
    writer.finish(Kind::Html)
}

/// Writes a page or a piece of one.
pub(super) fn write(writer: &mut Writer, page: &str) -> Result<(), Refusal> {
    if page.len() > LIMIT << 20 {
        return Err(Refusal::TooLarge {
            kind: "HTML".to_owned(),
            megabytes: LIMIT as u64,
        });
    }
    if depth(page) > DEEPEST {
        return Err(Refusal::TooDeep);
    }
    let document = Html::parse_document(page);
    let was_empty = writer.is_empty();
    Walk::new(writer, false).page(&document);
    if was_empty && writer.is_empty() {
        Walk::new(writer, true).page(&document);
    }
    Ok(())
}

/// How deep elements nest at most, roughly: by tags alone, but for elements that end without one.
fn depth(page: &str) -> usize {
    const ENDING_THEMSELVES: &[&str] = &[
        "p", "li", "td", "th", "tr", "dt", "dd", "option", "br", "hr", "img", "input", "meta", "link", "col",
        "wbr", "source", "area", "base", "embed", "param", "track", "tbody", "thead", "tfoot", "colgroup",
    ];
    let (mut depth, mut deepest) = (0usize, 0);
    for at in memchr::memchr_iter(b'<', page.as_bytes()) {
        let tag = &page.as_bytes()[at + 1..];
        let (ends, name) = tag.strip_prefix(b"/").map_or((false, tag), |name| (true, name));
        let length = name
            .iter()
            .take(12)
            .take_while(|byte| byte.is_ascii_alphanumeric())
            .count();
        let name = &name[..length];
        if name.is_empty()
            || ENDING_THEMSELVES
                .iter()
                .any(|other| other.as_bytes().eq_ignore_ascii_case(name))
        {
            continue;
        }
        depth = if ends { depth.saturating_sub(1) } else { depth + 1 };
        deepest = deepest.max(depth);
    }
    deepest
}

/// The encoding a page names in its first kilobyte, as browsers look for it.
fn declared_encoding(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]).to_ascii_lowercase();
    let (_, rest) = head.split_once("charset=")?;
    let label: String = rest
        .trim_start_matches(['"', '\'', ' '])
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "-_:".contains(*c))
        .collect();
    Encoding::for_label(label.as_bytes())
}

/// A table under construction.
struct Table<'a> {
    node: NodeRef<'a>,
    grid: Grid,
}

/// Where the walk stands.
struct Walk<'w, 'a> {
    writer: &'w mut Writer,
    /// Also what is usually not part of the page itself.
    everything: bool,
    inline: String,
    heading: Option<u8>,
    items: usize,
    /// The lists around, each with its next number if it counts.
    lists: Vec<Option<u64>>,
    /// The number of the item that has just begun.
    marker: String,
    preformatted: usize,
    /// Elements inside which a footer belongs to the content.
    content: usize,
    table: Option<Table<'a>>,
    /// How many tables the walk is inside of a cell of that table.
    nested: usize,
    skipping: Option<NodeRef<'a>>,
}

impl<'w, 'a> Walk<'w, 'a> {
    fn new(writer: &'w mut Writer, everything: bool) -> Self {
        Self {
            writer,
            everything,
            inline: String::new(),
            heading: None,
            items: 0,
            lists: Vec::new(),
            marker: String::new(),
            preformatted: 0,
            content: 0,
            table: None,
            nested: 0,
            skipping: None,
        }
    }

    fn page(mut self, document: &'a Html) {
        for edge in document.tree.root().traverse() {
            if self.writer.is_full() {
                return;
            }
            match edge {
                ego_tree::iter::Edge::Open(node) if self.skipping.is_none() => self.open(node),
                ego_tree::iter::Edge::Close(node) if self.skipping.is_none() => self.close(node),
                ego_tree::iter::Edge::Close(node) if self.skipping == Some(node) => self.skipping = None,
                _ => {}
            }
        }
        self.flush();
    }

    fn open(&mut self, node: NodeRef<'a>) {
        let element = match node.value() {
            Node::Text(text) => return self.text(text),
            Node::Element(element) => element,
            _ => return,
        };
        let name = element.name();
        if name == "head" {
            self.head(node);
        }
        if is_unseen(element) || (!self.everything && self.is_boilerplate(element)) {
            self.skipping = Some(node);
            return;
        }
        match name {
            "br" => {
                let end = self.inline.trim_end_matches(' ').len();
                self.inline.truncate(end);
                self.inline.push('\n');
            }
            "img" => self.image(element),
            "td" | "th" if self.table.is_some() && self.nested == 0 => self.inline.clear(),
            _ if self.table.is_some() => {
                if is_block(name) {
                    self.inline.push(' ');
                }
                match &mut self.table {
                    Some(table) if name == "tr" && self.nested == 0 => table.grid.row(),
                    _ if name == "table" => self.nested += 1,
                    _ => {}
                }
            }
            "table" if is_data_table(node) => {
                self.flush();
                self.table = Some(Table {
                    node,
                    grid: Grid::default(),
                });
            }
            _ if is_block(name) => self.flush(),
            _ => {}
        }
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.heading = Some(name.as_bytes()[1] - b'0'),
            "li" => {
                self.items += 1;
                if let Some(Some(number)) = self.lists.last_mut() {
                    self.marker = format!("{number}. ");
                    *number = number.saturating_add(1);
                }
            }
            "ul" | "menu" => self.lists.push(None),
            "ol" => {
                let start = element
                    .attr("start")
                    .and_then(|start| start.parse().ok())
                    .unwrap_or(1);
                self.lists.push(Some(start));
            }
            "pre" | "textarea" | "listing" => self.preformatted += 1,
            "main" | "article" => self.content += 1,
            _ => {}
        }
    }

    fn close(&mut self, node: NodeRef<'a>) {
        let Node::Element(element) = node.value() else {
            return;
        };
        let name = element.name();
        match name {
            "td" | "th" if self.nested == 0 => {
                if let Some(table) = &mut self.table {
                    let span = |name| element.attr(name).and_then(|span| span.parse().ok()).unwrap_or(1);
                    table.grid.cell(
                        &std::mem::take(&mut self.inline),
                        span("colspan"),
                        span("rowspan"),
                    );
                }
            }
            "table" if self.table.as_ref().is_some_and(|table| table.node == node) => {
                if let Some(table) = self.table.take() {
                    self.writer.table(table.grid.finish());
                }
                self.inline.clear();
            }
            "table" if self.table.is_some() => self.nested = self.nested.saturating_sub(1),
            "caption" if self.table.is_some() && self.nested == 0 => {
                let caption = std::mem::take(&mut self.inline);
                self.writer.paragraph(&caption);
            }
            _ if is_block(name) && self.table.is_none() => self.flush(),
            _ => {}
        }
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.heading = None,
            "li" => {
                self.items = self.items.saturating_sub(1);
                self.marker.clear();
            }
            "ul" | "menu" | "ol" => {
                self.lists.pop();
            }
            "pre" | "textarea" | "listing" => self.preformatted = self.preformatted.saturating_sub(1),
            "main" | "article" => self.content = self.content.saturating_sub(1),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.preformatted > 0 {
            self.inline.push_str(text);
            return;
        }
        if text.starts_with(|c: char| c.is_ascii_whitespace()) {
            self.space();
        }
        for word in text.split_ascii_whitespace() {
            self.inline.push_str(word);
            self.inline.push(' ');
        }
        if !text.ends_with(|c: char| c.is_ascii_whitespace()) {
            self.inline.pop();
        }
    }

    fn space(&mut self) {
        if !self.inline.is_empty() && !self.inline.ends_with([' ', '\n']) {
            self.inline.push(' ');
        }
    }

    fn flush(&mut self) {
        let mut text = std::mem::take(&mut self.inline);
        if text.trim().is_empty() {
            return;
        }
        text.insert_str(0, &std::mem::take(&mut self.marker));
        if let Some(level) = self.heading {
            self.writer.heading(level, &text);
        } else if self.preformatted > 0 {
            self.writer.code(&text);
        } else if self.items > 0 {
            self.writer.list_item(&text);
        } else {
            self.writer.paragraph(&text);
        }
    }

    /// What a picture shows, in the words of its author.
    fn image(&mut self, image: &Element) {
        if let Some(words) = image.attr("alt").filter(|words| !words.trim().is_empty()) {
            self.space();
            self.text(words);
            self.inline.push(' ');
        }
    }

    /// Title and description of the page.
    fn head(&mut self, head: NodeRef<'a>) {
        for child in head.children() {
            let Node::Element(element) = child.value() else {
                continue;
            };
            match (element.name(), element.attr("name")) {
                ("title", _) => {
                    let title: String = child
                        .children()
                        .filter_map(|node| node.value().as_text())
                        .map(|text| &**text)
                        .collect();
                    self.writer.title(&title);
                }
                ("meta", Some(name @ ("description" | "author"))) => {
                    self.writer
                        .metadata(name, &single_line(element.attr("content").unwrap_or_default()));
                }
                _ => {}
            }
        }
    }

    fn is_boilerplate(&self, element: &Element) -> bool {
        matches!(element.name(), "nav" | "button" | "select" | "dialog")
            || (element.name() == "footer" && self.content == 0)
            || matches!(element.attr("role"), Some("navigation" | "search"))
            || element.attr("hidden").is_some()
            || element.attr("aria-hidden") == Some("true")
    }
}

/// What no browser shows as text.
fn is_unseen(element: &Element) -> bool {
    matches!(
        element.name(),
        "head"
            | "script"
            | "style"
            | "noscript"
            | "template"
            | "svg"
            | "iframe"
            | "object"
            | "canvas"
            | "audio"
            | "video"
            | "map"
    )
}

/// Elements that begin and end a line of their own.
fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "caption"
            | "center"
            | "dd"
            | "details"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hr"
            | "html"
            | "legend"
            | "li"
            | "listing"
            | "main"
            | "nav"
            | "ol"
            | "option"
            | "p"
            | "pre"
            | "section"
            | "summary"
            | "table"
            | "tbody"
            | "td"
            | "textarea"
            | "tfoot"
            | "th"
            | "thead"
            | "tr"
            | "ul"
    )
}

/// Tables also serve to lay pages out: those name no headers and hold other tables or headings, or have but one column.
fn is_data_table(table: NodeRef<'_>) -> bool {
    let mut columns = 0;
    let mut widest = 0;
    for node in table.descendants().skip(1) {
        match node.value().as_element().map(Element::name) {
            Some("th") if widest > 1 => return true,
            Some("table" | "h1" | "h2" | "h3") => return false,
            Some("tr") => columns = 0,
            Some("td" | "th") => {
                let span = node.value().as_element().and_then(|cell| cell.attr("colspan"));
                columns += span
                    .and_then(|span| span.parse().ok())
                    .unwrap_or(1usize)
                    .clamp(1, 1000);
                widest = widest.max(columns);
            }
            _ => {}
        }
    }
    widest > 1
}
