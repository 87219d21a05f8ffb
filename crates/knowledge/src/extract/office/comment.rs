//! What reviewers wrote beside a document, a slide or a sheet, with who and when; `undoc` leaves most of it out.
//!
//! Comments come in five vocabularies: one of Word, two each of PowerPoint and Excel (ECMA-376 and, for threads, Microsoft's
//! extensions MS-PPTX 2.1 and MS-XLSX 2.6). They differ little but in names, so one reader takes them all. Comments are
//! extra: a part that cannot be read gives none, and never costs the document.

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use undoc::OoxmlContainer;

use crate::extract::Kind;

/// The comments of every slide or sheet in order, each as one text; those of a Word file all in one.
pub(super) fn read(bytes: &[u8], kind: Kind) -> Vec<Vec<String>> {
    let Ok(package) = OoxmlContainer::from_bytes(bytes.to_vec()) else {
        return Vec::new();
    };
    let (main, section) = match kind {
        Kind::Docx => return vec![of_part(&package, "word/document.xml", &HashMap::new())],
        Kind::Pptx => ("ppt/presentation.xml", "sldId"),
        Kind::Xlsx => ("xl/workbook.xml", "sheet"),
        _ => return Vec::new(),
    };
    let names = related(&package, main, &["/commentAuthors", "/authors", "/person"])
        .iter()
        .flat_map(|(_, xml)| names(xml))
        .collect();
    sections(&package, main, section)
        .iter()
        .map(|part| of_part(&package, part, &names))
        .collect()
}

/// The paths of the slides or sheets that the main part lists, empty where one is not there.
fn sections(package: &OoxmlContainer, main: &str, section: &str) -> Vec<String> {
    let (Ok(xml), Ok(relationships)) = (
        package.read_xml(main),
        package.read_optional_relationships_for_part(main),
    ) else {
        return Vec::new();
    };
    let mut paths = Vec::new();
    each_start(&xml, |element| {
        if element.local_name().as_ref() == section {
            // `r:id`, whatever its prefix; `id` alone is the number of a slide.
            let id = attribute(element, |name| name.ends_with(":id"));
            let target = relationships.get(&id).map(|part| part.target.as_str());
            paths.push(target.map_or_else(String::new, |target| OoxmlContainer::resolve_path(main, target)));
        }
    });
    paths
}

/// The parts that a part refers to by one of these kinds of relationship, with the kind's number.
fn related(package: &OoxmlContainer, part: &str, kinds: &[&str]) -> Vec<(usize, String)> {
    let Ok(relationships) = package.read_optional_relationships_for_part(part) else {
        return Vec::new();
    };
    let mut found: Vec<(usize, String)> = relationships
        .by_id
        .values()
        .filter(|related| !related.external)
        .filter_map(|related| {
            let kind = kinds.iter().position(|kind| related.rel_type.ends_with(kind))?;
            Some((kind, OoxmlContainer::resolve_path(part, &related.target)))
        })
        .collect();
    found.sort();
    found
        .into_iter()
        .filter_map(|(kind, path)| Some((kind, package.read_xml(&path).ok()?)))
        .collect()
}

/// The comments on one part.
fn of_part(package: &OoxmlContainer, part: &str, names: &HashMap<String, String>) -> Vec<String> {
    if part.is_empty() {
        return Vec::new();
    }
    let parts = related(package, part, &["/comments", "/threadedComment"]);
    // Excel repeats every thread as an ordinary comment, for programs that know no threads.
    let threaded = parts.iter().any(|(kind, _)| *kind == 1);
    parts
        .iter()
        .flat_map(|(_, xml)| comments(xml, names))
        .filter(|comment| !(threaded && comment.stands_for_thread()))
        .filter_map(|comment| comment.line())
        .collect()
}

/// Names by the identifiers that comments use for them.
fn names(xml: &str) -> Vec<(String, String)> {
    let mut names = Vec::new();
    each_start(xml, |element| {
        if matches!(element.local_name().as_ref(), "cmAuthor" | "author" | "person") {
            let id = attribute(element, |name| name == "id");
            names.push((
                id,
                attribute(element, |name| matches!(name, "name" | "displayName")),
            ));
        }
    });
    names
}

#[derive(Debug, Default)]
struct Comment {
    author: String,
    /// ISO 8601, as far as the file says.
    date: String,
    /// The cell it is on.
    cell: String,
    is_reply: bool,
    text: String,
}

impl Comment {
    fn begin(element: &BytesStart<'_>, names: &HashMap<String, String>, authors: &[String]) -> Self {
        let id = attribute(element, |name| matches!(name, "authorId" | "personId"));
        let listed = || id.parse().ok().and_then(|index: usize| authors.get(index));
        let by_id = names.get(&id).or_else(listed).cloned();
        Self {
            author: by_id.unwrap_or_else(|| attribute(element, |name| name.ends_with(":author"))),
            date: attribute(element, |name| {
                matches!(name, "dt" | "dT" | "created") || name.ends_with(":date")
            }),
            cell: attribute(element, |name| name == "ref"),
            is_reply: element.local_name().as_ref() == "reply"
                || !attribute(element, |name| name == "parentId").is_empty(),
            text: String::new(),
        }
    }

    fn stands_for_thread(&self) -> bool {
        self.author.starts_with("tc=")
    }

    /// The comment as one text, if it says anything.
    fn line(&self) -> Option<String> {
        let text = self.text.trim();
        if text.is_empty() {
            return None;
        }
        let mut line = String::from(if self.is_reply { "Reply" } else { "Comment" });
        if !self.author.is_empty() && !self.stands_for_thread() {
            line.push_str(" by ");
            line.push_str(&self.author);
        }
        if !self.cell.is_empty() {
            line.push_str(" on ");
            line.push_str(&self.cell);
        }
        if let Some(day) = self.date.get(..10) {
            line.push_str(", ");
            line.push_str(day);
        }
        line.push_str(": ");
        line.push_str(text);
        Some(line)
    }
}

/// What the characters that are being read belong to.
enum Reading {
    Nothing,
    Author,
    Comment,
}

/// All comments of a part in the order they begin in, so that answers follow what they answer.
fn comments(xml: &str, names: &HashMap<String, String>) -> Vec<Comment> {
    let mut comments: Vec<Comment> = Vec::new();
    // Those whose end has not come: replies stand inside what they answer, before its text.
    let mut open: Vec<usize> = Vec::new();
    let mut authors: Vec<String> = Vec::new();
    let mut reading = Reading::Nothing;
    let mut reader = reader(xml);
    // An error ends the part as its end does: what came before it counts.
    while let Ok(event) = reader.read_event() {
        let current = match reading {
            Reading::Nothing => None,
            Reading::Author => authors.last_mut(),
            Reading::Comment => open.last().map(|&index| &mut comments[index].text),
        };
        match event {
            Event::Text(text) => {
                if let Some(current) = current {
                    current.push_str(&text.xml10_content());
                }
            }
            Event::GeneralRef(reference) => {
                if let Some(current) = current {
                    match reference.resolve_char_ref() {
                        Ok(Some(character)) => current.push(character),
                        _ => current.push_str(resolve_predefined_entity(&reference).unwrap_or_default()),
                    }
                }
            }
            Event::Start(element) => match element.local_name().as_ref() {
                "cm" | "reply" | "comment" | "threadedComment" => {
                    open.push(comments.len());
                    comments.push(Comment::begin(&element, names, &authors));
                }
                "author" => {
                    authors.push(String::new());
                    reading = Reading::Author;
                }
                "t" | "text" => reading = Reading::Comment,
                // How a text is pronounced, and what other programs added.
                "rPh" | "extLst" if reader.read_to_end(element.name()).is_err() => break,
                _ => {}
            },
            Event::End(element) => match element.local_name().as_ref() {
                "cm" | "reply" | "comment" | "threadedComment" => {
                    open.pop();
                }
                "author" | "t" | "text" => reading = Reading::Nothing,
                "p" => new_line(&mut comments, &open),
                _ => {}
            },
            Event::Empty(element) if element.local_name().as_ref() == "br" => new_line(&mut comments, &open),
            Event::Eof => break,
            _ => {}
        }
    }
    comments
}

fn new_line(comments: &mut [Comment], open: &[usize]) {
    if let Some(&index) = open.last() {
        comments[index].text.push('\n');
    }
}

/// Calls `visit` for every element that begins, until the part ends or is broken.
fn each_start(xml: &str, mut visit: impl FnMut(&BytesStart<'_>)) {
    let mut reader = reader(xml);
    loop {
        match reader.read_event() {
            Ok(Event::Start(element) | Event::Empty(element)) => visit(&element),
            Ok(Event::Eof) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

fn reader(xml: &str) -> Reader<&[u8]> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().allow_dangling_amp = true;
    reader
}

/// The value of the first attribute whose name fits, or nothing.
fn attribute(element: &BytesStart<'_>, fits: impl Fn(&str) -> bool) -> String {
    element
        .attributes()
        .flatten()
        .find(|attribute| fits(attribute.key.as_ref()))
        .and_then(|attribute| {
            attribute
                .normalized_value(quick_xml::XmlVersion::Implicit1_0)
                .ok()
        })
        .map(|value| value.trim().to_owned())
        .unwrap_or_default()
}
