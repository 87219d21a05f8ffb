//! What a question asks for, as far as its words show it without understanding.

use unicode_segmentation::UnicodeSegmentation;

use super::code::codes;
use crate::index::analysis::{self, Asked};

/// The kind of thing that would answer a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    /// Who.
    Person,
    /// When, which year.
    Time,
    /// How many, how much, how long.
    Amount,
    /// Where.
    Place,
    /// Why.
    Reason,
    /// How.
    Manner,
    /// What, which, or no question word at all.
    Thing,
}

/// Question words by what they ask for. The first that occurs decides, so phrases stand before the words they contain.
const CUES: &[(Asks, &[&str])] = &[
    (
        Asks::Amount,
        &[
            "how many",
            "how much",
            "how long",
            "how far",
            "how old",
            "how often",
            "how large",
            "how big",
            "how tall",
            "what percent",
            "what percentage",
            "what number",
            "what amount",
            "what is the number",
            "wie viele",
            "wie viel",
            "wieviel",
            "wieviele",
            "wie lange",
            "wie oft",
            "wie hoch",
            "wie groß",
            "cuántos",
            "cuántas",
            "cuánto",
            "cuánta",
            "combien",
            "quantos",
            "quantas",
            "quanto",
            "quanta",
            "quanti",
            "quante",
            "hoeveel",
            "hoe lang",
            "сколько",
            "kaç",
            "ne kadar",
            "bao nhiêu",
            "mấy",
            "多少",
            "几",
            "いくつ",
            "いくら",
            "何人",
            "何個",
            "何日",
            "何年間",
            "กี่",
            "เท่าไหร่",
            "เท่าใด",
            "कितने",
            "कितना",
            "कितनी",
            "كم",
            "얼마",
            "몇",
        ],
    ),
    (
        Asks::Time,
        &[
            "when",
            "what year",
            "which year",
            "what date",
            "what day",
            "what month",
            "what century",
            "what time",
            "what decade",
            "in which year",
            "wann",
            "welchem jahr",
            "welches jahr",
            "cuándo",
            "qué año",
            "quand",
            "quelle année",
            "quando",
            "que ano",
            "wanneer",
            "welk jaar",
            "когда",
            "каком году",
            "ne zaman",
            "hangi yıl",
            "khi nào",
            "năm nào",
            "什么时候",
            "何时",
            "哪一年",
            "哪年",
            "いつ",
            "何年",
            "เมื่อไหร่",
            "เมื่อใด",
            "ปีใด",
            "कब",
            "किस वर्ष",
            "متى",
            "أي عام",
            "언제",
        ],
    ),
    (
        Asks::Person,
        &[
            "who",
            "whom",
            "whose",
            "wer",
            "wem",
            "wen",
            "wessen",
            "quién",
            "quiénes",
            "qui",
            "quem",
            "chi",
            "wie is",
            "кто",
            "кого",
            "kim",
            "ai là",
            "谁",
            "誰",
            "ใคร",
            "कौन",
            "किसने",
            "من هو",
            "من هي",
            "누가",
            "누구",
        ],
    ),
    (
        Asks::Place,
        &[
            "where",
            "what country",
            "what city",
            "which country",
            "which city",
            "what state",
            "wo",
            "wohin",
            "woher",
            "dónde",
            "où",
            "onde",
            "dove",
            "waar",
            "где",
            "куда",
            "nerede",
            "ở đâu",
            "哪里",
            "何处",
            "在哪",
            "どこ",
            "ที่ไหน",
            "कहाँ",
            "कहां",
            "أين",
            "어디",
        ],
    ),
    (
        Asks::Reason,
        &[
            "why",
            "warum",
            "weshalb",
            "por qué",
            "pourquoi",
            "por que",
            "perché",
            "waarom",
            "почему",
            "neden",
            "niçin",
            "tại sao",
            "vì sao",
            "为什么",
            "为何",
            "なぜ",
            "どうして",
            "ทำไม",
            "क्यों",
            "لماذا",
            "왜",
        ],
    ),
    (
        Asks::Manner,
        &[
            "how",
            "wie",
            "cómo",
            "comment",
            "como",
            "come",
            "hoe",
            "как",
            "nasıl",
            "làm thế nào",
            "như thế nào",
            "怎么",
            "如何",
            "どのように",
            "อย่างไร",
            "कैसे",
            "كيف",
            "어떻게",
        ],
    ),
];

/// What is known of a question from its words alone.
#[derive(Debug)]
pub(super) struct Profile {
    /// Its words that carry meaning, each with the terms it may stand under.
    pub(super) words: Vec<Asked>,
    /// What it asks for.
    pub(super) asks: Asks,
    /// Names in it, in lower case.
    pub(super) names: Vec<String>,
    /// Numbers in it.
    pub(super) numbers: Vec<String>,
    /// Codes in it, in lower case.
    pub(super) codes: Vec<String>,
    /// Every word of it, in lower case.
    pub(super) all: Vec<String>,
    /// Whether it asks for what is not.
    pub(super) negated: bool,
}

impl Profile {
    pub(super) fn of(question: &str) -> Self {
        let all: Vec<String> = question.unicode_words().map(str::to_lowercase).collect();
        Self {
            words: analysis::question(question).words,
            asks: asks(&all),
            names: names(question).map(str::to_lowercase).collect(),
            numbers: numbers(question).collect(),
            codes: codes(question),
            negated: is_negated(&all),
            all,
        }
    }
}

fn asks(words: &[String]) -> Asks {
    let text = format!(" {} ", words.join(" "));
    let found = |cue: &str| {
        let spaced = cue.chars().all(|c| (c as u32) < 0x0E00);
        if spaced {
            text.find(&format!(" {cue} "))
        } else {
            text.replace(' ', "").find(&cue.replace(' ', ""))
        }
    };
    CUES.iter()
        .enumerate()
        .filter_map(|(order, (asks, cues))| {
            Some((cues.iter().filter_map(|cue| found(cue)).min()?, order, *asks))
        })
        // The first question word decides; where two begin together ("how", "how many"), the earlier group.
        .min_by_key(|(at, order, _)| (*at, *order))
        .map_or(Asks::Thing, |(_, _, asks)| asks)
}

/// Capitalised words that do not begin a sentence; none in texts that are all capitals.
pub(super) fn names(text: &str) -> impl Iterator<Item = &str> {
    let shouts = !text.chars().any(char::is_lowercase);
    text.unicode_word_indices()
        .filter(move |(at, word)| {
            let first = word.chars().next();
            let capital = first.is_some_and(char::is_uppercase);
            capital && !shouts && !begins_sentence(&text[..*at])
        })
        .map(|(_, word)| word)
}

fn begins_sentence(before: &str) -> bool {
    before
        .trim_end_matches(|c: char| c.is_whitespace() || "\"'“”„«»()[]*-–—•¿¡".contains(c))
        .chars()
        .next_back()
        .is_none_or(|c| matches!(c, '.' | '!' | '?' | ':' | ';' | '\n' | '。'))
}

/// Numbers in digits, without the separators of thousands.
pub(super) fn numbers(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !(c.is_numeric() || c == '.' || c == ','))
        .map(|number| number.trim_matches(['.', ',']))
        .filter(|number| number.chars().any(char::is_numeric))
        .map(canonical_number)
}

/// `1,000.50`, `1.000,50` and `1000.5` alike: a separator followed by exactly three digits parts thousands, the last other
/// one is the decimal point.
fn canonical_number(number: &str) -> String {
    let parts: Vec<&str> = number.split(['.', ',']).collect();
    let Some((first, rest)) = parts.split_first() else {
        return String::new();
    };
    // 4.1.1.2 is a version, 20.11.2026 a date: kept as they are.
    let grouped = rest.iter().filter(|part| part.len() == 3).count();
    if rest.len() > 1 && grouped + 1 < rest.len() {
        return number.to_owned();
    }
    let mut whole = (*first).to_owned();
    let mut decimals = "";
    for part in rest {
        if part.len() == 3 && first.len() <= 3 {
            whole.push_str(part);
        } else {
            decimals = part.trim_end_matches('0');
        }
    }
    if decimals.is_empty() {
        whole
    } else {
        format!("{whole}.{decimals}")
    }
}

/// Whether words deny something.
pub(super) fn is_negated(words: &[String]) -> bool {
    const DENIALS: &[&str] = &[
        "not", "no", "never", "without", "cannot", "can't", "don't", "doesn't", "didn't", "isn't", "aren't",
        "wasn't", "weren't", "won't", "neither", "nor", "none", "except", "unable", "nicht", "kein", "keine",
        "keinen", "nie", "niemals", "ohne", "ningún", "nunca", "jamais", "aucun", "sem", "non", "niet",
        "geen", "не", "нет",
    ];
    words
        .iter()
        .any(|word| DENIALS.contains(&word.replace('’', "'").as_str()))
}

/// Whether a sentence asks instead of telling, by the mark at its end.
pub(super) fn is_asked(sentence: &str) -> bool {
    const MARKS: [char; 3] = ['?', '？', '؟'];
    sentence
        .trim_end_matches(|end: char| !end.is_alphanumeric() && !MARKS.contains(&end))
        .ends_with(MARKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_seen_in_many_languages() {
        for (question, expected) in [
            ("How many vacation days do I get?", Asks::Amount),
            ("In which year was the house built?", Asks::Time),
            ("Who signs the contract when the owner is away?", Asks::Person),
            ("Wo finde ich das Formular?", Asks::Place),
            ("¿Cuántos días tengo?", Asks::Amount),
            ("Pourquoi la porte est-elle fermée ?", Asks::Reason),
            ("How do I reset my password?", Asks::Manner),
            ("我有多少天年假？", Asks::Amount),
            ("Password rules", Asks::Thing),
        ] {
            assert_eq!(Profile::of(question).asks, expected, "{question}");
        }
    }

    #[test]
    fn numbers_are_compared_by_value() {
        let of = |text: &str| numbers(text).collect::<Vec<_>>();
        assert_eq!(of("1,000.50 and 1.000,5"), ["1000.5", "1000.5"]);
        assert_eq!(of("version 4.1.1.2, on 20.11.2026."), ["4.1.1.2", "20.11.2026"]);
        assert_eq!(of("in 1998, 3.5 %"), ["1998", "3.5"]);
    }

    #[test]
    fn names_are_capitals_inside_a_sentence() {
        let names: Vec<&str> = names("When did Ada Lovelace write? The “Notes” are hers.").collect();
        assert_eq!(names, ["Ada", "Lovelace", "Notes"]);
    }
}
