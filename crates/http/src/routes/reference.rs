//! The API description, as data and as a page to read. The page is plain files of our own; it loads nothing from elsewhere.

use std::sync::OnceLock;

use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;

use crate::AppState;

/// The page runs its own script, has its own style, and reads the description; nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
/// How long browsers keep the files.
const KEPT: &str = "public, max-age=300";

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .route("/api/openapi.json", get(description))
        .route("/api/reference", get(page))
        .route("/api/reference/reference.js", get(script))
        .route("/api/reference/reference.css", get(style))
}

async fn description() -> impl IntoResponse {
    static DESCRIPTION: OnceLock<String> = OnceLock::new();
    // Made once; a description that cannot be written would fail the test that keeps the committed one current.
    let json = DESCRIPTION.get_or_init(|| crate::description().to_json().unwrap_or_default());
    file("application/json", json)
}

async fn page() -> impl IntoResponse {
    file(
        "text/html; charset=utf-8",
        include_str!("../../assets/reference.html"),
    )
}

async fn script() -> impl IntoResponse {
    file(
        "text/javascript; charset=utf-8",
        include_str!("../../assets/reference.js"),
    )
}

async fn style() -> impl IntoResponse {
    file(
        "text/css; charset=utf-8",
        include_str!("../../assets/reference.css"),
    )
}

fn file(kind: &'static str, content: &'static str) -> ([(HeaderName, &'static str); 3], &'static str) {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, KEPT),
    ];
    (headers, content)
}
