//! Named tensors of a `model.safetensors` file, checked for type and shape as they are taken.

use safetensors::{Dtype, SafeTensorError, SafeTensors};

/// The file that holds the weights of an encoder.
pub(crate) const WEIGHTS_FILE: &str = "model.safetensors";

/// The tensors of a file in memory.
pub(super) struct Weights<'file>(SafeTensors<'file>);

/// Why weights cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// It is not such a file, or a tensor is missing.
    #[error("the weights cannot be read")]
    Format(#[from] SafeTensorError),
    /// A tensor is not what the model's description promises.
    #[error("the tensor {0} has another type or shape than the model's description says")]
    Mismatch(String),
}

impl<'file> Weights<'file> {
    pub(super) fn parse(file: &'file [u8]) -> Result<Self, WeightsError> {
        Ok(Self(SafeTensors::deserialize(file)?))
    }

    /// A tensor of 32-bit floats.
    pub(super) fn float(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, WeightsError> {
        let bytes = self.bytes(name, Dtype::F32, shape)?;
        let (numbers, _) = bytes.as_chunks::<4>();
        Ok(numbers.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect())
    }

    /// A tensor of signed bytes.
    pub(super) fn int8(&self, name: &str, shape: &[usize]) -> Result<Vec<i8>, WeightsError> {
        let bytes = self.bytes(name, Dtype::I8, shape)?;
        Ok(bytes.iter().map(|byte| byte.cast_signed()).collect())
    }

    fn bytes(&self, name: &str, dtype: Dtype, shape: &[usize]) -> Result<&[u8], WeightsError> {
        let tensor = self.0.tensor(name)?;
        if tensor.dtype() == dtype && tensor.shape() == shape {
            Ok(tensor.data())
        } else {
            Err(WeightsError::Mismatch(name.to_owned()))
        }
    }
}
