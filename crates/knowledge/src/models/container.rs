//! The container that `granite-embedding-30m-english` comes in, and its conversion into a model folder.
//!
//! Layout: `HMSEMB01`, the length of a JSON header (u64, little-endian), the header, the tokenizer, then each tensor: 32-bit
//! floats, or signed bytes followed by a 32-bit scale for each group of them.

use std::collections::HashMap;

use safetensors::SafeTensorError;
use serde::Deserialize;

use super::tensors::Output;
use crate::embed::local::{BertShape, ModelConfig, Pooling};

/// What a model folder is made of.
pub(crate) struct Converted {
    /// The description for `amebo.json`.
    pub(crate) config: ModelConfig,
    /// The bytes of `tokenizer.json`.
    pub(crate) tokenizer: Vec<u8>,
    /// The bytes of `model.safetensors`.
    pub(crate) weights: Vec<u8>,
}

/// Why a container cannot be converted.
#[derive(Debug, thiserror::Error)]
pub enum ContainerError {
    /// The bytes end early or say something impossible.
    #[error("the model container is damaged: {0}")]
    Damaged(String),
    /// The header cannot be understood.
    #[error("the header of the model container cannot be understood")]
    Header(#[source] serde_json::Error),
    /// The result cannot be written.
    #[error("the weights cannot be written in their new form")]
    Write(#[source] SafeTensorError),
}

#[derive(Deserialize)]
struct Header {
    meta: Meta,
    arch: Architecture,
    tokenizer_len: usize,
    tensors: Vec<TensorHeader>,
}

#[derive(Deserialize)]
struct Meta {
    model: String,
    pooling: Pooling,
    query_prefix: String,
    passage_prefix: String,
    max_length: usize,
}

#[derive(Deserialize)]
struct Architecture {
    hidden: usize,
    layers: usize,
    heads: usize,
    intermediate: usize,
    vocab: usize,
    max_positions: usize,
    layer_norm_eps: f32,
    position_offset: usize,
}

#[derive(Deserialize)]
struct TensorHeader {
    name: String,
    dtype: String,
    shape: Vec<usize>,
    len: usize,
    group: usize,
}

/// A tensor as the container holds it.
enum Tensor {
    Float(Vec<f32>),
    Grouped {
        values: Vec<i8>,
        scales: Vec<f32>,
        group: usize,
    },
}

/// Reads a container and gives the files of a model folder for a model that knows `languages` (ISO 639-1).
pub(crate) fn convert(container: &[u8], languages: &[&str]) -> Result<Converted, ContainerError> {
    let mut rest = container;
    if take(&mut rest, 8)? != b"HMSEMB01" {
        return Err(ContainerError::Damaged("it does not begin as one".into()));
    }
    let mut length = [0; 8];
    length.copy_from_slice(take(&mut rest, 8)?);
    let length = usize::try_from(u64::from_le_bytes(length)).unwrap_or(usize::MAX);
    let header: Header = serde_json::from_slice(take(&mut rest, length)?).map_err(ContainerError::Header)?;
    let tokenizer = take(&mut rest, header.tokenizer_len)?.to_vec();
    let mut tensors = Tensors(HashMap::new());
    for tensor in &header.tensors {
        let bytes = take(&mut rest, tensor.len)?;
        tensors
            .0
            .insert(tensor.name.clone(), Tensor::parse(tensor, bytes)?);
    }
    let (weights, word_group) = rearrange(&header.arch, &mut tensors)?;
    let Architecture {
        hidden,
        layers,
        heads,
        intermediate,
        vocab,
        max_positions,
        layer_norm_eps,
        position_offset,
    } = header.arch;
    Ok(Converted {
        config: ModelConfig {
            id: header
                .meta
                .model
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .to_owned(),
            dimension: hidden,
            languages: Some(languages.iter().map(ToString::to_string).collect()),
            max_tokens: header.meta.max_length,
            pooling: header.meta.pooling,
            query_prefix: header.meta.query_prefix,
            passage_prefix: header.meta.passage_prefix,
            bert: Some(BertShape {
                hidden,
                layers,
                heads,
                intermediate,
                vocabulary: vocab,
                word_group,
                positions: max_positions - position_offset,
                layer_norm_epsilon: layer_norm_eps,
            }),
            ngram: None,
        },
        tokenizer,
        weights,
    })
}

/// Renames the tensors, splits queries from keys and values, adds the token type to the positions, and gives each output of
/// a layer one scale.
fn rearrange(arch: &Architecture, tensors: &mut Tensors) -> Result<(Vec<u8>, usize), ContainerError> {
    let (hidden, wide) = (arch.hidden, arch.intermediate);
    let mut out = Output::default();
    let Tensor::Grouped {
        values,
        scales,
        group,
    } = tensors.take("word_emb")?
    else {
        return Err(ContainerError::Damaged(
            "the word embeddings are not quantised".into(),
        ));
    };
    out.int8("words.weight", [arch.vocab, hidden], values);
    out.float("words.scale", vec![arch.vocab, hidden / group], scales);

    let token_type = tensors.float("type_emb")?;
    let mut positions = tensors.float("pos_emb")?;
    positions.drain(..(arch.position_offset * hidden).min(positions.len()));
    for row in positions.chunks_exact_mut(hidden) {
        for (value, add) in row.iter_mut().zip(&token_type) {
            *value += add;
        }
    }
    out.float(
        "positions",
        vec![arch.max_positions - arch.position_offset, hidden],
        positions,
    );
    norm(&mut out, "normalize_embeddings", tensors, "emb_ln", hidden)?;
    for layer in 0..arch.layers {
        let (to, from) = (
            |part: &str| format!("layer.{layer}.{part}"),
            |part: &str| format!("l{layer}.{part}"),
        );
        let mut query = tensors.float(&from("qkv.w"))?;
        let mut query_bias = tensors.float(&from("qkv.b"))?;
        let key_value = query.split_off((hidden * hidden).min(query.len()));
        let key_value_bias = query_bias.split_off(hidden.min(query_bias.len()));
        out.linear(&to("query"), [hidden, hidden], &query, query_bias);
        out.linear(&to("key_value"), [2 * hidden, hidden], &key_value, key_value_bias);
        for (part, name, shape) in [
            ("attention", "ao", [hidden, hidden]),
            ("widen", "f1", [wide, hidden]),
            ("narrow", "f2", [hidden, wide]),
        ] {
            let weights = tensors.float(&from(&format!("{name}.w")))?;
            out.linear(
                &to(part),
                shape,
                &weights,
                tensors.float(&from(&format!("{name}.b")))?,
            );
        }
        norm(
            &mut out,
            &to("normalize_attention"),
            tensors,
            &from("aln"),
            hidden,
        )?;
        norm(&mut out, &to("normalize_output"), tensors, &from("fln"), hidden)?;
    }
    let weights = out.serialize().map_err(ContainerError::Write)?;
    Ok((weights, group))
}

struct Tensors(HashMap<String, Tensor>);

impl Tensors {
    fn take(&mut self, name: &str) -> Result<Tensor, ContainerError> {
        self.0
            .remove(name)
            .ok_or_else(|| ContainerError::Damaged(format!("the tensor {name} is missing")))
    }

    fn float(&mut self, name: &str) -> Result<Vec<f32>, ContainerError> {
        Ok(match self.take(name)? {
            Tensor::Float(values) => values,
            Tensor::Grouped {
                values,
                scales,
                group,
            } => values
                .chunks(group)
                .zip(scales)
                .flat_map(|(values, scale)| values.iter().map(move |&value| f32::from(value) * scale))
                .collect(),
        })
    }
}

impl Tensor {
    fn parse(header: &TensorHeader, bytes: &[u8]) -> Result<Self, ContainerError> {
        let damaged = || ContainerError::Damaged(format!("the tensor {} has a wrong length", header.name));
        let count: usize = header.shape.iter().product();
        let floats = |bytes: &[u8]| {
            bytes
                .as_chunks::<4>()
                .0
                .iter()
                .map(|&bytes| f32::from_le_bytes(bytes))
                .collect()
        };
        match header.dtype.as_str() {
            "f32" if bytes.len() == count * 4 => Ok(Self::Float(floats(bytes))),
            "i8" if header.group > 0 && bytes.len() == count + count / header.group * 4 => {
                let (values, scales) = bytes.split_at(count);
                Ok(Self::Grouped {
                    values: values.iter().map(|byte| byte.cast_signed()).collect(),
                    scales: floats(scales),
                    group: header.group,
                })
            }
            _ => Err(damaged()),
        }
    }
}

/// Copies the weights of a layer normalisation.
fn norm(
    out: &mut Output,
    name: &str,
    tensors: &mut Tensors,
    from: &str,
    width: usize,
) -> Result<(), ContainerError> {
    out.float(
        &format!("{name}.weight"),
        vec![width],
        tensors.float(&format!("{from}.w"))?,
    );
    out.float(
        &format!("{name}.bias"),
        vec![width],
        tensors.float(&format!("{from}.b"))?,
    );
    Ok(())
}

fn take<'bytes>(rest: &mut &'bytes [u8], count: usize) -> Result<&'bytes [u8], ContainerError> {
    let (taken, left) = rest
        .split_at_checked(count)
        .ok_or_else(|| ContainerError::Damaged("it ends early".into()))?;
    *rest = left;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::super::tiny::Tiny;
    use super::*;

    #[test]
    fn a_container_that_is_cut_off_anywhere_is_refused() {
        let container = Tiny::new().container;
        assert!(convert(&container, &["en"]).is_ok());
        for length in [0, 5, 12, 40, container.len() / 2, container.len() - 1] {
            assert!(convert(&container[..length], &["en"]).is_err(), "{length}");
        }
    }

    #[test]
    fn a_container_whose_lengths_lie_is_refused() {
        let container = Tiny::new().container;
        let mut endless = container.clone();
        endless[8..16].fill(0xff);
        assert!(matches!(
            convert(&endless, &["en"]),
            Err(ContainerError::Damaged(_))
        ));
        for (said, lie) in [
            ("\"vocab\":73", "\"vocab\":79"),
            ("\"hidden\":64", "\"hidden\":63"),
            ("\"group\":32", "\"group\":31"),
        ] {
            let position = container
                .windows(said.len())
                .position(|window| window == said.as_bytes())
                .unwrap();
            let mut lying = container.clone();
            lying[position..position + lie.len()].copy_from_slice(lie.as_bytes());
            assert!(convert(&lying, &["en"]).is_err(), "{lie}");
        }
    }
}
