//! Whether a text holds an answer, after the normalisation customary for SQuAD: case, punctuation and articles do not count.

use std::collections::HashMap;

use unicode_segmentation::UnicodeSegmentation;

use super::real;

/// An answer longer than this, in words, is an explanation: it counts as held when most of its words are.
const SHORT: usize = 12;
/// The share of an explanation's words that must be held.
const MOST: f64 = 0.6;
/// The share of a sentence's words that must be part of an explanation for the sentence to count as part of it.
const PART: f64 = 0.7;

fn words(text: &str) -> Vec<String> {
    text.unicode_words()
        .map(str::to_lowercase)
        .filter(|word| !matches!(word.as_str(), "a" | "an" | "the"))
        .collect()
}

/// Whether `text` holds `answer`: word for word when it is short, most of its words when it is long.
pub(super) fn contains(text: &str, answer: &str) -> bool {
    let (text, answer) = (words(text), words(answer));
    if answer.is_empty() {
        return false;
    }
    if answer.len() <= SHORT {
        return text.windows(answer.len()).any(|window| window == answer);
    }
    common(&text, &answer) >= MOST * real(answer.len())
}

/// Whether a sentence holds a short answer, or is part of a long one.
pub(super) fn contains_part(sentence: &str, answer: &str) -> bool {
    let (sentence, answer) = (words(sentence), words(answer));
    if answer.is_empty() || sentence.is_empty() {
        return false;
    }
    if answer.len() <= SHORT {
        return sentence.windows(answer.len()).any(|window| window == answer);
    }
    sentence.len() > 3 && common(&answer, &sentence) >= PART * real(sentence.len())
}

/// The harmonic mean of precision and recall of the words of `text` against `answer`.
pub(super) fn f1(text: &str, answer: &str) -> f64 {
    let (text, answer) = (words(text), words(answer));
    let common = common(&text, &answer);
    if common == 0.0 {
        0.0
    } else {
        2.0 * common / real(text.len() + answer.len())
    }
}

/// How many words two texts have in common, repetitions counted as often as both have them.
fn common(a: &[String], b: &[String]) -> f64 {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for word in a {
        *counts.entry(word).or_default() += 1;
    }
    let mut common = 0.0;
    for word in b {
        if let Some(count) = counts.get_mut(word.as_str()).filter(|count| **count > 0) {
            *count -= 1;
            common += 1.0;
        }
    }
    common
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_punctuation_and_articles_do_not_count() {
        assert!(contains(
            "They came from Denmark, Iceland and Norway.",
            "the Denmark, Iceland and Norway"
        ));
        assert!(!contains("They came from Denmark and Norway.", "Iceland"));
        assert!(!contains("The 1990s", "the"));
    }

    #[test]
    fn words_in_common_are_weighed_against_the_rest() {
        assert!((f1("in the north", "north") - 2.0 / 3.0).abs() < 1e-9);
        assert!(f1("south", "north").abs() < 1e-9);
    }
}
