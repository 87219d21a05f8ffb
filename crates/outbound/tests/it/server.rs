//! A server that answers each connection with prepared bytes and remembers what it was asked.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use amebo_core::{Environment, ManualClock};
use amebo_outbound::{Client, Config};
use chrono::DateTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use url::Url;

/// What the server does after reading a request.
pub(crate) enum Reply {
    /// Sends this and closes.
    Bytes(Vec<u8>),
    /// Sends this and then nothing, keeping the connection open.
    Stall(Vec<u8>),
    /// Sends the first, then the second again and again, a piece every few milliseconds.
    Drip(Vec<u8>, Vec<u8>),
}

impl Reply {
    pub(crate) fn text(status: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        Self::Bytes(
            format!(
                "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
            )
            .into(),
        )
    }

    pub(crate) fn ok(body: &str) -> Self {
        Self::text("200 OK", "", body)
    }
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Starts on loopback; the n-th request gets the n-th reply, further ones the last.
    pub(crate) async fn start(replies: Vec<Reply>) -> Self {
        Self::start_at([127, 0, 0, 1].into(), replies).await
    }

    pub(crate) async fn start_at(ip: IpAddr, replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind((ip, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        let seen = requests.clone();
        let replies = Arc::new(replies);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, replies.clone(), seen.clone()));
            }
        });
        Self {
            address,
            requests,
            _tasks: tasks,
        }
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        format!("http://{}{path}", self.address).parse().unwrap()
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, replies: Arc<Vec<Reply>>, seen: Arc<Mutex<Vec<String>>>) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !is_complete(&request) {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(read) => request.extend_from_slice(&buffer[..read]),
        }
    }
    let index = {
        let mut seen = seen.lock().unwrap();
        seen.push(String::from_utf8_lossy(&request).into_owned());
        seen.len() - 1
    };
    match &replies[index.min(replies.len() - 1)] {
        Reply::Bytes(bytes) => {
            let _ = stream.write_all(bytes).await;
            let _ = stream.shutdown().await;
        }
        Reply::Stall(bytes) => {
            let _ = stream.write_all(bytes).await;
            // Until the client goes away.
            let _ = stream.read(&mut buffer).await;
        }
        Reply::Drip(head, piece) => {
            let mut ticks = tokio::time::interval(Duration::from_millis(5));
            let _ = stream.write_all(head).await;
            while stream.write_all(piece).await.is_ok() {
                ticks.tick().await;
            }
        }
    }
}

fn is_complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    body.len() >= length
}

pub(crate) fn environment() -> Environment {
    let now = DateTime::parse_from_rfc3339("2026-11-20T08:00:00Z").unwrap();
    Environment::replayable(Arc::new(ManualClock::starting_at(now.to_utc())), 1)
}

/// A client with these exceptions from the guard.
pub(crate) fn client(allow: &[&str]) -> Client {
    Client::new(&config(allow), environment()).unwrap()
}

pub(crate) fn config(allow: &[&str]) -> Config {
    Config {
        allow: allow.iter().map(|exception| exception.parse().unwrap()).collect(),
        ..Config::default()
    }
}
