//! Replaying questions with known answers through the extractive answerer: is the answer quoted, is it cited, is it declined
//! when it should be, and does the confidence mean what it says.
//!
//! Constants are fitted on the questions whose id hashes to an even number and reported on the others ([`Part`]); docs/quality.md
//! describes both.

mod fit;
mod score;

use std::sync::Arc;
use std::time::Instant;

use amebo_core::Environment;

use super::Error;
use super::library::{Library, Options};
use super::metric::percentile;
use super::report::{Measure, Report};
use super::retrieval::Mode;
use super::set::{KnownAnswer, Set};
use crate::answer::confidence::Parameters;
use crate::answer::{Answerer, Evidence, Question};
use crate::index::analysis::stored;
use crate::index::{Hits, Query};

pub use fit::fit;

/// How many passages are retrieved for a question, as in production.
const PASSAGES: usize = 10;
/// How many sentences are quoted, as in production.
const SENTENCES: usize = 3;
/// Bins of the calibration error.
const BINS: usize = 10;

/// Which questions of a set are replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Part {
    /// Those that nothing was fitted on.
    #[default]
    Reported,
    /// Those that constants are fitted on.
    Fitted,
    /// All.
    All,
}

impl Part {
    /// Whether the question of this id belongs to it.
    pub fn includes(self, question: &str) -> bool {
        let even = stored::hash(question).is_multiple_of(2);
        match self {
            Self::Reported => !even,
            Self::Fitted => even,
            Self::All => true,
        }
    }
}

/// One question replayed.
#[derive(Debug, Clone)]
pub struct Case {
    /// Whether the library answers it.
    pub answerable: bool,
    /// Whether the sentences quoted hold a known answer.
    pub contained: bool,
    /// Whether one of the sentences quoted holds a known answer or, of a long one, is part of it.
    pub touched: bool,
    /// The best token F1 of the sentences quoted with a known answer.
    pub f1: f64,
    /// Share of the sentences quoted that are from a relevant document.
    pub precision: Option<f64>,
    /// The confidence given.
    pub confidence: f64,
    /// What it was made from.
    pub features: Vec<f64>,
    /// The sentences weighed: their features, and whether they hold a known answer.
    pub sentences: Vec<(Vec<f64>, bool)>,
    /// Milliseconds that choosing the sentences took.
    pub milliseconds: f64,
}

impl Case {
    /// Whether answering was right: there is an answer, and it, or a part of a long one, was quoted.
    pub fn is_right(&self) -> bool {
        self.answerable && (self.contained || self.touched)
    }
}

/// What came of replaying the questions of a set.
#[derive(Debug, Clone)]
pub struct Replay {
    /// The figures.
    pub report: Report,
    cases: Vec<Case>,
    without: Vec<Case>,
}

/// Replays the questions of `part` that have known answers, and measures. `threshold` is the confidence below which an
/// organisation would have the question declined.
pub async fn evaluate(
    set: &Set,
    mode: Mode,
    options: &Options,
    part: Part,
    threshold: f64,
) -> Result<Replay, Error> {
    let mut options = options.clone();
    if mode == Mode::Lexical {
        options.model = None;
    }
    let mut library = Library::build(set, &options).await?;
    let answerer = Answerer::new(Environment::system(), options.model.clone());
    let cases = replay(set, &mut library, &options, &answerer, part).await?;
    let without = deprived(set, &mut library, &options, &answerer, part).await?;
    let mut measures = measures(&cases, threshold);
    measures.extend(removal(&cases, &without));
    let report = Report {
        set: set.name.clone(),
        mode,
        model: options.model.map(|model| model.model().id.clone()),
        entries: set.entries.len(),
        passages: library.passages(),
        questions: cases.len(),
        measures,
    };
    Ok(Replay {
        report,
        cases,
        without,
    })
}

/// The figures of several sets as if their questions were one set's, each question weighing the same; `None` of fewer than two sets.
pub fn together(replays: &[Replay], threshold: f64) -> Option<Report> {
    let [first, _, ..] = replays else { return None };
    let cases: Vec<Case> = replays
        .iter()
        .flat_map(|replay| replay.cases.iter().cloned())
        .collect();
    let without: Vec<Case> = replays
        .iter()
        .flat_map(|replay| replay.without.iter().cloned())
        .collect();
    let mut measures = measures(&cases, threshold);
    measures.extend(removal(&cases, &without));
    let sum = |count: fn(&Report) -> usize| replays.iter().map(|replay| count(&replay.report)).sum();
    Some(Report {
        set: "together".to_owned(),
        entries: sum(|report| report.entries),
        passages: sum(|report| report.passages),
        questions: cases.len(),
        measures,
        ..first.report.clone()
    })
}

/// Replays the questions of `part` that have known answers.
pub async fn replay(
    set: &Set,
    library: &mut Library,
    options: &Options,
    answerer: &Answerer,
    part: Part,
) -> Result<Vec<Case>, Error> {
    let mut cases = Vec::new();
    for question in &set.questions {
        let Some(known) = set
            .answers
            .get(&question.id)
            .filter(|_| part.includes(&question.id))
        else {
            continue;
        };
        let mut query = library.prepare(question, options.model.is_none()).await?;
        query.limit = PASSAGES;
        let hits = library.search(&query).await?;
        let asked = asked(&question.text, &query, options);
        let (entries, evidence) = evidence(library, &hits);
        let begun = Instant::now();
        let extract = answerer.extract(&asked, &evidence, SENTENCES).await;
        let milliseconds = begun.elapsed().as_secs_f64() * 1e3;
        let quoted: Vec<&str> = extract.quotes.iter().map(|quote| quote.text.as_str()).collect();
        let quoted = quoted.join(" ");
        let relevant = set.judgements.get(&question.id);
        let precision = relevant.filter(|_| !extract.quotes.is_empty()).map(|relevant| {
            let right = extract
                .quotes
                .iter()
                .filter(|quote| relevant.contains_key(&entries[quote.passage]))
                .count();
            share(right, extract.quotes.len())
        });
        cases.push(Case {
            answerable: known.answerable,
            touched: extract
                .quotes
                .iter()
                .any(|quote| holds_answer(&quote.text, known)),
            contained: known
                .answers
                .iter()
                .any(|answer| score::contains(&quoted, answer)),
            f1: known
                .answers
                .iter()
                .map(|answer| score::f1(&quoted, answer))
                .fold(0.0, f64::max),
            precision,
            confidence: extract.confidence.value(),
            features: extract.features,
            sentences: extract
                .weighed
                .into_iter()
                .map(|(quote, values)| (values, holds_answer(&quote.text, known)))
                .collect(),
            milliseconds,
        });
    }
    Ok(cases)
}

/// What comes of answerable questions of `part` whose relevant documents were taken out of the evidence: what a question
/// that the library has nothing on looks like, as opposed to one written to look answerable.
async fn deprived(
    set: &Set,
    library: &mut Library,
    options: &Options,
    answerer: &Answerer,
    part: Part,
) -> Result<Vec<Case>, Error> {
    let mut cases = Vec::new();
    for question in set
        .questions
        .iter()
        .filter(|question| part.includes(&question.id))
    {
        let Some(relevant) = set.judgements.get(&question.id) else {
            continue;
        };
        let mut query = library.prepare(question, options.model.is_none()).await?;
        query.limit = PASSAGES * 4;
        let (entries, evidence) = evidence(library, &library.search(&query).await?);
        let remaining = entries
            .iter()
            .zip(evidence)
            .filter(|(entry, _)| !relevant.contains_key(*entry));
        let remaining: Vec<Evidence> = remaining.map(|(_, evidence)| evidence).take(PASSAGES).collect();
        let asked = asked(&question.text, &query, options);
        let extract = answerer.extract(&asked, &remaining, SENTENCES).await;
        cases.push(Case {
            answerable: false,
            contained: false,
            touched: false,
            f1: 0.0,
            precision: None,
            confidence: extract.confidence.value(),
            features: extract.features,
            sentences: Vec::new(),
            milliseconds: 0.0,
        });
    }
    Ok(cases)
}

/// How answerable questions compare with the same ones `without` their documents, and whether confidence means what it says over both.
fn removal(cases: &[Case], without: &[Case]) -> Vec<Measure> {
    let answerable = cases.iter().filter(|case| case.answerable);
    let confidence = |case: &Case| case.confidence;
    let apart = auc(
        &answerable.clone().map(confidence).collect::<Vec<f64>>(),
        &without.iter().map(confidence).collect::<Vec<f64>>(),
    );
    let measures = [
        ("removal_auc", apart),
        ("removal_ece", calibration_error(answerable.chain(without))),
    ];
    measures
        .into_iter()
        .filter(|_| !without.is_empty())
        .filter(|(_, value)| value.is_finite())
        .map(|(name, value)| measure(name, value, "share"))
        .collect()
}

fn holds_answer(sentence: &str, known: &KnownAnswer) -> bool {
    known.answerable
        && known
            .answers
            .iter()
            .any(|answer| score::contains_part(sentence, answer))
}

fn asked(text: &str, query: &Query, options: &Options) -> Question {
    let vector = options
        .model
        .as_ref()
        .and_then(|model| query.vectors.get(&model.model().id).cloned());
    Question {
        standalone: query.text.clone(),
        vector,
        ..Question::new(text)
    }
}

/// The passages found as evidence, with the entries they belong to.
fn evidence(library: &Library, hits: &Hits) -> (Vec<String>, Vec<Evidence>) {
    hits.hits
        .iter()
        .filter_map(|hit| {
            let held = library.passage(hit.chunk)?;
            let evidence = Evidence {
                chunk: hit.chunk,
                document: hit.document,
                title: held.title.clone(),
                heading_path: held.passage.heading_path.clone(),
                content: held.passage.content.clone(),
                dense: hit.dense,
                lexical: hit.lexical,
                score: hit.score,
            };
            Some((held.entry.clone(), evidence))
        })
        .unzip()
}

/// The figures of some cases.
pub fn measures(cases: &[Case], threshold: f64) -> Vec<Measure> {
    let answerable: Vec<&Case> = cases.iter().filter(|case| case.answerable).collect();
    let answered: Vec<&Case> = answerable
        .iter()
        .copied()
        .filter(|case| case.confidence >= threshold)
        .collect();
    let unanswerable: Vec<&Case> = cases.iter().filter(|case| !case.answerable).collect();
    let of = |cases: &[&Case], holds: fn(&Case) -> bool| {
        share(cases.iter().filter(|case| holds(case)).count(), cases.len())
    };
    let refused = |cases: &[&Case]| {
        share(
            cases.iter().filter(|case| case.confidence < threshold).count(),
            cases.len(),
        )
    };
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / real(values.len().max(1));
    let mut times: Vec<f64> = cases.iter().map(|case| case.milliseconds).collect();
    let confidences = |cases: &[&Case]| cases.iter().map(|case| case.confidence).collect::<Vec<f64>>();
    let shares = [
        ("contained", of(&answerable, |case| case.contained)),
        ("right", of(&answerable, Case::is_right)),
        ("contained_answered", of(&answered, |case| case.contained)),
        ("answer_f1", mean(answerable.iter().map(|case| case.f1).collect())),
        (
            "citation_precision",
            mean(answerable.iter().filter_map(|case| case.precision).collect()),
        ),
        (
            "abstention_auc",
            auc(&confidences(&answerable), &confidences(&unanswerable)),
        ),
        ("ece", calibration_error(cases.iter())),
        ("declined_answerable", refused(&answerable)),
        ("declined_unanswerable", refused(&unanswerable)),
    ];
    let mut measures: Vec<Measure> = shares
        .into_iter()
        .filter(|(_, value)| value.is_finite())
        .map(|(name, value)| measure(name, value, "share"))
        .collect();
    measures.push(measure("extract_p50", percentile(&mut times, 0.5), "ms"));
    measures.push(measure("extract_p95", percentile(&mut times, 0.95), "ms"));
    measures
}

fn measure(name: &str, value: f64, unit: &str) -> Measure {
    Measure {
        name: name.to_owned(),
        value,
        unit: unit.to_owned(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
fn real(count: usize) -> f64 {
    count as f64
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        f64::NAN
    } else {
        real(part) / real(whole)
    }
}

/// The probability that a question of the first kind gets more confidence than one of the second, ties counting half.
fn auc(more: &[f64], less: &[f64]) -> f64 {
    let mut wins = 0.0;
    for yes in more {
        for no in less {
            wins += match yes.total_cmp(no) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            };
        }
    }
    wins / real(more.len() * less.len())
}

/// The expected calibration error: by how much confidence and share of right answers differ, over bins of equal width,
/// weighted by their cases.
fn calibration_error<'a>(cases: impl Iterator<Item = &'a Case>) -> f64 {
    let mut bins = [(0.0, 0.0, 0.0); BINS];
    for case in cases {
        let bin = (1..BINS)
            .filter(|edge| case.confidence >= share(*edge, BINS))
            .count();
        bins[bin].0 += 1.0;
        bins[bin].1 += case.confidence;
        bins[bin].2 += f64::from(u8::from(case.is_right()));
    }
    let all: f64 = bins.iter().map(|(cases, _, _)| cases).sum();
    bins.iter()
        .map(|(_, confidence, right)| (confidence - right).abs())
        .sum::<f64>()
        / all
}

/// An answerer with other constants than those compiled in.
fn answerer(parameters: &Parameters, options: &Options) -> Answerer {
    Answerer::new(Environment::system(), options.model.clone()).with_parameters(Arc::new(parameters.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(answerable: bool, confidence: f64) -> Case {
        Case {
            answerable,
            contained: answerable,
            touched: false,
            f1: 0.0,
            precision: None,
            confidence,
            features: Vec::new(),
            sentences: Vec::new(),
            milliseconds: 1.0,
        }
    }

    fn replayed(set: &str, answerable: bool, confidence: f64) -> Replay {
        Replay {
            report: Report {
                set: set.to_owned(),
                mode: Mode::Lexical,
                model: None,
                entries: 2,
                passages: 3,
                questions: 1,
                measures: Vec::new(),
            },
            cases: vec![case(answerable, confidence)],
            without: vec![case(false, 0.1)],
        }
    }

    #[test]
    fn sets_together_are_measured_as_one() {
        let replays = [replayed("a", true, 0.9), replayed("b", false, 0.4)];
        let together = together(&replays, 0.5).unwrap();
        assert_eq!(
            (together.entries, together.passages, together.questions),
            (4, 6, 2)
        );
        assert_eq!(together.value("abstention_auc"), Some(1.0));
        assert_eq!(together.value("removal_auc"), Some(1.0));
        assert_eq!(together.value("declined_unanswerable"), Some(1.0));
        assert!((together.value("ece").unwrap() - 0.25).abs() < 1e-9);
        assert!((together.value("removal_ece").unwrap() - 0.1).abs() < 1e-9);
        assert_eq!(super::together(&replays[..1], 0.5), None);
    }
}
