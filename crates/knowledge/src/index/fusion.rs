//! How the signals of a passage become one score.
//!
//! Each signal is brought to the range 0 to 1 between the value at a certain depth and the best one, and the signals are
//! added with weights. A normalised sum keeps how much better the best is, which rank fusion throws away; on every set
//! measured it was ahead (docs/quality.md).

use serde::{Deserialize, Serialize};

/// Weights and constants of the fusion. The defaults are fitted; see docs/quality.md for the split.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fusion {
    /// BM25: how soon repeating a word stops counting.
    pub k1: f32,
    /// BM25: how much long passages are held back.
    pub b: f32,
    /// What a pair of neighbouring words adds to BM25, as a share of the mean rarity of the two.
    pub pair: f32,
    /// Weight of the passage's similarity to the question.
    pub dense: f32,
    /// Weight of the passage's BM25 score.
    pub lexical: f32,
    /// Weight of the mean similarity of the document's passages.
    pub document_dense: f32,
    /// Weight of the BM25 score of the document as a whole.
    pub document_lexical: f32,
    /// Between which rank and the best a signal is spread from 0 to 1.
    pub depth: usize,
}

impl Default for Fusion {
    fn default() -> Self {
        Self {
            k1: 1.2,
            b: 0.75,
            pair: 0.25,
            dense: 0.6,
            lexical: 0.4,
            document_dense: 0.2,
            document_lexical: 0.3,
            depth: 200,
        }
    }
}

/// Maps a signal to 0..=1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spread {
    floor: f32,
    factor: f32,
}

impl Spread {
    /// From the `depth` best of some values, in any order; values that are fewer spread over all of them.
    pub(super) fn of(values: &mut [f32], depth: usize) -> Self {
        let depth = depth.min(values.len());
        if depth == 0 {
            return Self {
                floor: 0.0,
                factor: 0.0,
            };
        }
        let (better, floor, _) = values.select_nth_unstable_by(depth - 1, |a, b| b.total_cmp(a));
        let best = better.iter().copied().fold(*floor, f32::max);
        // One value alone, or all alike, is as good as it gets.
        let factor = if best > *floor { 1.0 / (best - *floor) } else { 0.0 };
        Self {
            floor: *floor,
            factor,
        }
    }

    /// Where a value lies.
    pub(super) fn place(self, value: f32) -> f32 {
        if self.factor == 0.0 {
            return if value >= self.floor { 1.0 } else { 0.0 };
        }
        ((value - self.floor) * self.factor).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_is_one_and_whatever_lies_below_the_depth_is_nothing() {
        let spread = Spread::of(&mut [1.0, 5.0, 3.0, 0.0], 3);
        let close = |value: f32, to: f32| (spread.place(value) - to).abs() < 1e-6;
        assert!(close(5.0, 1.0) && close(3.0, 0.5) && close(1.0, 0.0) && close(0.0, 0.0));
    }
}
