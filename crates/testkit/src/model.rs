//! A provider of language and embedding models that does what tests tell it to, in every wire format, and watches that nobody holds a
//! transaction open while it is asked.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use futures::StreamExt as _;
use http::{StatusCode, header};
use parking_lot::Mutex;
use serde_json::{Value, json};
use sqlx::PgConnection;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::Database;
use crate::embedder::words;

/// What the provider does with one request.
#[derive(Debug, Clone)]
pub enum Turn {
    /// Answers with this text, a few words at a time.
    Says(String),
    /// Asks to come back after so many seconds (429).
    ComeBack(u64),
    /// Is overloaded (529).
    Overloaded,
    /// Breaks (500).
    Breaks,
    /// Begins to answer with this text and hangs up.
    HangsUpAfter(String),
    /// Answers what is no event stream.
    Babbles,
    /// Accepts the request and never answers.
    IsSilent,
    /// Answers with what it is told, when it is told.
    IsDictated(Words),
}

/// What is still to be said.
type Words = Arc<tokio::sync::Mutex<mpsc::UnboundedReceiver<String>>>;

/// An answer that a test dictates; it is over when this is dropped.
#[derive(Debug)]
pub struct Dictation(mpsc::UnboundedSender<String>);

impl Dictation {
    /// Has the model say this now.
    pub fn say(&self, words: &str) {
        self.0.send(words.to_owned()).unwrap();
    }
}

/// The provider.
#[derive(Debug)]
pub struct FakeModel {
    shared: Arc<Shared>,
    address: std::net::SocketAddr,
    _server: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    /// How many numbers its vectors have.
    dimension: AtomicUsize,
    turns: Mutex<VecDeque<Turn>>,
    requests: Mutex<Vec<Value>>,
    /// How many transactions stood open, idle, at each request.
    open_transactions: Mutex<Vec<i64>>,
    observer: tokio::sync::Mutex<PgConnection>,
}

impl FakeModel {
    /// A provider that watches over `database`. Without being told, it breaks.
    pub async fn start(database: &Database) -> Self {
        let shared = Arc::new(Shared {
            dimension: AtomicUsize::new(64),
            turns: Mutex::default(),
            requests: Mutex::default(),
            open_transactions: Mutex::default(),
            observer: tokio::sync::Mutex::new(database.administrator().await),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/v1/chat/completions", post(openai))
            .route("/v1/messages", post(anthropic))
            .route("/v1/embeddings", post(embeddings))
            .with_state(Arc::clone(&shared));
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            shared,
            address,
            _server: server,
        }
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What it does next, after what it was told before.
    pub fn then(&self, turn: Turn) -> &Self {
        self.shared.turns.lock().push_back(turn);
        self
    }

    /// Has the next answer dictated.
    pub fn dictate(&self) -> Dictation {
        let (sender, words) = mpsc::unbounded_channel();
        self.then(Turn::IsDictated(Arc::new(tokio::sync::Mutex::new(words))));
        Dictation(sender)
    }

    /// How many numbers its vectors have from now on; they are made of words as those of [`crate::WordModel`].
    pub fn set_dimension(&self, dimension: usize) {
        self.shared.dimension.store(dimension, Ordering::SeqCst);
    }

    /// The requests so far, as they came.
    pub fn requests(&self) -> Vec<Value> {
        self.shared.requests.lock().clone()
    }
}

impl Drop for FakeModel {
    fn drop(&mut self) {
        let open = self.shared.open_transactions.lock();
        if !std::thread::panicking() {
            assert!(
                open.iter().all(|&count| count == 0),
                "transactions stood open while the model was asked: {open:?}"
            );
        }
    }
}

async fn openai(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    answer(&shared, &body, |text| {
        let mut events: Vec<Value> = pieces(text)
            .map(|piece| json!({ "model": "fake-1", "choices": [{ "index": 0, "delta": { "content": piece } }] }))
            .collect();
        events.push(json!({ "model": "fake-1", "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] }));
        events.push(json!({ "model": "fake-1", "choices": [], "usage": { "prompt_tokens": 11, "completion_tokens": 7 } }));
        let mut lines: Vec<String> = events.iter().map(|event| format!("data: {event}\n\n")).collect();
        lines.push("data: [DONE]\n\n".to_owned());
        lines
    })
    .await
}

async fn anthropic(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    answer(&shared, &body, |text| {
        let event = |kind: &str, mut data: Value| {
            data["type"] = json!(kind);
            format!("event: {kind}\ndata: {data}\n\n")
        };
        let usage = json!({ "input_tokens": 11, "output_tokens": 1 });
        let mut lines = vec![
            event(
                "message_start",
                json!({ "message": { "model": "fake-1", "usage": usage } }),
            ),
            event(
                "content_block_start",
                json!({ "index": 0, "content_block": { "type": "text", "text": "" } }),
            ),
        ];
        lines.extend(pieces(text).map(|piece| {
            event(
                "content_block_delta",
                json!({ "index": 0, "delta": { "type": "text_delta", "text": piece } }),
            )
        }));
        lines.push(event("content_block_stop", json!({ "index": 0 })));
        lines.push(event(
            "message_delta",
            json!({ "delta": { "stop_reason": "end_turn" }, "usage": { "output_tokens": 7 } }),
        ));
        lines.push(event("message_stop", json!({})));
        lines
    })
    .await
}

/// OpenAI's format and Voyage's, which answer alike.
async fn embeddings(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    shared.observe(&body).await;
    let request: Value = serde_json::from_slice(&body).unwrap();
    let dimension = shared.dimension.load(Ordering::SeqCst);
    let vectors: Vec<Value> = (0..)
        .zip(request["input"].as_array().unwrap())
        .map(|(index, text): (usize, _)| {
            json!({ "index": index, "embedding": words(text.as_str().unwrap(), dimension) })
        })
        .collect();
    let answer = json!({ "data": vectors, "model": request["model"] });
    respond(200, "application/json", Body::from(answer.to_string()))
}

/// A text in pieces of a few characters.
fn pieces(text: &str) -> impl Iterator<Item = String> {
    let characters: Vec<char> = text.chars().collect();
    let pieces: Vec<String> = characters.chunks(9).map(|piece| piece.iter().collect()).collect();
    pieces.into_iter()
}

impl Shared {
    /// Notes a request, and who holds a transaction open meanwhile.
    async fn observe(&self, body: &Bytes) {
        let open: i64 = sqlx::query_scalar(
            "select count(*) from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid() and state like 'idle in transaction%'",
        )
        .fetch_one(&mut *self.observer.lock().await)
        .await
        .unwrap();
        self.open_transactions.lock().push(open);
        self.requests.lock().push(serde_json::from_slice(body).unwrap());
    }
}

async fn answer(shared: &Shared, body: &Bytes, stream: fn(&str) -> Vec<String>) -> Response {
    shared.observe(body).await;
    let turn = shared.turns.lock().pop_front().unwrap_or(Turn::Breaks);
    match turn {
        Turn::Says(text) => events(stream(&text), false),
        Turn::HangsUpAfter(text) => {
            // What tells the end is left away.
            let mut lines = stream(&text);
            lines.retain(|line| line.contains("content"));
            events(lines, true)
        }
        Turn::ComeBack(seconds) => failure(429, &[(header::RETRY_AFTER, seconds.to_string())]),
        Turn::Overloaded => failure(529, &[]),
        Turn::Breaks => failure(500, &[]),
        Turn::Babbles => respond(200, "text/html", Body::from("<html>Welcome to the proxy</html>")),
        Turn::IsSilent => std::future::pending().await,
        Turn::IsDictated(words) => {
            let (words, mut end) = (words.lock_owned().await, stream(""));
            end.retain(|line| !line.contains("content"));
            let said = futures::stream::unfold(words, |mut words| async {
                let word = words.recv().await?;
                Some((word, words))
            });
            let said = said.map(move |word| stream(&word));
            let said = said.map(|mut lines| {
                lines.retain(|line| line.contains("content"));
                lines
            });
            let lines = said.chain(futures::stream::once(async { end }));
            respond(
                200,
                "text/event-stream",
                Body::from_stream(lines.map(|lines| Ok::<_, std::io::Error>(lines.concat()))),
            )
        }
    }
}

fn events(lines: Vec<String>, hang_up: bool) -> Response {
    let end = hang_up.then(|| Err(std::io::Error::other("hung up")));
    let parts = lines.into_iter().map(Ok::<_, std::io::Error>).chain(end);
    respond(
        200,
        "text/event-stream",
        Body::from_stream(futures::stream::iter(parts)),
    )
}

fn failure(status: u16, headers: &[(http::HeaderName, String)]) -> Response {
    let body = json!({ "error": { "type": "fake", "message": "told to fail" } });
    let mut response = respond(status, "application/json", Body::from(body.to_string()));
    for (name, value) in headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

fn respond(status: u16, kind: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}
