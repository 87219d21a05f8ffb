//! The dashboard: the files of `web/dist`, compiled in. It is a client of the API like any other.
//!
//! One page answers at every address of the dashboard, so that links lead deep into it; what it loads lies below `/dashboard/` under names
//! that change with their content. The build also leaves each file compressed beside itself, and nothing is compressed here. A build made
//! without Node has no such files: then the built-in start page answers in the dashboard's place, and says so ([`super::start`]).

use std::borrow::Cow;

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::{Embed, EmbeddedFile};
use utoipa_axum::router::OpenApiRouter;

use super::start;
use crate::AppState;
use crate::problem::{self, Problem};

/// Nothing from another host, no script and no style in the page itself. Pictures may be made by the page (`blob:`), from what it read
/// through the API; the worker draws PDF pages.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; \
                      font-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Everything but the page keeps its content under its name for ever.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// The page is asked for anew, and answered with "not modified".
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// Where the dashboard's page answers.
const PAGES: [&str; 11] = [
    "/",
    "/sign-in",
    "/sign-up",
    "/accept-invitation",
    "/reset-password",
    "/account",
    "/operator",
    "/link-account",
    "/slack-failed",
    "/documents/{document}",
    "/o/{*page}",
];

#[derive(Embed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Files;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    let mut router = OpenApiRouter::new().route("/dashboard/{*path}", get(file));
    for path in PAGES {
        router = router.route(path, get(page));
    }
    router
}

async fn page(headers: HeaderMap) -> Response {
    match answer("index.html", &headers, Files::get) {
        Some(response) => response,
        None => start::page().into_response(),
    }
}

async fn file(Path(path): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    match answer(&format!("dashboard/{path}"), &headers, Files::get) {
        Some(response) => Ok(response),
        None => Err(problem::no_such_route().await),
    }
}

/// A file as the caller can take it: compressed if it may be, nothing if the caller has it.
fn answer(name: &str, headers: &HeaderMap, get: impl Fn(&str) -> Option<EmbeddedFile>) -> Option<Response> {
    let plain = get(name)?;
    let etag = HeaderValue::from_str(&format!("\"{}\"", hex::encode(plain.metadata.sha256_hash()))).ok()?;
    let is_page = name == "index.html";
    let mut answer = HeaderMap::new();
    answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    answer.insert(header::CACHE_CONTROL, if is_page { ASK_AGAIN } else { FOR_EVER });
    answer.insert(header::ETAG, etag.clone());
    answer.insert(header::CONTENT_TYPE, content_type(name));
    if is_page {
        answer.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    }
    if headers.get(header::IF_NONE_MATCH) == Some(&etag) {
        return Some((StatusCode::NOT_MODIFIED, answer).into_response());
    }
    let compressed = [("br", "br"), ("gzip", "gz")]
        .into_iter()
        .filter(|(encoding, _)| accepts(headers, encoding))
        .find_map(|(encoding, ending)| Some((encoding, get(&format!("{name}.{ending}"))?)));
    let content = match compressed {
        Some((encoding, file)) => {
            answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
            file.data
        }
        None => plain.data,
    };
    let body = match content {
        Cow::Borrowed(bytes) => axum::body::Body::from(bytes),
        Cow::Owned(bytes) => axum::body::Body::from(bytes),
    };
    Some((answer, body).into_response())
}

/// Whether `Accept-Encoding` names the encoding without refusing it (RFC 9110, 12.5.3).
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|item| {
            let (name, quality) = item.split_once(';').unwrap_or((item, ""));
            let quality = quality.trim().strip_prefix("q=").map(str::parse::<f32>);
            name.trim().eq_ignore_ascii_case(encoding) && !matches!(quality, Some(Ok(0.0)))
        })
}

fn content_type(name: &str) -> HeaderValue {
    HeaderValue::from_static(match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(name: &str) -> Option<EmbeddedFile> {
        let data: &[u8] = match name {
            "index.html" => b"<!doctype html>",
            "dashboard/a.js" => b"let a",
            "dashboard/a.js.br" => b"br",
            "dashboard/a.js.gz" => b"gz",
            _ => return None,
        };
        let metadata = rust_embed::Metadata::__rust_embed_new([7; 32], None, None);
        Some(EmbeddedFile {
            data: Cow::Borrowed(data),
            metadata,
        })
    }

    fn asked(name: &str, headers: &[(&'static str, &str)]) -> Option<Response> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        answer(name, &headers, files)
    }

    fn header_of(response: &Response, name: &str) -> String {
        response
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
            .unwrap_or_default()
    }

    #[test]
    fn a_file_comes_in_the_best_form_that_the_caller_takes() {
        let encoding = |accepted: &str| {
            let response = asked("dashboard/a.js", &[("accept-encoding", accepted)]).unwrap();
            header_of(&response, "content-encoding")
        };
        assert_eq!(encoding("gzip, deflate, br"), "br");
        assert_eq!(encoding("gzip, br;q=0"), "gzip");
        assert_eq!(encoding("identity"), "");
        let page = asked("index.html", &[("accept-encoding", "br")]).unwrap();
        assert_eq!(
            header_of(&page, "content-encoding"),
            "",
            "nobody compressed the page"
        );
    }

    #[test]
    fn files_are_kept_for_ever_and_the_page_is_asked_for_anew() {
        let page = asked("index.html", &[]).unwrap();
        assert_eq!(header_of(&page, "cache-control"), "no-cache");
        let policy = header_of(&page, "content-security-policy");
        assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"));
        let etag = header_of(&page, "etag");
        let again = asked("index.html", &[("if-none-match", &etag)]).unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        let script = asked("dashboard/a.js", &[]).unwrap();
        assert!(header_of(&script, "cache-control").contains("immutable"));
        assert_eq!(
            header_of(&script, "content-type"),
            "text/javascript; charset=utf-8"
        );
    }

    #[test]
    fn what_is_not_there_is_not_answered() {
        assert!(asked("dashboard/b.js", &[]).is_none());
    }
}
