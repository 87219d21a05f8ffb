//! The OpenAI-compatible interface: existing chat clients ask Amebo with nothing but an address and an API key.
//!
//! The last message of the user is the question, what stands before it is the conversation; instructions of the client are not
//! followed, since answers come from documents alone. Only what was checked against its citations leaves through here, because
//! these clients could not take anything back: a stream begins when the answer stands. Errors have OpenAI's form, which is why
//! these routes are not in our own description.

use std::convert::Infallible;
use std::time::Duration;

use amebo_app::ask::{Ask, Asking, Settled, Speaker, Turn, Verdict};
use amebo_app::{Access, Error};
use amebo_core::answer::Origin;
use amebo_core::id::KnowledgeBaseId;
use axum::extract::State;
use axum::http::StatusCode;
use axum::middleware::map_response;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures::StreamExt as _;
use futures::stream::{self, Stream};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;

use super::answer::AnsweredResponse;
use crate::AppState;
use crate::caller::Program;
use crate::extract::Json;
use crate::problem::{Kind, Problem};

/// The model that searches everything in use; `amebo/NAME` searches one knowledge base.
const MODEL: &str = "amebo";
/// How often a silent stream says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .route("/v1/chat/completions", post(create_chat_completion))
        .route("/v1/models", get(list_models))
        .layer(map_response(in_openai_form))
}

/// What clients send. Fields that steer a language model's wording are accepted and have no effect.
#[derive(Deserialize)]
struct ChatRequest {
    /// `amebo`, or `amebo/NAME` for one knowledge base.
    model: String,
    /// The conversation; the last message is the question.
    messages: Vec<ChatMessage>,
    /// Whether to answer as an event stream.
    #[serde(default)]
    stream: bool,
}

#[derive(Deserialize)]
struct ChatMessage {
    /// `system`, `developer`, `user`, `assistant` or `tool`.
    role: String,
    /// Text, or a list of parts of which those of text count.
    #[serde(default)]
    content: Content,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<ContentPart>),
    Nothing(()),
}

impl Default for Content {
    fn default() -> Self {
        Self::Nothing(())
    }
}

#[derive(Deserialize)]
struct ContentPart {
    #[serde(default)]
    text: Option<String>,
}

impl Content {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Parts(parts) => {
                let texts: Vec<String> = parts.into_iter().filter_map(|part| part.text).collect();
                texts.join("\n")
            }
            Self::Nothing(()) => String::new(),
        }
    }
}

/// Ask through a chat client. The answer carries its sources in the text, and as data in `amebo`.
async fn create_chat_completion(
    Program(access): Program,
    State(state): State<AppState>,
    Json(request): Json<ChatRequest>,
) -> Result<Response, Problem> {
    let ask = Ask {
        knowledge_bases: scope(&state, &access, &request.model).await?,
        ..conversation(request.messages)?
    };
    let asking = state.app.ask(&access, ask).await?;
    let frame = Frame {
        id: format!("chatcmpl-{}", asking.question),
        created: state.app.environment().now().timestamp(),
        model: request.model,
    };
    if request.stream {
        let chunks = Sse::new(chunks(frame, asking)).keep_alive(KeepAlive::new().interval(HEARTBEAT));
        return Ok(chunks.into_response());
    }
    let settled = asking.settled().await?;
    Ok(axum::Json(frame.completion(settled)).into_response())
}

/// What can be asked: everything in use, or one knowledge base.
async fn list_models(
    Program(access): Program,
    State(state): State<AppState>,
) -> Result<axum::Json<Value>, Problem> {
    let bases = state.app.askable_knowledge_bases(&access).await?;
    let names = bases.into_iter().map(|(_, name)| format!("{MODEL}/{name}"));
    let models: Vec<Value> = std::iter::once(MODEL.to_owned())
        .chain(names)
        .map(|id| json!({ "id": id, "object": "model", "created": 0, "owned_by": "amebo" }))
        .collect();
    Ok(axum::Json(json!({ "object": "list", "data": models })))
}

async fn scope(state: &AppState, access: &Access, model: &str) -> Result<Vec<KnowledgeBaseId>, Problem> {
    if model == MODEL {
        return Ok(Vec::new());
    }
    let unknown = || {
        let known = "ask amebo, or amebo/NAME for one knowledge base; /v1/models lists them";
        Problem::new(Kind::NotFound, format!("there is no model {model}; {known}"))
    };
    let name = model.strip_prefix("amebo/").ok_or_else(unknown)?;
    let bases = state.app.askable_knowledge_bases(access).await?;
    let base = bases.into_iter().find(|(_, known)| known == name);
    Ok(vec![base.ok_or_else(unknown)?.0])
}

/// The question with what was said before it.
fn conversation(messages: Vec<ChatMessage>) -> Result<Ask, Problem> {
    let mut turns: Vec<Turn> = messages
        .into_iter()
        .filter_map(|message| {
            let speaker = match message.role.as_str() {
                "user" => Speaker::Person,
                "assistant" => Speaker::Amebo,
                _ => return None,
            };
            let text = message.content.into_text();
            (!text.trim().is_empty()).then_some(Turn { speaker, text })
        })
        .collect();
    let question = turns
        .pop_if(|turn| turn.speaker == Speaker::Person)
        .ok_or_else(|| Error::invalid("/messages", "the last message must be a question of the user"))?;
    Ok(Ask {
        text: question.text,
        origin: Origin::ChatCompletions,
        session: None,
        knowledge_bases: Vec::new(),
        history: turns,
        is_standalone: false,
    })
}

/// What all parts of one completion share.
struct Frame {
    id: String,
    created: i64,
    model: String,
}

impl Frame {
    fn completion(self, settled: Settled) -> Value {
        let usage = json!({
            "prompt_tokens": settled.answer.usage.input_tokens,
            "completion_tokens": settled.answer.usage.output_tokens,
            "total_tokens": settled.answer.usage.input_tokens + settled.answer.usage.output_tokens,
        });
        json!({
            "id": self.id, "object": "chat.completion", "created": self.created, "model": self.model,
            "choices": [{
                "index": 0, "finish_reason": "stop",
                "message": { "role": "assistant", "content": content(&settled.answer.verdict) },
            }],
            "usage": usage,
            "amebo": AnsweredResponse::from(settled),
        })
    }

    fn chunk(&self, delta: &Value, finish_reason: Option<&str>) -> Event {
        let chunk = json!({
            "id": self.id, "object": "chat.completion.chunk", "created": self.created, "model": self.model,
            "choices": [{ "index": 0, "delta": delta, "finish_reason": finish_reason }],
        });
        Event::default().data(chunk.to_string())
    }
}

fn chunks(frame: Frame, asking: Asking) -> impl Stream<Item = Result<Event, Infallible>> {
    let began = frame.chunk(&json!({ "role": "assistant", "content": "" }), None);
    let answer = async move {
        let mut events = match asking.settled().await {
            Ok(settled) => {
                let content = content(&settled.answer.verdict);
                let mut events: Vec<Event> = content
                    .split_inclusive('\n')
                    .map(|line| frame.chunk(&json!({ "content": line }), None))
                    .collect();
                events.push(frame.chunk(&json!({}), Some("stop")));
                events
            }
            Err(error) => vec![Event::default().data(openai_error(&Problem::from(error)).to_string())],
        };
        events.push(Event::default().data("[DONE]"));
        stream::iter(events)
    };
    stream::once(async { began })
        .chain(stream::once(answer).flatten())
        .map(Ok)
}

/// The answer with a list of its sources, for those who see nothing but text.
fn content(verdict: &Verdict) -> String {
    let mut content = verdict.text();
    if let Verdict::Answered { citations, .. } = verdict {
        let mut sources: Vec<(u32, &str)> = citations
            .iter()
            .map(|citation| (citation.source, citation.document_title.as_str()))
            .collect();
        sources.sort_unstable();
        sources.dedup();
        let list: Vec<String> = sources
            .into_iter()
            .map(|(number, title)| format!("\n[{number}] {title}"))
            .collect();
        content.push('\n');
        content.push_str(&list.concat());
    }
    content
}

/// Puts a problem into OpenAI's form, which is the only one these clients read.
async fn in_openai_form(mut response: Response) -> Response {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else {
        return response;
    };
    let mut formed = (status(&problem), axum::Json(openai_error(&problem))).into_response();
    if let Some(after) = problem.retry_after() {
        formed
            .headers_mut()
            .insert(axum::http::header::RETRY_AFTER, after.as_secs().max(1).into());
    }
    formed
}

fn status(problem: &Problem) -> StatusCode {
    match problem.kind() {
        Kind::QuotaExceeded => StatusCode::TOO_MANY_REQUESTS,
        Kind::InvalidFields => StatusCode::BAD_REQUEST,
        kind => kind.facts().2,
    }
}

fn openai_error(problem: &Problem) -> Value {
    let (kind, code) = match problem.kind() {
        Kind::Unauthenticated => ("authentication_error", "invalid_api_key"),
        Kind::Forbidden => ("permission_error", "forbidden"),
        Kind::NotFound => ("invalid_request_error", "model_not_found"),
        Kind::QuotaExceeded => ("insufficient_quota", "insufficient_quota"),
        Kind::RateLimited => ("rate_limit_error", "rate_limit_exceeded"),
        Kind::Internal | Kind::Unavailable => ("server_error", "server_error"),
        _ => ("invalid_request_error", "invalid_request"),
    };
    let mut message = problem.detail().to_owned();
    let mut param = None;
    for field in problem.errors() {
        message = format!("{}: {}", field.pointer, field.detail);
        param = Some(field.pointer.trim_start_matches('/').replace('/', "."));
    }
    json!({ "error": OpenAiError { message, kind, param, code } })
}

#[derive(Serialize)]
struct OpenAiError {
    message: String,
    #[serde(rename = "type")]
    kind: &'static str,
    param: Option<String>,
    code: &'static str,
}
