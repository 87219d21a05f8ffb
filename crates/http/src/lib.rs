//! Amebo over HTTP.
//!
//! A handler takes extractors that prove who calls ([`caller`]), calls one use case of `amebo_app`, and answers JSON or a problem
//! document ([`problem`]). It holds no rules of its own. The API description is made from the handlers themselves.

pub mod caller;
mod cookie;
pub mod extract;
mod idempotency;
pub mod metrics;
mod openapi;
pub mod origin;
pub mod problem;
mod rate_limit;
mod request;
mod routes;
mod security;

use std::sync::Arc;

use amebo_app::App;
use axum::Router;
use axum::middleware::from_fn_with_state;
use ipnet::IpNet;
use rate_limit::Limits;
use serde::Deserialize;

pub use openapi::description;

/// How the service meets the network.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Networks of reverse proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
}

/// What every handler can reach.
#[derive(Debug, Clone)]
pub struct AppState {
    /// The application.
    pub app: Arc<App>,
    config: Arc<Config>,
    limits: Arc<Limits>,
}

/// The whole HTTP service. Serve it with `into_make_service_with_connect_info::<SocketAddr>()`, which tells it who calls.
pub fn router(app: Arc<App>, config: Config) -> Router {
    let state = AppState {
        limits: Arc::new(Limits::new(app.environment().clone())),
        config: Arc::new(config),
        app,
    };
    let (api, _) = routes::all().split_for_parts();
    api.layer(from_fn_with_state(state.clone(), idempotency::once))
        .merge(routes::doors())
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(from_fn_with_state(state.clone(), request::around))
        .with_state(state)
}
