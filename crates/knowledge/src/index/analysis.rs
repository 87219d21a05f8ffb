//! Lexical analysis: from text to the terms that BM25 counts.
//!
//! Words are found by Unicode's rules (UAX #29), brought to a common form (NFKC, case, accents) and stemmed in the
//! language of the text; scripts written without spaces become character bigrams; combining marks stay, since Hindi
//! and Thai are unreadable without them; identifiers, error codes and version numbers are kept whole as well as split.
//!
//! What must hold: a question and a passage meet in the same terms even when the language of either is not certain, so a
//! passage of doubtful language is indexed under several stems, and a question asks for all of them. Terms are stored
//! as hashes beside the passage ([`encode`]) so that loading an index never analyses text again; whoever changes the
//! analysis raises [`stored::VERSION`] and has passages encoded anew.

mod form;
pub mod language;
mod segment;
mod stem;
pub mod stored;

use std::collections::HashMap;
use std::ops::Range;

use language::Language;
pub use language::detect as language_of;
use segment::Token;

/// One part of a passage and how much its words count.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    /// The text.
    pub text: &'a str,
    /// How often each word counts, at least 1.
    pub weight: u32,
}

/// One word of a question: the terms it may have been indexed as.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Hashes of the terms, any of which matches; never empty.
    pub terms: Vec<u64>,
    /// How often the word occurs in the question.
    pub weight: f32,
}

/// How often each word of the title counts against once in the content. On the odd questions of six sets, 0 lost .024 of the mean
/// lexical measure against 1; 2 and 3 gained nothing.
const TITLE_WEIGHT: u32 = 1;

/// How many words of a question are looked up; what follows says little new and costs as much.
const MOST_ASKED: usize = 512;

/// The terms of a passage as [`encode`] gives them, with title and headings counting as configured here.
pub fn encode_passage(title: &str, heading_path: &[String], content: &str) -> Vec<u8> {
    let mut fields = vec![Field {
        text: title,
        weight: TITLE_WEIGHT,
    }];
    fields.extend(
        heading_path
            .iter()
            .filter(|heading| *heading != title)
            .map(|heading| Field {
                text: heading,
                weight: 1,
            }),
    );
    fields.push(Field {
        text: content,
        weight: 1,
    });
    encode(&fields)
}

/// The terms of some fields in their stored form: sorted hashes with frequencies, compact and fast to decode.
pub fn encode(fields: &[Field<'_>]) -> Vec<u8> {
    let mut counts: HashMap<u64, u32> = HashMap::new();
    let mut pairs: Vec<u16> = Vec::new();
    let mut length = 0;
    let longest = fields
        .iter()
        .max_by_key(|field| field.text.len())
        .map_or("", |field| field.text);
    let languages = language::candidates(longest);
    for field in fields {
        let mut before: Vec<u64> = Vec::new();
        for token in segment::tokens(field.text) {
            if is_stop_word(&token, &languages) {
                continue;
            }
            length += field.weight;
            let terms = terms_of(&token, &languages);
            for term in distinct(&terms) {
                *counts.entry(term).or_default() += field.weight;
            }
            if matches!(token, Token::Word(_)) {
                pairs.extend(
                    before
                        .iter()
                        .zip(&terms)
                        .map(|(before, term)| stored::pair(*before, *term)),
                );
                before = terms;
            }
        }
    }
    stored::encode(length, counts, pairs)
}

/// The terms of some parts of a text, each sorted and without repetition, analysed in the languages of the whole.
pub fn terms_of_parts(text: &str, parts: impl IntoIterator<Item = Range<usize>>) -> Vec<Vec<u64>> {
    let languages = language::candidates(text);
    let terms = |part: Range<usize>| {
        let tokens = segment::tokens(&text[part]).filter(|token| !is_stop_word(token, &languages));
        let mut terms: Vec<u64> = tokens.flat_map(|token| terms_of(&token, &languages)).collect();
        terms.sort_unstable();
        terms.dedup();
        terms
    };
    parts.into_iter().map(terms).collect()
}

/// A question as the index is asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Question {
    /// Its words.
    pub words: Vec<Asked>,
    /// Words that follow one another.
    pub pairs: Vec<Pair>,
}

/// Two neighbouring words of a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// The places of the two in [`Question::words`].
    pub words: [usize; 2],
    /// The fingerprints the pair may have in a passage, one for each likely language.
    pub fingerprints: Vec<u16>,
}

/// The words of a question, each with every term it may stand under in a passage, and the pairs they form.
pub fn question(text: &str) -> Question {
    let mut languages = language::candidates(text);
    // Documents are often in English where the question is not, and short questions are easily mistaken.
    if !languages.contains(&Language::English) {
        languages.push(Language::English);
    }
    let tokens: Vec<Token> = segment::tokens(text).take(MOST_ASKED).collect();
    let only_stop_words = tokens.iter().all(|token| is_stop_word(token, &languages));
    let mut question = Question::default();
    let mut before: Option<(usize, Vec<u64>)> = None;
    for token in &tokens {
        if !only_stop_words && is_stop_word(token, &languages) {
            continue;
        }
        let terms = terms_of(token, &languages);
        let distinct = distinct(&terms);
        let at = question
            .words
            .iter()
            .position(|known| known.terms == distinct)
            .unwrap_or_else(|| {
                question.words.push(Asked {
                    terms: distinct,
                    weight: 0.0,
                });
                question.words.len() - 1
            });
        question.words[at].weight += 1.0;
        if !matches!(token, Token::Word(_)) {
            continue;
        }
        if let Some((first, before)) = before.replace((at, terms.clone())) {
            let mut fingerprints: Vec<u16> = before
                .iter()
                .zip(&terms)
                .map(|(a, b)| stored::pair(*a, *b))
                .collect();
            fingerprints.dedup();
            let pair = Pair {
                words: [first, at],
                fingerprints,
            };
            if !question.pairs.contains(&pair) {
                question.pairs.push(pair);
            }
        }
    }
    question
}

/// The words of a text that carry meaning, in order, as they stand in it; for showing, carrying over and comparing.
pub fn content_words(text: &str) -> Vec<&str> {
    let languages = language::candidates(text);
    segment::words(text)
        .filter(|word| !language::is_stop_word(&form::fold(&word.to_lowercase(), false), &languages))
        .collect()
}

fn is_stop_word(token: &Token, languages: &[Language]) -> bool {
    match token {
        Token::Word(word) => language::is_left_out(&form::fold(&word.to_lowercase(), false), languages),
        Token::Whole(_) | Token::Gram(_) => false,
    }
}

/// The term of a token in each of some languages.
fn terms_of(token: &Token, languages: &[Language]) -> Vec<u64> {
    match token {
        Token::Whole(text) | Token::Gram(text) => vec![stored::hash(text); languages.len()],
        Token::Word(word) => languages
            .iter()
            .map(|language| stored::hash(&stem::stem(word, *language)))
            .collect(),
    }
}

fn distinct(terms: &[u64]) -> Vec<u64> {
    let mut distinct: Vec<u64> = Vec::with_capacity(terms.len());
    for term in terms {
        if !distinct.contains(term) {
            distinct.push(*term);
        }
    }
    distinct
}
