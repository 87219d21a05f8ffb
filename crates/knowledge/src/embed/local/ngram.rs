//! A deep averaging network over convolutions of words (Yang et al., "Multilingual Universal Sentence Encoder for Semantic Retrieval", 2019).
//!
//! Three branches look at windows of two, three and five tokens; what they make of each token is summed over the text and goes through
//! a few small layers. The tokens of all texts of a unit lie one after another, and no window reaches into a neighbour.

use rten_gemm::{GemmError, GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_tensor::NdTensorView;

use super::config::NgramShape;
use super::encoder::{Norm, Scratch, add};
use super::linear::{Int8Kernel, Linear, QuantizedRows};
use super::weights::{Weights, WeightsError};
use crate::embed::Error;

/// Added to variances before their root is taken.
const EPSILON: f32 = 1e-12;

/// The network with its weights.
pub(super) struct Ngrams {
    shape: NgramShape,
    words: WordTable,
    project: Linear,
    normalize_branches: Norm,
    branches: Vec<Branch>,
    normalize_features: Norm,
    pool: Dense,
    pool_bias: Vec<f32>,
    dense: [Dense; 4],
    skips: [Dense; 2],
}

/// The word embeddings as they are stored: bytes, with a scale and an offset for every so-many-th token.
struct WordTable {
    values: Vec<i8>,
    scales: Vec<f32>,
    offsets: Vec<f32>,
}

/// Two convolutions, each added to what it began with.
struct Branch {
    window: Window,
    layers: [Linear; 2],
}

/// How many tokens a convolution sees, and how many of them stand before the one it is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    /// All of them.
    pub(crate) words: usize,
    /// Those before.
    pub(crate) before: usize,
}

/// A small layer in full precision: it sees a text once, not each of its tokens.
struct Dense {
    weights: PackedBMatrix<f32>,
    inputs: usize,
    outputs: usize,
}

impl Ngrams {
    /// Builds the network from the weights of a model folder.
    pub(super) fn new(shape: &NgramShape, weights: &Weights<'_>) -> Result<Self, WeightsError> {
        let (int8, float) = (Int8Kernel::new(), GemmExecutor::<f32, f32, f32>::new());
        let (width, branch, narrow) = (shape.width, shape.branch, NgramShape::NARROW);
        let all = NgramShape::ORDERS.len() * branch;
        let linear =
            |name: &str, outputs: usize, inputs: usize| Linear::read(weights, &int8, name, outputs, inputs);
        let norm = |name: &str, width: usize| Norm::read(weights, name, width, EPSILON);
        let dense = |name: &str, inputs: usize, outputs: usize| {
            let values = weights.float(name, &[inputs, outputs])?;
            Ok::<_, WeightsError>(Dense {
                weights: float.prepack_b(NdTensorView::from_data([inputs, outputs], values.as_slice())),
                inputs,
                outputs,
            })
        };
        Ok(Self {
            words: WordTable {
                values: weights.int8("words.weight", &[shape.vocabulary, width])?,
                scales: weights.float("words.scale", &[shape.blocks])?,
                offsets: weights.float("words.offset", &[shape.blocks])?,
            },
            project: linear("project", all, width)?,
            normalize_branches: norm("normalize_branches", all)?,
            branches: NgramShape::ORDERS
                .into_iter()
                .map(|window| {
                    let layer = |part: &str| {
                        let name = format!("branch.{}.{part}", window.words);
                        linear(&name, branch, window.words * branch)
                    };
                    Ok(Branch {
                        window,
                        layers: [layer("first")?, layer("second")?],
                    })
                })
                .collect::<Result<_, WeightsError>>()?,
            normalize_features: norm("normalize_features", width + all)?,
            pool: dense("pool.weight", width + all, width)?,
            pool_bias: weights.float("pool.bias", &[width])?,
            dense: [
                dense("dense.0", width, narrow)?,
                dense("dense.1", narrow, narrow)?,
                dense("dense.2", narrow, width)?,
                dense("dense.3", width, width)?,
            ],
            skips: [dense("skip.1", width, narrow)?, dense("skip.3", narrow, width)?],
            shape: shape.clone(),
        })
    }

    /// The vectors of the texts, not yet of unit length. `pause` is called between branches.
    pub(super) fn encode(
        &self,
        texts: &[&[u32]],
        scratch: &mut Scratch,
        pause: &mut dyn FnMut(),
    ) -> Result<Vec<Vec<f32>>, Error> {
        let tokens = self.embed_tokens(texts)?;
        let (float, int8) = scratch.kernels();
        let lengths: Vec<usize> = texts.iter().map(|text| text.len()).collect();
        self.run(&tokens, &lengths, (float, int8), pause)
            .map_err(|error| Error::Failed(error.to_string()))
    }

    fn embed_tokens(&self, texts: &[&[u32]]) -> Result<Vec<f32>, Error> {
        let (width, blocks) = (self.shape.width, self.shape.blocks);
        let mut rows = Vec::with_capacity(texts.iter().map(|text| text.len()).sum::<usize>() * width);
        for &token in texts.iter().copied().flatten() {
            let token = usize::try_from(token).unwrap_or(usize::MAX);
            if token >= self.shape.vocabulary {
                return Err(Error::Failed(format!(
                    "token {token} is not in the model's vocabulary"
                )));
            }
            let (scale, offset) = (
                self.words.scales[token % blocks],
                self.words.offsets[token % blocks],
            );
            let values = &self.words.values[token * width..][..width];
            rows.extend(values.iter().map(|&value| f32::from(value) * scale + offset));
        }
        Ok(rows)
    }

    fn run(
        &self,
        tokens: &[f32],
        lengths: &[usize],
        (float, int8): (&GemmExecutor, &Int8Kernel),
        pause: &mut dyn FnMut(),
    ) -> Result<Vec<Vec<f32>>, GemmError> {
        let (width, branch) = (self.shape.width, self.shape.branch);
        let features = width + self.branches.len() * branch;
        let count = tokens.len() / width;
        let (mut rows, mut sums) = (QuantizedRows::default(), Vec::new());

        let mut projected = Vec::new();
        rows.fill(tokens, width, int8);
        self.project.apply(int8, &rows, &mut sums, &mut projected)?;
        self.normalize_branches.apply(&mut projected);

        let mut whole = vec![0.0; count * features];
        copy_columns(tokens, width, 0..width, &mut whole, features, 0);
        let (mut hidden, mut wide, mut update) = (vec![0.0; count * branch], Vec::new(), Vec::new());
        for (number, Branch { window, layers }) in self.branches.iter().enumerate() {
            pause();
            let own = number * branch..(number + 1) * branch;
            copy_columns(&projected, features - width, own, &mut hidden, branch, 0);
            for layer in layers {
                window.gather(&hidden, branch, lengths, &mut wide);
                rows.fill(&wide, window.words * branch, int8);
                layer.apply(int8, &rows, &mut sums, &mut update)?;
                positive(&mut update);
                add(&mut hidden, &update);
            }
            copy_columns(
                &hidden,
                branch,
                0..branch,
                &mut whole,
                features,
                width + number * branch,
            );
        }
        self.normalize_features.apply(&mut whole);

        let mut summed = vec![0.0; lengths.len() * features];
        let mut rest = whole.chunks_exact(features);
        for (text, sum) in lengths.iter().zip(summed.chunks_exact_mut(features)) {
            for row in rest.by_ref().take(*text) {
                add(sum, row);
            }
        }
        let mut pooled = self.pool.apply(float, &summed)?;
        for (&length, row) in lengths.iter().zip(pooled.chunks_exact_mut(width)) {
            #[expect(clippy::cast_precision_loss, reason = "a text has a few hundred tokens")]
            let length = length as f32;
            for (value, bias) in row.iter_mut().zip(&self.pool_bias) {
                *value = (*value + length * bias) / length.sqrt();
            }
        }
        self.finish(float, &pooled)
    }

    /// The small layers at the end, two by two, each pair with a way around it.
    fn finish(&self, float: &GemmExecutor, pooled: &[f32]) -> Result<Vec<Vec<f32>>, GemmError> {
        let [first, second, third, fourth] = &self.dense;
        let [around_first, around_second] = &self.skips;
        let mut inner = first.apply(float, pooled)?;
        positive(&mut inner);
        let mut middle = around_first.apply(float, pooled)?;
        add(&mut middle, &second.apply(float, &inner)?);
        positive(&mut middle);
        let mut inner = third.apply(float, &middle)?;
        positive(&mut inner);
        let mut last = around_second.apply(float, &middle)?;
        add(&mut last, &fourth.apply(float, &inner)?);
        for value in &mut last {
            *value = value.tanh();
        }
        Ok(last.chunks_exact(self.shape.width).map(<[f32]>::to_vec).collect())
    }
}

impl Window {
    /// Beside each token's row, those of the tokens around it in the same text; zeros where there are none.
    fn gather(self, rows: &[f32], width: usize, lengths: &[usize], wide: &mut Vec<f32>) {
        wide.clear();
        let mut start = 0;
        for &length in lengths {
            for token in 0..length {
                for place in 0..self.words {
                    match (token + place).checked_sub(self.before).filter(|at| *at < length) {
                        Some(at) => wide.extend_from_slice(&rows[(start + at) * width..][..width]),
                        None => wide.resize(wide.len() + width, 0.0),
                    }
                }
            }
            start += length;
        }
    }
}

impl Dense {
    fn apply(&self, float: &GemmExecutor, rows: &[f32]) -> Result<Vec<f32>, GemmError> {
        let count = rows.len() / self.inputs;
        let mut out = vec![0.0; count * self.outputs];
        float.gemm(
            &mut out,
            GemmInputA::Unpacked(NdTensorView::from_data([count, self.inputs], rows)),
            GemmInputB::Packed(&self.weights),
            GemmOptions::default(),
        )?;
        Ok(out)
    }
}

/// Copies columns of one matrix to columns of another, from `at` on.
fn copy_columns(
    from: &[f32],
    from_width: usize,
    columns: std::ops::Range<usize>,
    to: &mut [f32],
    to_width: usize,
    at: usize,
) {
    let rows = from.chunks_exact(from_width).zip(to.chunks_exact_mut(to_width));
    for (from, to) in rows {
        to[at..at + columns.len()].copy_from_slice(&from[columns.clone()]);
    }
}

/// Rectified linear units.
fn positive(values: &mut [f32]) {
    for value in values {
        *value = value.max(0.0);
    }
}
