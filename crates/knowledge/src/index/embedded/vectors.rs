//! Vectors of one model: int8 codes to scan, half-precision values to rescore.

use std::ops::Range;

use half::f16;
use half::slice::HalfFloatSliceExt;
use simsimd::SpatialSimilarity;

/// The vectors of some passages, all of one model and dimension.
#[derive(Debug, Default)]
pub(super) struct Vectors {
    dimension: usize,
    /// The passage each row belongs to, ascending.
    pub(super) passages: Vec<u32>,
    codes: Vec<i8>,
    /// What a code of 1 stands for, by row.
    scales: Vec<f32>,
    exact: Vec<simsimd::f16>,
}

/// A question's vector, ready to be compared. Of two models side by side only one is asked (`embed::pair`), so zeros at either end
/// are left out of the comparison.
#[derive(Debug)]
pub(super) struct Probe {
    dimension: usize,
    /// Which values the following are.
    span: Range<usize>,
    codes: Vec<i8>,
    scale: f32,
    exact: Vec<simsimd::f16>,
}

impl Probe {
    /// Prepares a question's vector.
    pub(super) fn new(vector: &[f32]) -> Self {
        let said = |value: &f32| *value != 0.0;
        let end = vector.iter().rposition(said).map_or(0, |last| last + 1);
        let span = vector.iter().position(said).unwrap_or(end)..end;
        let values = &vector[span.clone()];
        let mut codes = Vec::with_capacity(values.len());
        let scale = quantize(values, &mut codes);
        let exact = values
            .iter()
            .map(|&value| simsimd::f16(f16::from_f32(value).to_bits()))
            .collect();
        Self {
            dimension: vector.len(),
            span,
            codes,
            scale,
            exact,
        }
    }
}

impl Vectors {
    /// Adds a passage's vector (little-endian f16). One that is empty, of another dimension than the first, or not of
    /// numbers is left out: its passage is found by its words only.
    pub(super) fn push(&mut self, passage: u32, bytes: &[u8], scratch: &mut Vec<f32>) {
        let halves: Vec<f16> = bytes
            .as_chunks()
            .0
            .iter()
            .map(|pair| f16::from_le_bytes(*pair))
            .collect();
        if self.passages.is_empty() {
            self.dimension = halves.len();
        }
        if halves.is_empty() || halves.len() != self.dimension {
            return;
        }
        scratch.resize(halves.len(), 0.0);
        halves.convert_to_f32_slice(scratch);
        if !scratch.iter().all(|value| value.is_finite()) {
            return;
        }
        self.scales.push(quantize(scratch, &mut self.codes));
        self.exact
            .extend(halves.iter().map(|half| simsimd::f16(half.to_bits())));
        self.passages.push(passage);
    }

    /// Adds those rows of `other` whose passages `map` keeps, under their new numbers.
    pub(super) fn extend(&mut self, other: &Vectors, map: &[Option<u32>]) {
        if self.passages.is_empty() {
            self.dimension = other.dimension;
        }
        if other.dimension != self.dimension {
            return;
        }
        for (row, &passage) in other.passages.iter().enumerate() {
            if let Some(passage) = map[passage as usize] {
                let range = other.range(row);
                self.passages.push(passage);
                self.scales.push(other.scales[row]);
                self.codes.extend_from_slice(&other.codes[range.clone()]);
                self.exact.extend_from_slice(&other.exact[range]);
            }
        }
    }

    /// The similarity of a row to the question, to about two decimals; `None` for a question of another dimension.
    pub(super) fn rough(&self, row: usize, probe: &Probe) -> Option<f32> {
        let dot = i8::dot(&self.codes[self.compared(row, probe)?], &probe.codes)?;
        Some(to_f32(dot) * self.scales[row] * probe.scale)
    }

    /// The similarity of a row to the question in the precision the vectors are stored in.
    pub(super) fn exact(&self, row: usize, probe: &Probe) -> Option<f32> {
        simsimd::f16::dot(&self.exact[self.compared(row, probe)?], &probe.exact).map(to_f32)
    }

    /// How much memory they take, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.codes.len() * 3 + self.passages.len() * 8
    }

    fn range(&self, row: usize) -> Range<usize> {
        row * self.dimension..(row + 1) * self.dimension
    }

    /// Where the values of a row lie that a question is compared with.
    fn compared(&self, row: usize, probe: &Probe) -> Option<Range<usize>> {
        let start = row * self.dimension;
        (probe.dimension == self.dimension).then(|| start + probe.span.start..start + probe.span.end)
    }
}

/// Appends the codes of a vector, each the nearest whole multiple of the scale, and gives the scale.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the quotient lies between -127 and 127"
)]
fn quantize(vector: &[f32], codes: &mut Vec<i8>) -> f32 {
    let largest = vector
        .iter()
        .fold(0_f32, |largest, value| largest.max(value.abs()));
    let scale = largest / 127.0;
    let inverse = if largest > 0.0 { 127.0 / largest } else { 0.0 };
    codes.extend(
        vector
            .iter()
            .map(|value| (value * inverse).round_ties_even() as i8),
    );
    scale
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a similarity needs no double precision"
)]
fn to_f32(number: f64) -> f32 {
    number as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stored(vector: &[f32]) -> Vec<u8> {
        vector
            .iter()
            .flat_map(|&value| f16::from_f32(value).to_le_bytes())
            .collect()
    }

    proptest! {
        #[test]
        fn both_similarities_are_near_the_true_one(
            a in prop::collection::vec(-1_f32..1.0, 48), mut b in prop::collection::vec(-1_f32..1.0, 48),
            silent in prop_oneof![Just(0..0), Just(0..16), Just(30..48), Just(0..48)],
        ) {
            b[silent].fill(0.0);
            let length = |v: &[f32]| v.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-3);
            let unit = |v: &[f32]| v.iter().map(|x| x / length(v)).collect::<Vec<f32>>();
            let (a, b) = (unit(&a), unit(&b));
            let truth: f32 = a.iter().zip(&b).map(|(x, y)| x * y).sum();
            let mut vectors = Vectors::default();
            vectors.push(0, &stored(&a), &mut Vec::new());
            let probe = Probe::new(&b);
            prop_assert!((vectors.rough(0, &probe).unwrap() - truth).abs() < 0.03);
            prop_assert!((vectors.exact(0, &probe).unwrap() - truth).abs() < 0.002);
        }
    }

    #[test]
    fn vectors_that_do_not_fit_are_left_out() {
        let mut vectors = Vectors::default();
        for vector in [vec![], vec![1.0, 0.0], vec![1.0], vec![f32::NAN, 0.0]] {
            vectors.push(0, &stored(&vector), &mut Vec::new());
        }
        assert_eq!(vectors.passages.len(), 1);
        assert_eq!(vectors.rough(0, &Probe::new(&[1.0, 0.0, 0.0])), None);
    }
}
