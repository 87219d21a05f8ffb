//! A model server that plays one recording after the other.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

pub(crate) struct Reply {
    bytes: Vec<u8>,
    stalls: bool,
}

impl Reply {
    pub(crate) fn text(status: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        let reply = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
        );
        Self {
            bytes: reply.into(),
            stalls: false,
        }
    }

    pub(crate) fn events(events: &str) -> Self {
        let head =
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nconnection: close\r\n\r\n";
        Self {
            bytes: format!("{head}{events}").into(),
            stalls: false,
        }
    }

    pub(crate) fn stalled(events: &str) -> Self {
        Self {
            stalls: true,
            ..Self::events(events)
        }
    }
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    left: Arc<Notify>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// The n-th request gets the n-th reply, further ones the last.
    pub(crate) async fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (requests, left) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Notify::new()));
        let (seen, leaves) = (requests.clone(), left.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serve(stream, &replies, &seen, &leaves).await;
            }
        });
        Self {
            address,
            requests,
            left,
            _tasks: tasks,
        }
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) async fn client_left(&self) {
        self.left.notified().await;
    }
}

async fn serve(mut stream: TcpStream, replies: &[Reply], seen: &Mutex<Vec<String>>, left: &Notify) {
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
    let reply = &replies[index.min(replies.len() - 1)];
    // In small pieces, so that characters and lines are cut anywhere.
    for piece in reply.bytes.chunks(7) {
        if stream.write_all(piece).await.is_err() {
            return;
        }
    }
    if reply.stalls {
        let _ = stream.read(&mut buffer).await;
        left.notify_one();
    }
}

fn is_complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    body.len() >= length
}
