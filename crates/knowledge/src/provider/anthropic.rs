//! Anthropic Messages.

use amebo_outbound::{Client, Request as Outgoing};
use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use super::error::Reported;
use super::exchange::{self, Decoder};
use super::{Completion, Delta, Deltas, Error, LanguageModel, Part, Request, Settings, Stop, Usage};

const DEFAULT_BASE: &str = "https://api.anthropic.com/v1";
const VERSION: &str = "2023-06-01";

/// A model behind Anthropic's Messages format.
#[derive(Debug)]
pub struct Anthropic {
    client: Client,
    endpoint: Url,
    model: String,
    key: Option<SecretString>,
}

impl Anthropic {
    /// The model that `settings` describe.
    pub fn new(settings: &Settings, key: Option<SecretString>, client: Client) -> Result<Self, Error> {
        let base = match &settings.base_url {
            Some(base) => base.clone(),
            None => Url::parse(DEFAULT_BASE).map_err(|_| Error::Settings("the base URL is not valid"))?,
        };
        Ok(Self {
            client,
            endpoint: exchange::endpoint(&base, "messages")?,
            model: settings.model.clone(),
            key,
        })
    }
}

#[async_trait]
impl LanguageModel for Anthropic {
    fn name(&self) -> &str {
        &self.model
    }

    async fn complete(&self, request: &Request) -> Result<Deltas, Error> {
        let body = Body {
            model: &self.model,
            max_tokens: request.max_tokens,
            temperature: request.temperature,
            stream: true,
            system: request.system.iter().map(Block::from).collect(),
            messages: request
                .messages
                .iter()
                .map(|message| Turn {
                    role: message.role.as_str(),
                    content: message.content.iter().map(Block::from).collect(),
                })
                .collect(),
        };
        let mut outgoing = Outgoing::post(self.endpoint.clone(), "model")
            .header("anthropic-version", VERSION)
            .header("accept", "text/event-stream")
            .json(&body);
        if let Some(key) = &self.key {
            outgoing = outgoing.header("x-api-key", key.expose_secret());
        }
        exchange::complete::<Events>(&self.client, outgoing).await
    }
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    max_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    stream: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    system: Vec<Block<'a>>,
    messages: Vec<Turn<'a>>,
}

#[derive(Serialize)]
struct Turn<'a> {
    role: &'static str,
    content: Vec<Block<'a>>,
}

#[derive(Serialize)]
struct Block<'a> {
    r#type: &'static str,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<CacheControl>,
}

#[derive(Serialize)]
struct CacheControl {
    r#type: &'static str,
}

impl<'a> From<&'a Part> for Block<'a> {
    fn from(part: &'a Part) -> Self {
        Self {
            r#type: "text",
            text: &part.text,
            cache_control: part.cache.then_some(CacheControl { r#type: "ephemeral" }),
        }
    }
}

/// What the events have said so far.
#[derive(Debug, Default)]
struct Events {
    model: String,
    stop: Option<String>,
    usage: Counted,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    MessageStart {
        message: Start,
    },
    ContentBlockDelta {
        delta: BlockDelta,
    },
    MessageDelta {
        delta: End,
        #[serde(default)]
        usage: Counted,
    },
    MessageStop,
    Error {
        error: Reported,
    },
    /// Pings, block boundaries, and whatever is invented later.
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Start {
    model: String,
    #[serde(default)]
    usage: Counted,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum BlockDelta {
    TextDelta {
        text: String,
    },
    /// Thinking, signatures, tool input, citations: nothing of the answer's text.
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct End {
    stop_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Counted {
    #[serde(rename = "input_tokens")]
    input: Option<u64>,
    #[serde(rename = "cache_creation_input_tokens")]
    cache_written: Option<u64>,
    #[serde(rename = "cache_read_input_tokens")]
    cache_read: Option<u64>,
    #[serde(rename = "output_tokens")]
    output: Option<u64>,
}

impl Counted {
    /// Later counts replace earlier ones, where given.
    fn update(&mut self, later: &Self) {
        self.input = later.input.or(self.input);
        self.cache_written = later.cache_written.or(self.cache_written);
        self.cache_read = later.cache_read.or(self.cache_read);
        self.output = later.output.or(self.output);
    }

    fn usage(&self) -> Usage {
        let cached = self.cache_read.unwrap_or(0);
        let fresh = self.input.unwrap_or(0) + self.cache_written.unwrap_or(0);
        Usage {
            input: fresh + cached,
            cached,
            output: self.output.unwrap_or(0),
        }
    }
}

impl Decoder for Events {
    fn event(&mut self, data: &str) -> Result<Option<Delta>, Error> {
        match serde_json::from_str(data)
            .map_err(|_| Error::Malformed("an event that is none of Anthropic's"))?
        {
            Event::MessageStart { message } => {
                self.model = message.model;
                self.usage.update(&message.usage);
            }
            Event::ContentBlockDelta {
                delta: BlockDelta::TextDelta { text },
            } if !text.is_empty() => {
                return Ok(Some(Delta::Text(text)));
            }
            Event::MessageDelta { delta, usage } => {
                self.usage.update(&usage);
                if delta.stop_reason.as_deref() == Some("refusal") {
                    return Err(Error::Refused);
                }
                self.stop = delta.stop_reason.or(self.stop.take());
            }
            Event::MessageStop => return Ok(self.end().map(Delta::Done)),
            Event::Error { error } => return Err(Error::of_event(error)),
            Event::ContentBlockDelta { .. } | Event::Other => {}
        }
        Ok(None)
    }

    fn end(&mut self) -> Option<Completion> {
        let stop = match self.stop.as_deref()? {
            "end_turn" | "stop_sequence" => Stop::End,
            "max_tokens" | "model_context_window_exceeded" => Stop::Length,
            _ => Stop::Other,
        };
        Some(Completion {
            model: self.model.clone(),
            stop,
            usage: self.usage.usage(),
        })
    }
}
