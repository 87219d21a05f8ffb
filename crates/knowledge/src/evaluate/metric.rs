//! Measures of a ranking, as BEIR and `trec_eval` define them: linear gains, means over the questions that have judgements.

use std::collections::BTreeMap;

use super::report::Measure;

const RECALL_AT: [usize; 6] = [1, 3, 5, 10, 20, 100];
const HIT_AT: [usize; 5] = [1, 3, 5, 10, 20];

/// How deep rankings must be for every measure.
pub const DEPTH: usize = 100;

/// The measures of some rankings against their judgements, each pair one question.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of questions and ranks are small"
)]
pub fn of_rankings<'a>(
    pairs: impl IntoIterator<Item = (&'a [String], &'a BTreeMap<String, u32>)>,
) -> Vec<Measure> {
    let mut sums: Vec<(String, f64)> = Vec::new();
    let mut add = |name: String, value: f64| match sums.iter_mut().find(|(known, _)| *known == name) {
        Some((_, sum)) => *sum += value,
        None => sums.push((name, value)),
    };
    let mut questions = 0;
    for (ranking, gains) in pairs {
        questions += 1;
        add("ndcg@10".to_owned(), ndcg(ranking, gains, 10));
        add("mrr@10".to_owned(), reciprocal_rank(ranking, gains, 10));
        let found = |k: usize| {
            ranking
                .iter()
                .take(k)
                .filter(|entry| gains.contains_key(*entry))
                .count()
        };
        for k in RECALL_AT {
            add(format!("recall@{k}"), found(k) as f64 / gains.len().max(1) as f64);
        }
        for k in HIT_AT {
            add(format!("hit@{k}"), if found(k) > 0 { 1.0 } else { 0.0 });
        }
    }
    let mean = |(name, sum): (String, f64)| Measure {
        name,
        value: sum / f64::from(questions.max(1)),
        unit: "share".to_owned(),
    };
    sums.into_iter().map(mean).collect()
}

/// Normalised discounted cumulative gain of the first `k`.
#[expect(clippy::cast_precision_loss, reason = "ranks are small")]
pub fn ndcg(ranking: &[String], gains: &BTreeMap<String, u32>, k: usize) -> f64 {
    let discounted = |gains: &mut dyn Iterator<Item = u32>| -> f64 {
        gains
            .take(k)
            .enumerate()
            .map(|(rank, gain)| f64::from(gain) / (rank as f64 + 2.0).log2())
            .sum()
    };
    let mut ideal: Vec<u32> = gains.values().copied().collect();
    ideal.sort_unstable_by(|a, b| b.cmp(a));
    let best = discounted(&mut ideal.into_iter());
    let reached = discounted(&mut ranking.iter().map(|entry| gains.get(entry).copied().unwrap_or(0)));
    if best > 0.0 { reached / best } else { 0.0 }
}

/// One over the rank of the first relevant entry among the first `k`, else 0.
#[expect(clippy::cast_precision_loss, reason = "ranks are small")]
pub fn reciprocal_rank(ranking: &[String], gains: &BTreeMap<String, u32>, k: usize) -> f64 {
    let first = ranking.iter().take(k).position(|entry| gains.contains_key(entry));
    first.map_or(0.0, |rank| 1.0 / (rank as f64 + 1.0))
}

/// The value below which a share `p` of the values lies (nearest rank); 0 of nothing.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts are small and the share lies between 0 and 1"
)]
pub fn percentile(values: &mut [f64], p: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let rank = (values.len() as f64 * p).ceil() as usize;
    values.get(rank.max(1) - 1).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_are_those_worked_out_by_hand() {
        let ranking = ["b", "a", "x", "c"].map(str::to_owned);
        let gains = BTreeMap::from([("a".to_owned(), 1), ("c".to_owned(), 2)]);
        // Gain 1 at rank 2 and 2 at rank 4, against 2 at rank 1 and 1 at rank 2.
        let expected = (1.0 / 3_f64.log2() + 2.0 / 5_f64.log2()) / (2.0 + 1.0 / 3_f64.log2());
        assert!((ndcg(&ranking, &gains, 10) - expected).abs() < 1e-12);
        let measures = of_rankings([(&ranking[..], &gains)]);
        let value = |name: &str| {
            measures
                .iter()
                .find(|measure| measure.name == name)
                .unwrap()
                .value
        };
        assert!((value("mrr@10") - 0.5).abs() < 1e-12);
        assert!((value("recall@3") - 0.5).abs() < 1e-12);
        assert!((value("hit@1")).abs() < 1e-12);
        assert!((value("recall@5") - 1.0).abs() < 1e-12);
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let mut values = [3.0, 1.0, 2.0, 4.0];
        assert!((percentile(&mut values, 0.5) - 2.0).abs() < 1e-12);
        assert!((percentile(&mut values, 0.95) - 4.0).abs() < 1e-12);
        assert!(percentile(&mut [], 0.5).abs() < 1e-12);
    }
}
