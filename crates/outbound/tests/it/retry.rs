use std::time::{Duration, Instant};

use amebo_outbound::{Limits, Request};

use crate::server::{Reply, Server, client};

fn busy(status: &str, retry_after: &str) -> Reply {
    Reply::text(status, &format!("retry-after: {retry_after}\r\n"), "")
}

#[tokio::test]
async fn a_busy_server_is_asked_again_after_the_time_it_names() {
    let replies = vec![
        busy("429 Too Many Requests", "0.3"),
        busy("529 Overloaded", "0"),
        Reply::ok("done"),
    ];
    let server = Server::start(replies).await;
    let client = client(&[&server.address.to_string()]);
    let started = Instant::now();
    let response = client.send(Request::get(server.url("/"), "test")).await.unwrap();
    assert_eq!(response.bytes().await.unwrap(), "done");
    assert!(started.elapsed() >= Duration::from_millis(300));
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_wait_may_be_named_as_a_date() {
    let replies = vec![
        busy("503 Service Unavailable", "Fri, 20 Nov 2026 08:00:00 GMT"),
        Reply::ok("done"),
    ];
    let server = Server::start(replies).await;
    let client = client(&[&server.address.to_string()]);
    assert!(
        client
            .send(Request::get(server.url("/"), "test"))
            .await
            .unwrap()
            .status()
            .is_success()
    );
}

#[tokio::test]
async fn a_long_wait_is_handed_to_the_caller() {
    let server = Server::start(vec![busy("429 Too Many Requests", "3600")]).await;
    let client = client(&[&server.address.to_string()]);
    let response = client.send(Request::get(server.url("/"), "test")).await.unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!(response.retry_after(), Some(Duration::from_hours(1)));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn what_may_not_be_repeated_is_sent_once() {
    let server = Server::start(vec![busy("503 Service Unavailable", "0")]).await;
    let client = client(&[&server.address.to_string()]);
    let once = Request::post(server.url("/"), "test").body("text/plain", "x");
    assert_eq!(client.send(once.clone()).await.unwrap().status(), 503);
    assert_eq!(server.requests().len(), 1);
    client.send(once.repeatable()).await.unwrap();
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn attempts_are_bounded_and_refusals_are_not_repeated() {
    let server = Server::start(vec![Reply::text("404 Not Found", "", "")]).await;
    let client = client(&[&server.address.to_string()]);
    client.send(Request::get(server.url("/"), "test")).await.unwrap();
    assert_eq!(server.requests().len(), 1);

    let server = Server::start(vec![Reply::Bytes(Vec::new())]).await;
    let client = crate::server::client(&[&server.address.to_string()]);
    let limits = Limits {
        retries: 1,
        ..Limits::default()
    };
    client
        .send(Request::get(server.url("/"), "test").limits(limits))
        .await
        .unwrap_err();
    assert_eq!(server.requests().len(), 2);
}
