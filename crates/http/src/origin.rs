//! Where a request comes from.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use amebo_app::{Origin, RequestOrigin};
use amebo_core::id::RequestId;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header;
use axum::http::request::Parts;
use ipnet::IpNet;

use crate::AppState;
use crate::problem::Problem;

/// Anybody at all, before anything is known about them. Requests are limited by network address.
#[derive(Debug)]
pub struct Visitor(pub Origin);

impl FromRequestParts<AppState> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let address = address(parts, &state.config.trusted_proxies);
        state.limits.visitor(address)?;
        let user_agent = parts
            .headers
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        Ok(Self(Origin {
            user_agent,
            address: address.to_string(),
        }))
    }
}

/// The request that is being answered, for the proofs that are given for it.
#[derive(Debug, Clone, Copy)]
pub struct Requested(pub RequestOrigin);

impl FromRequestParts<AppState> for Requested {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        Ok(Self(RequestOrigin {
            // Every request has an id, from the layer around all routes.
            id: parts
                .extensions
                .get::<RequestId>()
                .copied()
                .unwrap_or_else(|| state.app.environment().id()),
            address: address(parts, &state.config.trusted_proxies),
        }))
    }
}

/// The caller's network address: the peer's, or what a trusted proxy says of it.
///
/// `X-Forwarded-For` is read from its end, where our own proxies write, up to the first address that is not one of them; what stands
/// before that anybody can have written.
fn address(parts: &Parts, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let mut address = parts
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |ConnectInfo(peer)| {
            peer.ip().to_canonical()
        });
    let forwarded = parts.headers.get_all("x-forwarded-for");
    let hops = forwarded
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    for hop in hops.collect::<Vec<_>>().into_iter().rev() {
        if !is_trusted(address) {
            break;
        }
        match hop.trim().parse::<IpAddr>() {
            Ok(hop) => address = hop.to_canonical(),
            Err(_) => break,
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &str) -> String {
        let mut request = axum::http::Request::builder()
            .header("x-forwarded-for", forwarded)
            .body(())
            .unwrap();
        let peer = SocketAddr::new(peer.parse().unwrap(), 1);
        request.extensions_mut().insert(ConnectInfo(peer));
        let (parts, ()) = request.into_parts();
        address(&parts, &["10.0.0.0/8".parse().unwrap()]).to_string()
    }

    #[test]
    fn a_stranger_cannot_choose_its_address() {
        assert_eq!(seen("203.0.113.9", "198.51.100.1"), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", "1.1.1.1, 198.51.100.1"), "198.51.100.1");
    }

    #[test]
    fn trusted_proxies_are_passed_and_nonsense_stops() {
        assert_eq!(seen("10.0.0.1", "198.51.100.1, 10.0.0.2"), "198.51.100.1");
        assert_eq!(seen("::ffff:10.0.0.1", "198.51.100.1"), "198.51.100.1");
        assert_eq!(seen("10.0.0.1", "what, ever"), "10.0.0.1");
    }
}
