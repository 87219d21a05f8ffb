use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use amebo_outbound::{Client, Error, Request, Resolve};
use async_trait::async_trait;
use url::Url;

use crate::server::{Reply, Server, client, config, environment};

/// Answers each question with the next of its answers.
struct Answers(Vec<Vec<IpAddr>>, AtomicUsize);

#[async_trait]
impl Resolve for Answers {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let asked = self.1.fetch_add(1, Ordering::SeqCst);
        self.0
            .get(asked)
            .cloned()
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

fn answers(answers: &[&[&str]]) -> Arc<Answers> {
    let parse = |addresses: &&[&str]| addresses.iter().map(|address| address.parse().unwrap()).collect();
    Arc::new(Answers(answers.iter().map(parse).collect(), AtomicUsize::new(0)))
}

async fn get(client: &Client, url: &str) -> Result<String, Error> {
    let bytes = client
        .send(Request::get(Url::parse(url).unwrap(), "test"))
        .await?
        .bytes()
        .await?;
    Ok(String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn private_addresses_are_refused_in_every_spelling() {
    let server = Server::start(vec![Reply::ok("secret")]).await;
    let port = server.address.port();
    for host in [
        "127.0.0.1",
        "0x7f.1",
        "2130706433",
        "0177.0.0.1",
        "127.1",
        "127.0.0.1.",
        "[::ffff:7f00:1]",
        "[::ffff:127.0.0.1]",
        "[::7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[::1]",
        "localhost",
        "0.0.0.0",
        "169.254.169.254",
        "[fd00:ec2::254]",
        "１２７.0.0.1",
    ] {
        let error = get(&client(&[]), &format!("http://{host}:{port}/"))
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Refused { .. }), "{host}: {error:?}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_listed_endpoint_is_reached_and_its_neighbours_are_not() {
    let server = Server::start(vec![Reply::ok("hello")]).await;
    let other = Server::start(vec![Reply::ok("secret")]).await;
    let client = client(&[&server.address.to_string()]);
    assert_eq!(get(&client, server.url("/").as_str()).await.unwrap(), "hello");
    let error = get(&client, other.url("/").as_str()).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }));
}

#[tokio::test]
async fn a_listed_name_is_reached_wherever_it_points() {
    let server = Server::start(vec![Reply::ok("hello")]).await;
    let port = server.address.port();
    let config = config(&[&format!("models.internal:{port}")]);
    let client = Client::with_resolver(&config, environment(), answers(&[&["127.0.0.1"]])).unwrap();
    assert_eq!(
        get(&client, &format!("http://models.internal:{port}/"))
            .await
            .unwrap(),
        "hello"
    );
}

#[tokio::test]
async fn a_name_that_points_inside_is_refused() {
    let client = Client::with_resolver(&config(&[]), environment(), answers(&[&["10.0.0.5"]])).unwrap();
    let error = get(&client, "http://innocent.example/").await.unwrap_err();
    assert!(
        matches!(&error, Error::Refused { host } if host == "innocent.example"),
        "{error:?}"
    );
}

/// The permitted network stands for the public internet here, where there is none.
#[tokio::test]
async fn a_name_that_changes_its_address_between_check_and_use_gains_nothing() {
    let outside = Server::start_at([127, 0, 0, 2].into(), vec![Reply::ok("public")]).await;
    let port = outside.address.port();
    let resolver = answers(&[&["127.0.0.2"], &["127.0.0.1"]]);
    let client = Client::with_resolver(&config(&["127.0.0.2/32"]), environment(), resolver.clone()).unwrap();
    let url = format!("http://rebinding.example:{port}/");
    assert_eq!(get(&client, &url).await.unwrap(), "public");
    assert_eq!(
        resolver.1.load(Ordering::SeqCst),
        1,
        "what is checked is what is connected to"
    );
    let error = get(&client, &url).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
}

#[tokio::test]
async fn of_mixed_addresses_only_the_permitted_ones_are_tried() {
    let outside = Server::start_at([127, 0, 0, 2].into(), vec![Reply::ok("public")]).await;
    let port = outside.address.port();
    let resolver = answers(&[&["127.0.0.1", "127.0.0.2"]]);
    let client = Client::with_resolver(&config(&["127.0.0.2/32"]), environment(), resolver).unwrap();
    assert_eq!(
        get(&client, &format!("http://mixed.example:{port}/"))
            .await
            .unwrap(),
        "public"
    );
}

#[tokio::test]
async fn an_unknown_name_is_said_to_be_unknown() {
    let client = Client::with_resolver(&config(&[]), environment(), answers(&[])).unwrap();
    let error = get(&client, "http://nowhere.example/").await.unwrap_err();
    assert!(matches!(error, Error::Unresolved { .. }), "{error:?}");
}

#[tokio::test]
async fn other_schemes_and_user_names_in_addresses_are_refused() {
    for url in [
        "file:///etc/passwd",
        "ftp://example.org/",
        "http://user:secret@example.org/",
        "gopher://x/",
    ] {
        let error = get(&client(&[]), url).await.unwrap_err();
        assert!(matches!(error, Error::Address), "{url}");
        assert!(!error.to_string().contains("secret"));
    }
}

#[tokio::test]
async fn errors_and_debug_output_do_not_show_paths_or_headers() {
    let server = Server::start(vec![Reply::ok("")]).await;
    let request = Request::get(server.url("/bot123:TOKEN/send?key=TOKEN"), "test").bearer("TOKEN");
    assert!(!format!("{request:?}").contains("TOKEN"));
    let closed = format!("127.0.0.1:{}", unused_port().await);
    let error = get(&client(&[&closed]), &format!("http://{closed}/TOKEN"))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error:?}");
    assert!(!format!("{error:?} {error}").contains("TOKEN"));
}

async fn unused_port() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}
