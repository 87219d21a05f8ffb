//! Markdown (CommonMark with tables, strikethrough, footnotes and front matter) to plain text with structure.

use pulldown_cmark::{Event, MetadataBlockKind, Options, Parser, Tag, TagEnd};

use crate::extract::text::decode;
use crate::extract::writer::Writer;
use crate::extract::{Kind, Refusal, html};
use crate::passage::Extracted;

/// Reads Markdown.
pub(super) fn extract(bytes: &[u8]) -> Result<Extracted, Refusal> {
    let (text, guessed) = decode(bytes);
    let mut writer = Writer::default();
    if guessed {
        writer.warn("The character encoding of this file is not UTF-8; it was guessed.");
    }
    write(&mut writer, &text)?;
    writer.finish(Kind::Markdown)
}

/// What is being gathered until its end.
#[derive(Default)]
struct Gathering {
    inline: String,
    /// Depth of list items; text inside one is an item of its own.
    items: usize,
    /// The lists around, each with its next number if it counts.
    lists: Vec<Option<u64>>,
    /// The number of the item that has just begun.
    marker: String,
    code: Option<String>,
    html: String,
    front_matter: bool,
    table: Vec<Vec<String>>,
    links: Vec<(String, usize)>,
}

fn write(writer: &mut Writer, text: &str) -> Result<(), Refusal> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut state = Gathering::default();
    for event in Parser::new_ext(text, options) {
        if writer.is_full() {
            break;
        }
        match event {
            Event::Start(tag) => start(writer, &mut state, tag),
            Event::End(tag) => end(writer, &mut state, tag)?,
            Event::Text(text) => match &mut state.code {
                Some(code) => code.push_str(&text),
                None if state.front_matter => read_front_matter(writer, &text),
                None => state.inline.push_str(&text),
            },
            Event::Code(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                state.inline.push_str(&text);
            }
            Event::SoftBreak | Event::HardBreak => state.inline.push('\n'),
            Event::Html(text) => state.html.push_str(&text),
            Event::InlineHtml(tag) if tag.starts_with("<br") => state.inline.push('\n'),
            Event::TaskListMarker(done) => state.inline.push_str(if done { "[x] " } else { "[ ] " }),
            Event::InlineHtml(_) | Event::Rule | Event::FootnoteReference(_) => {}
        }
    }
    flush(writer, &mut state);
    Ok(())
}

fn start(writer: &mut Writer, state: &mut Gathering, tag: Tag<'_>) {
    match tag {
        Tag::Paragraph | Tag::Heading { .. } | Tag::BlockQuote(_) | Tag::Table(_) => {
            flush(writer, state);
        }
        Tag::List(first) => {
            flush(writer, state);
            state.lists.push(first);
        }
        Tag::Item => {
            flush(writer, state);
            state.items += 1;
            if let Some(Some(number)) = state.lists.last_mut() {
                state.marker = format!("{number}. ");
                *number = number.saturating_add(1);
            }
        }
        Tag::CodeBlock(_) => {
            flush(writer, state);
            state.code = Some(String::new());
        }
        Tag::TableHead | Tag::TableRow => state.table.push(Vec::new()),
        Tag::MetadataBlock(MetadataBlockKind::YamlStyle) => state.front_matter = true,
        Tag::Link { dest_url, .. } => state.links.push((dest_url.into_string(), state.inline.len())),
        _ => {}
    }
}

fn end(writer: &mut Writer, state: &mut Gathering, tag: TagEnd) -> Result<(), Refusal> {
    match tag {
        TagEnd::Heading(level) => writer.heading(level as u8, &std::mem::take(&mut state.inline)),
        TagEnd::Paragraph => flush(writer, state),
        TagEnd::Item => {
            flush(writer, state);
            state.items = state.items.saturating_sub(1);
            state.marker.clear();
        }
        TagEnd::List(_) => {
            state.lists.pop();
        }
        TagEnd::CodeBlock => writer.code(&state.code.take().unwrap_or_default()),
        TagEnd::HtmlBlock => html::write(writer, &std::mem::take(&mut state.html))?,
        TagEnd::TableCell => {
            let cell = std::mem::take(&mut state.inline);
            if let Some(row) = state.table.last_mut() {
                row.push(cell);
            }
        }
        TagEnd::Table => writer.table(std::mem::take(&mut state.table)),
        TagEnd::MetadataBlock(_) => state.front_matter = false,
        TagEnd::Link => close_link(state),
        _ => {}
    }
    Ok(())
}

/// Keeps the address of a link to the outside when its text does not say it: it may be the answer somebody looks for.
fn close_link(state: &mut Gathering) {
    let Some((address, start)) = state.links.pop() else {
        return;
    };
    let absolute = ["https://", "http://", "mailto:"]
        .iter()
        .any(|scheme| address.starts_with(scheme));
    let says_it = state
        .inline
        .get(start..)
        .is_some_and(|text| address.contains(text.trim()));
    if absolute && !says_it {
        state.inline.push_str(" (");
        state.inline.push_str(&address);
        state.inline.push(')');
    }
}

fn flush(writer: &mut Writer, state: &mut Gathering) {
    let mut text = std::mem::take(&mut state.inline);
    if text.trim().is_empty() {
        return;
    }
    text.insert_str(0, &std::mem::take(&mut state.marker));
    if state.items > 0 {
        writer.list_item(&text);
    } else {
        writer.paragraph(&text);
    }
}

/// The title and the description of YAML front matter.
fn read_front_matter(writer: &mut Writer, text: &str) {
    for line in text.lines() {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim().trim_matches(['"', '\'']);
        match name.trim() {
            "title" => writer.title(value),
            name @ ("description" | "author" | "date") => writer.metadata(name, value),
            _ => {}
        }
    }
}
