//! Fitting the constants of confidence: logistic regression by Newton's method, then a monotone calibration by pooling
//! adjacent violators. A few thousand cases and some thirty features take a second.

use super::{Case, Error, Library, Options, Part, Set, answerer, deprived, real, replay};
use crate::answer::confidence::{Fit, Logistic, Parameters, logistic};
use crate::answer::extractive::{feature_names, sentence_feature_names};
use crate::index::analysis::language::{self, Language};

/// How strongly weights are held at 0, per case: features overlap, and sets are small.
const RIDGE: f64 = 1e-3;
/// Newton's method has long converged by then.
const STEPS: usize = 30;
/// The least share of all cases that a point of the calibration stands for.
const POOL: f64 = 0.04;

/// Fits constants on the [`Part::Fitted`] questions of some sets, beginning with those compiled in. Sets in English are for
/// answering with a model and without, those in other languages for answering with one only.
pub async fn fit(sets: Vec<Set>, options: &Options) -> Result<Parameters, Error> {
    let mut parameters = Parameters::embedded_in_binary().clone();
    let (foreign, english): (Vec<Set>, Vec<Set>) = sets.into_iter().partition(is_foreign);
    let without = Options {
        model: None,
        ..options.clone()
    };
    if !english.is_empty() {
        fit_way(&english, &without, &mut parameters, |all| &mut all.lexical).await?;
    }
    if options.model.is_some() {
        if !english.is_empty() {
            fit_way(&english, options, &mut parameters, |all| &mut all.embedded).await?;
        }
        if !foreign.is_empty() {
            fit_way(&foreign, options, &mut parameters, |all| &mut all.foreign).await?;
        }
    }
    Ok(parameters)
}

/// Whether most questions of a set are in another language than English.
fn is_foreign(set: &Set) -> bool {
    let foreign = set
        .questions
        .iter()
        .filter(|question| language::detect(&question.text) != Language::English)
        .count();
    foreign * 2 > set.questions.len()
}

/// Fits the constants for one way of answering. The model of sentences comes first, since the sentences it chooses are what the other is
/// fitted on. A set without questions that cannot be answered lends its own, with what answers them taken away.
async fn fit_way(
    sets: &[Set],
    options: &Options,
    parameters: &mut Parameters,
    way: fn(&mut Parameters) -> &mut Fit,
) -> Result<(), Error> {
    let mut libraries = Vec::new();
    for set in sets {
        libraries.push(Library::build(set, options).await?);
    }
    for sentences in [true, false] {
        let answerer = answerer(parameters, options);
        let mut cases = Vec::new();
        for (set, library) in sets.iter().zip(&mut libraries) {
            let mut own = replay(set, library, options, &answerer, Part::Fitted).await?;
            if !sentences && own.iter().all(|case| case.answerable) {
                own.extend(deprived(set, library, options, &answerer, Part::Fitted).await?);
            }
            cases.push(own);
        }
        let fit = way(parameters);
        if sentences {
            fit.sentence = fit_sentence(&cases);
        } else {
            fit_answer(fit, &cases);
        }
    }
    Ok(())
}

/// A case with its label and how much it counts.
struct Sample {
    values: Vec<f64>,
    label: bool,
    weight: f64,
}

/// Every set counts alike by the root of its size, so that small ones are heard.
fn weight(cases: &[Case]) -> f64 {
    1.0 / real(cases.len().max(1)).sqrt()
}

fn fit_sentence(sets: &[Vec<Case>]) -> Logistic {
    let mut samples = Vec::new();
    for cases in sets {
        for case in cases
            .iter()
            .filter(|case| case.sentences.iter().any(|(_, label)| *label))
        {
            samples.extend(case.sentences.iter().map(|(values, label)| Sample {
                values: values.clone(),
                label: *label,
                weight: weight(cases),
            }));
        }
    }
    regression(sentence_feature_names(), &samples)
}

fn fit_answer(fit: &mut Fit, sets: &[Vec<Case>]) {
    let samples: Vec<Sample> = sets
        .iter()
        .flat_map(|cases| {
            cases.iter().map(|case| Sample {
                values: case.features.clone(),
                label: case.is_right(),
                weight: weight(cases),
            })
        })
        .collect();
    fit.answer = regression(feature_names(), &samples);
    let scored = samples
        .iter()
        .map(|sample| {
            (
                logistic(fit.answer.log_odds(feature_names(), &sample.values)),
                sample.label,
            )
        })
        .collect();
    fit.calibration = pooled(scored);
}

/// Weighted logistic regression with a ridge, in units in which every feature has a spread of 1.
fn regression(names: &[&str], samples: &[Sample]) -> Logistic {
    let total: f64 = samples.iter().map(|sample| sample.weight).sum();
    let size = names.len();
    let mean = |of: &dyn Fn(&Sample) -> f64| {
        samples
            .iter()
            .map(|sample| sample.weight * of(sample))
            .sum::<f64>()
            / total
    };
    let scale: Vec<(f64, f64)> = (0..size)
        .map(|at| {
            let centre = mean(&|sample| sample.values[at]);
            let spread = mean(&|sample| (sample.values[at] - centre).powi(2)).sqrt();
            (centre, if spread > 1e-9 { spread } else { f64::INFINITY })
        })
        .collect();
    let rows: Vec<Vec<f64>> = samples
        .iter()
        .map(|sample| {
            let scaled = sample
                .values
                .iter()
                .zip(&scale)
                .map(|(value, (centre, spread))| (value - centre) / spread);
            scaled.chain([1.0]).collect()
        })
        .collect();
    let mut weights = vec![0.0; size + 1];
    for _ in 0..STEPS {
        let mut gradient = vec![0.0; size + 1];
        let mut curvature = vec![vec![0.0; size + 1]; size + 1];
        for (row, sample) in rows.iter().zip(samples) {
            let p = logistic(row.iter().zip(&weights).map(|(x, w)| x * w).sum());
            let error = f64::from(u8::from(sample.label)) - p;
            let steepness = sample.weight * (p * (1.0 - p)).max(1e-6);
            for (at, x) in row.iter().enumerate() {
                gradient[at] += sample.weight * error * x;
                for (other, y) in row.iter().enumerate().take(at + 1) {
                    curvature[at][other] += steepness * x * y;
                }
            }
        }
        for at in 0..size {
            gradient[at] -= RIDGE * total * weights[at];
            curvature[at][at] += RIDGE * total;
        }
        let step = solve(curvature, gradient);
        weights
            .iter_mut()
            .zip(&step)
            .for_each(|(weight, step)| *weight += step);
        if step.iter().all(|step| step.abs() < 1e-9) {
            break;
        }
    }
    let mut bias = weights[size];
    let mut named = std::collections::BTreeMap::new();
    for ((name, weight), (centre, spread)) in names.iter().zip(&weights).zip(&scale) {
        let weight = weight / spread;
        bias -= weight * centre;
        named.insert((*name).to_owned(), rounded(weight));
    }
    Logistic {
        bias: rounded(bias),
        weights: named,
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// Solves a symmetric positive definite system, given by its lower half, by Cholesky's method.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    let size = right.len();
    for row in 0..size {
        for column in 0..=row {
            let dot: f64 = (0..column).map(|at| matrix[row][at] * matrix[column][at]).sum();
            let value = matrix[row][column] - dot;
            matrix[row][column] = if row == column {
                value.max(1e-12).sqrt()
            } else {
                value / matrix[column][column]
            };
        }
    }
    for row in 0..size {
        let dot: f64 = (0..row).map(|at| matrix[row][at] * right[at]).sum();
        right[row] = (right[row] - dot) / matrix[row][row];
    }
    for row in (0..size).rev() {
        let dot: f64 = (row + 1..size).map(|at| matrix[at][row] * right[at]).sum();
        right[row] = (right[row] - dot) / matrix[row][row];
    }
    right
}

/// The points of a rising line from score to share of right answers: neighbours are pooled until shares rise and every pool
/// is large enough to mean something.
fn pooled(mut scored: Vec<(f64, bool)>) -> Vec<(f64, f64)> {
    scored.sort_by(|a, b| a.0.total_cmp(&b.0));
    let least = POOL * real(scored.len());
    // Sum of scores, right answers, cases.
    let mut pools: Vec<(f64, f64, f64)> = Vec::new();
    for (score, right) in scored {
        let single = (score, f64::from(u8::from(right)), 1.0);
        match pools.last_mut() {
            Some(pool) if pool.2 < least => {
                *pool = (pool.0 + single.0, pool.1 + single.1, pool.2 + 1.0);
            }
            _ => pools.push(single),
        }
    }
    let mut rising: Vec<(f64, f64, f64)> = Vec::new();
    for pool in pools {
        rising.push(pool);
        while let [.., before, last] = rising.as_slice()
            && before.1 / before.2 >= last.1 / last.2
        {
            let merged = (before.0 + last.0, before.1 + last.1, before.2 + last.2);
            rising.truncate(rising.len() - 2);
            rising.push(merged);
        }
    }
    rising
        .iter()
        .map(|(score, right, cases)| (rounded(score / cases), rounded(right / cases)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_regression_finds_the_weights_that_made_the_labels() {
        let sample = |at: u32| {
            let (x, y) = (f64::from(at % 40) / 10.0 - 2.0, f64::from(at / 40) / 10.0 - 2.0);
            let p = logistic(2.0 * x - y + 0.5);
            // As often right as its probability says, evenly spread.
            [true, false].map(|label| Sample {
                values: vec![x, y],
                label,
                weight: if label { p } else { 1.0 - p },
            })
        };
        let samples: Vec<Sample> = (0..1600).flat_map(sample).collect();
        let fitted = regression(&["x", "y"], &samples);
        assert!((fitted.weights["x"] - 2.0).abs() < 0.2, "{fitted:?}");
        assert!((fitted.weights["y"] + 1.0).abs() < 0.1, "{fitted:?}");
        assert!((fitted.bias - 0.5).abs() < 0.1, "{fitted:?}");
    }

    #[test]
    fn a_calibration_rises() {
        let scored = (0..1000_u32)
            .map(|at| (f64::from(at) / 1000.0, at * 7919 % 1000 < at))
            .collect();
        let points = pooled(scored);
        assert!(points.len() > 5);
        assert!(
            points
                .windows(2)
                .all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1)
        );
        assert!(points.iter().all(|(x, y)| (x - y).abs() < 0.1), "{points:?}");
    }
}
