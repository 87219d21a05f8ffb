//! The check that no sentence of a model passes without: does its citation carry it?
//!
//! Deterministic and strict where words can be compared: every number and every name of a sentence must stand in the passages
//! it cites, enough of its other words too, and it must not deny what they affirm. Words that could not be found may be made
//! up for by likeness in meaning, numbers and names never. What is struck is kept with the reason, so that people can see
//! what a model tried.

use std::collections::HashSet;
use std::ops::Range;

use serde::Serialize;
use unicode_segmentation::UnicodeSegmentation;

use super::candidate::terms;
use super::extractive::cosine;
use super::model::Draft;
use super::question::{is_negated, names, numbers};
use super::{Citation, Evidence, Sentence, citation, ratio};
use crate::chunk;
use crate::embed::{Embedder, Purpose};
use crate::index::analysis;
use crate::index::analysis::language::{self, Language};
use crate::retrieve;

/// Share of a sentence's words that must stand in what it cites, when nothing else speaks for it.
const CARRIED: f64 = 0.6;
/// Share that must stand there in any case.
const TOUCHED: f64 = 0.3;
/// Likeness in meaning (cosine) that makes up for words between the two.
const ALIKE: f64 = 0.8;
/// Likeness that is enough across languages, for models that know both.
const ALIKE_ACROSS: f64 = 0.7;

/// A sentence that did not pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Struck {
    /// The sentence, without citation marks.
    pub text: String,
    /// Why it did not pass.
    pub why: Why,
}

/// Why a sentence did not pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "kind", content = "what", rename_all = "snake_case")]
pub enum Why {
    /// It cites nothing.
    #[error("it cites no passage")]
    Uncited,
    /// It cites only passages that it was not shown.
    #[error("it cites a passage that does not exist")]
    Unknown,
    /// A number of it is not in what it cites.
    #[error("the number {0} is not in the passage cited")]
    Number(String),
    /// A name of it is not in what it cites.
    #[error("the name {0} is not in the passage cited")]
    Name(String),
    /// It denies what the passage affirms, or the other way round.
    #[error("the passage cited says the opposite")]
    Opposite,
    /// Too little of it is in what it cites.
    #[error("the passage cited does not say so")]
    NotCarried,
}

/// What became of a model's sentences.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checked {
    /// Those that passed, each with citations that carry it.
    pub kept: Vec<Sentence>,
    /// Those that did not.
    pub struck: Vec<Struck>,
}

/// The place in a cited passage that is closest to a sentence.
struct Support {
    passage: usize,
    span: Range<usize>,
    /// Share of the sentence's words that stand there.
    share: f64,
}

/// Checks each sentence against the passages it cites.
pub async fn check(
    drafts: &[Draft],
    evidence: &[Evidence],
    question: &str,
    embedder: Option<&dyn Embedder>,
) -> Checked {
    let mut checked = Checked::default();
    for draft in drafts {
        match sentence(draft, evidence, question, embedder).await {
            Ok(citations) => checked.kept.push(Sentence {
                text: draft.text.clone(),
                citations,
            }),
            Err(why) => checked.struck.push(Struck {
                text: draft.text.clone(),
                why,
            }),
        }
    }
    checked
}

async fn sentence(
    draft: &Draft,
    evidence: &[Evidence],
    question: &str,
    embedder: Option<&dyn Embedder>,
) -> Result<Vec<Citation>, Why> {
    if draft.numbers.is_empty() {
        return Err(Why::Uncited);
    }
    let cited: Vec<usize> = draft
        .numbers
        .iter()
        .filter_map(|number| number.checked_sub(1))
        .filter(|at| *at < evidence.len())
        .collect();
    if cited.is_empty() {
        return Err(Why::Unknown);
    }
    let text: String = cited.iter().map(|at| whole(&evidence[*at])).collect();
    numbers_stand_in(&draft.text, &text)?;
    let own = language::detect(&draft.text);
    let theirs = language::detect(&text);
    let across = own != theirs && draft.text.unicode_words().count() > 3;
    let supports = supports(&draft.text, evidence, &cited);
    let likeness =
        async |least: f64| likeness(draft, evidence, &supports, embedder, [own, theirs]).await >= least;
    if across {
        let anchored = names_missing(&draft.text, own, &text).is_none() && has_anchor(&draft.text, &text);
        if !anchored && !likeness(ALIKE_ACROSS).await {
            return Err(Why::NotCarried);
        }
    } else {
        if let Some(name) = names_missing(&draft.text, own, &text) {
            return Err(Why::Name(name));
        }
        let share = share_held(&draft.text, &text, question);
        if share < TOUCHED || (share < CARRIED && !likeness(ALIKE).await) {
            return Err(Why::NotCarried);
        }
        if says_the_opposite(&draft.text, evidence, &supports) {
            return Err(Why::Opposite);
        }
    }
    Ok(supports
        .into_iter()
        .map(|support| citation(evidence, support.passage, support.span))
        .collect())
}

/// Everything a passage says, its title and headings included.
fn whole(evidence: &Evidence) -> String {
    format!(
        "{}\n{}\n{}\n\n",
        evidence.title,
        evidence.heading_path.join("\n"),
        evidence.content
    )
}

fn numbers_stand_in(sentence: &str, text: &str) -> Result<(), Why> {
    let mut there: HashSet<String> = numbers(text).collect();
    there.extend(
        text.unicode_words()
            .filter_map(|word| spelled(&word.to_lowercase()))
            .map(str::to_owned),
    );
    match numbers(sentence).find(|number| !there.contains(number)) {
        Some(number) => Err(Why::Number(number)),
        None => Ok(()),
    }
}

/// The digits of a small number written out: models like to write them as digits.
fn spelled(word: &str) -> Option<&'static str> {
    const DIGITS: [&str; 13] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"];
    const WORDS: [[&str; 13]; 4] = [
        [
            "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
            "twelve",
        ],
        [
            "null", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf",
            "zwölf",
        ],
        [
            "cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez",
            "once", "doce",
        ],
        [
            "zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze",
            "douze",
        ],
    ];
    WORDS.iter().find_map(|words| {
        DIGITS
            .get(words.iter().position(|known| *known == word)?)
            .copied()
    })
}

/// A name in the sentence that the text lacks. Nouns are capitals in German and no names.
fn names_missing(sentence: &str, language: Language, text: &str) -> Option<String> {
    let there: HashSet<String> = text.unicode_words().map(str::to_lowercase).collect();
    let stands = |word: &str| {
        let word = word.to_lowercase();
        let stem = word
            .strip_suffix("'s")
            .or_else(|| word.strip_suffix("’s"))
            .unwrap_or(&word);
        there.contains(stem)
            || there
                .iter()
                .any(|other| other.len() > 4 && stem.len() > 4 && same_stem(other, stem))
    };
    let is_name = |word: &&str| {
        let mixed = word.chars().skip(1).any(|c| c.is_uppercase() || c.is_numeric());
        mixed || (language != Language::German && word.chars().count() > 1)
    };
    names(sentence)
        .filter(is_name)
        .find(|name| !stands(name))
        .map(str::to_owned)
}

/// Whether one word is the other with an ending: `Berlins` and `Berlin`.
fn same_stem(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    long.starts_with(short) && long.len() - short.len() <= 3
}

/// Whether a number, name or identifier of the sentence stands in the text: the least that can be compared across languages.
fn has_anchor(sentence: &str, text: &str) -> bool {
    numbers(sentence).next().is_some() || {
        let lower = text.to_lowercase();
        names(sentence).any(|name| lower.contains(&name.to_lowercase()))
    }
}

/// Share of the sentence's terms that stand in the text. Words of the question that the text lacks count neither way: an
/// answer may take up the words it was asked with.
fn share_held(sentence: &str, text: &str, question: &str) -> f64 {
    let there = terms(text);
    let asked = terms(question);
    let own = analysis::question(sentence).words;
    let held = |word: &&analysis::Asked| word.terms.iter().any(|term| there.binary_search(term).is_ok());
    let counted = |word: &&analysis::Asked| held(word) || !word.terms.iter().any(|term| asked.contains(term));
    let all = own.iter().filter(counted).count();
    if all == 0 {
        1.0
    } else {
        ratio(own.iter().filter(held).count(), all)
    }
}

/// For each cited passage the sentence in it that is closest; passages without any likeness fall away, unless all would.
fn supports(sentence: &str, evidence: &[Evidence], cited: &[usize]) -> Vec<Support> {
    let own = analysis::question(sentence).words;
    let mut supports: Vec<Support> = cited
        .iter()
        .filter_map(|passage| {
            let content = &evidence[*passage].content;
            let spans: Vec<Range<usize>> = chunk::sentences(content).collect();
            let terms = analysis::terms_of_parts(content, spans.iter().cloned());
            let share = |terms: &Vec<u64>| {
                let held = own
                    .iter()
                    .filter(|word| word.terms.iter().any(|term| terms.binary_search(term).is_ok()));
                ratio(held.count(), own.len())
            };
            let (span, share) = spans
                .into_iter()
                .zip(terms.iter().map(share))
                .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.start.cmp(&a.0.start)))?;
            Some(Support {
                passage: *passage,
                span,
                share,
            })
        })
        .collect();
    if supports.iter().any(|support| support.share > 0.0) {
        supports.retain(|support| support.share > 0.0);
    }
    supports
}

/// The highest likeness in meaning of the sentence to a place that supports it; 0 where it cannot be told.
async fn likeness(
    draft: &Draft,
    evidence: &[Evidence],
    supports: &[Support],
    embedder: Option<&dyn Embedder>,
    languages: [Language; 2],
) -> f64 {
    let Some(embedder) = embedder else {
        return 0.0;
    };
    if !languages
        .iter()
        .all(|language| retrieve::speaks(embedder.model(), *language))
    {
        return 0.0;
    }
    let own = vec![draft.text.clone()];
    let others: Vec<String> = supports
        .iter()
        .map(|support| evidence[support.passage].content[support.span.clone()].to_owned())
        .collect();
    // Of two models side by side the one is asked that suits the question's language, and across languages only that of the foreign side knows both.
    let (asked, compared) = match languages {
        [Language::English, theirs] if theirs != Language::English => (others, own),
        _ => (own, others),
    };
    let vectors = futures::try_join!(
        embedder.embed(&asked, Purpose::Query),
        embedder.embed(&compared, Purpose::Sentence)
    );
    match vectors {
        Ok((asked, compared)) => asked
            .iter()
            .flat_map(|one| compared.iter().map(|other| cosine(one, other)))
            .fold(0.0, f64::max),
        Err(error) => {
            tracing::warn!(%error, "citations are checked by words only");
            0.0
        }
    }
}

fn says_the_opposite(sentence: &str, evidence: &[Evidence], supports: &[Support]) -> bool {
    let words = |text: &str| text.unicode_words().map(str::to_lowercase).collect::<Vec<_>>();
    let own = is_negated(&words(sentence));
    let close: Vec<&Support> = supports.iter().filter(|support| support.share >= 0.5).collect();
    !close.is_empty()
        && close.iter().all(|support| {
            is_negated(&words(&evidence[support.passage].content[support.span.clone()])) != own
        })
}
