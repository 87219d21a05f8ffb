//! Names to addresses, and the check that sits between the two and the connection.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolving};

use crate::address::{canonical, is_public};
use crate::exception::Exception;

/// Finds the addresses of a name. Injected so that tests can lie.
#[async_trait]
pub trait Resolve: Send + Sync {
    /// All addresses of `host`, in the order they should be tried.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's resolver.
#[derive(Debug, Clone, Copy)]
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0))
            .await?
            .map(|address| address.ip())
            .collect())
    }
}

/// No address of the host may be connected to.
#[derive(Debug)]
pub(crate) struct NotPublic;

impl fmt::Display for NotPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a public address")
    }
}

impl std::error::Error for NotPublic {}

/// The name has no address, or its server did not answer.
#[derive(Debug)]
pub(crate) struct NotResolved;

impl fmt::Display for NotResolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name could not be resolved")
    }
}

impl std::error::Error for NotResolved {}

/// Whether an address may be connected to under the rule and the listed exceptions.
pub(crate) fn is_permitted(address: IpAddr, exceptions: &[Exception]) -> bool {
    let address = canonical(address);
    is_public(address)
        || exceptions
            .iter()
            .any(|exception| exception.admits_address(address))
}

/// The resolver that connections use. What it returns is what is connected to.
pub(crate) struct Checked {
    pub(crate) resolver: Arc<dyn Resolve>,
    /// `None` admits every address: for endpoints the operator listed by name and port.
    pub(crate) exceptions: Option<Arc<[Exception]>>,
}

impl reqwest::dns::Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (resolver, exceptions) = (self.resolver.clone(), self.exceptions.clone());
        Box::pin(async move {
            let mut addresses = resolver.resolve(name.as_str()).await.map_err(|_| NotResolved)?;
            if addresses.is_empty() {
                return Err(NotResolved.into());
            }
            if let Some(exceptions) = exceptions {
                addresses.retain(|address| is_permitted(*address, &exceptions));
                if addresses.is_empty() {
                    return Err(NotPublic.into());
                }
            }
            // Port 0 stands for the port of the address asked for.
            Ok(Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}
