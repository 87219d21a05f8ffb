use amebo_outbound::{Error, Request};

use crate::server::{Reply, Server, client};

fn to(status: &str, location: &str) -> Reply {
    Reply::text(status, &format!("location: {location}\r\n"), "")
}

#[tokio::test]
async fn a_redirect_to_a_private_address_is_refused() {
    let secret = Server::start(vec![Reply::ok("secret")]).await;
    for host in ["127.0.0.1", "[::ffff:7f00:1]", "localhost"] {
        let target = format!("http://{host}:{}/", secret.address.port());
        let server = Server::start(vec![to("302 Found", &target)]).await;
        let client = client(&[&server.address.to_string()]);
        let error = client
            .send(Request::get(server.url("/"), "test"))
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Refused { .. }), "{error:?}");
    }
    assert!(secret.requests().is_empty());
}

#[tokio::test]
async fn secrets_stay_at_their_origin() {
    let other = Server::start(vec![Reply::ok("other")]).await;
    let server = Server::start(vec![
        to("302 Found", "/here"),
        to("302 Found", other.url("/there").as_str()),
    ])
    .await;
    let client = client(&[&server.address.to_string(), &other.address.to_string()]);
    let request = Request::get(server.url("/"), "test")
        .bearer("TOKEN")
        .header("x-api-key", "TOKEN")
        .header("cookie", "TOKEN")
        .header("accept", "text/plain");
    client.send(request).await.unwrap();
    let same_origin = &server.requests()[1];
    assert_eq!(same_origin.matches("TOKEN").count(), 3);
    let cross_origin = &other.requests()[0];
    assert!(cross_origin.contains("accept: text/plain"), "{cross_origin}");
    assert!(!cross_origin.contains("TOKEN"), "{cross_origin}");
}

#[tokio::test]
async fn a_post_becomes_a_get_after_303_and_keeps_its_body_after_307() {
    let server = Server::start(vec![
        to("307 Temporary Redirect", "/again"),
        to("303 See Other", "/result"),
        Reply::ok(""),
    ])
    .await;
    let client = client(&[&server.address.to_string()]);
    client
        .send(Request::post(server.url("/"), "test").body("text/plain", "BODY"))
        .await
        .unwrap();
    let requests = server.requests();
    assert!(requests[1].starts_with("POST /again") && requests[1].ends_with("BODY"));
    assert!(requests[2].starts_with("GET /result") && !requests[2].contains("BODY"));
}

#[tokio::test]
async fn a_body_is_not_carried_to_another_origin() {
    let other = Server::start(vec![Reply::ok("")]).await;
    let server = Server::start(vec![to("308 Permanent Redirect", other.url("/").as_str())]).await;
    let client = client(&[&server.address.to_string(), &other.address.to_string()]);
    let error = client
        .send(Request::post(server.url("/"), "test").body("text/plain", "BODY"))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Redirect), "{error:?}");
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn a_circle_of_redirects_ends() {
    let server = Server::start(vec![to("302 Found", "/")]).await;
    let client = client(&[&server.address.to_string()]);
    let error = client
        .send(Request::get(server.url("/"), "test"))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Redirect), "{error:?}");
    assert_eq!(server.requests().len(), 6);
}

#[tokio::test]
async fn a_redirect_to_another_scheme_is_refused() {
    let server = Server::start(vec![to("302 Found", "file:///etc/passwd")]).await;
    let client = client(&[&server.address.to_string()]);
    let error = client
        .send(Request::get(server.url("/"), "test"))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Address), "{error:?}");
}
