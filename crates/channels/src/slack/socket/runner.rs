//! Keeps a connection of Socket Mode open: one at a time, and two while one takes over from the other.
//!
//! An envelope is acknowledged when it has been taken in for good, and not before; what was not acknowledged Slack sends again,
//! over this connection or the next. Slack ends connections every few hours and says so beforehand, so that the next one is
//! there before the last one goes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{Disconnect, Frame, acknowledgement, read};
use crate::Outcome;
use crate::inbound::Immediate;
use crate::outcome::Failure;
use crate::slack::api::{CallError, Workspace};

/// How long Slack may take to greet.
const GREETING: Duration = Duration::from_secs(15);
/// How long nothing may be heard, a sign of life asked for half-way included.
const SILENCE: Duration = Duration::from_mins(1);
/// How long the last connection is still listened to when the next one is there.
const OVERLAP: Duration = Duration::from_secs(30);
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
const LONGEST_BACKOFF: Duration = Duration::from_mins(1);
/// The largest frame; the body that HTTP would bring is not larger.
const LARGEST_FRAME: usize = 4 << 20;

/// Takes in what comes over the socket.
#[async_trait]
pub trait Receive: Send + Sync {
    /// Takes in a payload, which [`crate::slack::inbound::parse_object`] reads. `Some` says that it is safe, and what Slack is
    /// to be answered; `None` that it could not be kept, so that Slack sends it again.
    async fn receive(&self, payload: Value, attempt: u32) -> Option<Immediate>;
}

/// How a connection is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketStatus {
    /// Not connected yet.
    Connecting,
    /// Connected.
    Connected,
    /// Not connected any more; tried again.
    Broken {
        /// What happened, as a sentence.
        reason: String,
    },
}

/// What the task of one connection tells.
enum News {
    Greeted(u64),
    /// The next one is to be opened.
    Ending(u64),
    Ended(u64, Result<(), CallError>),
}

/// Keeps a connection open until `stop`, or until Slack says that there must be none: Socket Mode switched off, or the token no
/// longer good. `app` has the app-level token; `status` follows what happens.
pub async fn run(
    app: &Workspace,
    receiver: Arc<dyn Receive>,
    status: &watch::Sender<SocketStatus>,
    stop: CancellationToken,
) -> Result<(), CallError> {
    let (sender, mut news) = mpsc::unbounded_channel();
    let mut connections = JoinSet::new();
    let mut current: Option<u64> = None;
    let mut opening: Option<u64> = None;
    let mut number = 0;
    let mut failures = 0;
    // Those that are to go when the next one is there.
    let mut ending: Vec<CancellationToken> = Vec::new();
    let mut tokens: HashMap<u64, CancellationToken> = HashMap::new();
    let all = stop.child_token();
    loop {
        if current.is_none() && opening.is_none() {
            number += 1;
            opening = Some(number);
            let wait = backoff(app, failures);
            let retire = all.child_token();
            tokens.insert(number, retire.clone());
            let connection = Connection {
                app: app.clone(),
                receiver: receiver.clone(),
                news: sender.clone(),
                number,
                retire,
                all: all.clone(),
            };
            connections.spawn(connection.keep(wait));
        }
        let told = tokio::select! {
            told = news.recv() => told,
            () = stop.cancelled() => None,
        };
        match told {
            None => break,
            Some(News::Greeted(number)) => {
                failures = 0;
                opening = None;
                current = Some(number);
                for last in ending.drain(..) {
                    last.cancel();
                }
                status.send_replace(SocketStatus::Connected);
            }
            Some(News::Ending(number)) => {
                if current == Some(number) {
                    current = None;
                }
                ending.extend(tokens.get(&number).cloned());
            }
            Some(News::Ended(number, outcome)) => {
                tokens.remove(&number);
                let needed = current == Some(number) || opening == Some(number);
                current = current.filter(|current| *current != number);
                opening = opening.filter(|opening| *opening != number);
                match outcome {
                    Err(error) if is_final(&error.outcome) => {
                        all.cancel();
                        while connections.join_next().await.is_some() {}
                        return Err(error);
                    }
                    Err(error) if needed => {
                        failures += 1;
                        tracing::info!(failures, %error, "a socket to Slack broke");
                        status.send_replace(SocketStatus::Broken {
                            reason: error.to_string(),
                        });
                    }
                    _ => {}
                }
            }
        }
    }
    all.cancel();
    while connections.join_next().await.is_some() {}
    Ok(())
}

/// How long to wait before the next attempt, after so many failed in a row.
fn backoff(app: &Workspace, failures: u32) -> Duration {
    if failures == 0 {
        return Duration::ZERO;
    }
    let wait = (FIRST_BACKOFF * 2_u32.saturating_pow(failures.min(10) - 1)).min(LONGEST_BACKOFF);
    wait.mul_f64(0.5 + app.api().environment().fraction() / 2.0)
}

/// Whether trying again is of no use.
fn is_final(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Outcome::CredentialRevoked { .. } | Outcome::PermissionMissing { .. } | Outcome::Refused(_)
    )
}

/// One connection.
struct Connection {
    app: Workspace,
    receiver: Arc<dyn Receive>,
    news: mpsc::UnboundedSender<News>,
    number: u64,
    /// Another one took over.
    retire: CancellationToken,
    /// Everything ends.
    all: CancellationToken,
}

type Socket = WebSocketStream<amebo_outbound::Tunnel>;

impl Connection {
    async fn keep(self, wait: Duration) {
        let outcome = tokio::select! {
            () = sleep(wait) => self.open_and_listen().await,
            () = self.all.cancelled() => Ok(()),
        };
        self.tell(News::Ended(self.number, outcome));
    }

    /// Nobody listens any more only when everything ends.
    fn tell(&self, news: News) {
        let _ = self.news.send(news);
    }

    async fn open_and_listen(&self) -> Result<(), CallError> {
        let url = self.app.open_socket().await?;
        let mut socket = connect(&self.app, &url).await?;
        match timeout(GREETING, greeting(&mut socket)).await {
            Ok(greeted) => greeted?,
            Err(_) => return Err(broken("Slack did not greet in time")),
        }
        self.tell(News::Greeted(self.number));
        let outcome = self.listen(&mut socket).await;
        // The other side may be gone already.
        let _ = timeout(Duration::from_secs(1), socket.close(None)).await;
        outcome
    }

    /// Takes in frames until the connection ends, or is to end.
    async fn listen(&self, socket: &mut Socket) -> Result<(), CallError> {
        let mut heard = Instant::now();
        // When the next connection is there, what is under way may still come for a while.
        let mut until: Option<Instant> = None;
        loop {
            let patience = SILENCE / 2;
            let received = tokio::select! {
                received = timeout(patience, socket.next()) => received,
                () = self.all.cancelled() => return Ok(()),
                () = self.retire.cancelled(), if until.is_none() => {
                    until = Some(Instant::now() + OVERLAP);
                    continue;
                }
                () = tokio::time::sleep_until(until.unwrap_or(heard + SILENCE * 2)), if until.is_some() => return Ok(()),
            };
            match received {
                Err(_) if heard.elapsed() >= SILENCE => return Err(broken("nothing was heard for a minute")),
                Err(_) => send(socket, Message::Ping(tungstenite::Bytes::new())).await?,
                Ok(None | Some(Ok(Message::Close(_)))) => return ended(until.is_some()),
                Ok(Some(Err(error))) => return Err(broken(&error.to_string())),
                Ok(Some(Ok(message))) => {
                    heard = Instant::now();
                    if let Message::Text(text) = message {
                        self.frame(socket, &text).await?;
                    }
                }
            }
        }
    }

    async fn frame(&self, socket: &mut Socket, text: &str) -> Result<(), CallError> {
        match read(text) {
            Ok(Frame::Envelope {
                id, payload, attempt, ..
            }) => match self.receiver.receive(payload, attempt).await {
                Some(answer) => send(socket, Message::text(acknowledgement(&id, &answer))).await,
                None => Ok(()),
            },
            Ok(Frame::Disconnect {
                reason: Disconnect::Disabled,
            }) => Err(refused(
                "link_disabled",
                "Socket Mode is switched off for the app",
            )),
            Ok(Frame::Disconnect { .. }) => {
                self.tell(News::Ending(self.number));
                Ok(())
            }
            Ok(Frame::Hello { .. } | Frame::Other) => Ok(()),
            Err(error) => {
                tracing::warn!(%error, "a frame from Slack could not be read");
                Ok(())
            }
        }
    }
}

fn ended(expected: bool) -> Result<(), CallError> {
    if expected {
        Ok(())
    } else {
        Err(broken("Slack ended the connection"))
    }
}

async fn connect(app: &Workspace, url: &Url) -> Result<Socket, CallError> {
    if !app.api().settings().is_slack_socket(url) {
        return Err(refused(
            "foreign_address",
            "the address of the socket is not Slack's",
        ));
    }
    let tunnel = app
        .api()
        .client()
        .tunnel(url)
        .await
        .map_err(|error| broken(&error.to_string()))?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(LARGEST_FRAME))
        .max_frame_size(Some(LARGEST_FRAME));
    let handshake = tokio_tungstenite::client_async_with_config(url.as_str(), tunnel, Some(config));
    match timeout(GREETING, handshake).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(error)) => Err(broken(&error.to_string())),
        Err(_) => Err(broken("Slack did not answer in time")),
    }
}

async fn greeting(socket: &mut Socket) -> Result<(), CallError> {
    while let Some(message) = socket.next().await {
        if let Message::Text(text) = message.map_err(|error| broken(&error.to_string()))?
            && matches!(read(&text), Ok(Frame::Hello { .. }))
        {
            return Ok(());
        }
    }
    Err(broken("Slack ended the connection before greeting"))
}

async fn send(socket: &mut Socket, message: Message) -> Result<(), CallError> {
    match timeout(GREETING, socket.send(message)).await {
        Ok(sent) => sent.map_err(|error| broken(&error.to_string())),
        Err(_) => Err(broken("Slack does not read what is sent")),
    }
}

fn broken(what: &str) -> CallError {
    CallError {
        method: "socket",
        outcome: Outcome::Temporary {
            code: what.to_owned(),
            perhaps_done: false,
        },
    }
}

fn refused(code: &str, details: &str) -> CallError {
    CallError {
        method: "socket",
        outcome: Outcome::Refused(Failure {
            code: code.to_owned(),
            details: vec![details.to_owned()],
        }),
    }
}
