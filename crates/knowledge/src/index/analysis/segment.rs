//! From text to tokens: words, parts and wholes of identifiers, bigrams of scripts without spaces.

use unicode_segmentation::UnicodeSegmentation;

use super::form;

/// The longest word that is counted, in bytes; longer ones are data, not language.
const LONGEST: usize = 64;

/// One thing to count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A word in lower case, to be stemmed.
    Word(String),
    /// An identifier, code or number kept whole.
    Whole(String),
    /// One or two characters of a script without spaces.
    Gram(String),
}

/// The tokens of a text, in order.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = Token> {
    chunks(text).flat_map(|chunk| {
        let mut tokens = Vec::new();
        let chunk = form::compatible(chunk);
        let core = chunk.trim_matches(|c: char| !c.is_alphanumeric() && c != '_');
        let identifier = is_identifier(core);
        if identifier {
            tokens.push(Token::Whole(core.to_lowercase()));
        }
        for (unspaced, piece) in runs(&chunk) {
            if unspaced {
                grams(piece, &mut tokens);
            } else {
                for word in plain_words(piece).filter(|word| word.len() <= LONGEST) {
                    parts(word, identifier, &mut tokens);
                }
            }
        }
        tokens
    })
}

/// The words of a text as they stand in it; runs of scripts without spaces count as one word.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    chunks(text).flat_map(runs).flat_map(|(unspaced, piece)| {
        if unspaced {
            vec![piece]
        } else {
            piece.unicode_words().collect()
        }
    })
}

/// Words by UAX #29, split at apostrophes, too: what stands before or behind one is an article or an ending.
fn plain_words(piece: &str) -> impl Iterator<Item = &str> {
    piece
        .unicode_words()
        .flat_map(|word| word.split(['\'', '\u{2019}']))
        .filter(|word| !word.is_empty())
}

fn chunks(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
}

/// Splits where writing changes between scripts with and without spaces.
fn runs(text: &str) -> impl Iterator<Item = (bool, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let unspaced = is_unspaced(first);
        let end = rest
            .char_indices()
            .find(|(_, c)| is_unspaced(*c) != unspaced && !form::is_mark(*c))
            .map_or(rest.len(), |(at, _)| at);
        let (run, after) = rest.split_at(end);
        rest = after;
        Some((unspaced, run))
    })
}

/// Whether a character belongs to a script whose words are not separated by spaces (or, as in Korean, where bigrams are the
/// customary stand-in for morphology).
fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c),
        0x0E00..=0x0EFF        // Thai, Lao
        | 0x1000..=0x109F      // Myanmar
        | 0x1100..=0x11FF      // Hangul Jamo
        | 0x1780..=0x17FF      // Khmer
        | 0x2E80..=0x2FDF      // CJK radicals
        | 0x3005..=0x3007 | 0x3021..=0x3029 | 0x3031..=0x3035
        | 0x3041..=0x30FF      // Hiragana, Katakana
        | 0x3105..=0x318F | 0x31A0..=0x31BF | 0x31F0..=0x31FF
        | 0x3400..=0x4DBF | 0x4E00..=0x9FFF
        | 0xA960..=0xA97F | 0xAC00..=0xD7FF
        | 0xF900..=0xFAFF | 0x20000..=0x3FFFF)
}

fn grams(run: &str, tokens: &mut Vec<Token>) {
    for piece in run
        .split(|c: char| !c.is_alphanumeric() && !form::is_mark(c))
        .filter(|piece| !piece.is_empty())
    {
        let units: Vec<&str> = piece.graphemes(true).collect();
        match units.as_slice() {
            [only] => tokens.push(Token::Gram((*only).to_owned())),
            units => tokens.extend(units.windows(2).map(|pair| Token::Gram(pair.concat()))),
        }
    }
}

/// The parts of a word: `camelCase`, `snake_case` and `4.1.1.2` are split, other words are their own only part.
fn parts(word: &str, whole_counted: bool, tokens: &mut Vec<Token>) {
    let before = tokens.len();
    for piece in word.split(['_', '.', ':']) {
        let mut start = 0;
        let mut previous: Option<char> = None;
        let mut following = piece.chars().skip(1);
        for (at, c) in piece.char_indices() {
            let next = following.next();
            let boundary = previous.is_some_and(|previous| {
                (previous.is_lowercase() && c.is_uppercase())
                    || (previous.is_uppercase() && c.is_uppercase() && next.is_some_and(char::is_lowercase))
            });
            if boundary {
                push_word(&piece[start..at], tokens);
                start = at;
            }
            previous = Some(c);
        }
        push_word(&piece[start..], tokens);
    }
    if tokens.len() - before > 1 && !whole_counted {
        tokens.push(Token::Whole(word.to_lowercase()));
    }
}

fn push_word(part: &str, tokens: &mut Vec<Token>) {
    if part.chars().any(char::is_alphanumeric) {
        tokens.push(Token::Word(part.to_owned()));
    }
}

/// Whether a stretch without spaces names a thing: joined by `_`, `.`, `:`, `/`, `-` or `@` and holding a digit or an
/// identifier's joint.
fn is_identifier(core: &str) -> bool {
    core.len() <= LONGEST
        && core.is_ascii()
        && core
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-./:@#+".contains(&b))
        && core
            .bytes()
            .any(|b| b.is_ascii_alphabetic() || b == b'.' || b == b'-')
        && core.bytes().any(|b| b"_-./:@#+".contains(&b))
        && core.bytes().any(|b| b.is_ascii_digit() || b"_.:@".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        tokens(text)
            .map(|token| match token {
                Token::Word(text) => text,
                Token::Whole(text) => format!("={text}"),
                Token::Gram(text) => format!("~{text}"),
            })
            .collect()
    }

    #[test]
    fn identifiers_are_kept_whole_and_split() {
        assert_eq!(shown("camelCase"), ["camel", "Case", "=camelcase"]);
        assert_eq!(shown("(snake_case)"), ["=snake_case", "snake", "case"]);
        assert_eq!(shown("HTTPServer"), ["HTTP", "Server", "=httpserver"]);
        assert_eq!(shown("CVE-2026-1,"), ["=cve-2026-1", "CVE", "2026", "1"]);
        assert_eq!(shown("4.1.1.2."), ["=4.1.1.2", "4", "1", "1", "2"]);
    }

    #[test]
    fn plain_words_are_not_kept_twice() {
        assert_eq!(shown("A well-known word."), ["A", "well", "known", "word"]);
    }

    #[test]
    fn scripts_without_spaces_become_bigrams() {
        assert_eq!(shown("東京都 A社"), ["~東京", "~京都", "A", "~社"]);
    }

    #[test]
    fn combining_marks_stay_with_their_letters() {
        assert_eq!(shown("हिन्दी में"), ["हिन्दी", "में"]);
        assert_eq!(shown("ที่นี่ดี"), ["~ที่นี่", "~นี่ดี"]);
    }
}
