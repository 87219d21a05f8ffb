//! Amebo over HTTP.
//!
//! A handler takes extractors that prove who calls ([`caller`]), calls one use case of `amebo_app`, and answers JSON or a problem
//! document ([`problem`]). It holds no rules of its own. The API description is made from the handlers themselves.

pub mod caller;
pub mod extract;
mod openapi;
pub mod problem;
mod request;
mod routes;

use std::sync::Arc;

use amebo_app::App;
use axum::Router;
use axum::middleware::from_fn_with_state;

pub use openapi::description;

/// What every handler can reach.
#[derive(Debug, Clone)]
pub struct AppState {
    /// The application.
    pub app: Arc<App>,
}

/// The whole HTTP service.
pub fn router(app: Arc<App>) -> Router {
    let state = AppState { app };
    let (router, _) = routes::all().split_for_parts();
    router
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(from_fn_with_state(state.clone(), request::around))
        .with_state(state)
}
