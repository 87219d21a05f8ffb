//! A connection for a protocol that is not HTTP requests, such as a WebSocket: under the same guard.

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::{fmt, io};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use crate::client::Client;
use crate::error::{Error, Phase};
use crate::resolve::is_permitted;

/// Bytes in both directions, encrypted where the address asked for that.
pub struct Tunnel(Box<dyn Duplex>);

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

impl fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tunnel").finish_non_exhaustive()
    }
}

impl Client {
    /// Connects to the host and port of `url` (`https`, `wss`, `http` or `ws`; the first two are encrypted) under the rules of
    /// every request: what is not public is refused unless it is listed, and what was checked is what is connected to.
    pub async fn tunnel(&self, url: &Url) -> Result<Tunnel, Error> {
        let encrypted = match url.scheme() {
            "https" | "wss" => true,
            "http" | "ws" => false,
            _ => return Err(Error::Address),
        };
        let host = url.host().ok_or(Error::Address)?;
        let port = url.port_or_known_default().ok_or(Error::Address)?;
        let deadline = Instant::now() + self.connect_time();
        let connecting = async {
            let addresses = self.permitted_addresses(url, &host).await?;
            let stream = first_to_answer(&addresses, port)
                .await
                .map_err(|source| Error::Socket {
                    host: host.to_string(),
                    source,
                })?;
            if !encrypted {
                return Ok(Tunnel(Box::new(stream)));
            }
            encrypt(stream, &host).await
        };
        timeout_at(deadline, connecting).await.unwrap_or_else(|_| {
            Err(Error::Timeout {
                phase: Phase::Connecting,
                limit: self.connect_time(),
            })
        })
    }

    /// The addresses of a host that may be connected to; at least one.
    async fn permitted_addresses(&self, url: &Url, host: &Host<&str>) -> Result<Vec<IpAddr>, Error> {
        let mut addresses = match host {
            Host::Ipv4(address) => vec![IpAddr::V4(*address)],
            Host::Ipv6(address) => vec![IpAddr::V6(*address)],
            Host::Domain(name) => self.resolver().resolve(name).await.unwrap_or_default(),
        };
        let host = host.to_string();
        if addresses.is_empty() {
            return Err(Error::Unresolved { host });
        }
        let exceptions = self.exceptions();
        if !exceptions.iter().any(|exception| exception.admits_endpoint(url)) {
            addresses.retain(|address| is_permitted(*address, exceptions));
        }
        if addresses.is_empty() {
            return Err(Error::Refused { host });
        }
        Ok(addresses)
    }
}

async fn first_to_answer(addresses: &[IpAddr], port: u16) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in addresses {
        match TcpStream::connect(SocketAddr::new(*address, port)).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn encrypt(stream: TcpStream, host: &Host<&str>) -> Result<Tunnel, Error> {
    let failed = |source| Error::Socket {
        host: host.to_string(),
        source,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(|error| failed(io::Error::other(error)))?
        .with_no_client_auth();
    let name = match host {
        Host::Domain(name) => ServerName::try_from((*name).to_owned()).map_err(|_| Error::Address)?,
        Host::Ipv4(address) => ServerName::from(IpAddr::V4(*address)),
        Host::Ipv6(address) => ServerName::from(IpAddr::V6(*address)),
    };
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .map_err(failed)?;
    Ok(Tunnel(Box::new(stream)))
}

impl AsyncRead for Tunnel {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
