//! A caller of the HTTP service, in process.

use std::net::{IpAddr, SocketAddr};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

/// Somebody who calls.
#[derive(Debug, Clone)]
pub struct Client {
    router: Router,
    address: IpAddr,
    bearer: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub bytes: Vec<u8>,
}

impl Client {
    pub(crate) fn new(router: Router, address: IpAddr) -> Self {
        Self {
            router,
            address,
            bearer: None,
        }
    }

    /// Where it calls from.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// The same service, called with another token or none.
    #[must_use]
    pub fn with_bearer(&self, bearer: Option<&str>) -> Self {
        Self {
            router: self.router.clone(),
            address: self.address,
            bearer: bearer.map(str::to_owned),
        }
    }

    /// The token that is sent.
    pub fn bearer(&self) -> Option<&str> {
        self.bearer.as_deref()
    }

    /// Sends a request as it is, with the caller's token when it has no other.
    pub async fn send(&self, mut request: Request<Body>) -> Reply {
        if let Some(token) = self
            .bearer
            .as_ref()
            .filter(|_| !request.headers().contains_key(header::AUTHORIZATION))
        {
            request
                .headers_mut()
                .insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        }
        request
            .extensions_mut()
            .insert(ConnectInfo(SocketAddr::new(self.address, 1)));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        Reply {
            status: parts.status,
            headers: parts.headers,
            bytes,
        }
    }

    /// Sends a request with a JSON body, or with none when `body` is null.
    pub async fn json(&self, method: Method, path: &str, body: &Value) -> Reply {
        let request = Request::builder().method(method).uri(path);
        let request = if body.is_null() {
            request.body(Body::empty())
        } else {
            request
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(body.to_string()))
        };
        self.send(request.unwrap()).await
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Reply {
        self.json(Method::GET, path, &Value::Null).await
    }

    /// POST.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.json(Method::POST, path, body).await
    }

    /// PUT.
    pub async fn put(&self, path: &str, body: &Value) -> Reply {
        self.json(Method::PUT, path, body).await
    }

    /// PATCH.
    pub async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.json(Method::PATCH, path, body).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Reply {
        self.json(Method::DELETE, path, &Value::Null).await
    }
}

impl Reply {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("{error} in {}: {}", self.status, self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The reply itself, when it has this status; fails the test otherwise.
    #[must_use]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    /// The last part of the problem's type, such as `not-found`; fails the test when it is no problem document.
    pub fn problem(&self) -> String {
        assert_eq!(
            self.headers[header::CONTENT_TYPE],
            "application/problem+json",
            "{}",
            self.text()
        );
        let body = self.json();
        assert_eq!(body["status"], self.status.as_u16());
        assert_eq!(body["request_id"], self.headers["x-request-id"].to_str().unwrap());
        body["type"]
            .as_str()
            .unwrap()
            .strip_prefix("urn:amebo:problem:")
            .unwrap()
            .to_owned()
    }
}
