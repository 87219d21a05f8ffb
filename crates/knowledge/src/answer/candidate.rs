//! What may be quoted: the sentences of the passages found, each with the heading it stands under.
//!
//! Headings are none of them: nothing is as like a question as the heading over its answer, and it says nothing itself.

use std::collections::HashSet;
use std::iter;
use std::ops::Range;
use std::sync::Arc;

use super::heading::is_heading;
use super::{Evidence, features};
use crate::chunk;
use crate::index::analysis;

/// A sentence longer than this, in bytes, is cut at its line breaks.
const LONG: usize = 320;

/// A sentence under consideration.
pub(super) struct Candidate {
    /// Its passage, as a place in the evidence.
    pub(super) passage: usize,
    /// Its bytes in the passage's content.
    pub(super) span: Range<usize>,
    /// Those bytes, line breaks as spaces.
    pub(super) text: String,
    terms: Vec<u64>,
    /// What it stands under: "Each parent takes 16 weeks" speaks of parental leave because its heading does.
    heading: Option<Arc<Heading>>,
    /// Which words of the question it or its heading holds, by place.
    pub(super) held: Vec<bool>,
    /// What is measured of it, in the order of [`features::SENTENCE`].
    pub(super) values: [f64; features::SENTENCE.len()],
    /// How likely it holds the answer, as log-odds.
    pub(super) score: f64,
}

impl Candidate {
    /// What is compared by meaning.
    pub(super) fn in_full(&self) -> String {
        match &self.heading {
            Some(heading) => format!("{}\n{}", heading.text, self.text),
            None => self.text.clone(),
        }
    }

    /// Whether it or its heading holds one of these terms.
    pub(super) fn holds(&self, any_of: &[u64]) -> bool {
        holds(&self.terms, any_of)
            || self
                .heading
                .as_ref()
                .is_some_and(|heading| holds(&heading.terms, any_of))
    }
}

struct Heading {
    text: String,
    terms: Vec<u64>,
}

/// The sentences of these passages, each text once: overlapping passages share sentences.
pub(super) fn candidates(evidence: &[Evidence]) -> Vec<Candidate> {
    let mut seen = HashSet::new();
    let mut candidates = Vec::new();
    for (passage, evidence) in evidence.iter().enumerate() {
        let content = evidence.content.as_str();
        let mut heading = evidence.heading_path.last().map(|text| {
            Arc::new(Heading {
                text: text.clone(),
                terms: terms(text),
            })
        });
        let spans: Vec<Range<usize>> = chunk::sentences(content)
            .flat_map(|span| short_enough(content, span))
            .collect();
        let terms = analysis::terms_of_parts(content, spans.iter().cloned());
        for (span, terms) in spans.into_iter().zip(terms) {
            let words: Vec<&str> = content[span.clone()].split_whitespace().collect();
            let text = words.join(" ");
            if is_heading(&evidence.heading_path, content, &span) {
                heading = Some(Arc::new(Heading { text, terms }));
            } else if text.chars().any(char::is_alphanumeric) && seen.insert(text.clone()) {
                candidates.push(Candidate {
                    passage,
                    span,
                    text,
                    terms,
                    heading: heading.clone(),
                    held: Vec::new(),
                    values: [0.0; features::SENTENCE.len()],
                    score: 0.0,
                });
            }
        }
    }
    candidates
}

/// A long sentence is most often a table, a list or a log: its lines are what is quoted.
fn short_enough(content: &str, span: Range<usize>) -> Vec<Range<usize>> {
    let text = &content[span.clone()];
    if text.len() <= LONG || !text.contains('\n') {
        return vec![span];
    }
    let mut start = span.start;
    text.split_inclusive('\n')
        .filter_map(|line| {
            let begin = start + (line.len() - line.trim_start().len());
            let end = start + line.trim_end().len();
            start += line.len();
            (begin < end).then_some(begin..end)
        })
        .collect()
}

/// The terms of a whole text, sorted.
pub(super) fn terms(text: &str) -> Vec<u64> {
    analysis::terms_of_parts(text, iter::once(0..text.len())).concat()
}

/// Whether sorted terms hold one of some.
pub(super) fn holds(sorted: &[u64], any_of: &[u64]) -> bool {
    any_of.iter().any(|term| sorted.binary_search(term).is_ok())
}
