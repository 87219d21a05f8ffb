//! What can be measured of a sentence and of a whole answer, by name.

use unicode_segmentation::UnicodeSegmentation;

use super::question::{Asks, Profile, names, numbers};

/// What is measured of a sentence.
pub(super) const SENTENCE: [&str; 9] = [
    "cosine",         // similarity of question and sentence
    "overlap",        // share of the question's words in it or its heading, rare ones counting more
    "overlap_square", // the same squared: nearly everything is more than twice half
    "context",        // share of the question's words in its neighbours, headings and title, but not in it
    "rank",           // 1 / (1 + rank of its passage)
    "lead",           // retrieval score of its passage as a share of the best one
    "cue",            // whether it holds something of the kind asked for
    "short",          // whether it is too short to say anything
    "length",         // its length in hundreds of characters, at most 4
];

/// What is measured of an answer as a whole.
pub(super) const ANSWER: [&str; 30] = [
    "best",                   // log-odds of the best sentence
    "margin",                 // its lead over the second
    "margin_fourth",          // its lead over the first one not quoted
    "cosine",                 // its similarity to the question
    "dense",                  // similarity of the best passage
    "dense_own",              // similarity of the passage quoted first
    "dense_gap",              // lead of the best passage over the fifth
    "overlap",                // share of the question's words in the best sentence
    "context",                // … in its surroundings only
    "missing",                // … nowhere in its passage
    "missing_anywhere",       // … nowhere in the evidence
    "rarest_missing",         // whether the rarest word of the question is not in the passage
    "names_missing",          // share of the question's names that are not in the passage
    "names_missing_sentence", // … that are not in the sentence
    "numbers_missing",        // the same of its numbers
    "cue",                    // whether the sentence holds something of the kind asked for
    "negation",               // whether one of question and sentence denies and the other does not
    "lexical",                // BM25 score of the best passage per word of the question
    "lexical_gap",            // lead of the best passage over the second, as a share
    "score_gap",              // the same of the fused score
    "rank",                   // 1 / (1 + rank of the passage quoted first)
    "agreement",              // share of the quotations from the same document
    "words",                  // words of the question that carry meaning, in tens
    "person",
    "time",
    "amount",
    "place",
    "reason",
    "manner",
    "long_question", // whether the question is longer than 200 characters
];

/// Whether `sentence` holds something of the kind asked for that the question does not hold itself.
pub(super) fn holds_cue(profile: &Profile, sentence: &str) -> bool {
    let is_new = |word: &str| !profile.all.contains(&word.to_lowercase());
    match profile.asks {
        Asks::Amount => {
            numbers(sentence).any(|number| !profile.numbers.contains(&number))
                || sentence
                    .unicode_words()
                    .any(|word| NUMBER_WORDS.contains(&word.to_lowercase().as_str()))
        }
        Asks::Time => {
            numbers(sentence).any(|number| !profile.numbers.contains(&number))
                || sentence
                    .unicode_words()
                    .any(|word| TIME_WORDS.contains(&word.to_lowercase().as_str()))
        }
        Asks::Person | Asks::Place => {
            !sentence.chars().any(char::is_uppercase)
                || names(sentence).any(is_new)
                || sentence.unicode_words().next().is_some_and(is_new)
        }
        Asks::Reason => {
            let lower = sentence.to_lowercase();
            REASON_WORDS.iter().any(|cue| lower.contains(cue))
        }
        Asks::Manner | Asks::Thing => true,
    }
}

const NUMBER_WORDS: &[&str] = &[
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred", "thousand",
    "million", "billion", "half", "third", "quarter", "dozen", "twice", "several", "zwei", "drei", "vier",
    "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf", "zwanzig", "dreißig", "hundert",
    "tausend", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "deux", "trois",
    "quatre", "cinq", "sept", "huit", "neuf", "dix", "cent", "mille",
];

const TIME_WORDS: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "today",
    "yesterday",
    "century",
    "summer",
    "winter",
    "spring",
    "autumn",
    "morning",
    "evening",
    "daily",
    "weekly",
    "monthly",
    "annually",
    "januar",
    "februar",
    "märz",
    "mai",
    "juni",
    "juli",
    "oktober",
    "dezember",
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
    "janvier",
    "février",
    "mars",
    "avril",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];

const REASON_WORDS: &[&str] = &[
    "because",
    "due to",
    "since",
    "so that",
    "in order to",
    "reason",
    "cause",
    "therefore",
    "as a result",
    "owing to",
    " to ",
    "weil",
    " da ",
    "wegen",
    "grund",
    "um zu",
    "porque",
    "debido",
    "para ",
    "parce que",
    "car ",
    "afin",
    "pour ",
    "perché",
    "per ",
    "omdat",
    "因为",
    "由于",
    "ため",
    "เพราะ",
    "क्योंकि",
    "لأن",
    "потому",
    "çünkü",
    "vì ",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_that_only_repeats_the_question_holds_no_answer() {
        let profile = Profile::of("How many of the 12 apostles were fishermen?");
        assert!(!holds_cue(&profile, "The 12 apostles were fishermen."));
        assert!(holds_cue(&profile, "Of the 12 apostles 4 were fishermen."));
        let profile = Profile::of("When was the bridge opened?");
        assert!(holds_cue(&profile, "It was opened in June."));
        assert!(!holds_cue(&profile, "It was opened with a ceremony."));
    }
}
