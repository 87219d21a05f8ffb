//! What surrounds every request: its id, its trace, the rendering of problems, and what every answer tells browsers.

use std::time::Instant;

use amebo_core::id::RequestId;
use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;

use crate::AppState;
use crate::problem::Problem;
use crate::security;

/// Gives the request an id (answered in `x-request-id` and in problem documents, named in every log line and in the audit log), logs
/// its end, renders the problem it may have ended in, and adds the headers that every answer has.
pub(crate) async fn around(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let id: RequestId = state.app.environment().id();
    // The route's pattern rather than the path: ids and tokens in paths stay out of the logs.
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("unmatched", MatchedPath::as_str)
        .to_owned();
    let (method, started) = (request.method().clone(), Instant::now());
    let span = tracing::info_span!("request", %id, method = %method, route);
    request.extensions_mut().insert(id);
    let mut response = next.run(request).instrument(span.clone()).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = problem.with_request_id(&id.to_string()).render();
    }
    let status = response.status().as_u16().to_string();
    metrics::histogram!("amebo_http_request_seconds", "method" => method.to_string(), "route" => route, "status" => status)
        .record(started.elapsed().as_secs_f64());
    span.in_scope(|| tracing::info!(status = response.status().as_u16(), "answered"));
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert("x-request-id", value);
    }
    security::add_headers(&mut response, state.app.public_url().scheme() == "https");
    response
}
