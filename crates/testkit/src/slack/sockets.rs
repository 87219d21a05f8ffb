//! Socket Mode: connections that the app opens, each event over one of them, acknowledged by its id.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};

use super::Shared;
use super::world::Ids;

#[derive(Debug, Default)]
pub(super) struct Sockets {
    open: Mutex<VecDeque<(u64, mpsc::UnboundedSender<Frame>)>>,
    acknowledged: Mutex<Vec<String>>,
    changed: Notify,
    counter: AtomicU64,
}

#[derive(Debug)]
enum Frame {
    Text(String),
    Close,
}

impl Sockets {
    pub(super) fn send(&self, kind: &str, payload: &Value) -> bool {
        let number = self.counter.fetch_add(1, Ordering::Relaxed);
        let frame = json!({
            "type": kind,
            "envelope_id": format!("envelope-{number}"),
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
            "retry_attempt": 0,
            "retry_reason": "",
        });
        let mut open = self.open.lock();
        // Each event goes to one of the connections, in turn.
        if let Some(first) = open.pop_front() {
            open.push_back(first);
        }
        open.back()
            .is_some_and(|(_, socket)| socket.send(Frame::Text(frame.to_string())).is_ok())
    }

    pub(super) fn disconnect(&self, reason: &str) {
        let frame = json!({ "type": "disconnect", "reason": reason, "debug_info": { "host": "fake" } });
        let mut open = self.open.lock();
        open.make_contiguous().sort_by_key(|(number, _)| *number);
        let Some((_, socket)) = open.front() else {
            return;
        };
        let told = socket.send(Frame::Text(frame.to_string())).is_ok();
        if told && reason != "warning" && socket.send(Frame::Close).is_ok() {
            open.pop_front();
        }
    }

    pub(super) fn open(&self) -> usize {
        self.open.lock().len()
    }

    pub(super) fn acknowledged(&self) -> Vec<String> {
        self.acknowledged.lock().clone()
    }

    pub(super) async fn wait_for_one(&self) {
        loop {
            let changed = self.changed.notified();
            if self.open() > 0 {
                return;
            }
            changed.await;
        }
    }

    pub(super) async fn wait_for(&self, count: usize) {
        loop {
            let changed = self.changed.notified();
            if self.acknowledged.lock().len() >= count {
                return;
            }
            changed.await;
        }
    }
}

pub(super) async fn connect(State(shared): State<Arc<Shared>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(move |socket| serve(shared, socket))
}

async fn serve(shared: Arc<Shared>, mut socket: WebSocket) {
    let sockets = &shared.sockets;
    let number = sockets.counter.fetch_add(1, Ordering::Relaxed);
    let (sender, mut frames) = mpsc::unbounded_channel();
    let hello = {
        let mut open = sockets.open.lock();
        open.push_back((number, sender));
        sockets.changed.notify_waiters();
        json!({
            "type": "hello",
            "num_connections": open.len(),
            "debug_info": { "host": "fake", "approximate_connection_time": 18_060 },
            "connection_info": { "app_id": Ids::APP },
        })
    };
    if socket.send(Message::Text(hello.to_string().into())).await.is_ok() {
        loop {
            tokio::select! {
                frame = frames.recv() => match frame {
                    Some(Frame::Text(text)) => {
                        if socket.send(Message::Text(text.into())).await.is_err() {
                            break;
                        }
                    }
                    Some(Frame::Close) | None => break,
                },
                received = socket.recv() => match received {
                    Some(Ok(Message::Text(text))) => {
                        let ack: Value = serde_json::from_str(&text).unwrap_or_default();
                        if let Some(id) = ack["envelope_id"].as_str() {
                            sockets.acknowledged.lock().push(id.to_owned());
                            sockets.changed.notify_waiters();
                        }
                    }
                    Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                    Some(Ok(_)) => {}
                },
            }
        }
    }
    sockets.open.lock().retain(|(other, _)| *other != number);
    sockets.changed.notify_waiters();
}
