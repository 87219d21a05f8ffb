//! The tensors of a `model.safetensors` file in the making.

use std::borrow::Cow;

use safetensors::{Dtype, SafeTensorError, View};

/// Named tensors, in the order in which they were added.
#[derive(Default)]
pub(super) struct Output(Vec<(String, Stored)>);

/// A tensor's bytes with their meaning.
struct Stored {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl View for Stored {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        (&self.bytes).into()
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

impl Output {
    /// Adds a tensor of 32-bit floats.
    pub(super) fn float(&mut self, name: &str, shape: Vec<usize>, values: Vec<f32>) {
        let bytes = values.into_iter().flat_map(f32::to_le_bytes).collect();
        self.add(name, Dtype::F32, shape, bytes);
    }

    /// Adds a tensor of signed bytes.
    pub(super) fn int8(&mut self, name: &str, shape: [usize; 2], values: Vec<i8>) {
        let bytes = values.into_iter().map(i8::cast_unsigned).collect();
        self.add(name, Dtype::I8, shape.to_vec(), bytes);
    }

    /// Quantises a layer's weights with one scale for each output, which is what integer matrix products need.
    pub(super) fn linear(
        &mut self,
        name: &str,
        [outputs, inputs]: [usize; 2],
        weights: &[f32],
        bias: Vec<f32>,
    ) {
        let mut values = Vec::with_capacity(weights.len());
        let mut scales = Vec::with_capacity(outputs);
        for row in weights.chunks_exact(inputs) {
            let largest = row
                .iter()
                .fold(f32::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
            let scale = largest / 127.0;
            #[expect(clippy::cast_possible_truncation, reason = "at most 127 by construction")]
            values.extend(row.iter().map(|value| (value / scale).round() as i8));
            scales.push(scale);
        }
        self.int8(&format!("{name}.weight"), [outputs, inputs], values);
        self.float(&format!("{name}.scale"), vec![outputs], scales);
        self.float(&format!("{name}.bias"), vec![outputs], bias);
    }

    /// The file's bytes.
    pub(super) fn serialize(self) -> Result<Vec<u8>, SafeTensorError> {
        safetensors::serialize(self.0, None)
    }

    fn add(&mut self, name: &str, dtype: Dtype, shape: Vec<usize>, bytes: Vec<u8>) {
        self.0.push((name.to_owned(), Stored { dtype, shape, bytes }));
    }
}
