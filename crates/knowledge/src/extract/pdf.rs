//! PDF (ISO 32000), read by PDFium from a library found at run time, or by poppler's `pdftotext` where that is missing.

mod layout;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pdfium_render::prelude::{
    PdfDocument, PdfDocumentMetadataTagType, PdfPage, PdfPageTextChar, Pdfium, PdfiumError,
    PdfiumInternalError,
};

use crate::extract::pdf::layout::{Layout, Line};
use crate::extract::writer::Writer;
use crate::extract::{Kind, Refusal, plain};
use crate::passage::Extracted;

/// How long reading pages may go on, so that a very long document gives what was read instead of nothing.
const READING_TIME: Duration = Duration::from_secs(40);

/// What reads PDF files on this machine.
pub(super) enum Engine {
    /// PDFium, loaded and initialised; one a process, since it is not thread-safe.
    Pdfium(Pdfium),
    /// The `pdftotext` program.
    Pdftotext(PathBuf),
    /// Nothing does.
    Missing,
}

impl Engine {
    /// Loads libpdfium, or finds the second choice. Must run before the process gives up the file system.
    pub(super) fn load(library: Option<&Path>) -> Self {
        let bindings = library.and_then(|library| Pdfium::bind_to_library(library).ok());
        match bindings {
            Some(bindings) => Self::Pdfium(Pdfium::new(bindings)),
            None => ["/usr/bin/pdftotext", "/usr/local/bin/pdftotext"]
                .iter()
                .map(PathBuf::from)
                .find(|program| program.is_file())
                .map_or(Self::Missing, Self::Pdftotext),
        }
    }

    /// Reads a PDF file.
    pub(super) fn extract(&self, bytes: &[u8]) -> Result<Extracted, Refusal> {
        match self {
            Self::Pdfium(pdfium) => read(pdfium, bytes),
            Self::Pdftotext(program) => convert(program, bytes),
            Self::Missing => Err(Refusal::NoPdfEngine),
        }
    }
}

fn read(pdfium: &Pdfium, bytes: &[u8]) -> Result<Extracted, Refusal> {
    let document = pdfium
        .load_pdf_from_byte_slice(bytes, None)
        .map_err(|error| match error {
            PdfiumError::PdfiumLibraryInternalError(
                PdfiumInternalError::PasswordError | PdfiumInternalError::SecurityError,
            ) => Refusal::PasswordProtected,
            _ => Refusal::Damaged,
        })?;
    let mut writer = Writer::default();
    describe(&mut writer, &document);
    let started = Instant::now();
    let mut layout = Layout::default();
    let count = document.pages().len();
    for (index, number) in (0..count).zip(1u32..) {
        if started.elapsed() > READING_TIME {
            writer.warn(format!(
                "Only the first {} of {count} pages were read; split the file to have all.",
                number - 1
            ));
            break;
        }
        match document.pages().get(index) {
            Ok(page) => layout.page(number, lines(&page)),
            Err(_) => writer.warn(format!("Page {number} is damaged and was left out.")),
        }
    }
    layout.write(&mut writer);
    let mut extracted = writer.finish(Kind::Pdf)?;
    extracted.pages = u32::try_from(count).unwrap_or_default();
    Ok(extracted)
}

fn describe(writer: &mut Writer, document: &PdfDocument<'_>) {
    let metadata = document.metadata();
    let value = |tag| {
        metadata
            .get(tag)
            .map(|found| found.value().to_owned())
            .unwrap_or_default()
    };
    writer.title(&value(PdfDocumentMetadataTagType::Title));
    writer.metadata("author", &value(PdfDocumentMetadataTagType::Author));
    writer.metadata("subject", &value(PdfDocumentMetadataTagType::Subject));
    writer.metadata("keywords", &value(PdfDocumentMetadataTagType::Keywords));
    writer.metadata("created", &value(PdfDocumentMetadataTagType::CreationDate));
}

/// The lines of a page in PDFium's reading order.
fn lines(page: &PdfPage<'_>) -> Vec<Line> {
    let Ok(text) = page.text() else {
        return Vec::new();
    };
    let characters = text.chars();
    let mut lines = Vec::new();
    let mut line = Line::default();
    let mut high_surrogate = None;
    let mut previous: Option<(PdfPageTextChar<'_>, char)> = None;
    for character in characters.iter() {
        let value = character.unicode_value();
        // Beyond the basic plane PDFium gives the halves of UTF-16 one by one.
        let decoded = match (high_surrogate.take(), value) {
            (_, 0xD800..=0xDBFF) => {
                high_surrogate = Some(value);
                continue;
            }
            (Some(high), 0xDC00..=0xDFFF) => {
                char::from_u32(0x10000 + ((high - 0xD800) << 10) + (value - 0xDC00))
            }
            _ => char::from_u32(value),
        };
        match decoded {
            Some('\n' | '\r') => {
                end_line(&mut line, previous.take());
                lines.extend(std::mem::take(&mut line).finished());
            }
            // PDFium marks a hyphen at which a word was broken across lines.
            Some('\u{2}' | '\u{fffe}' | '\u{ad}') => line.broken_word = true,
            Some(c) if c.is_whitespace() => line.push(' '),
            Some(c) => {
                if line.needs_measuring() {
                    let size = character.scaled_font_size().value;
                    if let Ok(bounds) = character.loose_bounds() {
                        line.measure(
                            size,
                            bounds.left().value,
                            bounds.bottom().value,
                            is_bold(&character),
                        );
                    }
                }
                line.broken_word = false;
                match &previous {
                    Some((alef, before)) if is_turned_ligature(alef, *before, &character, c) => {
                        line.text.pop();
                        line.push(c);
                        line.push(*before);
                    }
                    _ => line.push(c),
                }
                previous = Some((character, c));
            }
            None => {}
        }
    }
    end_line(&mut line, previous.take());
    lines.extend(line.finished());
    lines
}

/// A line is bold when it begins and ends so.
fn end_line(line: &mut Line, last: Option<(PdfPageTextChar<'_>, char)>) {
    line.bold &= last.is_some_and(|(character, _)| is_bold(&character));
}

fn is_bold(character: &PdfPageTextChar<'_>) -> bool {
    let name = character.font_name();
    ["Bold", "bold", "Black", "Heavy", "Semibold"]
        .iter()
        .any(|weight| name.contains(weight))
}

/// Arabic writes lam and alef as one glyph; PDFium gives its two letters, but turned round with the rest of the line.
fn is_turned_ligature(alef: &PdfPageTextChar<'_>, before: char, lam: &PdfPageTextChar<'_>, c: char) -> bool {
    c == 'ل'
        && matches!(before, 'ا' | 'أ' | 'إ' | 'آ')
        && matches!((alef.origin_x(), lam.origin_x()), (Ok(one), Ok(other)) if (one.value - other.value).abs() < 0.01)
}

/// Has `pdftotext` convert a file; it runs under the same limits as this process.
fn convert(program: &Path, bytes: &[u8]) -> Result<Extracted, Refusal> {
    let mut child = Command::new(program)
        .args(["-enc", "UTF-8", "-q", "-", "-"])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|_| Refusal::NoPdfEngine)?;
    let input = child.stdin.take();
    let output = std::thread::scope(|scope| {
        // Feeding ends early when the program has seen enough; its exit status says whether that was a failure.
        scope.spawn(move || input.map(|mut input| input.write_all(bytes)));
        child.wait_with_output()
    })
    .map_err(|_| Refusal::Damaged)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(if said.contains("password") {
            Refusal::PasswordProtected
        } else {
            Refusal::Damaged
        });
    }
    let mut writer = Writer::default();
    let text = String::from_utf8_lossy(&output.stdout);
    for (page, number) in text.trim_end_matches('\u{c}').split('\u{c}').zip(1..) {
        writer.page(number);
        plain::paragraphs(&mut writer, page);
    }
    writer.finish(Kind::Pdf)
}
