//! Figures of a replay. Shares are of the cases that say enough to judge them; a share of nothing is absent.

use serde::Serialize;

/// How many passages down a document still counts as found.
const DEPTH: u32 = 10;
/// How many bins the calibration error has.
const BINS: usize = 10;

/// What one case gave.
#[derive(Debug, Clone, Serialize)]
pub(super) struct CaseResult {
    pub(super) question: String,
    pub(super) answerable: bool,
    pub(super) answered: bool,
    pub(super) confidence: f64,
    /// Whether documents are named that hold the answer.
    pub(super) names_documents: bool,
    /// Where the first of them came, from 1.
    pub(super) rank: Option<u32>,
    /// Whether the answer holds one of the expected texts; `None` when none is named.
    pub(super) contained: Option<bool>,
    pub(super) citations: usize,
    pub(super) citations_right: usize,
    pub(super) answer: String,
    pub(super) latency_us: u64,
}

/// Figures over all cases, named as `amebo eval` names them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Figures {
    pub(super) cases: usize,
    /// Below which confidence questions were declined.
    pub(super) threshold: f64,
    #[serde(rename = "hit@1")]
    pub(super) hit_at_1: Option<f64>,
    #[serde(rename = "hit@3")]
    pub(super) hit_at_3: Option<f64>,
    #[serde(rename = "hit@10")]
    pub(super) hit_at_10: Option<f64>,
    #[serde(rename = "mrr@10")]
    pub(super) mrr_at_10: Option<f64>,
    /// Of the answerable: how many were answered.
    pub(super) answered: Option<f64>,
    /// Of the answered with expected texts: how many answers hold one.
    pub(super) contained: Option<f64>,
    /// Of the citations in cases that name documents: how many point to one of them.
    pub(super) citation_precision: Option<f64>,
    /// Of the unanswerable: how many were declined.
    pub(super) declined: Option<f64>,
    /// Expected calibration error of the confidence over answered cases that can be judged.
    pub(super) ece: Option<f64>,
    pub(super) latency_p50_us: u64,
    pub(super) latency_p95_us: u64,
}

/// The figures of these results.
pub(super) fn figures(results: &[CaseResult], threshold: f64) -> Figures {
    let ranks: Vec<Option<u32>> = results
        .iter()
        .filter(|result| result.names_documents)
        .map(|result| result.rank)
        .collect();
    let hit = |depth: u32| share(ranks.iter().map(|rank| rank.is_some_and(|rank| rank <= depth)));
    let of = |answerable: bool| {
        results
            .iter()
            .filter(move |result| result.answerable == answerable)
    };
    let mut latencies: Vec<u64> = results.iter().map(|result| result.latency_us).collect();
    latencies.sort_unstable();
    Figures {
        cases: results.len(),
        threshold,
        hit_at_1: hit(1),
        hit_at_3: hit(3),
        hit_at_10: hit(DEPTH),
        mrr_at_10: mean(ranks.iter().map(|rank| {
            rank.filter(|&rank| rank <= DEPTH)
                .map_or(0.0, |rank| 1.0 / f64::from(rank))
        })),
        answered: share(of(true).map(|result| result.answered)),
        contained: share(
            results
                .iter()
                .filter(|result| result.answered)
                .filter_map(|result| result.contained),
        ),
        citation_precision: share(
            results
                .iter()
                .filter(|result| result.names_documents)
                .flat_map(|result| (0..result.citations).map(|place| place < result.citations_right)),
        ),
        declined: share(of(false).map(|result| !result.answered)),
        ece: calibration_error(results),
        latency_p50_us: percentile(&latencies, 50),
        latency_p95_us: percentile(&latencies, 95),
    }
}

/// Whether a text holds one of these, letters and digits compared without case.
pub(super) fn contains_any(text: &str, wanted: &[String]) -> bool {
    let text = plain(text);
    wanted
        .iter()
        .map(|wanted| plain(wanted))
        .any(|wanted| !wanted.trim().is_empty() && text.contains(&wanted))
}

/// Lower-case words with one space around each.
fn plain(text: &str) -> String {
    let mut plain = String::from(" ");
    for word in text
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        plain.extend(word.chars().flat_map(char::to_lowercase));
        plain.push(' ');
    }
    plain
}

/// The mean distance between confidence and truth over ten bins of equal width, weighted by their size.
fn calibration_error(results: &[CaseResult]) -> Option<f64> {
    let judged: Vec<(f64, f64)> = results
        .iter()
        .filter(|result| result.answered)
        .filter_map(|result| {
            let right = if result.answerable {
                result.contained?
            } else {
                false
            };
            Some((result.confidence, f64::from(u8::from(right))))
        })
        .collect();
    let mut bins = [(0.0, 0.0); BINS];
    for (confidence, right) in &judged {
        let bin = bin_of(*confidence);
        bins[bin].0 += confidence;
        bins[bin].1 += right;
    }
    let distance: f64 = bins
        .iter()
        .map(|(confidence, right)| (confidence - right).abs())
        .sum();
    mean_of(distance, judged.len())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a probability times ten"
)]
fn bin_of(confidence: f64) -> usize {
    ((confidence * BINS as f64) as usize).min(BINS - 1)
}

fn share(judgements: impl Iterator<Item = bool>) -> Option<f64> {
    mean(judgements.map(|right| f64::from(u8::from(right))))
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    mean_of(sum, count)
}

#[expect(clippy::cast_precision_loss, reason = "counts of cases are small")]
fn mean_of(sum: f64, count: usize) -> Option<f64> {
    (count > 0).then(|| sum / count as f64)
}

/// The smallest value that `percent` of 100 do not exceed; `sorted` ascends.
fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(place).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(answerable: bool, answered: bool, rank: Option<u32>, contained: Option<bool>) -> CaseResult {
        CaseResult {
            question: String::new(),
            answerable,
            answered,
            confidence: 0.85,
            names_documents: answerable,
            rank,
            contained,
            citations: 2,
            citations_right: 1,
            answer: String::new(),
            latency_us: 10,
        }
    }

    #[test]
    fn figures_judge_only_the_cases_that_can_be_judged() {
        let results = [
            case(true, true, Some(1), Some(true)),
            case(true, true, Some(4), Some(false)),
            case(true, false, None, None),
            case(false, true, None, None),
        ];
        let figures = figures(&results, 0.5);
        assert_eq!(figures.hit_at_1, Some(1.0 / 3.0));
        assert_eq!(figures.hit_at_10, Some(2.0 / 3.0));
        assert_eq!(figures.mrr_at_10, Some((1.0 + 0.25) / 3.0));
        assert_eq!(figures.answered, Some(2.0 / 3.0));
        assert_eq!(figures.contained, Some(0.5));
        assert_eq!(figures.citation_precision, Some(0.5));
        assert_eq!(figures.declined, Some(0.0));
        // Three judged answers claim 0.85 each, and one is right.
        assert!((figures.ece.unwrap() - (3.0 * 0.85 - 1.0) / 3.0).abs() < 1e-9);
    }

    #[test]
    fn figures_of_nothing_are_absent() {
        let figures = figures(&[], 0.5);
        assert_eq!(
            (figures.hit_at_1, figures.declined, figures.ece),
            (None, None, None)
        );
    }

    #[test]
    fn an_answer_holds_an_expected_text_word_for_word_without_case_and_punctuation() {
        let wanted = ["25 days".to_owned()];
        assert!(contains_any("There are (25) DAYS.", &wanted));
        assert!(!contains_any("There are 125 days.", &wanted));
        assert!(!contains_any("anything", &["…".to_owned()]));
    }
}
