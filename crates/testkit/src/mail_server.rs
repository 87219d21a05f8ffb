//! A mail server that takes letters, or does not (SMTP, RFC 5321).

use std::net::SocketAddr;
use std::sync::Arc;

use amebo_app::mail;
use mail_parser::MessageParser;
use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// What it does with letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Takes them.
    Takes,
    /// Knows no recipient (550).
    Refuses,
    /// Hangs up before a word.
    HangsUp,
}

/// A letter as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Where the envelope sends it.
    pub to: String,
    /// Its subject, decoded.
    pub subject: String,
    /// Its text, decoded.
    pub text: String,
}

/// The mail server.
#[derive(Debug)]
pub struct MailServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    manner: Manner,
    letters: Mutex<Vec<Received>>,
    came: Notify,
}

impl MailServer {
    /// A mail server of this manner.
    pub async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            manner,
            letters: Mutex::default(),
            came: Notify::new(),
        });
        let mut server = JoinSet::new();
        let receiving = Arc::clone(&shared);
        server.spawn(async move {
            let mut callers = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&receiving);
                callers.spawn(async move { shared.receive(stream).await });
            }
        });
        Self {
            address,
            shared,
            server,
        }
    }

    /// How to send letters there.
    pub fn config(&self) -> mail::Config {
        mail::Config {
            url: format!("smtp://{}", self.address).into(),
            from: "Amebo <amebo@amebo.example>".to_owned(),
        }
    }

    /// Goes away: nobody listens at its address any more.
    pub async fn stop(mut self) {
        self.server.shutdown().await;
    }

    /// Waits for the first letter to this address.
    pub async fn letter_to(&self, address: &str) -> Received {
        loop {
            let came = self.shared.came.notified();
            let found = self.letters().into_iter().find(|letter| letter.to == address);
            if let Some(letter) = found {
                return letter;
            }
            came.await;
        }
    }

    /// The letters so far.
    pub fn letters(&self) -> Vec<Received> {
        self.shared.letters.lock().clone()
    }
}

impl Shared {
    /// One conversation. It ends when the caller hangs up, which is no fault of anybody's.
    async fn receive(&self, mut stream: TcpStream) -> Option<()> {
        if self.manner == Manner::HangsUp {
            return None;
        }
        let (reading, mut writing) = stream.split();
        let mut lines = BufReader::new(reading).lines();
        let mut to = String::new();
        writing.write_all(b"220 mail.example\r\n").await.ok()?;
        while let Some(line) = lines.next_line().await.ok()? {
            let reply = match line.split([' ', ':']).next()? {
                "RCPT" if self.manner == Manner::Refuses => "550 no such mailbox",
                "RCPT" => {
                    to = line.split(['<', '>']).nth(1)?.to_owned();
                    "250 ok"
                }
                "DATA" => {
                    writing.write_all(b"354 go on\r\n").await.ok()?;
                    let mut letter = String::new();
                    while let Some(line) = lines.next_line().await.ok()?.filter(|line| line != ".") {
                        letter += line.strip_prefix('.').unwrap_or(&line);
                        letter += "\r\n";
                    }
                    self.keep(to.clone(), &letter);
                    "250 taken"
                }
                "QUIT" => "221 bye",
                _ => "250 ok",
            };
            writing.write_all(format!("{reply}\r\n").as_bytes()).await.ok()?;
        }
        Some(())
    }

    fn keep(&self, to: String, letter: &str) {
        let parsed = MessageParser::default().parse(letter).unwrap();
        self.letters.lock().push(Received {
            to,
            subject: parsed.subject().unwrap_or_default().to_owned(),
            text: parsed.body_text(0).unwrap_or_default().into_owned(),
        });
        self.came.notify_waiters();
    }
}
