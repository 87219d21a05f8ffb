//! Language models behind one interface.
//!
//! Two wire formats reach nearly every model there is: Anthropic's Messages, and OpenAI's chat completions, which local
//! servers speak too. Both are thin on the guarded client, always stream, and map what goes wrong to one [`Error`] whose
//! words a person understands. Failures are retried only while no token has been handed on; dropping the stream ends the
//! exchange and with it the bill. Keys never appear in debug output, logs or errors.

mod anthropic;
mod error;
mod exchange;
mod openai;
mod sse;

use std::fmt;
use std::sync::Arc;

use amebo_outbound::Client;
use async_trait::async_trait;
use futures::stream::BoxStream;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

pub use anthropic::Anthropic;
pub use error::Error;
pub use openai::OpenAi;

/// A language model that answers piece by piece.
#[async_trait]
pub trait LanguageModel: fmt::Debug + Send + Sync {
    /// The model's name, as its provider knows it.
    fn name(&self) -> &str;

    /// Asks the model. The stream yields text and ends with [`Delta::Done`] or an error; a stream that ends otherwise does
    /// not exist. Failures before the first piece of text come as the outer error.
    async fn complete(&self, request: &Request) -> Result<Deltas, Error>;
}

/// What a model says, piece by piece.
pub type Deltas = BoxStream<'static, Result<Delta, Error>>;

/// What a model is asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Request {
    /// Instructions, which stand above everything in the messages.
    pub system: Vec<Part>,
    /// The conversation, oldest first; it begins and ends with the user.
    pub messages: Vec<Message>,
    /// How many tokens the answer may have at most.
    pub max_tokens: u32,
    /// 0 for the likeliest words, 1 for variety; left to the provider where `None`, since some models refuse any value.
    pub temperature: Option<f32>,
}

/// A stretch of text in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The text.
    pub text: String,
    /// Whether everything up to and including this part is worth keeping by the provider, since it will be sent again.
    pub cache: bool,
}

impl Part {
    /// Text that changes with every request.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            cache: false,
        }
    }

    /// Text that the next request will begin with, too.
    pub fn cached(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            cache: true,
        }
    }
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Whose turn it was.
    pub role: Role,
    /// What was said.
    pub content: Vec<Part>,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The one who asks.
    User,
    /// The model.
    Assistant,
}

impl Role {
    fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// A piece of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delta {
    /// More text; never empty.
    Text(String),
    /// The end.
    Done(Completion),
}

/// How an answer ended and what it cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The model that answered, as it calls itself.
    pub model: String,
    /// Why it stopped.
    pub stop: Stop,
    /// What was read and written.
    pub usage: Usage,
}

/// Why a model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// It had said everything.
    End,
    /// [`Request::max_tokens`] or the model's own limit was reached: the last sentence may be cut.
    Length,
    /// Anything else the provider reports, such as a wish to call a tool.
    Other,
}

/// Tokens, as counted by the provider; all 0 where it does not count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens read, those from the cache included.
    pub input: u64,
    /// Tokens read from the provider's cache.
    pub cached: u64,
    /// Tokens written.
    pub output: u64,
}

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
}

/// The wire formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Anthropic Messages.
    Anthropic,
    /// OpenAI chat completions; also vLLM, llama.cpp, Ollama, LM Studio and most gateways.
    Openai,
}

/// The model that `settings` describe. `key` may be absent for servers that ask for none.
pub fn open(
    settings: &Settings,
    key: Option<SecretString>,
    client: Client,
) -> Result<Arc<dyn LanguageModel>, Error> {
    Ok(match settings.format {
        Format::Anthropic => Arc::new(Anthropic::new(settings, key, client)?),
        Format::Openai => Arc::new(OpenAi::new(settings, key, client)?),
    })
}
