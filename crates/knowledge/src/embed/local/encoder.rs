//! The BERT encoder (Devlin et al., 2018; `RoBERTa` position numbering by an offset) on int8 weights.
//!
//! The tokens of all texts of a unit lie one after another in one matrix, without padding: the matrix products run over all
//! of them, attention runs within each text. So short texts cost what they hold, and no text feels its neighbours.

use std::ops::Range;

use rten_gemm::{GemmError, GemmExecutor, GemmInputA, GemmInputB, GemmOptions};
use rten_simd::{SimdOp, SimdUnaryOp};
use rten_tensor::NdTensorView;
use rten_vecmath::{Gelu, Normalize, NormalizeOptions, Softmax, Sum, SumSquareSub};

use super::config::{BertShape, Pooling};
use super::linear::{Int8Kernel, Linear, QuantizedRows};
use super::weights::{Weights, WeightsError};
use crate::embed::Error;

/// The network with its weights.
pub(super) struct Encoder {
    shape: BertShape,
    pooling: Pooling,
    words: WordTable,
    /// One row a position, the token type's row already added.
    positions: Vec<f32>,
    normalize_embeddings: Norm,
    layers: Vec<Layer>,
}

/// The word embeddings as they are stored: int8 in groups that share a scale.
struct WordTable {
    values: Vec<i8>,
    scales: Vec<f32>,
    group: usize,
}

struct Layer {
    query: Linear,
    key_value: Linear,
    attention: Linear,
    normalize_attention: Norm,
    widen: Linear,
    narrow: Linear,
    normalize_output: Norm,
}

/// Layer normalisation (Ba et al., 2016).
pub(super) struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
    epsilon: f32,
}

/// What a thread keeps between units: the machine's matrix kernels and buffers.
#[derive(Default)]
pub(super) struct Scratch {
    float: GemmExecutor,
    int8: Int8Kernel,
    buffers: Buffers,
}

#[derive(Default)]
struct Buffers {
    hidden: Vec<f32>,
    rows: QuantizedRows,
    sums: Vec<i32>,
    attention: AttentionBuffers,
    wide: Vec<f32>,
    update: Vec<f32>,
}

#[derive(Default)]
struct AttentionBuffers {
    query: Vec<f32>,
    key_value: Vec<f32>,
    scores: Vec<f32>,
    head: Vec<f32>,
    context: Vec<f32>,
}

/// One text's rows: those that ask (all of them, or only the first in the last layer) and those that are asked.
#[derive(Debug, Clone, Copy)]
struct Span {
    query: (usize, usize),
    key: (usize, usize),
}

impl Scratch {
    /// The machine's matrix kernels, for floats and for bytes.
    pub(super) fn kernels(&self) -> (&GemmExecutor, &Int8Kernel) {
        (&self.float, &self.int8)
    }
}

impl Encoder {
    /// Builds the network from the weights of a model folder.
    pub(super) fn new(
        shape: &BertShape,
        pooling: Pooling,
        weights: &Weights<'_>,
    ) -> Result<Self, WeightsError> {
        let int8 = Int8Kernel::new();
        let (hidden, wide) = (shape.hidden, shape.intermediate);
        let linear =
            |name: &str, outputs: usize, inputs: usize| Linear::read(weights, &int8, name, outputs, inputs);
        let norm = |name: &str| Norm::read(weights, name, hidden, shape.layer_norm_epsilon);
        let layers = (0..shape.layers)
            .map(|layer| {
                let named = |part: &str| format!("layer.{layer}.{part}");
                Ok::<_, WeightsError>(Layer {
                    query: linear(&named("query"), hidden, hidden)?,
                    key_value: linear(&named("key_value"), 2 * hidden, hidden)?,
                    attention: linear(&named("attention"), hidden, hidden)?,
                    normalize_attention: norm(&named("normalize_attention"))?,
                    widen: linear(&named("widen"), wide, hidden)?,
                    narrow: linear(&named("narrow"), hidden, wide)?,
                    normalize_output: norm(&named("normalize_output"))?,
                })
            })
            .collect::<Result<_, WeightsError>>()?;
        Ok(Self {
            words: WordTable {
                values: weights.int8("words.weight", &[shape.vocabulary, hidden])?,
                scales: weights.float("words.scale", &[shape.vocabulary, hidden / shape.word_group])?,
                group: shape.word_group,
            },
            positions: weights.float("positions", &[shape.positions, hidden])?,
            normalize_embeddings: norm("normalize_embeddings")?,
            layers,
            pooling,
            shape: shape.clone(),
        })
    }

    /// The vectors of the texts, not yet of unit length. `pause` is called between layers.
    pub(super) fn encode(
        &self,
        texts: &[&[u32]],
        Scratch { float, int8, buffers }: &mut Scratch,
        pause: &mut dyn FnMut(),
    ) -> Result<Vec<Vec<f32>>, Error> {
        let mut spans = Vec::with_capacity(texts.len());
        let mut start = 0;
        for text in texts {
            let end = start + text.len();
            spans.push(Span {
                query: (start, end),
                key: (start, end),
            });
            start = end;
        }
        self.embed_tokens(texts, &mut buffers.hidden)?;
        for (index, layer) in self.layers.iter().enumerate() {
            if index > 0 {
                pause();
            }
            let last = index + 1 == self.layers.len();
            self.run_layer(
                layer,
                last && self.pooling == Pooling::Cls,
                &mut spans,
                (float, int8),
                buffers,
            )
            .map_err(|error| Error::Failed(error.to_string()))?;
        }
        let width = self.shape.hidden;
        let rows = |span: &Span| &buffers.hidden[span.query.0 * width..span.query.1 * width];
        Ok(spans
            .iter()
            .map(|span| self.pooling.pool(rows(span), width))
            .collect())
    }

    /// The sum of word, position and type embeddings, normalised.
    fn embed_tokens(&self, texts: &[&[u32]], hidden: &mut Vec<f32>) -> Result<(), Error> {
        let width = self.shape.hidden;
        hidden.clear();
        for text in texts {
            for (position, &token) in self.positions.chunks_exact(width).zip(*text) {
                let token = usize::try_from(token).unwrap_or(usize::MAX);
                if token >= self.shape.vocabulary {
                    return Err(Error::Failed(format!(
                        "token {token} is not in the model's vocabulary"
                    )));
                }
                let values = &self.words.values[token * width..][..width];
                let groups = width / self.words.group;
                let scales = &self.words.scales[token * groups..][..groups];
                for ((values, scale), position) in values
                    .chunks_exact(self.words.group)
                    .zip(scales)
                    .zip(position.chunks_exact(self.words.group))
                {
                    hidden.extend(
                        values
                            .iter()
                            .zip(position)
                            .map(|(&value, add)| f32::from(value) * scale + add),
                    );
                }
            }
        }
        self.normalize_embeddings.apply(hidden);
        Ok(())
    }

    /// One transformer layer on `buffers.hidden`. With `first_only`, only the first row of each text goes on, which is all
    /// that CLS pooling reads.
    fn run_layer(
        &self,
        layer: &Layer,
        first_only: bool,
        spans: &mut [Span],
        (float, int8): (&GemmExecutor, &Int8Kernel),
        buffers: &mut Buffers,
    ) -> Result<(), GemmError> {
        let width = self.shape.hidden;
        let Buffers {
            hidden,
            rows,
            sums,
            attention,
            wide,
            update,
        } = buffers;
        rows.fill(hidden, width, int8);
        layer
            .key_value
            .apply(int8, rows, sums, &mut attention.key_value)?;
        if first_only {
            for (index, span) in spans.iter_mut().enumerate() {
                hidden.copy_within(span.query.0 * width..(span.query.0 + 1) * width, index * width);
                span.query = (index, index + 1);
            }
            hidden.truncate(spans.len() * width);
            rows.fill(hidden, width, int8);
        }
        layer.query.apply(int8, rows, sums, &mut attention.query)?;

        attention.context.resize(hidden.len(), 0.0);
        self.attend(float, spans, attention)?;

        rows.fill(&attention.context, width, int8);
        layer.attention.apply(int8, rows, sums, update)?;
        add(hidden, update);
        layer.normalize_attention.apply(hidden);

        rows.fill(hidden, width, int8);
        layer.widen.apply(int8, rows, sums, wide)?;
        Gelu {}.map_mut(wide);
        rows.fill(wide, self.shape.intermediate, int8);
        layer.narrow.apply(int8, rows, sums, update)?;
        add(hidden, update);
        layer.normalize_output.apply(hidden);
        Ok(())
    }

    /// Softmax attention of every text on itself, head by head.
    fn attend(
        &self,
        float: &GemmExecutor,
        spans: &[Span],
        buffers: &mut AttentionBuffers,
    ) -> Result<(), GemmError> {
        let AttentionBuffers {
            query,
            key_value,
            scores,
            head,
            context,
        } = buffers;
        let width = self.shape.hidden;
        let head_width = width / self.shape.heads;
        #[expect(clippy::cast_precision_loss, reason = "a head is a few dozen numbers wide")]
        let scale = (head_width as f32).sqrt().recip();
        for span in spans {
            let (asking, asked) = (span.query.1 - span.query.0, span.key.1 - span.key.0);
            let query = &query[span.query.0 * width..span.query.1 * width];
            let key_value = &key_value[span.key.0 * 2 * width..span.key.1 * 2 * width];
            scores.resize(asking * asked, 0.0);
            head.resize(asking * head_width, 0.0);
            for first in (0..width).step_by(head_width) {
                let own = first..first + head_width;
                let queries = columns(query, width, own.clone());
                let keys = columns(key_value, 2 * width, own);
                let values = columns(key_value, 2 * width, width + first..width + first + head_width);
                float.gemm(
                    scores,
                    GemmInputA::Unpacked(queries),
                    GemmInputB::Unpacked(keys.transposed()),
                    GemmOptions {
                        alpha: scale,
                        ..GemmOptions::default()
                    },
                )?;
                for row in scores.chunks_exact_mut(asked) {
                    Softmax::new_mut(row).dispatch();
                }
                float.gemm(
                    head,
                    GemmInputA::Unpacked(NdTensorView::from_data([asking, asked], scores.as_slice())),
                    GemmInputB::Unpacked(values),
                    GemmOptions::default(),
                )?;
                let rows = context[span.query.0 * width..span.query.1 * width].chunks_exact_mut(width);
                for (row, head) in rows.zip(head.chunks_exact(head_width)) {
                    row[first..first + head_width].copy_from_slice(head);
                }
            }
        }
        Ok(())
    }
}

impl Norm {
    /// Takes its weights from a model's.
    pub(super) fn read(
        weights: &Weights<'_>,
        name: &str,
        width: usize,
        epsilon: f32,
    ) -> Result<Self, WeightsError> {
        Ok(Self {
            weight: weights.float(&format!("{name}.weight"), &[width])?,
            bias: weights.float(&format!("{name}.bias"), &[width])?,
            epsilon,
        })
    }

    /// Normalises every row in place.
    pub(super) fn apply(&self, rows: &mut [f32]) {
        let width = self.weight.len();
        #[expect(clippy::cast_precision_loss, reason = "a row is a few hundred numbers wide")]
        let count = width as f32;
        for row in rows.chunks_exact_mut(width) {
            let mean = Sum::new(row).dispatch() / count;
            let variance = SumSquareSub::new(row, mean).dispatch() / count;
            Normalize::new_mut(
                row,
                NormalizeOptions {
                    pre_scale_bias: mean,
                    scale: (variance + self.epsilon).sqrt().recip(),
                    element_scale: Some(&self.weight),
                    element_bias: Some(&self.bias),
                    ..NormalizeOptions::default()
                },
            )
            .dispatch();
        }
    }
}

/// The columns `columns` of a matrix of `width` columns.
fn columns(matrix: &[f32], width: usize, columns: Range<usize>) -> NdTensorView<'_, f32, 2> {
    NdTensorView::from_data([matrix.len() / width, width], matrix).slice((.., columns))
}

/// Adds one row of numbers to another.
pub(super) fn add(to: &mut [f32], from: &[f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from;
    }
}
