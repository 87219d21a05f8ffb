use std::io::Write;
use std::time::Duration;

use amebo_outbound::{Error, Limits, Phase, Request};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::StreamExt;

use crate::server::{Reply, Server, client};

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n";

fn limits() -> Limits {
    Limits {
        first_byte: Duration::from_millis(200),
        idle: Duration::from_millis(200),
        total: Duration::from_secs(20),
        body_bytes: 1000,
        retries: 0,
        ..Limits::default()
    }
}

async fn get(server: &Server, limits: Limits) -> Result<String, Error> {
    let client = client(&[&server.address.to_string()]);
    let response = client
        .send(Request::get(server.url("/"), "test").limits(limits))
        .await?;
    Ok(String::from_utf8(response.bytes().await?.to_vec()).unwrap())
}

#[tokio::test]
async fn a_body_announced_too_large_is_not_read() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 5000000000\r\n\r\n".to_vec();
    let server = Server::start(vec![Reply::Stall(head)]).await;
    let error = get(&server, limits()).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 1000 }), "{error:?}");
}

#[tokio::test]
async fn a_body_that_turns_out_too_large_is_cut_off() {
    let server = Server::start(vec![Reply::Drip(HEAD.into(), vec![b'x'; 300])]).await;
    let error = get(&server, limits()).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 1000 }), "{error:?}");
}

#[tokio::test]
async fn a_compressed_bomb_is_stopped_at_its_unpacked_size() {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..64 {
        packed.write_all(&vec![0; 1 << 20]).unwrap();
    }
    let packed = packed.finish().unwrap();
    let mut reply = format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
        packed.len()
    )
    .into_bytes();
    reply.extend(packed);
    let server = Server::start(vec![Reply::Bytes(reply)]).await;
    let limits = Limits {
        body_bytes: 1 << 20,
        ..limits()
    };
    let error = get(&server, limits).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let server = Server::start(vec![Reply::Stall(Vec::new())]).await;
    let error = get(&server, limits()).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Timeout {
                phase: Phase::FirstByte,
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_server_that_falls_silent_is_given_up() {
    let server = Server::start(vec![Reply::Stall(format!("{HEAD}beginning").into())]).await;
    let error = get(&server, limits()).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Timeout {
                phase: Phase::Idle,
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_server_that_drips_for_ever_is_given_up() {
    let server = Server::start(vec![Reply::Drip(HEAD.into(), b"x".to_vec())]).await;
    let limits = Limits {
        total: Duration::from_millis(300),
        body_bytes: usize::MAX,
        ..limits()
    };
    let error = get(&server, limits).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Timeout {
                phase: Phase::Total,
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error() {
    let server = Server::start(vec![Reply::Bytes(
        b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf".to_vec(),
    )])
    .await;
    let error = get(&server, limits()).await.unwrap_err();
    assert!(matches!(error, Error::Interrupted(_)), "{error:?}");
}

#[tokio::test]
async fn pieces_are_handed_on_as_they_come() {
    let server = Server::start(vec![Reply::Stall(format!("{HEAD}first").into())]).await;
    let client = client(&[&server.address.to_string()]);
    let response = client
        .send(Request::get(server.url("/"), "test").limits(limits()))
        .await
        .unwrap();
    let mut pieces = response.stream();
    assert_eq!(pieces.next().await.unwrap().unwrap(), "first");
}

#[tokio::test]
async fn a_page_comes_with_its_type_and_final_address() {
    let server = Server::start(vec![
        Reply::text("302 Found", "location: /moved\r\n", ""),
        Reply::text("200 OK", "content-type: text/html; charset=utf-8\r\n", "<p>Hello"),
    ])
    .await;
    let client = client(&[&server.address.to_string()]);
    let page = client.page(server.url("/page"), 1000).await.unwrap();
    assert_eq!(page.url, server.url("/moved"));
    assert_eq!(page.content_type.as_deref(), Some("text/html; charset=utf-8"));
    assert_eq!(page.body, "<p>Hello");
}
