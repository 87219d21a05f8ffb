//! A load generator that costs little beside what it measures: HTTP/1.1 on connections that stay open, written by hand.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::figure::percentile;

/// A connection to a server.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What was answered.
pub struct Reply {
    /// The status.
    pub status: u16,
    head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// A header's value; its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// A request as it goes over the wire.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(body.len() + 400);
    wire.extend_from_slice(format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n").as_bytes());
    for (name, value) in headers {
        wire.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    wire.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    wire.extend_from_slice(body);
    wire
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(4_096),
        })
    }

    /// Sends a request and reads its answer to the end.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Reply> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let end = loop {
            self.read().await?;
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
        };
        let mut reply = Reply {
            status: 0,
            head: String::from_utf8(self.buffer[..end].to_vec())?,
            body: Vec::new(),
        };
        reply.status = reply
            .head
            .get(9..12)
            .and_then(|status| status.parse().ok())
            .context("the answer has no status")?;
        if reply.header("transfer-encoding").is_some() {
            while !self.buffer.ends_with(b"0\r\n\r\n") {
                self.read().await?;
            }
        } else {
            let length: usize = reply
                .header("content-length")
                .map_or(Ok(0), str::parse)
                .context("the answer's length is no number")?;
            while self.buffer.len() < end + length {
                self.read().await?;
            }
        }
        reply.body = self.buffer.split_off(end);
        Ok(reply)
    }

    async fn read(&mut self) -> Result<()> {
        let count = self.stream.read_buf(&mut self.buffer).await?;
        ensure!(count > 0, "the server hung up");
        Ok(())
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// The address in a server's URL.
pub fn address(url: &str) -> Result<SocketAddr> {
    url.trim_start_matches("http://")
        .trim_end_matches('/')
        .parse()
        .with_context(|| format!("{url} has no address"))
}

/// What many callers at once saw.
pub struct Seen {
    /// Requests answered with success, a second.
    pub rate: f64,
    /// How long the slowest in a hundred of them took at least, in milliseconds.
    pub p99_ms: f64,
    /// How many were answered otherwise.
    pub refused: usize,
    times: Vec<Duration>,
    seconds: f64,
}

impl Seen {
    /// What was seen in several turns, taken together.
    pub fn of(turns: Vec<Self>) -> Self {
        let mut times = Vec::new();
        let (mut refused, mut seconds) = (0, 0.0);
        for turn in turns {
            times.extend(turn.times);
            refused += turn.refused;
            seconds += turn.seconds;
        }
        Self::new(times, refused, seconds)
    }

    fn new(mut times: Vec<Duration>, refused: usize, seconds: f64) -> Self {
        let count = f64::from(u32::try_from(times.len()).unwrap_or(u32::MAX));
        Self {
            rate: count / seconds,
            p99_ms: percentile(&mut times, 0.99),
            refused,
            times,
            seconds,
        }
    }
}

/// Calls for some time from as many connections as told, one request after the other on each; `make` makes the request of each number.
pub async fn run(
    address: SocketAddr,
    callers: usize,
    lasting: Duration,
    make: impl Fn(usize) -> Vec<u8> + Send + Sync + 'static,
) -> Result<Seen> {
    let (make, number) = (Arc::new(make), Arc::new(AtomicUsize::new(0)));
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..callers {
        let (make, number) = (Arc::clone(&make), Arc::clone(&number));
        tasks.spawn(async move {
            let mut connection = Connection::open(address).await?;
            let (mut times, mut refused) = (Vec::new(), 0);
            while started.elapsed() < lasting {
                let request = make(number.fetch_add(1, Ordering::Relaxed));
                let began = Instant::now();
                let reply = connection.exchange(&request).await?;
                if (200..300).contains(&reply.status) {
                    times.push(began.elapsed());
                } else {
                    refused += 1;
                }
            }
            Ok::<_, anyhow::Error>((times, refused))
        });
    }
    let (mut times, mut refused) = (Vec::new(), 0);
    while let Some(ended) = tasks.join_next().await {
        let (some, others) = ended??;
        times.extend(some);
        refused += others;
    }
    let seconds = started.elapsed().as_secs_f64();
    ensure!(!times.is_empty(), "nothing was accepted");
    Ok(Seen::new(times, refused, seconds))
}
