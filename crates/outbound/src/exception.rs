//! The operator's exceptions from the rule that only public addresses are connected to.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// One place inside the operator's own network that may be connected to: `127.0.0.1:11434`, `models.internal:8080`,
/// `[::1]:8080`, or every address of a network such as `10.20.0.0/16`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Exception {
    /// Exactly this host, as written in addresses, on exactly this port; whatever a name resolves to.
    Endpoint(Host, u16),
    /// Every port of every address of this network, by number or by name.
    Network(IpNet),
}

/// The text is neither `host:port` nor a network in CIDR notation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither host:port (127.0.0.1:11434) nor a network (10.20.0.0/16)")]
pub struct InvalidException(String);

impl Exception {
    pub(crate) fn admits_endpoint(&self, url: &Url) -> bool {
        match (self, url.host(), url.port_or_known_default()) {
            (Self::Endpoint(host, port), Some(asked), Some(asked_port)) => {
                *port == asked_port && *host == asked.to_owned()
            }
            _ => false,
        }
    }

    pub(crate) fn admits_address(&self, address: IpAddr) -> bool {
        matches!(self, Self::Network(network) if network.contains(&address))
    }
}

impl FromStr for Exception {
    type Err = InvalidException;

    fn from_str(text: &str) -> Result<Self, InvalidException> {
        let invalid = || InvalidException(text.to_owned());
        if let Ok(network) = text.parse::<IpNet>() {
            return Ok(Self::Network(network));
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(invalid)?;
        // A star would be taken for a wildcard, which this is not.
        let host = Host::parse(host)
            .ok()
            .filter(|_| !host.contains('*'))
            .ok_or_else(invalid)?;
        Ok(Self::Endpoint(host, port.parse().map_err(|_| invalid())?))
    }
}

impl TryFrom<String> for Exception {
    type Error = InvalidException;

    fn try_from(text: String) -> Result<Self, InvalidException> {
        text.parse()
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint(host, port) => write!(f, "{host}:{port}"),
            Self::Network(network) => write!(f, "{network}"),
        }
    }
}

impl From<Exception> for String {
    fn from(exception: Exception) -> Self {
        exception.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_admits_its_host_and_port_in_every_spelling_and_nothing_else() {
        let exception: Exception = "127.0.0.1:11434".parse().unwrap();
        let admits = |url: &str| exception.admits_endpoint(&Url::parse(url).unwrap());
        assert!(admits("http://127.0.0.1:11434/v1"));
        assert!(admits("http://0x7f.1:11434/v1"));
        assert!(!admits("http://127.0.0.1:11435/v1"));
        assert!(!admits("http://localhost:11434/v1"));
        assert!(!admits("http://127.0.0.1.example.com:11434/v1"));
    }

    #[test]
    fn a_network_admits_its_addresses_only() {
        let exception: Exception = "10.20.0.0/16".parse().unwrap();
        assert!(exception.admits_address("10.20.3.4".parse().unwrap()));
        assert!(!exception.admits_address("10.21.0.1".parse().unwrap()));
    }

    #[test]
    fn what_is_no_exception_is_refused_with_an_example() {
        for wrong in ["", "127.0.0.1", "host:", "host:99999", "10.0.0.0/40", "*:80"] {
            let error = wrong.parse::<Exception>().unwrap_err();
            assert!(error.to_string().contains("127.0.0.1:11434"), "{wrong}");
        }
    }

    #[test]
    fn an_exception_is_written_as_it_is_read() {
        for text in [
            "127.0.0.1:11434",
            "models.internal:8080",
            "[::1]:80",
            "10.20.0.0/16",
        ] {
            assert_eq!(text.parse::<Exception>().unwrap().to_string(), text);
        }
    }
}
