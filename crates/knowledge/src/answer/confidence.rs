//! From features to probabilities: two logistic models and a monotone calibration, fitted on evaluation data.
//!
//! The figures stand in `confidence.json`, made by [`crate::evaluate::answers::fit`]; there is one set for answering with an
//! embedding model and one for answering without. docs/quality.md says on what they were fitted and how good they are.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use amebo_core::answer::Confidence;
use serde::{Deserialize, Serialize};

/// Everything that was fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// For questions whose sentences are compared by meaning, too.
    pub embedded: Fit,
    /// The same for questions in another language than English, whose answer may stand in a third one.
    pub foreign: Fit,
    /// For questions whose sentences are compared by words alone.
    pub lexical: Fit,
}

/// What was fitted for one way of answering.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fit {
    /// Whether a sentence holds the answer, from its features.
    pub sentence: Logistic,
    /// Whether the sentences chosen hold the answer, from those of question and evidence.
    pub answer: Logistic,
    /// From the second model's probability to the share of right answers seen, as points of a rising line.
    pub calibration: Vec<(f64, f64)>,
}

/// A logistic regression with named features.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logistic {
    /// The log-odds where every feature is 0.
    pub bias: f64,
    /// What a unit of each feature adds to the log-odds.
    pub weights: BTreeMap<String, f64>,
}

impl Parameters {
    /// The figures compiled in.
    pub fn embedded_in_binary() -> &'static Self {
        static PARAMETERS: LazyLock<Parameters> = LazyLock::new(|| {
            serde_json::from_str(include_str!("confidence.json")).unwrap_or_else(|_| Parameters {
                embedded: Fit::default(),
                foreign: Fit::default(),
                lexical: Fit::default(),
            })
        });
        &PARAMETERS
    }
}

impl Logistic {
    /// The log-odds; `names` and `values` belong together.
    pub fn log_odds(&self, names: &[&str], values: &[f64]) -> f64 {
        let weight = |name: &&str| self.weights.get(*name).copied().unwrap_or(0.0);
        self.bias
            + names
                .iter()
                .zip(values)
                .map(|(name, value)| weight(name) * value)
                .sum::<f64>()
    }
}

impl Fit {
    /// The probability that an answer with these features is right.
    pub fn confidence(&self, names: &[&str], values: &[f64]) -> Confidence {
        Confidence::new(self.calibrate(logistic(self.answer.log_odds(names, values))))
    }

    fn calibrate(&self, raw: f64) -> f64 {
        let after = self.calibration.partition_point(|(x, _)| *x < raw);
        match (
            after
                .checked_sub(1)
                .and_then(|before| self.calibration.get(before)),
            self.calibration.get(after),
        ) {
            (Some((x0, y0)), Some((x1, y1))) => y0 + (y1 - y0) * (raw - x0) / (x1 - x0),
            (Some((_, y)), None) | (None, Some((_, y))) => *y,
            (None, None) => raw,
        }
    }
}

/// The probability of some log-odds.
pub fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_compiled_in_are_whole_and_rising() {
        for fit in [
            &Parameters::embedded_in_binary().embedded,
            &Parameters::embedded_in_binary().foreign,
            &Parameters::embedded_in_binary().lexical,
        ] {
            assert!(!fit.sentence.weights.is_empty() && !fit.answer.weights.is_empty());
            assert!(
                fit.calibration
                    .windows(2)
                    .all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1)
            );
        }
    }

    #[test]
    fn a_probability_is_read_off_the_line_between_its_points() {
        let fit = Fit {
            calibration: vec![(0.2, 0.1), (0.6, 0.9)],
            ..Fit::default()
        };
        assert!((fit.calibrate(0.0) - 0.1).abs() < 1e-12);
        assert!((fit.calibrate(0.4) - 0.5).abs() < 1e-12);
        assert!((fit.calibrate(1.0) - 0.9).abs() < 1e-12);
    }
}
