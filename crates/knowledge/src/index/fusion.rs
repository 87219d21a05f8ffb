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
    /// What words count for where it depends on how many of them were found.
    pub words_found: WordsFound,
}

/// How the weight of words follows from the share of the question's words that the best passage has (rare ones counting more).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WordsFound {
    /// The weight of words where none was found, of 1 for words and meaning together.
    pub least: f32,
    /// Their weight where all were found.
    pub most: f32,
    /// The share of words at which the weight is halfway between.
    pub middle: f32,
    /// How soon it changes around there.
    pub width: f32,
}

impl Default for WordsFound {
    fn default() -> Self {
        Self {
            least: 0.15,
            most: 0.75,
            middle: 0.35,
            width: 0.12,
        }
    }
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
            words_found: WordsFound::default(),
        }
    }
}

impl Fusion {
    /// The same with words and meaning weighed by `found`, the share of the question's words that the best passage has.
    #[must_use]
    pub(super) fn by_words_found(self, found: f32) -> Self {
        let WordsFound {
            least,
            most,
            middle,
            width,
        } = self.words_found;
        let words = least + (most - least) / (1.0 + ((middle - found) / width).exp());
        let share = |weight: f32, of: f32, whole: f32| {
            if of > 0.0 { whole * weight / of } else { 0.0 }
        };
        let (lexical, dense) = (
            self.lexical + self.document_lexical,
            self.dense + self.document_dense,
        );
        Self {
            lexical: share(self.lexical, lexical, words),
            document_lexical: share(self.document_lexical, lexical, words),
            dense: share(self.dense, dense, 1.0 - words),
            document_dense: share(self.document_dense, dense, 1.0 - words),
            ..self
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
    fn the_fewer_words_are_found_the_more_meaning_counts() {
        let fusion = Fusion::default();
        let words = |found: f32| {
            let weighed = fusion.by_words_found(found);
            let (words, meaning) = (
                weighed.lexical + weighed.document_lexical,
                weighed.dense + weighed.document_dense,
            );
            assert!((words + meaning - 1.0).abs() < 1e-6);
            assert!(
                (weighed.dense / weighed.document_dense - fusion.dense / fusion.document_dense).abs() < 1e-4
            );
            words
        };
        assert!(words(0.0) < 0.2 && (words(0.35) - 0.45).abs() < 1e-6 && words(1.0) > 0.74);
    }

    #[test]
    fn the_best_is_one_and_whatever_lies_below_the_depth_is_nothing() {
        let spread = Spread::of(&mut [1.0, 5.0, 3.0, 0.0], 3);
        let close = |value: f32, to: f32| (spread.place(value) - to).abs() < 1e-6;
        assert!(close(5.0, 1.0) && close(3.0, 0.5) && close(1.0, 0.0) && close(0.0, 0.0));
    }
}
