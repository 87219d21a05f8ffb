//! Bringing characters to a common form.

use std::borrow::Cow;

use unicode_normalization::char::{decompose_canonical, is_combining_mark};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// NFKC: full-width letters, ligatures and compatibility forms become the plain ones.
pub(super) fn compatible(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfkc_quick(text.chars()) == IsNormalized::Yes {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfkc().collect())
    }
}

/// Whether a character only modifies the one before.
pub(super) fn is_mark(c: char) -> bool {
    !c.is_ascii() && is_combining_mark(c)
}

/// Removes what writers of a language leave out at will: accents of Latin, Greek and Cyrillic letters (unless
/// `keep_accents`, for Vietnamese), vowel signs of Arabic and Hebrew. Marks of other scripts carry meaning and stay.
pub(super) fn fold(word: &str, keep_accents: bool) -> String {
    if word.is_ascii() {
        return word.to_owned();
    }
    let mut folded = String::with_capacity(word.len());
    for c in word.chars() {
        match u32::from(c) {
            0x0591..=0x05C7 | 0x0610..=0x061A | 0x0640 | 0x064B..=0x065F | 0x0670 => {}
            0x0300..=0x036F if !keep_accents => {}
            0x0622 | 0x0623 | 0x0625 | 0x0671 => folded.push('\u{0627}'),
            0x0649 => folded.push('\u{064A}'),
            0x0629 => folded.push('\u{0647}'),
            0x00DF => folded.push_str("ss"),
            0x0131 => folded.push('i'),
            0x03C2 => folded.push('\u{03C3}'),
            0x00C0..=0x052F | 0x1E00..=0x1FFF if !keep_accents => {
                decompose_canonical(c, |part| {
                    if !is_combining_mark(part) {
                        folded.push(part);
                    }
                });
            }
            _ => folded.push(c),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_fall_and_meaningful_marks_stay() {
        assert_eq!(fold("información", false), "informacion");
        assert_eq!(fold("straße", false), "strasse");
        assert_eq!(fold("hỏi", true), "hỏi");
        assert_eq!(fold("हिन्दी", false), "हिन्दी");
        assert_eq!(fold("مُحَمَّد", false), "محمد");
    }

    #[test]
    fn full_width_letters_become_plain() {
        assert_eq!(compatible("ＡＢＣ１"), "ABC1");
    }
}
