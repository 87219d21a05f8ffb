//! Stemming: Snowball's algorithms where there is one, a light suffix stripper for Hindi.

use rust_stemmers::Stemmer;

use super::form;
use super::language::Language;

/// The stem of a word in a language, folded; a word of another script than the language's comes out folded only.
pub(super) fn stem(word: &str, language: Language) -> String {
    let lower = if language == Language::Turkish && !word.is_ascii() {
        word.replace('İ', "i").replace('I', "ı").to_lowercase()
    } else {
        word.to_lowercase()
    };
    if language == Language::Hindi {
        return hindi(&lower).to_owned();
    }
    let Some(algorithm) = language.snowball() else {
        return form::fold(&lower, language == Language::Vietnamese);
    };
    let stem = Stemmer::create(algorithm).stem(&lower).into_owned();
    form::fold(&stem, false)
}

/// Strips the longest inflectional suffix, after Ramanathan and Rao, "A Lightweight Stemmer for Hindi" (2003).
fn hindi(word: &str) -> &str {
    const SUFFIXES: [(usize, &[&str]); 5] = [
        (6, &["ाएंगी", "ाएंगे", "ाऊंगी", "ाऊंगा", "ाइयाँ", "ाइयों", "ाइयां"]),
        (
            5,
            &[
                "ाएगी",
                "ाएगा",
                "ाओगी",
                "ाओगे",
                "एंगी",
                "ेंगी",
                "एंगे",
                "ेंगे",
                "ूंगी",
                "ूंगा",
                "ातीं",
                "नाओं",
                "नाएं",
                "ताओं",
                "ताएं",
                "ियाँ",
                "ियों",
                "ियां",
            ],
        ),
        (
            4,
            &[
                "ाकर",
                "ाइए",
                "ाईं",
                "ाया",
                "ेगी",
                "ेगा",
                "ोगी",
                "ोगे",
                "ाने",
                "ाना",
                "ाते",
                "ाती",
                "ाता",
                "तीं",
                "ाओं",
                "ाएं",
                "ुओं",
                "ुएं",
                "ुआं",
            ],
        ),
        (
            3,
            &[
                "कर", "ाओ", "िए", "ाई", "ाए", "ने", "नी", "ना", "ते", "ीं", "ती", "ता", "ाँ", "ां", "ों", "ें",
            ],
        ),
        (2, &["ो", "े", "ू", "ु", "ी", "ि", "ा"]),
    ];
    let length = word.chars().count();
    for (shortest, suffixes) in SUFFIXES {
        if length > shortest
            && let Some(stem) = suffixes.iter().find_map(|suffix| word.strip_suffix(suffix))
        {
            return stem;
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inflections_share_a_stem() {
        for (language, one, other) in [
            (Language::English, "invoices", "invoice"),
            (Language::Spanish, "Informaciones", "información"),
            (Language::German, "Häuser", "Haus"),
            (Language::Turkish, "KİTAPLAR", "kitap"),
            (Language::Hindi, "लड़कियाँ", "लड़की"),
        ] {
            assert_eq!(stem(one, language), stem(other, language), "{language:?}");
        }
    }
}
