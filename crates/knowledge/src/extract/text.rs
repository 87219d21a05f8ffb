//! Bytes to characters, and the cleaning every text gets.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// How much of a text is looked at to guess its encoding.
const ENCODING_SAMPLE: usize = 1 << 20;

/// Decodes text of unknown encoding: by its byte order mark, as UTF-8, as UTF-16, or by the likeliest legacy encoding.
///
/// `true` beside it when the encoding was guessed or some bytes had to be replaced.
pub(super) fn decode(bytes: &[u8]) -> (Cow<'_, str>, bool) {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let (text, replaced) = encoding.decode_without_bom_handling(&bytes[mark..]);
        return (text, replaced);
    }
    if let Some(encoding) = utf16_without_mark(bytes) {
        let (text, replaced) = encoding.decode_without_bom_handling(bytes);
        return (text, replaced);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => (Cow::Borrowed(text), false),
        Err(error) if mostly_utf8(bytes, error.valid_up_to()) => (String::from_utf8_lossy(bytes), true),
        Err(_) => {
            let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
            let sample = &bytes[..bytes.len().min(ENCODING_SAMPLE)];
            detector.feed(sample, true);
            let encoding = detector.guess(None, Utf8Detection::Deny);
            let encoding = if encoding == UTF_8 {
                encoding_rs::WINDOWS_1252
            } else {
                encoding
            };
            let (text, _) = encoding.decode_without_bom_handling(bytes);
            (text, true)
        }
    }
}

/// Whether a text with invalid UTF-8 is still UTF-8: it has many multi-byte characters and few faults.
fn mostly_utf8(bytes: &[u8], valid_up_to: usize) -> bool {
    let multibyte = bytes[..valid_up_to].iter().filter(|byte| **byte >= 0xC0).count();
    let sample = &bytes[..bytes.len().min(ENCODING_SAMPLE)];
    let faults = sample
        .utf8_chunks()
        .filter(|chunk| !chunk.invalid().is_empty())
        .count();
    let high = sample.iter().filter(|byte| **byte >= 0x80).count();
    multibyte > 0 && faults * 20 <= high
}

/// The byte order of UTF-16 text without a mark, seen by where its zero bytes stand.
fn utf16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(4096) & !1];
    let pairs = sample.len() / 2;
    if pairs < 2 || !bytes.len().is_multiple_of(2) {
        return None;
    }
    let (mut even, mut odd) = (0, 0);
    for pair in sample.chunks_exact(2) {
        even += usize::from(pair[0] == 0);
        odd += usize::from(pair[1] == 0);
    }
    if odd * 10 > pairs * 6 && even == 0 {
        Some(UTF_16LE)
    } else if even * 10 > pairs * 6 && odd == 0 {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// Removes what no reader sees and no database takes: control characters, byte order marks, soft hyphens. Line ends become
/// `\n`, tabs stay, no-break spaces become spaces.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if text
        .chars()
        .all(|c| matches!(c, '\n' | '\t' | ' '..='\u{7e}') || (c > '\u{a0}' && !is_dropped(c)))
    {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\r' => {
                characters.next_if_eq(&'\n');
                cleaned.push('\n');
            }
            '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => cleaned.push('\n'),
            '\n' | '\t' => cleaned.push(c),
            '\u{a0}' => cleaned.push(' '),
            _ if is_dropped(c) => {}
            _ => cleaned.push(c),
        }
    }
    Cow::Owned(cleaned)
}

/// Whether [`clean`] changes or drops a character above U+00A0, or drops one below.
fn is_dropped(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{200b}' | '\u{2028}' | '\u{2029}' | '\u{2060}' | '\u{feff}' | '\u{fff0}'
                ..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
        )
}

/// Composed form (NFC, Unicode Annex 15), so that one word is always the same bytes.
pub(super) fn compose(text: Cow<'_, str>) -> Cow<'_, str> {
    if is_nfc_quick(text.chars()) == IsNormalized::Yes {
        text
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

/// All white space, line ends included, as single spaces; none at either end.
pub(super) fn single_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}
