//! The answerer that invents nothing: it quotes the sentences that most likely hold the answer.
//!
//! All sentences of the best passages are weighed by words first; only the few best are compared by meaning, since an
//! embedding costs milliseconds while someone waits. Embeddings of sentences are kept in a bounded cache: the same few
//! documents are quoted again and again.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use amebo_core::answer::Confidence;
use parking_lot::Mutex;
use unicode_segmentation::UnicodeSegmentation;

use super::candidate::{Candidate, candidates, holds, terms};
use super::code::{codes, is_of_others};
use super::confidence::{Fit, Parameters};
use super::features::{self, holds_cue};
use super::question::{self, Asks, Profile};
use super::{Evidence, Question, ratio};
use crate::embed::{Embedder, Purpose};
use crate::index::analysis::language::{self, Language};
use crate::retrieve;

/// How many passages are searched for sentences.
pub const PASSAGES: usize = 6;
/// How many sentences are compared by meaning.
const COMPARED: usize = 6;
/// How far below the best sentence one is not quoted any more, in log-odds: its odds are then a twentieth.
const FAR: f64 = 3.0;
/// How much more the code that a question names counts than another word as rare: whatever else it says is about that one.
const CODED: f64 = 8.0;
/// How much of a sentence is embedded, in bytes.
const EMBEDDED: usize = 400;
/// How many embeddings of sentences each half of the cache holds.
const CACHED: usize = 4096;

/// A sentence chosen to be quoted.
#[derive(Debug, Clone, PartialEq)]
pub struct Quote {
    /// Its passage, as a place in the evidence.
    pub passage: usize,
    /// Its bytes in the passage's content.
    pub span: Range<usize>,
    /// Those bytes, line breaks as spaces.
    pub text: String,
    /// How likely it holds the answer, as log-odds; comparable within one question.
    pub score: f64,
}

/// What was found to quote.
#[derive(Debug, Clone, PartialEq)]
pub struct Extract {
    /// The sentences, in reading order, those of the best passage first.
    pub quotes: Vec<Quote>,
    /// The probability that they hold the answer.
    pub confidence: Confidence,
    /// Whether sentences were compared by meaning.
    pub embedded: bool,
    /// What the confidence was made from, in the order of [`feature_names`].
    pub features: Vec<f64>,
    /// The sentences that were weighed with their features, in the order of [`sentence_feature_names`]; for fitting.
    pub weighed: Vec<(Quote, Vec<f64>)>,
}

/// The names of [`Extract::features`].
pub fn feature_names() -> &'static [&'static str] {
    &features::ANSWER
}

/// The names of the features of a sentence.
pub fn sentence_feature_names() -> &'static [&'static str] {
    &features::SENTENCE
}

/// Finds sentences to quote.
pub struct Sentences {
    embedder: Option<Arc<dyn Embedder>>,
    parameters: Arc<Parameters>,
    cache: Mutex<Cache>,
}

/// Two generations: what was used since the last change of generations survives the next.
#[derive(Default)]
struct Cache {
    young: HashMap<u64, Arc<[f32]>>,
    old: HashMap<u64, Arc<[f32]>>,
}

impl Cache {
    fn get(&mut self, key: u64) -> Option<Arc<[f32]>> {
        if let Some(vector) = self.young.get(&key) {
            return Some(vector.clone());
        }
        let vector = self.old.remove(&key)?;
        self.put(key, vector.clone());
        Some(vector)
    }

    fn put(&mut self, key: u64, vector: Arc<[f32]>) {
        if self.young.len() >= CACHED {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, vector);
    }
}

impl Sentences {
    /// Compares by meaning with `embedder`, where there is one.
    pub fn new(embedder: Option<Arc<dyn Embedder>>) -> Self {
        Self::with_parameters(embedder, Arc::new(Parameters::embedded_in_binary().clone()))
    }

    /// The same with other constants than those compiled in.
    pub fn with_parameters(embedder: Option<Arc<dyn Embedder>>, parameters: Arc<Parameters>) -> Self {
        Self {
            embedder,
            parameters,
            cache: Mutex::default(),
        }
    }

    /// The embedder used, to be shared.
    pub(super) fn shared_embedder(&self) -> Option<Arc<dyn Embedder>> {
        self.embedder.clone()
    }

    /// The embedder used.
    pub fn embedder(&self) -> Option<&dyn Embedder> {
        self.embedder.as_deref()
    }

    /// The best `most` sentences of `evidence` (best first), and how likely they hold the answer.
    pub async fn extract(&self, question: &Question, evidence: &[Evidence], most: usize) -> Extract {
        let text = &question.standalone[..question
            .standalone
            .floor_char_boundary(retrieve::LONGEST_QUESTION)];
        let profile = Profile::of(text);
        let mut candidates = candidates(&evidence[..evidence.len().min(PASSAGES)]);
        let weights = weights(&profile, &candidates);
        measure(&profile, evidence, &weights, &mut candidates);
        // Nothing is as like a question as the same question asked by somebody else, and it is no answer.
        candidates.retain(|candidate| !question::is_asked(&candidate.text));
        leave_out_others(&profile.codes, &mut candidates);
        let parameters = &*self.parameters;
        rank(&mut candidates, &parameters.lexical);
        let compared = candidates.len().min(COMPARED);
        let at_home = matches!(language::detect(text), Language::English | Language::Other);
        // Passages that were found by words alone may have a model that does not know the question's language.
        let by_meaning = at_home || evidence.iter().any(|evidence| evidence.dense.is_some());
        let embedded = by_meaning
            && self
                .compare(text, question.vector.as_deref(), &mut candidates[..compared])
                .await;
        let fit = match embedded {
            false => &parameters.lexical,
            true if at_home => &parameters.embedded,
            true => &parameters.foreign,
        };
        if embedded {
            candidates.truncate(compared);
            rank(&mut candidates, fit);
        }
        let values = whole(&profile, text, evidence, &weights, &candidates, most);
        let confidence = if candidates.is_empty() {
            Confidence::new(0.0)
        } else {
            fit.confidence(&features::ANSWER, &values)
        };
        let quote = |candidate: &Candidate| Quote {
            passage: candidate.passage,
            span: candidate.span.clone(),
            text: candidate.text.clone(),
            score: candidate.score,
        };
        let best = candidates.first().map_or(0.0, |best| best.score);
        let near = candidates
            .iter()
            .take_while(|candidate| best - candidate.score <= FAR);
        Extract {
            quotes: in_reading_order(near.take(most).map(quote).collect()),
            confidence,
            embedded,
            features: values,
            weighed: candidates
                .iter()
                .map(|candidate| (quote(candidate), candidate.values.to_vec()))
                .collect(),
        }
    }

    /// Sets the similarity of each candidate to the question; false when there is no model for it, or it fails.
    async fn compare(&self, question: &str, vector: Option<&[f32]>, candidates: &mut [Candidate]) -> bool {
        let Some(embedder) = self.embedder.as_deref() else {
            return false;
        };
        if candidates.is_empty() || !retrieve::speaks(embedder.model(), language::detect(question)) {
            return false;
        }
        let cut = |text: &str| text[..text.floor_char_boundary(EMBEDDED)].to_owned();
        let texts: Vec<String> = candidates.iter().map(Candidate::in_full).collect();
        let keys: Vec<u64> = texts.iter().map(|text| key(&embedder.model().id, text)).collect();
        let mut vectors: Vec<Option<Arc<[f32]>>> = {
            let mut cache = self.cache.lock();
            keys.iter().map(|key| cache.get(*key)).collect()
        };
        let missing: Vec<usize> = (0..candidates.len())
            .filter(|at| vectors[*at].is_none())
            .collect();
        let inputs: Vec<String> = missing.iter().map(|at| cut(&texts[*at])).collect();
        let asked = async {
            match vector {
                Some(vector) => Ok(vec![vector.to_vec()]),
                None => embedder.embed(&[question.to_owned()], Purpose::Query).await,
            }
        };
        let fresh = async {
            match inputs.as_slice() {
                [] => Ok(Vec::new()),
                inputs => embedder.embed(inputs, Purpose::Sentence).await,
            }
        };
        let (asked, fresh) = match futures::try_join!(asked, fresh) {
            Ok((asked, fresh)) if asked.len() == 1 && fresh.len() == inputs.len() => (asked.concat(), fresh),
            Ok(_) => return false,
            Err(error) => {
                tracing::warn!(%error, "sentences are compared by words only");
                return false;
            }
        };
        let mut cache = self.cache.lock();
        for (at, vector) in missing.into_iter().zip(fresh) {
            let vector: Arc<[f32]> = vector.into();
            cache.put(keys[at], vector.clone());
            vectors[at] = Some(vector);
        }
        drop(cache);
        for (candidate, vector) in candidates.iter_mut().zip(vectors) {
            candidate.values[COSINE] = vector.map_or(0.0, |vector| cosine(&asked, &vector));
        }
        true
    }
}

const COSINE: usize = 0;
const OVERLAP: usize = 1;
const CONTEXT: usize = 3;
const CUE: usize = 6;

fn key(model: &str, text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (model, text).hash(&mut hasher);
    hasher.finish()
}

/// The cosine of two vectors of unit length.
pub(super) fn cosine(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum()
}

/// Leaves out what speaks of another thing of the kind asked for by its code, where something speaks of that one.
fn leave_out_others(asked: &[String], candidates: &mut Vec<Candidate>) {
    let is_held = |candidate: &Candidate| codes(&candidate.text).iter().any(|code| asked.contains(code));
    if !asked.is_empty() && candidates.iter().any(is_held) {
        candidates.retain(|candidate| !is_of_others(asked, &codes(&candidate.text)));
    }
}

/// How much each word of the question counts: rare among the candidates counts more, and all together count 1.
fn weights(profile: &Profile, candidates: &[Candidate]) -> Vec<f64> {
    let total = count(candidates.len());
    let coded = terms(&profile.codes.join(" "));
    let mut weights: Vec<f64> = profile
        .words
        .iter()
        .map(|word| {
            let holding = count(
                candidates
                    .iter()
                    .filter(|candidate| candidate.holds(&word.terms))
                    .count(),
            );
            let rare = f64::from(word.weight) * (1.0 + (total - holding + 0.5) / (holding + 0.5)).ln();
            if holds(&coded, &word.terms) {
                rare * CODED
            } else {
                rare
            }
        })
        .collect();
    let sum: f64 = weights.iter().sum();
    if sum > 0.0 {
        for weight in &mut weights {
            *weight /= sum;
        }
    }
    weights
}

fn count(number: usize) -> f64 {
    ratio(number, 1)
}

fn measure(profile: &Profile, evidence: &[Evidence], weights: &[f64], candidates: &mut [Candidate]) {
    for candidate in candidates.iter_mut() {
        candidate.held = profile
            .words
            .iter()
            .map(|word| candidate.holds(&word.terms))
            .collect();
    }
    let above: Vec<Vec<bool>> = evidence
        .iter()
        .take(PASSAGES)
        .map(|evidence| {
            let above = format!("{}\n{}", evidence.title, evidence.heading_path.join("\n"));
            let terms = terms(&above);
            profile
                .words
                .iter()
                .map(|word| holds(&terms, &word.terms))
                .collect()
        })
        .collect();
    let best = evidence.first().map_or(0.0, |evidence| f64::from(evidence.score));
    let all_held: Vec<(usize, Vec<bool>)> = candidates
        .iter()
        .map(|candidate| (candidate.passage, candidate.held.clone()))
        .collect();
    for (at, candidate) in candidates.iter_mut().enumerate() {
        let neighbours = [at.checked_sub(1), Some(at + 1)]
            .into_iter()
            .flatten()
            .filter_map(|at| all_held.get(at))
            .filter(|(passage, _)| *passage == candidate.passage);
        let mut around = above[candidate.passage].clone();
        for (_, held) in neighbours {
            around
                .iter_mut()
                .zip(held)
                .for_each(|(around, held)| *around |= held);
        }
        let mut overlap = 0.0;
        let mut context = 0.0;
        for ((weight, held), around) in weights.iter().zip(&candidate.held).zip(&around) {
            overlap += if *held { *weight } else { 0.0 };
            context += if *around && !held { *weight } else { 0.0 };
        }
        let score = f64::from(evidence[candidate.passage].score);
        let length = candidate.text.chars().count();
        candidate.values = [
            0.0,
            overlap,
            overlap * overlap,
            context,
            1.0 / (1.0 + count(candidate.passage)),
            if best > 0.0 { score / best } else { 0.0 },
            flag(holds_cue(profile, &candidate.text)),
            flag(length < 25),
            (count(length) / 100.0).min(4.0),
        ];
    }
}

fn flag(set: bool) -> f64 {
    f64::from(u8::from(set))
}

fn rank(candidates: &mut [Candidate], fit: &Fit) {
    for candidate in candidates.iter_mut() {
        candidate.score = fit.sentence.log_odds(&features::SENTENCE, &candidate.values);
    }
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
}

/// The features of the whole, in the order of [`features::ANSWER`].
fn whole(
    profile: &Profile,
    question: &str,
    evidence: &[Evidence],
    weights: &[f64],
    candidates: &[Candidate],
    most: usize,
) -> Vec<f64> {
    let Some(best) = candidates.first() else {
        return vec![0.0; features::ANSWER.len()];
    };
    let lead = |at: usize| {
        candidates
            .get(at)
            .map_or(5.0, |other| (best.score - other.score).min(5.0))
    };
    let passage = &evidence[best.passage];
    let passage_text = format!(
        "{}\n{}\n{}",
        passage.title,
        passage.heading_path.join("\n"),
        passage.content
    );
    let passage_terms = terms(&passage_text);
    let lower = passage_text.to_lowercase();
    let missing = |holding: &dyn Fn(usize) -> bool| -> f64 {
        weights
            .iter()
            .enumerate()
            .filter(|(at, _)| !holding(*at))
            .map(|(_, weight)| weight)
            .sum()
    };
    let in_passage = |at: usize| holds(&passage_terms, &profile.words[at].terms);
    let anywhere = |at: usize| in_passage(at) || candidates.iter().any(|candidate| candidate.held[at]);
    let rarest = (0..weights.len()).max_by(|a, b| weights[*a].total_cmp(&weights[*b]));
    let share_missing = |of: &[String], text: &str| {
        let words: HashSet<&str> = text.unicode_words().collect();
        ratio(
            of.iter().filter(|name| !words.contains(name.as_str())).count(),
            of.len(),
        )
    };
    let passage_numbers: HashSet<String> = question::numbers(&passage_text).collect();
    let numbers_missing = profile
        .numbers
        .iter()
        .filter(|number| !passage_numbers.contains(*number))
        .count();
    let sentence = best.text.to_lowercase();
    let sentence_words: Vec<String> = sentence.unicode_words().map(str::to_owned).collect();
    let dense = |at: usize| {
        evidence
            .get(at)
            .and_then(|evidence| evidence.dense)
            .map_or(0.0, f64::from)
    };
    let gap = |value: &dyn Fn(&Evidence) -> f32, other: usize| match (evidence.first(), evidence.get(other)) {
        (Some(first), Some(second)) if value(first) > 0.0 => {
            f64::from((value(first) - value(second)) / value(first))
        }
        _ => 1.0,
    };
    let quoted = &candidates[..candidates.len().min(most)];
    let same = quoted
        .iter()
        .filter(|other| evidence[other.passage].document == passage.document)
        .count();
    let words = count(profile.words.len());
    let asks = |asks: Asks| flag(profile.asks == asks);
    vec![
        best.score,
        lead(1),
        lead(most),
        best.values[COSINE],
        dense(0),
        passage.dense.map_or(0.0, f64::from),
        dense(0) - dense(4),
        best.values[OVERLAP],
        best.values[CONTEXT],
        missing(&in_passage),
        missing(&anywhere),
        flag(rarest.is_some_and(|at| !in_passage(at))),
        share_missing(&profile.names, &lower),
        share_missing(&profile.names, &sentence),
        ratio(numbers_missing, profile.numbers.len()),
        best.values[CUE],
        flag(profile.negated != question::is_negated(&sentence_words)),
        evidence.first().map_or(0.0, |first| f64::from(first.lexical)) / (1.0 + words),
        gap(&|evidence| evidence.lexical, 1),
        gap(&|evidence| evidence.score, 1),
        1.0 / (1.0 + count(best.passage)),
        ratio(same, quoted.len()),
        words / 10.0,
        asks(Asks::Person),
        asks(Asks::Time),
        asks(Asks::Amount),
        asks(Asks::Place),
        asks(Asks::Reason),
        asks(Asks::Manner),
        flag(question.chars().count() > 200),
    ]
}

/// Passages in the order of their best sentence, and sentences of one passage as they stand there.
fn in_reading_order(quotes: Vec<Quote>) -> Vec<Quote> {
    let mut passages: Vec<usize> = Vec::new();
    for quote in &quotes {
        if !passages.contains(&quote.passage) {
            passages.push(quote.passage);
        }
    }
    let mut quotes = quotes;
    quotes.sort_by_key(|quote| {
        (
            passages.iter().position(|passage| *passage == quote.passage),
            quote.span.start,
        )
    });
    quotes
}
