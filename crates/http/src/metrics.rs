//! Figures for Prometheus at `/metrics`. They name no tenant and hold no texts, but how busy a company is is nobody else's business: the
//! page is for programs on the same machine, or for whoever has the token.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

/// Writes all figures in Prometheus' text format.
pub type Render = Arc<dyn Fn() -> String + Send + Sync>;

#[derive(Clone)]
struct Metrics {
    render: Render,
    token: Option<SecretString>,
}

/// The route `/metrics`. With a token, whoever sends it as `Authorization: Bearer …` may read; without, only direct callers from this machine.
pub fn router(render: Render, token: Option<SecretString>) -> Router {
    Router::new()
        .route("/metrics", get(show))
        .with_state(Metrics { render, token })
}

async fn show(State(metrics): State<Metrics>, request: Request) -> Response {
    let (headers, peer) = (
        request.headers(),
        request.extensions().get::<ConnectInfo<SocketAddr>>(),
    );
    let allowed = match &metrics.token {
        Some(token) => bearer(headers).is_some_and(|given| same(given, token.expose_secret())),
        // What a proxy on this machine passes on comes from somewhere else.
        None => {
            peer.is_some_and(|ConnectInfo(peer)| peer.ip().to_canonical().is_loopback())
                && !headers.contains_key("x-forwarded-for")
        }
    };
    if !allowed {
        return (
            StatusCode::FORBIDDEN,
            "set server.metrics_token and send it as a bearer token\n",
        )
            .into_response();
    }
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        (metrics.render)(),
    )
        .into_response()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Bearer ")
}

/// Compares digests, so that the time taken tells nothing of the token.
fn same(given: &str, token: &str) -> bool {
    Sha256::digest(given.as_bytes()) == Sha256::digest(token.as_bytes())
}
