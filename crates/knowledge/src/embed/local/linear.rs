//! Fully connected layers with int8 weights and activations quantised row by row.
//!
//! A row's scale comes from that row alone, so a vector never depends on the batch it was computed in (scales for a whole
//! batch, as ONNX `DynamicQuantizeLinear` takes them, would make it so).

use rten_gemm::{GemmError, GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_simd::{Isa, SimdOp};
use rten_tensor::NdTensorView;
use rten_vecmath::{ExtendInit, MinMax, Quantize};

use super::weights::{Weights, WeightsError};

/// The int8 matrix kernel of this machine.
pub(super) type Int8Kernel = GemmExecutor<u8, i8, i32>;

/// Weights of a layer `y = x · Wᵀ + b`, packed for the kernel; a scale belongs to each output.
pub(super) struct Linear {
    weights: PackedBMatrix<i8>,
    scales: Vec<f32>,
    bias: Vec<f32>,
    /// For each output the sum of its weights: what a zero point of the activations adds to every product.
    weight_sums: Vec<f32>,
}

/// Rows of activations as unsigned bytes, each with its scale and zero point.
#[derive(Debug, Default)]
pub(super) struct QuantizedRows {
    width: usize,
    values: Vec<u8>,
    scales: Vec<f32>,
    zero_points: Vec<f32>,
}

impl QuantizedRows {
    /// Quantises `rows` of `width` numbers. `kernel` decides how many levels it can multiply without overflow.
    pub(super) fn fill(&mut self, rows: &[f32], width: usize, kernel: &Int8Kernel) {
        // Without VNNI, two products are added in 16 bits: seven bits of activation keep that exact.
        let levels = if kernel.may_saturate() { 127.0 } else { 255.0 };
        self.width = width;
        self.values.clear();
        self.scales.clear();
        self.zero_points.clear();
        self.values.reserve(rows.len());
        for row in rows.chunks_exact(width) {
            let (low, high) = MinMax::new(row).dispatch();
            let (low, high) = (low.min(0.0), high.max(0.0));
            let scale = ((high - low) / levels).max(f32::MIN_POSITIVE);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "-low / scale lies between 0 and 255"
            )]
            let zero_point = (-low / scale).round() as u8;
            self.values.extend_init(|free| {
                Quantize::new(row, &mut free[..width], scale.recip(), zero_point).dispatch()
            });
            self.scales.push(scale);
            self.zero_points.push(f32::from(zero_point));
        }
    }
}

impl Linear {
    /// Packs `weights`, an `outputs` × `inputs` matrix in row order, with a scale and a bias for each output.
    pub(super) fn new(kernel: &Int8Kernel, weights: &[i8], scales: Vec<f32>, bias: Vec<f32>) -> Self {
        let outputs = scales.len();
        let inputs = weights.len() / outputs;
        let weight_sums = weights
            .chunks_exact(inputs)
            .map(|row| row.iter().map(|&weight| f32::from(weight)).sum())
            .collect();
        let weights = NdTensorView::from_data([outputs, inputs], weights);
        Self {
            weights: kernel.prepack_b(weights.transposed()),
            scales,
            bias,
            weight_sums,
        }
    }

    /// Takes the layer `name` from a model's weights.
    pub(super) fn read(
        weights: &Weights<'_>,
        kernel: &Int8Kernel,
        name: &str,
        outputs: usize,
        inputs: usize,
    ) -> Result<Self, WeightsError> {
        Ok(Self::new(
            kernel,
            &weights.int8(&format!("{name}.weight"), &[outputs, inputs])?,
            weights.float(&format!("{name}.scale"), &[outputs])?,
            weights.float(&format!("{name}.bias"), &[outputs])?,
        ))
    }

    /// How many numbers a row of the result has.
    pub(super) fn outputs(&self) -> usize {
        self.scales.len()
    }

    /// Multiplies every row and writes the results to `out`; `sums` is scratch space.
    pub(super) fn apply(
        &self,
        kernel: &Int8Kernel,
        rows: &QuantizedRows,
        sums: &mut Vec<i32>,
        out: &mut Vec<f32>,
    ) -> Result<(), GemmError> {
        let count = rows.scales.len();
        let size = count * self.outputs();
        sums.resize(size, 0);
        out.resize(size, 0.0);
        kernel.gemm(
            &mut sums[..size],
            GemmInputA::Unpacked(NdTensorView::from_data(
                [count, rows.width],
                rows.values.as_slice(),
            )),
            GemmInputB::Packed(&self.weights),
            // rten-gemm 0.27 applies the zero points of the first few rows to all of them, so they are accounted for below.
            GemmOptions::default(),
        )?;
        let width = self.outputs();
        let rows = rows.scales.iter().zip(&rows.zero_points);
        let results = out.chunks_exact_mut(width).zip(sums.chunks_exact(width));
        for ((out, sums), (&scale, &zero_point)) in results.zip(rows) {
            Rescale {
                layer: self,
                sums,
                scale,
                zero_point,
                out,
            }
            .dispatch();
        }
        Ok(())
    }
}

/// Turns one row of integer sums into floats. A [`SimdOp`] for its dispatch alone: the plain loop is compiled once for each
/// instruction set.
struct Rescale<'a> {
    layer: &'a Linear,
    sums: &'a [i32],
    scale: f32,
    zero_point: f32,
    out: &'a mut [f32],
}

impl SimdOp for Rescale<'_> {
    type Output = ();

    #[expect(
        clippy::inline_always,
        reason = "so that the loop is compiled where the instruction set is chosen"
    )]
    #[inline(always)]
    fn eval<I: Isa>(self, _: I) {
        let Linear {
            scales,
            bias,
            weight_sums,
            ..
        } = self.layer;
        let columns = scales.iter().zip(bias).zip(weight_sums);
        for ((out, &sum), ((column_scale, bias), weight_sum)) in
            self.out.iter_mut().zip(self.sums).zip(columns)
        {
            #[expect(
                clippy::cast_precision_loss,
                reason = "far below the error of the quantisation itself"
            )]
            let sum = sum as f32 - self.zero_point * weight_sum;
            *out = sum * (self.scale * column_scale) + bias;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_multiplies_every_row_with_its_own_scale_and_zero_point() {
        let (count, inputs, outputs) = (75, 96, 40);
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let wave = |index: usize| ((index * 2_654_435_761 % 1000) as f32 - 400.0) / 250.0;
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let rows: Vec<f32> = (0..count * inputs)
            .map(|index| wave(index) * (1.0 + (index / inputs) as f32))
            .collect();
        #[expect(clippy::cast_possible_truncation, reason = "between -128 and 127")]
        let weights: Vec<i8> = (0..outputs * inputs)
            .map(|index| (wave(index + 7) * 50.0) as i8)
            .collect();
        let scales: Vec<f32> = (0..outputs)
            .map(|output| 0.01 + wave(output).abs() / 100.0)
            .collect();
        let bias: Vec<f32> = (0..outputs).map(wave).collect();

        let kernel = Int8Kernel::new();
        let (mut quantized, mut sums, mut out) = (QuantizedRows::default(), Vec::new(), Vec::new());
        quantized.fill(&rows, inputs, &kernel);
        Linear::new(&kernel, &weights, scales.clone(), bias.clone())
            .apply(&kernel, &quantized, &mut sums, &mut out)
            .unwrap();

        for (number, (row, out)) in rows.chunks(inputs).zip(out.chunks(outputs)).enumerate() {
            let exact: Vec<f32> = (0..outputs)
                .map(|output| {
                    let weights = &weights[output * inputs..][..inputs];
                    let sum: f32 = row
                        .iter()
                        .zip(weights)
                        .map(|(value, &weight)| value * f32::from(weight))
                        .sum();
                    sum * scales[output] + bias[output]
                })
                .collect();
            let error: f32 = exact
                .iter()
                .zip(out)
                .map(|(exact, found)| (exact - found).powi(2))
                .sum();
            let size: f32 = exact.iter().map(|value| value * value).sum();
            assert!(error < size * 0.0003, "row {number}: {error} of {size}");
        }
    }
}
