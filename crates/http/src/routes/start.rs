//! The built-in start page: sign in, put documents in, ask. It stands in for the dashboard in a build made without Node. It is a client of
//! the API like any other, from three files compiled in; nothing comes from another host, and no script stands in the page.

use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;

use crate::AppState;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .route(
            "/assets/start.css",
            get(async || asset("text/css; charset=utf-8", include_str!("../../assets/start.css"))),
        )
        .route(
            "/assets/start.js",
            get(async || {
                asset(
                    "text/javascript; charset=utf-8",
                    include_str!("../../assets/start.js"),
                )
            }),
        )
}

/// The page that stands in for the dashboard in a build without it.
pub(super) fn page() -> impl IntoResponse {
    asset(
        "text/html; charset=utf-8",
        include_str!("../../assets/start.html"),
    )
}

fn asset(content_type: &'static str, content: &'static str) -> impl IntoResponse {
    let headers: [(HeaderName, &str); 3] = [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, content)
}
