//! What a file is, decided by its content.
//!
//! The name it came under only chooses between kinds of text that content cannot always tell apart (Markdown, CSV, HTML
//! fragments, plain text); it never makes a parser see bytes that do not look like its own.

use serde::{Deserialize, Serialize};
use undoc::{ErrorKind, FormatType, detect_format_from_bytes};

use crate::extract::Refusal;
use crate::extract::delimited;
use crate::extract::text::decode;

/// How much of a text is looked at.
const SAMPLE: usize = 64 * 1024;

/// A kind of document that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Portable Document Format.
    Pdf,
    /// Word (Office Open XML).
    Docx,
    /// PowerPoint (Office Open XML).
    Pptx,
    /// Excel (Office Open XML).
    Xlsx,
    /// Word 6 to 2003.
    Doc,
    /// PowerPoint 97 to 2003.
    Ppt,
    /// Excel 5 to 2003.
    Xls,
    /// A web page.
    Html,
    /// Markdown.
    Markdown,
    /// Rows of delimited values.
    Csv,
    /// An e-mail message (RFC 5322).
    Mail,
    /// Any other text.
    Text,
}

impl Kind {
    /// Its media type, e.g. `application/pdf`.
    pub fn mime_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Pptx => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Doc => "application/msword",
            Self::Ppt => "application/vnd.ms-powerpoint",
            Self::Xls => "application/vnd.ms-excel",
            Self::Html => "text/html",
            Self::Markdown => "text/markdown",
            Self::Csv => "text/csv",
            Self::Mail => "message/rfc822",
            Self::Text => "text/plain",
        }
    }
}

/// Decides what a file is; `name` is the name it was uploaded under, if any.
///
/// Looks into the directory of zip and OLE containers: call it in the extraction child only.
pub fn detect(bytes: &[u8], name: Option<&str>) -> Result<Kind, Refusal> {
    if bytes.is_empty() {
        return Err(Refusal::Empty);
    }
    if is_pdf(bytes) {
        return Ok(Kind::Pdf);
    }
    if bytes.starts_with(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") {
        return compound(bytes);
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return package(bytes);
    }
    if let Some(refusal) = other_binary(bytes) {
        return Err(refusal);
    }
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    let (text, _) = decode(sample);
    if !looks_like_text(&text) {
        return Err(Refusal::Unknown);
    }
    Ok(text_kind(&text, name))
}

/// A header at the start, or within the first kilobyte (ISO 32000-1 annex H) of what else looks like PDF.
fn is_pdf(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(1024)];
    let start = head
        .iter()
        .position(|byte| !byte.is_ascii_whitespace())
        .unwrap_or(0);
    let start = if head[start..].starts_with(b"\xEF\xBB\xBF") {
        start + 3
    } else {
        start
    };
    head[start..].starts_with(b"%PDF-")
        || (contains(head, b"%PDF-") && contains(&bytes[bytes.len().saturating_sub(2048)..], b"%%EOF"))
}

/// OLE compound files: the old Office formats, Outlook items, and encrypted new ones.
fn compound(bytes: &[u8]) -> Result<Kind, Refusal> {
    Err(match detect_format_from_bytes(bytes) {
        Ok(FormatType::Doc) => return Ok(Kind::Doc),
        Ok(FormatType::Xls) => return Ok(Kind::Xls),
        Ok(FormatType::Ppt) => return Ok(Kind::Ppt),
        Err(error) if error.kind() == ErrorKind::Encrypted => Refusal::PasswordProtected,
        // "__nameid_version" and "__substg1.0_" name the streams of a message; the directory holds UTF-16.
        _ if contains(bytes, b"_\0_\0n\0a\0m\0e\0i\0d\0_\0")
            || contains(bytes, b"_\0_\0s\0u\0b\0s\0t\0g\x001\0") =>
        {
            Refusal::OutlookMessage
        }
        _ => Refusal::OldOffice,
    })
}

/// Zip files: the new Office formats, their OpenDocument kin, books, and archives.
fn package(bytes: &[u8]) -> Result<Kind, Refusal> {
    let head = &bytes[..bytes.len().min(256)];
    if contains(head, b"mimetypeapplication/vnd.oasis.opendocument") {
        return Err(Refusal::OpenDocument);
    }
    if contains(head, b"mimetypeapplication/epub+zip") {
        return Err(Refusal::ElectronicBook);
    }
    match detect_format_from_bytes(bytes) {
        Ok(FormatType::Docx) => Ok(Kind::Docx),
        Ok(FormatType::Pptx) => Ok(Kind::Pptx),
        Ok(FormatType::Xlsx) => Ok(Kind::Xlsx),
        Ok(_) => Err(Refusal::OldOffice),
        Err(error) if error.kind() == ErrorKind::Encrypted => Err(Refusal::PasswordProtected),
        Err(_) if contains(bytes, b"[Content_Types].xml") => Err(Refusal::Damaged),
        Err(_) => Err(Refusal::Archive),
    }
}

/// Formats known by their first bytes that hold no text for us.
fn other_binary(bytes: &[u8]) -> Option<Refusal> {
    const SIGNATURES: &[(&[u8], Refusal)] = &[
        (b"\x89PNG\r\n\x1a\n", Refusal::Image),
        (b"\xFF\xD8\xFF", Refusal::Image),
        (b"GIF87a", Refusal::Image),
        (b"GIF89a", Refusal::Image),
        (b"II*\0", Refusal::Image),
        (b"MM\0*", Refusal::Image),
        (b"\0\0\x01\0", Refusal::Image),
        (b"8BPS", Refusal::Image),
        (b"PK\x05\x06", Refusal::Archive),
        (b"PK\x07\x08", Refusal::Archive),
        (b"\x1F\x8B\x08", Refusal::Archive),
        (b"7z\xBC\xAF\x27\x1C", Refusal::Archive),
        (b"Rar!\x1A\x07", Refusal::Archive),
        (b"\xFD7zXZ\0", Refusal::Archive),
        (b"BZh", Refusal::Archive),
        (b"\x28\xB5\x2F\xFD", Refusal::Archive),
        (b"OggS", Refusal::Media),
        (b"fLaC", Refusal::Media),
        (b"ID3", Refusal::Media),
        (b"\x1A\x45\xDF\xA3", Refusal::Media),
        (b"{\\rtf", Refusal::RichText),
        (b"%!PS", Refusal::PostScript),
        (b"\x09\x08\x10\0\0\x06\x05\0", Refusal::OldExcel),
        (b"\xDB\xA5", Refusal::OldWord),
    ];
    for (signature, refusal) in SIGNATURES {
        if bytes.starts_with(signature) {
            return Some(refusal.clone());
        }
    }
    match (bytes.get(..4), bytes.get(4..8), bytes.get(8..12)) {
        (Some(b"RIFF"), _, Some(b"WEBP")) => Some(Refusal::Image),
        (Some(b"RIFF"), _, Some(b"WAVE" | b"AVI ")) => Some(Refusal::Media),
        (_, Some(b"ftyp"), Some(b"heic" | b"heix" | b"mif1" | b"avif")) => Some(Refusal::Image),
        (_, Some(b"ftyp"), _) => Some(Refusal::Media),
        _ if bytes.starts_with(b"BM") && bytes.get(6..10) == Some(&[0; 4]) => Some(Refusal::Image),
        _ if bytes.get(257..262) == Some(b"ustar") => Some(Refusal::Archive),
        // The other Excel formats without a container, Excel 2 to 4.
        _ if matches!(
            detect_format_from_bytes(&bytes[..bytes.len().min(16)]),
            Ok(FormatType::Xls)
        ) =>
        {
            Some(Refusal::OldExcel)
        }
        _ => None,
    }
}

/// Whether decoded bytes read as text: hardly any control or replacement characters.
fn looks_like_text(text: &str) -> bool {
    let (mut all, mut odd) = (0usize, 0usize);
    for c in text.chars() {
        all += 1;
        odd += usize::from(
            (c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}' | '\u{1b}'))
                || c == char::REPLACEMENT_CHARACTER,
        );
    }
    odd * 20 <= all
}

/// Which kind of text, by its own signs first and by its name where those are not clear.
fn text_kind(text: &str, name: Option<&str>) -> Kind {
    let text = text.trim_start_matches('\u{feff}');
    let extension = name
        .and_then(|name| name.rsplit_once('.'))
        .map(|(_, extension)| extension.to_ascii_lowercase())
        .unwrap_or_default();
    if is_mail(text) {
        return Kind::Mail;
    }
    if is_html(text) {
        return Kind::Html;
    }
    match extension.as_str() {
        "md" | "markdown" | "mdx" => Kind::Markdown,
        "csv" | "tsv" => Kind::Csv,
        "htm" | "html" | "xhtml" if text.contains('<') => Kind::Html,
        "txt" | "text" | "log" | "xml" | "json" | "yaml" | "yml" => Kind::Text,
        _ if delimited::delimiter(text).is_some_and(|found| found.certain) => Kind::Csv,
        _ if is_markdown(text) => Kind::Markdown,
        _ => Kind::Text,
    }
}

/// A message begins with header fields, some of which only mail has.
fn is_mail(text: &str) -> bool {
    const MAIL_ONLY: &[&str] = &[
        "received",
        "return-path",
        "message-id",
        "mime-version",
        "from",
        "delivered-to",
        "x-mailer",
        "sender",
    ];
    const KNOWN: &[&str] = &[
        "to",
        "subject",
        "date",
        "cc",
        "bcc",
        "reply-to",
        "content-type",
        "in-reply-to",
        "references",
    ];
    let mut lines = text.lines().peekable();
    lines.next_if(|line| line.starts_with("From "));
    let (mut only, mut known) = (0, 0);
    for line in lines {
        if line.is_empty() {
            break;
        }
        if line.starts_with([' ', '\t']) {
            continue;
        }
        let Some((field, _)) = line.split_once(':') else {
            return false;
        };
        if field.is_empty() || !field.bytes().all(|byte| byte.is_ascii_graphic()) {
            return false;
        }
        let field = field.to_ascii_lowercase();
        only += usize::from(MAIL_ONLY.contains(&field.as_str()));
        known += usize::from(KNOWN.contains(&field.as_str()));
    }
    only >= 1 && only + known >= 2
}

/// A page begins with a tag of HTML, after comments and declarations, or names its root element early.
fn is_html(text: &str) -> bool {
    const STARTS: &[&str] = &[
        "<!doctype html",
        "<html",
        "<head",
        "<body",
        "<title",
        "<meta",
        "<div",
        "<table",
        "<article",
        "<section",
        "<h1",
        "<h2",
        "<ul",
        "<ol",
        "<p>",
        "<p ",
    ];
    let mut rest = text.trim_start();
    let declared = rest.starts_with("<?xml");
    loop {
        let end = if rest.starts_with("<!--") {
            rest.find("-->").map(|at| at + 3)
        } else if rest.starts_with("<?") {
            rest.find("?>").map(|at| at + 2)
        } else {
            None
        };
        let Some(end) = end else { break };
        rest = rest[end..].trim_start();
    }
    let head = rest[..rest.floor_char_boundary(2048)].to_ascii_lowercase();
    if declared {
        return head.starts_with("<html") || head.starts_with("<!doctype html");
    }
    STARTS[..5].iter().any(|start| head.starts_with(start))
        || head.starts_with('<') && head.contains("<html")
        || STARTS[5..].iter().any(|start| head.starts_with(start)) && text.matches("</").nth(2).is_some()
}

/// Markdown shows itself by headings, fences or table rules.
fn is_markdown(text: &str) -> bool {
    let (mut headings, mut fences, mut rules, mut links) = (0, 0, 0, 0);
    for line in text.lines().take(2_000) {
        let hashes = line.bytes().take_while(|byte| *byte == b'#').count();
        headings += usize::from((2..=6).contains(&hashes) && line[hashes..].starts_with(' '));
        fences += usize::from(line.starts_with("```"));
        rules += usize::from(line.contains("---|") || line.contains("|---") || line.contains("| ---"));
        links += usize::from(line.contains("]("));
    }
    headings >= 2
        || rules >= 1
        || fences >= 2
        || links >= 2
        || (text.starts_with("# ") && headings + links >= 1)
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(haystack, needle).is_some()
}
