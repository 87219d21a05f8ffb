use amebo_outbound::{Client, Error};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use url::Url;

use crate::server::{client, config, environment};

#[tokio::test]
async fn a_tunnel_leads_to_a_listed_endpoint_and_nowhere_else_inside() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let url = Url::parse(&format!("ws://{address}/link")).unwrap();
    let refused = client(&[]).tunnel(&url).await.unwrap_err();
    assert!(matches!(refused, Error::Refused { .. }), "{refused}");

    let listed = Client::new(&config(&[&address.to_string()]), environment()).unwrap();
    let mut tunnel = listed.tunnel(&url).await.unwrap();
    let (mut other, _) = listener.accept().await.unwrap();
    tunnel.write_all(b"hello").await.unwrap();
    let mut heard = [0; 5];
    other.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"hello");

    let elsewhere = Url::parse("ws://127.0.0.1:1/link").unwrap();
    assert!(matches!(
        listed.tunnel(&elsewhere).await,
        Err(Error::Refused { .. })
    ));
    let name = Url::parse(&format!("ws://localhost:{}/link", address.port())).unwrap();
    assert!(matches!(listed.tunnel(&name).await, Err(Error::Refused { .. })));
}

#[tokio::test]
async fn encryption_that_cannot_be_trusted_ends_the_tunnel() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let listed = Client::new(&config(&[&address.to_string()]), environment()).unwrap();
    let url = Url::parse(&format!("wss://{address}/link")).unwrap();
    let (outcome, ()) = tokio::join!(listed.tunnel(&url), async {
        let (mut other, _) = listener.accept().await.unwrap();
        other.write_all(b"this is no handshake").await.unwrap();
    });
    assert!(matches!(outcome, Err(Error::Socket { .. })));
}
