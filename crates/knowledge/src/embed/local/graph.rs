//! Models that come as an ONNX graph, run by rten.
//!
//! Texts of about one length run together, so little is spent on padding; the attention mask hides the rest. Graphs whose
//! activations are quantised for a whole batch at once run text by text, since there a vector would depend on its company.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rten::{LoadError, Model, ModelOptions, NodeId, RunOptions, ThreadPool, ValueOrView};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, Tensor};

use super::config::{ModelConfig, Pooling};
use crate::embed::Error;

/// The file that holds a graph.
const GRAPH_FILE: &str = "model.onnx";

/// Longest padding within a batch, as a part of its longest text: one in this many.
const PADDING: usize = 8;

/// A batch holds at most this many tokens, padding included.
const BATCH_TOKENS: usize = 1024;

/// The operator that takes its scale from a whole batch.
const BATCH_QUANTIZATION: &[u8] = b"DynamicQuantizeLinear";

/// A loaded graph.
pub(super) struct Graph {
    model: Model,
    inputs: Vec<(NodeId, Input)>,
    output: NodeId,
    pooling: Pooling,
    dimension: usize,
    one_by_one: bool,
    threads: Arc<ThreadPool>,
}

/// What an input of a graph is fed with.
#[derive(Debug, Clone, Copy)]
enum Input {
    Tokens,
    Mask,
    Zeros,
}

/// Why an ONNX graph cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    /// The file cannot be read.
    #[error("model.onnx cannot be read")]
    Read(#[source] io::Error),
    /// The file is no graph that rten can load.
    #[error("model.onnx cannot be loaded")]
    Load(#[source] LoadError),
    /// The graph asks for something a text encoder does not have.
    #[error("model.onnx has the input {0}; only input_ids, attention_mask and token_type_ids are known")]
    Input(String),
    /// There is nothing to read the result from.
    #[error("model.onnx has no output")]
    NoOutput,
}

impl Graph {
    /// Loads `model.onnx` of a folder.
    pub(super) fn open(folder: &Path, config: &ModelConfig, threads: usize) -> Result<Self, GraphError> {
        let path = folder.join(GRAPH_FILE);
        let one_by_one = {
            let file = std::fs::read(&path).map_err(GraphError::Read)?;
            file.windows(BATCH_QUANTIZATION.len())
                .any(|window| window == BATCH_QUANTIZATION)
        };
        let model = ModelOptions::with_all_ops()
            .prepack_weights(true)
            .load_file(&path)
            .map_err(GraphError::Load)?;
        let name = |id: NodeId| {
            model
                .node_info(id)
                .and_then(|node| node.name().map(str::to_owned))
                .unwrap_or_default()
        };
        let inputs = model
            .input_ids()
            .iter()
            .map(|&id| match name(id).as_str() {
                "input_ids" => Ok((id, Input::Tokens)),
                "attention_mask" => Ok((id, Input::Mask)),
                "token_type_ids" => Ok((id, Input::Zeros)),
                other => Err(GraphError::Input(other.to_owned())),
            })
            .collect::<Result<_, _>>()?;
        let outputs = model.output_ids();
        let output = outputs
            .iter()
            .copied()
            .find(|&id| matches!(name(id).as_str(), "last_hidden_state" | "token_embeddings"))
            .or_else(|| outputs.first().copied())
            .ok_or(GraphError::NoOutput)?;
        Ok(Self {
            inputs,
            output,
            model,
            pooling: config.pooling,
            dimension: config.dimension,
            one_by_one,
            threads: Arc::new(ThreadPool::with_num_threads(threads)),
        })
    }

    /// The vectors of the texts, not yet of unit length. `pause` is called between batches.
    pub(super) fn encode(&self, texts: &[&[u32]], pause: &mut dyn FnMut()) -> Result<Vec<Vec<f32>>, Error> {
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|&index| std::cmp::Reverse(texts[index].len()));
        let mut vectors = vec![Vec::new(); texts.len()];
        let mut rest = order.as_slice();
        while let Some(&longest) = rest.first() {
            if rest.len() < order.len() {
                pause();
            }
            let width = texts[longest].len();
            let batch = rest
                .iter()
                .take((BATCH_TOKENS / width.max(1)).max(1))
                .take_while(|&&index| texts[index].len() + width / PADDING >= width)
                .count();
            let (batch, left) = rest.split_at(if self.one_by_one { 1 } else { batch });
            rest = left;
            let members: Vec<&[u32]> = batch.iter().map(|&index| texts[index]).collect();
            for (&index, vector) in batch.iter().zip(self.run(&members, width)?) {
                vectors[index] = vector;
            }
        }
        Ok(vectors)
    }

    /// Runs one batch, padded to `width` tokens.
    fn run(&self, texts: &[&[u32]], width: usize) -> Result<Vec<Vec<f32>>, Error> {
        let shape = [texts.len(), width];
        let fill = |value: fn(u32) -> i32| {
            let mut matrix = NdTensor::<i32, 2>::zeros(shape);
            for (row, text) in texts.iter().enumerate() {
                for (column, &token) in text.iter().enumerate() {
                    matrix[[row, column]] = value(token);
                }
            }
            matrix
        };
        let inputs = self
            .inputs
            .iter()
            .map(|&(id, input)| {
                let matrix = match input {
                    Input::Tokens => fill(u32::cast_signed),
                    Input::Mask => fill(|_| 1),
                    Input::Zeros => NdTensor::zeros(shape),
                };
                (id, ValueOrView::from(matrix))
            })
            .collect();
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&self.threads)));
        let [output] = self
            .model
            .run_n(inputs, [self.output], Some(options))
            .map_err(|error| Error::Failed(error.to_string()))?;
        let output: Tensor<f32> = output
            .try_into()
            .map_err(|_| Error::Failed("the graph gave no numbers".into()))?;
        match *output.shape() {
            [count, dimension] if count == texts.len() && dimension == self.dimension => Ok(output
                .to_vec()
                .chunks_exact(dimension)
                .map(<[f32]>::to_vec)
                .collect()),
            [count, tokens, dimension]
                if count == texts.len() && tokens == width && dimension == self.dimension =>
            {
                let values = output.to_vec();
                let rows = values.chunks_exact(width * dimension);
                Ok(rows
                    .zip(texts)
                    .map(|(rows, text)| self.pooling.pool(&rows[..text.len() * dimension], dimension))
                    .collect())
            }
            _ => Err(Error::Failed(format!(
                "the graph gave a result of shape {:?}; {} numbers a text were expected",
                output.shape(),
                self.dimension
            ))),
        }
    }
}
