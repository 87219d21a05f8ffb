//! Sessions in cookies, and the requests of other sites.

use amebo_testkit::{Client, PASSWORD, Person, Reply, TestApp};
use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::json;

/// A browser's cookies, as name and value.
type Cookies = Vec<(String, String)>;

fn cookies(reply: &Reply) -> Cookies {
    let pair = |text: &str| {
        let (name, value) = text.split(';').next().unwrap().split_once('=').unwrap();
        (name.to_owned(), value.to_owned())
    };
    reply
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|value| pair(value.to_str().unwrap()))
        .collect()
}

fn value<'a>(cookies: &'a Cookies, name: &str) -> &'a str {
    &cookies.iter().find(|(other, _)| other == name).unwrap().1
}

async fn sign_in(app: &TestApp, person: &Person) -> Reply {
    let credentials = json!({ "email": person.email, "password": PASSWORD, "cookies": true });
    app.anonymous()
        .post("/api/v1/auth/sign-in", &credentials)
        .await
        .expect(200)
}

async fn send(client: &Client, method: Method, path: &str, cookies: &Cookies, csrf: Option<&str>) -> Reply {
    let cookie: Vec<_> = cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("cookie", cookie.join("; "))
        .header("content-type", "application/json");
    if let Some(csrf) = csrf {
        request = request.header("x-csrf-token", csrf);
    }
    client.send(request.body(Body::from("{}")).unwrap()).await
}

#[tokio::test]
async fn a_browser_gets_its_tokens_only_as_cookies_that_scripts_cannot_read() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let reply = sign_in(&app, &owner).await;
    let body = reply.json();
    assert!(body.get("access_token").is_none() && body.get("refresh_token").is_none());
    let all: Vec<_> = reply
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|value| value.to_str().unwrap())
        .collect();
    assert_eq!(all.len(), 3);
    for cookie in all {
        assert!(cookie.contains("SameSite=Strict"), "{cookie}");
        assert_eq!(
            cookie.contains("HttpOnly"),
            !cookie.starts_with("amebo_csrf="),
            "{cookie}"
        );
        if cookie.starts_with("amebo_refresh=") {
            assert!(cookie.contains("Path=/api/v1/auth"), "{cookie}");
        }
    }
}

#[tokio::test]
async fn with_cookies_reading_needs_no_more_and_changing_needs_the_header_of_this_device() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let (mine, another) = (sign_in(&app, &owner).await, sign_in(&app, &owner).await);
    let jar = cookies(&mine);
    let client = app.anonymous();
    let _ = send(&client, Method::GET, "/api/v1/me", &jar, None)
        .await
        .expect(200);
    let path = "/api/v1/auth/sign-out";
    let foreign = value(&cookies(&another), "amebo_csrf").to_owned();
    for csrf in [None, Some(""), Some("guess"), Some(foreign.as_str())] {
        let refused = send(&client, Method::POST, path, &jar, csrf).await.expect(403);
        assert_eq!(refused.problem(), "forbidden");
    }
    let csrf = value(&jar, "amebo_csrf");
    assert_eq!(mine.json()["csrf_token"], csrf);
    let signed_out = send(&client, Method::POST, path, &jar, Some(csrf))
        .await
        .expect(204);
    assert!(cookies(&signed_out).iter().all(|(_, value)| value.is_empty()));
    let _ = send(&client, Method::GET, "/api/v1/me", &jar, None)
        .await
        .expect(401);
}

#[tokio::test]
async fn a_browser_refreshes_with_its_cookie_and_the_header() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let jar = cookies(&sign_in(&app, &owner).await);
    let (client, path) = (app.anonymous(), "/api/v1/auth/refresh");
    let _ = send(&client, Method::POST, path, &jar, None).await.expect(403);
    let csrf = value(&jar, "amebo_csrf");
    let renewed = send(&client, Method::POST, path, &jar, Some(csrf))
        .await
        .expect(200);
    assert!(renewed.json().get("refresh_token").is_none());
    let next = cookies(&renewed);
    assert_ne!(value(&next, "amebo_refresh"), value(&jar, "amebo_refresh"));
    let _ = send(&client, Method::GET, "/api/v1/me", &next, None)
        .await
        .expect(200);
}

#[tokio::test]
async fn an_api_key_in_a_cookie_or_another_header_is_nothing() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let program = app.program(&owner, &["organization:read"]).await;
    let key = program.bearer().unwrap().to_owned();
    let jar = vec![("amebo_access".to_owned(), key.clone())];
    let path = owner.path("");
    let _ = send(&app.anonymous(), Method::GET, &path, &jar, None)
        .await
        .expect(401);
    let request = Request::builder()
        .uri(format!("{path}?api_key={key}"))
        .header("x-api-key", &key)
        .body(Body::empty());
    let _ = app.anonymous().send(request.unwrap()).await.expect(401);
    let _ = program.get(&path).await.expect(200);
}

#[tokio::test]
async fn every_answer_tells_browsers_to_be_careful() {
    let app = TestApp::start().await;
    for path in ["/healthz", "/api/v1/me", "/nowhere"] {
        let reply = app.anonymous().get(path).await;
        assert_eq!(reply.headers["x-content-type-options"], "nosniff");
        assert_eq!(reply.headers["x-frame-options"], "DENY");
        assert_eq!(reply.headers["referrer-policy"], "no-referrer");
        assert_eq!(reply.headers["cache-control"], "no-store");
        assert!(reply.headers.contains_key("content-security-policy"));
    }
}
