//! Equations in Word files (Office Math, ECMA-376 part 1, 22.1), which `undoc` leaves out.
//!
//! They are written into the document as ordinary text in one line, `(a+b)/2` or `x^2`, before it is read.

use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// The part that holds the text of a Word file.
const DOCUMENT: &str = "word/document.xml";
/// The largest such part that is searched, in bytes.
const LIMIT: u64 = 64 << 20;

/// The same Word file with its equations as text; `None` when it has none, or cannot be searched.
pub(super) fn inline(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut document = String::new();
    archive
        .by_name(DOCUMENT)
        .ok()?
        .take(LIMIT)
        .read_to_string(&mut document)
        .ok()?;
    if document.len() as u64 == LIMIT || !document.contains("<m:oMath") {
        return None;
    }
    let document = replace(&document);
    let mut copy = ZipWriter::new(Cursor::new(Vec::with_capacity(bytes.len())));
    for index in 0..archive.len() {
        let file = archive.by_index_raw(index).ok()?;
        if file.name().ok()? == DOCUMENT {
            drop(file);
            let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
            copy.start_file(DOCUMENT, options).ok()?;
            copy.write_all(document.as_bytes()).ok()?;
        } else {
            copy.raw_copy_file(file).ok()?;
        }
    }
    Some(copy.finish().ok()?.into_inner())
}

/// Replaces every equation by a run of text.
fn replace(document: &str) -> String {
    let mut replaced = String::with_capacity(document.len());
    let mut rest = document;
    while let Some(at) = rest.find("<m:oMath") {
        let end = if rest[at..].starts_with("<m:oMathPara") {
            "</m:oMathPara>"
        } else {
            "</m:oMath>"
        };
        let Some(length) = rest[at..].find(end) else { break };
        replaced.push_str(&rest[..at]);
        replaced.push_str("<w:r><w:t xml:space=\"preserve\">");
        replaced.push_str(&linear(&rest[at..at + length]));
        replaced.push_str("</w:t></w:r>");
        rest = &rest[at + length + end.len()..];
    }
    replaced.push_str(rest);
    replaced
}

/// An element that is being read.
struct Element<'a> {
    name: &'a str,
    /// Where its text begins.
    start: usize,
    /// The signs around what it holds.
    delimiters: (&'a str, &'a str),
    /// How many `m:e` it has had.
    parts: usize,
}

/// The text of an equation in one line; character references stay as they are.
fn linear(equation: &str) -> String {
    let mut line = String::new();
    let mut open: Vec<Element<'_>> = Vec::new();
    for piece in equation.split('<').skip(1) {
        let Some((tag, text)) = piece.split_once('>') else {
            break;
        };
        if let Some(name) = tag.strip_prefix('/') {
            close(&mut line, &mut open, name.trim());
        } else {
            let name = tag
                .split(|c: char| c.is_whitespace() || c == '/')
                .next()
                .unwrap_or_default();
            begin(&mut line, &mut open, name, tag);
            if !tag.ends_with('/') {
                open.push(Element {
                    name,
                    start: line.len(),
                    delimiters: ("(", ")"),
                    parts: 0,
                });
            }
        }
        if open.last().is_some_and(|element| element.name == "m:t") {
            line.push_str(text);
        }
    }
    line
}

fn begin<'a>(line: &mut String, open: &mut [Element<'a>], name: &str, tag: &'a str) {
    match name {
        "m:sup" => line.push('^'),
        "m:sub" | "m:lim" => line.push('_'),
        "m:den" => line.push('/'),
        "m:rad" => line.push('√'),
        "m:oMath" if !line.is_empty() => line.push(' '),
        "m:chr" if open.last().is_some_and(|element| element.name == "m:naryPr") => line.push_str(value(tag)),
        "m:begChr" | "m:endChr" => {
            if let [.., delimited, _] = open {
                let (begin, end) = delimited.delimiters;
                delimited.delimiters = if name == "m:begChr" {
                    (value(tag), end)
                } else {
                    (begin, value(tag))
                };
            }
        }
        "m:e" => {
            if let Some(around) = open.last_mut() {
                match (around.name, around.parts) {
                    ("m:d", 0) => line.push_str(around.delimiters.0),
                    ("m:d", _) => line.push(','),
                    ("m:eqArr" | "m:mr", 1..) | ("m:func" | "m:nary", _) => line.push(' '),
                    _ => {}
                }
                around.parts += 1;
            }
        }
        _ => {}
    }
}

fn close(line: &mut String, open: &mut Vec<Element<'_>>, name: &str) {
    let Some(element) = open.pop() else { return };
    let under_root = name == "m:e" && open.last().is_some_and(|around| around.name == "m:rad");
    let wraps = under_root || matches!(name, "m:num" | "m:den" | "m:sup" | "m:sub" | "m:lim");
    if wraps && line[element.start..].chars().nth(1).is_some() {
        line.insert(element.start, '(');
        line.push(')');
    }
    match name {
        "m:d" => line.push_str(element.delimiters.1),
        "m:mr" => line.push(';'),
        _ => {}
    }
}

/// The attribute `m:val` of a tag.
fn value(tag: &str) -> &str {
    tag.split_once("m:val=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or("", |(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equations_read_as_one_line() {
        let t = |text: &str| format!("<m:r><m:t>{text}</m:t></m:r>");
        let fraction = format!("<m:f><m:num>{}</m:num><m:den>{}</m:den></m:f>", t("a+b"), t("2"));
        let power = format!("<m:sSup><m:e>{}</m:e><m:sup>{}</m:sup></m:sSup>", t("x"), t("2"));
        let bracket = format!(
            "<m:d><m:dPr><m:begChr m:val=\"[\"/><m:endChr m:val=\"]\"/></m:dPr><m:e>{}</m:e></m:d>",
            t("y")
        );
        let equation = format!("<m:oMath>{power}{}{fraction}{bracket}", t("="));
        assert_eq!(linear(&equation), "x^2=(a+b)/2[y]");
        let paragraph = format!("<w:p>{equation}</m:oMath><w:r/></w:p>");
        assert_eq!(
            replace(&paragraph),
            "<w:p><w:r><w:t xml:space=\"preserve\">x^2=(a+b)/2[y]</w:t></w:r><w:r/></w:p>"
        );
    }
}
