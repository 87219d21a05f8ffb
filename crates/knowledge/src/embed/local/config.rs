//! What a model folder says about its model: `amebo.json`, or the files that sentence-transformers writes.

use std::path::Path;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::OpenError;
use super::ngram::Window;
use crate::embed::{Languages, ModelInfo};

/// The file that describes a model to Amebo.
pub(crate) const CONFIG_FILE: &str = "amebo.json";

/// The content of `amebo.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModelConfig {
    /// The model's name.
    pub(crate) id: String,
    /// How many numbers its vectors have.
    pub(crate) dimension: usize,
    /// ISO 639-1 codes of the languages it knows; absent for a multilingual model.
    #[serde(default)]
    pub(crate) languages: Option<Vec<String>>,
    /// How many tokens it reads of a text, its own marks included.
    pub(crate) max_tokens: usize,
    /// How a text's vector follows from its tokens'.
    pub(crate) pooling: Pooling,
    /// What is put before a question.
    #[serde(default)]
    pub(crate) query_prefix: String,
    /// What is put before a passage.
    #[serde(default)]
    pub(crate) passage_prefix: String,
    /// The transformer in `model.safetensors`; absent when there is another network.
    #[serde(default)]
    pub(crate) bert: Option<BertShape>,
    /// The convolutions in `model.safetensors`. Where there is neither, the folder holds `model.onnx`.
    #[serde(default)]
    pub(crate) ngram: Option<NgramShape>,
}

/// How a text's vector follows from the vectors of its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Pooling {
    /// The first token's.
    Cls,
    /// Their mean.
    Mean,
}

impl Pooling {
    /// The vector of a text from its tokens' rows of `width` numbers. Not scaled: its length is set later.
    pub(super) fn pool(self, rows: &[f32], width: usize) -> Vec<f32> {
        match self {
            Self::Cls => rows[..width].to_vec(),
            Self::Mean => {
                let mut sum = vec![0.0; width];
                for row in rows.chunks_exact(width) {
                    for (sum, value) in sum.iter_mut().zip(row) {
                        *sum += value;
                    }
                }
                sum
            }
        }
    }
}

/// The sizes of a BERT encoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BertShape {
    /// Width of a token's vector.
    pub(crate) hidden: usize,
    /// Number of layers.
    pub(crate) layers: usize,
    /// Attention heads in a layer.
    pub(crate) heads: usize,
    /// Width inside the feed-forward part.
    pub(crate) intermediate: usize,
    /// Number of tokens known.
    pub(crate) vocabulary: usize,
    /// How many word embedding values share a scale.
    pub(crate) word_group: usize,
    /// Number of positions, each with its own embedding.
    pub(crate) positions: usize,
    /// Added to the variance before its root is taken.
    pub(crate) layer_norm_epsilon: f32,
}

impl BertShape {
    /// Refuses sizes that do not fit each other.
    pub(super) fn check(&self) -> Result<(), OpenError> {
        let divides = |part: usize| part > 0 && self.hidden.is_multiple_of(part);
        let positive = [
            self.hidden,
            self.layers,
            self.intermediate,
            self.vocabulary,
            self.positions,
        ]
        .iter()
        .all(|&size| size > 0 && size < 1 << 24);
        if positive && divides(self.heads) && divides(self.word_group) {
            Ok(())
        } else {
            Err(OpenError::Unsupported(
                "the sizes of the encoder do not fit each other".into(),
            ))
        }
    }
}

/// The sizes of a network of convolutions over words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NgramShape {
    /// Width of a token's embedding, and of the vectors.
    pub(crate) width: usize,
    /// Width of what a branch makes of a token.
    pub(crate) branch: usize,
    /// Number of tokens known.
    pub(crate) vocabulary: usize,
    /// How many scales the word embeddings have; a token's is its number modulo this.
    pub(crate) blocks: usize,
}

impl NgramShape {
    /// The windows of the branches.
    pub(crate) const ORDERS: [Window; 3] = [
        Window { words: 2, before: 0 },
        Window { words: 3, before: 1 },
        Window { words: 5, before: 2 },
    ];
    /// Width of the narrow ones of the last layers.
    pub(crate) const NARROW: usize = 320;

    /// Refuses sizes that nothing can be computed with.
    fn check(&self) -> Result<(), OpenError> {
        let sizes = [self.width, self.branch, self.vocabulary, self.blocks];
        if sizes.iter().all(|&size| size > 0 && size < 1 << 24) {
            Ok(())
        } else {
            Err(OpenError::Unsupported(
                "the sizes of the convolutions make no sense".into(),
            ))
        }
    }
}

impl ModelConfig {
    /// Reads a folder's description.
    pub(super) fn read(folder: &Path) -> Result<Self, OpenError> {
        let config = match read_json::<Self>(&folder.join(CONFIG_FILE))? {
            Some(config) => config,
            None => Self::from_sentence_transformers(folder)?,
        };
        if config.max_tokens < 3 || config.dimension == 0 {
            return Err(OpenError::Unsupported(
                "max_tokens and dimension must be positive".into(),
            ));
        }
        if let Some(bert) = &config.bert {
            bert.check()?;
            if bert.positions < config.max_tokens || bert.hidden != config.dimension {
                return Err(OpenError::Unsupported(
                    "max_tokens or dimension do not fit the encoder".into(),
                ));
            }
        }
        if let Some(ngram) = &config.ngram {
            ngram.check()?;
            if ngram.width != config.dimension || config.bert.is_some() {
                return Err(OpenError::Unsupported(
                    "the description does not fit the convolutions".into(),
                ));
            }
        }
        Ok(config)
    }

    /// What callers are told.
    pub(super) fn info(&self) -> ModelInfo {
        ModelInfo {
            id: self.id.clone(),
            dimension: self.dimension,
            languages: self.languages.clone().map_or(Languages::Any, Languages::Only),
            max_tokens: self.max_tokens,
        }
    }

    fn from_sentence_transformers(folder: &Path) -> Result<Self, OpenError> {
        let pooling: StPooling = read_json(&folder.join("1_Pooling/config.json"))?.ok_or_else(|| {
            OpenError::Unsupported(format!(
                "there is neither {CONFIG_FILE} nor 1_Pooling/config.json, so nothing says how tokens are pooled"
            ))
        })?;
        let limits: StLimits = read_json(&folder.join("sentence_bert_config.json"))?.unwrap_or_default();
        let prompts: StPrompts =
            read_json(&folder.join("config_sentence_transformers.json"))?.unwrap_or_default();
        let card: StModel = read_json(&folder.join("config.json"))?.unwrap_or_default();
        let prompt = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| prompts.prompts.get(*name))
                .cloned()
                .unwrap_or_default()
        };
        Ok(Self {
            id: folder
                .file_name()
                .map_or_else(|| "local".to_owned(), |name| name.to_string_lossy().into_owned()),
            dimension: pooling.word_embedding_dimension,
            languages: None,
            max_tokens: limits
                .max_seq_length
                .or(card.max_position_embeddings)
                .unwrap_or(512)
                .min(8192),
            pooling: match (pooling.pooling_mode_cls_token, pooling.pooling_mode_mean_tokens) {
                (true, false) => Pooling::Cls,
                (false, true) => Pooling::Mean,
                _ => {
                    return Err(OpenError::Unsupported(
                        "1_Pooling/config.json asks for a pooling other than cls or mean".into(),
                    ));
                }
            },
            query_prefix: prompt(&["query"]),
            passage_prefix: prompt(&["passage", "document"]),
            bert: None,
            ngram: None,
        })
    }
}

#[derive(Deserialize)]
struct StPooling {
    word_embedding_dimension: usize,
    #[serde(default)]
    pooling_mode_cls_token: bool,
    #[serde(default)]
    pooling_mode_mean_tokens: bool,
}

#[derive(Default, Deserialize)]
struct StLimits {
    max_seq_length: Option<usize>,
}

#[derive(Default, Deserialize)]
struct StPrompts {
    #[serde(default)]
    prompts: std::collections::BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
struct StModel {
    max_position_embeddings: Option<usize>,
}

/// The content of a JSON file, `None` where there is no such file.
fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, OpenError> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|source| OpenError::Description {
                path: path.to_owned(),
                source,
            }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(OpenError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}
