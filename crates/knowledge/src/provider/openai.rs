//! OpenAI chat completions, as OpenAI and the many servers that imitate it speak them.

use amebo_outbound::{Client, Request as Outgoing};
use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use super::error::Reported;
use super::exchange::{self, Decoder};
use super::{Completion, Delta, Deltas, Error, LanguageModel, Part, Request, Settings, Stop, Usage};

const DEFAULT_BASE: &str = "https://api.openai.com/v1";

/// A model behind OpenAI's chat completions format.
#[derive(Debug)]
pub struct OpenAi {
    client: Client,
    endpoint: Url,
    model: String,
    key: Option<SecretString>,
    /// OpenAI's newer models refuse `max_tokens`; most other servers know nothing else.
    at_vendor: bool,
}

impl OpenAi {
    /// The model that `settings` describe.
    pub fn new(settings: &Settings, key: Option<SecretString>, client: Client) -> Result<Self, Error> {
        let base = match &settings.base_url {
            Some(base) => base.clone(),
            None => Url::parse(DEFAULT_BASE).map_err(|_| Error::Settings("the base URL is not valid"))?,
        };
        Ok(Self {
            client,
            endpoint: exchange::endpoint(&base, "chat/completions")?,
            model: settings.model.clone(),
            key,
            at_vendor: base.host_str() == Some("api.openai.com"),
        })
    }
}

#[async_trait]
impl LanguageModel for OpenAi {
    fn name(&self) -> &str {
        &self.model
    }

    async fn complete(&self, request: &Request) -> Result<Deltas, Error> {
        let system = (!request.system.is_empty()).then(|| Turn {
            role: "system",
            content: joined(&request.system),
        });
        let turns = request.messages.iter().map(|message| Turn {
            role: message.role.as_str(),
            content: joined(&message.content),
        });
        let body = Body {
            model: &self.model,
            max_tokens: (!self.at_vendor).then_some(request.max_tokens),
            max_completion_tokens: self.at_vendor.then_some(request.max_tokens),
            temperature: request.temperature,
            stream: true,
            stream_options: StreamOptions { include_usage: true },
            messages: system.into_iter().chain(turns).collect(),
        };
        let mut outgoing = Outgoing::post(self.endpoint.clone(), "model")
            .header("accept", "text/event-stream")
            .json(&body);
        if let Some(key) = &self.key {
            outgoing = outgoing.bearer(key.expose_secret());
        }
        exchange::complete::<Events>(&self.client, outgoing).await
    }
}

/// One text: many servers understand no list of parts. What is worth caching, OpenAI finds out by itself.
fn joined(parts: &[Part]) -> String {
    let texts: Vec<&str> = parts.iter().map(|part| part.text.as_str()).collect();
    texts.join("\n\n")
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    stream: bool,
    stream_options: StreamOptions,
    messages: Vec<Turn>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
struct Turn {
    role: &'static str,
    content: String,
}

/// What the events have said so far.
#[derive(Debug, Default)]
struct Events {
    model: String,
    stop: Option<String>,
    usage: Usage,
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<Counted>,
    #[serde(default)]
    error: Option<Reported>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: ChoiceDelta,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ChoiceDelta {
    content: Option<String>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Counted {
    prompt_tokens: u64,
    completion_tokens: u64,
    prompt_tokens_details: Option<CountedInput>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CountedInput {
    cached_tokens: Option<u64>,
}

impl Decoder for Events {
    fn event(&mut self, data: &str) -> Result<Option<Delta>, Error> {
        if data == "[DONE]" {
            // Some gateways end well without a word on why.
            self.stop.get_or_insert_with(|| "unsaid".to_owned());
            return Ok(self.end().map(Delta::Done));
        }
        let chunk: Chunk =
            serde_json::from_str(data).map_err(|_| Error::Malformed("an event that is none of OpenAI's"))?;
        if let Some(error) = chunk.error {
            return Err(Error::of_event(error));
        }
        if let Some(model) = chunk.model {
            self.model = model;
        }
        if let Some(usage) = chunk.usage {
            self.usage = Usage {
                input: usage.prompt_tokens,
                cached: usage
                    .prompt_tokens_details
                    .and_then(|details| details.cached_tokens)
                    .unwrap_or(0),
                output: usage.completion_tokens,
            };
        }
        let Some(choice) = chunk.choices.into_iter().next() else {
            return Ok(None);
        };
        if choice.delta.refusal.is_some() || choice.finish_reason.as_deref() == Some("content_filter") {
            return Err(Error::Refused);
        }
        self.stop = choice.finish_reason.or(self.stop.take());
        Ok(choice
            .delta
            .content
            .filter(|text| !text.is_empty())
            .map(Delta::Text))
    }

    fn end(&mut self) -> Option<Completion> {
        let stop = match self.stop.as_deref()? {
            "stop" => Stop::End,
            "length" => Stop::Length,
            _ => Stop::Other,
        };
        Some(Completion {
            model: self.model.clone(),
            stop,
            usage: self.usage,
        })
    }
}
