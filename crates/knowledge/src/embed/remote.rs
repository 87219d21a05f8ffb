//! Embedding models behind an HTTP endpoint: OpenAI's format, which most local servers speak too, and Voyage's.

use std::time::Duration;

use amebo_outbound::{Client, Error as OutboundError, Limits, Request, Response};
use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Embedder, Error, Languages, ModelInfo, Purpose, to_unit_length};

/// Where a model is and how it is spoken to. The key is kept apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The wire format.
    pub format: Format,
    /// The provider's address up to and including the version, e.g. `http://127.0.0.1:11434/v1`; the vendor's own where
    /// absent.
    #[serde(default)]
    pub base_url: Option<Url>,
    /// The model's name, as the provider knows it.
    pub model: String,
    /// How many numbers a vector shall have, for models that leave the choice; the model's own where absent.
    #[serde(default)]
    pub dimension: Option<usize>,
    /// ISO 639-1 codes of the languages the model knows; absent for a multilingual model.
    #[serde(default)]
    pub languages: Option<Vec<String>>,
    /// How many tokens of a text the model reads.
    #[serde(default = "default_max_tokens")]
    pub max_tokens: usize,
}

/// The wire formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// OpenAI embeddings; also vLLM, llama.cpp, Ollama, LM Studio and most gateways.
    Openai,
    /// Voyage AI embeddings.
    Voyage,
}

/// A model behind an HTTP endpoint.
#[derive(Debug)]
pub struct RemoteEmbedder {
    client: Client,
    endpoint: Url,
    settings: Settings,
    key: Option<SecretString>,
    info: ModelInfo,
}

/// Limits of a request, below those of every provider known: 1,000 texts and 120,000 tokens.
const MOST_TEXTS: usize = 128;
const MOST_BYTES: usize = 200_000;

/// How many requests of one call are under way at once.
const CONCURRENT: usize = 4;

/// No tokenizer in use makes fewer tokens of a text than one for each so many bytes of it, code and blanks aside.
const BYTES_PER_TOKEN: usize = 8;

/// Longest stretch of a provider's own words that is kept.
const LONGEST_MESSAGE: usize = 300;

fn default_max_tokens() -> usize {
    8192
}

impl Settings {
    /// A model of which no more is known than where it is and what it is called.
    pub fn new(format: Format, base_url: Option<Url>, model: String) -> Self {
        Self {
            format,
            base_url,
            model,
            dimension: None,
            languages: None,
            max_tokens: default_max_tokens(),
        }
    }
}

impl RemoteEmbedder {
    /// The model that `settings` describe. Asks it for one vector where they do not name the dimension; `key` may be absent
    /// for servers that ask for none.
    pub async fn open(settings: Settings, key: Option<SecretString>, client: Client) -> Result<Self, Error> {
        let id = match settings.dimension {
            Some(dimension) => format!("{}@{dimension}", settings.model),
            None => settings.model.clone(),
        };
        let dimension = settings.dimension.unwrap_or_default();
        let mut embedder = Self::known(settings, id, dimension, key, client)?;
        if embedder.info.dimension == 0 {
            let answer = embedder.request(&["dimension"], Purpose::Query).await?;
            embedder.info.dimension = answer.first().map_or(0, Vec::len);
        }
        Ok(embedder)
    }

    /// The model that `settings` describe, of which is known that its vectors have `dimension` numbers; others are refused when it
    /// gives them. Callers and stored vectors know it as `id`.
    pub fn known(
        settings: Settings,
        id: String,
        dimension: usize,
        key: Option<SecretString>,
        client: Client,
    ) -> Result<Self, Error> {
        let base = settings
            .base_url
            .as_ref()
            .map_or(settings.format.default_base(), Url::as_str);
        let endpoint = Url::parse(&format!("{}/embeddings", base.trim_end_matches('/')))
            .map_err(|_| Error::Refused(format!("its address {base} is not valid")))?;
        Ok(Self {
            info: ModelInfo {
                id,
                dimension,
                languages: settings.languages.clone().map_or(Languages::Any, Languages::Only),
                max_tokens: settings.max_tokens,
            },
            client,
            endpoint,
            settings,
            key,
        })
    }

    /// One request: the vectors of `texts`, in order and of unit length.
    async fn request(&self, texts: &[&str], purpose: Purpose) -> Result<Vec<Vec<f32>>, Error> {
        let (model, dimension) = (self.settings.model.as_str(), self.settings.dimension);
        let mut request = Request::post(self.endpoint.clone(), "embedding")
            .limits(limits(purpose))
            .repeatable();
        request = match self.settings.format {
            Format::Openai => request.json(&OpenaiBody {
                model,
                input: texts,
                dimensions: dimension,
            }),
            Format::Voyage => request.json(&VoyageBody {
                model,
                input: texts,
                input_type: match purpose {
                    Purpose::Query | Purpose::Sentence => "query",
                    Purpose::Passage => "document",
                },
                output_dimension: dimension,
            }),
        };
        if let Some(key) = &self.key {
            request = request.bearer(key.expose_secret());
        }
        let response = self.client.send(request).await?;
        if !response.status().is_success() {
            return Err(refusal(response).await);
        }
        let answer: Answer = response.json().await?;
        self.vectors(answer, texts.len())
    }

    /// The vectors of an answer, checked.
    fn vectors(&self, answer: Answer, count: usize) -> Result<Vec<Vec<f32>>, Error> {
        let mut vectors = vec![Vec::new(); count];
        let expected = self.info.dimension;
        for Item { index, embedding } in answer.data {
            let place = vectors
                .get_mut(index)
                .filter(|place| place.is_empty())
                .ok_or_else(|| Error::BadAnswer("it numbers its vectors in an unknown way".into()))?;
            if embedding.is_empty() || (expected > 0 && embedding.len() != expected) {
                let found = embedding.len();
                return Err(Error::BadAnswer(format!(
                    "a vector has {found} numbers instead of {expected}"
                )));
            }
            *place = embedding;
        }
        if vectors.iter().any(Vec::is_empty) {
            return Err(Error::BadAnswer(
                "it holds fewer vectors than texts were sent".into(),
            ));
        }
        if !vectors.iter_mut().all(|vector| to_unit_length(vector)) {
            return Err(Error::BadAnswer("a vector has no length".into()));
        }
        Ok(vectors)
    }
}

#[async_trait]
impl Embedder for RemoteEmbedder {
    fn model(&self) -> &ModelInfo {
        &self.info
    }

    async fn embed(&self, inputs: &[String], purpose: Purpose) -> Result<Vec<Vec<f32>>, Error> {
        let most = self
            .info
            .max_tokens
            .saturating_mul(BYTES_PER_TOKEN)
            .min(MOST_BYTES);
        let texts: Vec<&str> = inputs
            .iter()
            .map(|input| &input[..input.floor_char_boundary(most)])
            .collect();
        let requests: Vec<_> = batches(&texts)
            .into_iter()
            .map(|batch| self.request(batch, purpose))
            .collect();
        stream::iter(requests).buffered(CONCURRENT).try_concat().await
    }
}

impl Format {
    fn default_base(self) -> &'static str {
        match self {
            Self::Openai => "https://api.openai.com/v1",
            Self::Voyage => "https://api.voyageai.com/v1",
        }
    }
}

impl From<OutboundError> for Error {
    fn from(error: OutboundError) -> Self {
        match error {
            error if error.is_temporary() => Self::Unavailable {
                reason: error.to_string(),
                retry_after: None,
            },
            OutboundError::Json(_) => Self::BadAnswer("it is not in the format expected".into()),
            error @ (OutboundError::TooLarge { .. } | OutboundError::Redirect) => {
                Self::BadAnswer(error.to_string())
            }
            error => Self::Refused(error.to_string()),
        }
    }
}

/// Splits texts so that each part keeps within one request's limits.
fn batches<'a, 'text>(mut texts: &'a [&'text str]) -> Vec<&'a [&'text str]> {
    let mut batches = Vec::new();
    while !texts.is_empty() {
        let mut bytes = 0;
        let fitting = texts.iter().take(MOST_TEXTS).take_while(|text| {
            bytes += text.len();
            bytes <= MOST_BYTES
        });
        let (batch, rest) = texts.split_at(fitting.count().max(1));
        batches.push(batch);
        texts = rest;
    }
    batches
}

/// Someone waits for a query; passages can outlast a provider's bad minute.
fn limits(purpose: Purpose) -> Limits {
    let (first_byte, total, retries) = match purpose {
        Purpose::Query | Purpose::Sentence => (10, 20, 1),
        Purpose::Passage => (60, 180, 4),
    };
    Limits {
        first_byte: Duration::from_secs(first_byte),
        total: Duration::from_secs(total),
        body_bytes: 64 << 20,
        redirects: 0,
        retries,
        ..Limits::default()
    }
}

/// What an answer with a failing status means.
async fn refusal(response: Response) -> Error {
    let (status, retry_after) = (response.status().as_u16(), response.retry_after());
    let body = response.bytes().await.unwrap_or_default();
    let Refusal { error, detail } = serde_json::from_slice(&body).unwrap_or_default();
    let unpaid = error
        .code
        .as_ref()
        .is_some_and(|code| code == "insufficient_quota");
    let said = error.message.or(detail).filter(|said| !said.is_empty());
    match status {
        _ if unpaid => Error::Refused("the account at its provider has no credit left".into()),
        401 | 403 => {
            Error::Refused("its provider does not accept the API key; check the key in the settings".into())
        }
        404 => Error::Refused("its provider knows no such model or address".into()),
        408 | 425 | 429 | 500..600 => Error::Unavailable {
            reason: format!("its provider answers with status {status}"),
            retry_after,
        },
        _ => Error::Refused(match said {
            Some(said) => said.chars().take(LONGEST_MESSAGE).collect(),
            None => format!("its provider answers with status {status}"),
        }),
    }
}

#[derive(Serialize)]
struct OpenaiBody<'a> {
    model: &'a str,
    input: &'a [&'a str],
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<usize>,
}

#[derive(Serialize)]
struct VoyageBody<'a> {
    model: &'a str,
    input: &'a [&'a str],
    input_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimension: Option<usize>,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    index: usize,
    embedding: Vec<f32>,
}

/// The error object; OpenAI fills `error`, Voyage `detail`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    error: Reported,
    detail: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reported {
    message: Option<String>,
    code: Option<serde_json::Value>,
}

#[cfg(test)]
mod tests {
    use super::batches;

    #[test]
    fn texts_are_split_by_count_and_by_size_and_none_is_lost() {
        let large = "x".repeat(90_000);
        let huge = "x".repeat(200_001);
        let cases: [(Vec<&str>, &[usize]); 4] = [
            (Vec::new(), &[]),
            (vec!["short"; 300], &[128, 128, 44]),
            (vec![&large; 5], &[2, 2, 1]),
            (vec!["short", &huge, "short"], &[1, 1, 1]),
        ];
        for (texts, sizes) in cases {
            let batches = batches(&texts);
            assert_eq!(batches.iter().map(|batch| batch.len()).collect::<Vec<_>>(), sizes);
            assert_eq!(batches.concat(), texts);
        }
    }
}
