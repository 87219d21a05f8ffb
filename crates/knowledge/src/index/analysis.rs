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
    /// How often the word was asked for, parts of identifiers counting less than whole ones.
    pub weight: f32,
}

/// How often each word of the title counts against once in the content; fitted on the training questions of SciFact and
/// the odd questions of the other sets.
const TITLE_WEIGHT: u32 = 1;

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
    let mut length = 0;
    let longest = fields
        .iter()
        .max_by_key(|field| field.text.len())
        .map_or("", |field| field.text);
    let languages = language::candidates(longest);
    for field in fields {
        for token in segment::tokens(field.text) {
            if is_stop_word(&token, &languages) {
                continue;
            }
            length += field.weight;
            for term in terms_of(&token, &languages) {
                *counts.entry(term).or_default() += field.weight;
            }
        }
    }
    stored::encode(length, counts)
}

/// The words of a question, each with every term it may stand under in a passage.
pub fn question(text: &str) -> Vec<Asked> {
    let mut languages = language::candidates(text);
    // Documents are often in English where the question is not, and short questions are easily mistaken.
    if !languages.contains(&Language::English) {
        languages.push(Language::English);
    }
    let tokens: Vec<Token> = segment::tokens(text).collect();
    let mut asked: Vec<Asked> = Vec::new();
    let all_stop = tokens.iter().all(|token| is_stop_word(token, &languages[..1]));
    for token in &tokens {
        if !all_stop && is_stop_word(token, &languages[..1]) {
            continue;
        }
        let terms = terms_of(token, &languages);
        match asked.iter_mut().find(|known| known.terms == terms) {
            Some(known) => known.weight += 1.0,
            None => asked.push(Asked { terms, weight: 1.0 }),
        }
    }
    asked
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
        Token::Word(word) => language::is_stop_word(&form::fold(word, false), languages),
        Token::Whole(_) | Token::Gram(_) => false,
    }
}

fn terms_of(token: &Token, languages: &[Language]) -> Vec<u64> {
    match token {
        Token::Whole(text) | Token::Gram(text) => vec![stored::hash(text)],
        Token::Word(word) => {
            let mut terms: Vec<u64> = Vec::with_capacity(languages.len());
            for language in languages {
                let term = stored::hash(&stem::stem(word, *language));
                if !terms.contains(&term) {
                    terms.push(term);
                }
            }
            terms
        }
    }
}
