//! Both wire formats against a server that answers well, badly, late and not at all.

use std::sync::Arc;

use amebo_core::{Environment, ManualClock};
use amebo_knowledge::embed::remote::{Format, RemoteEmbedder, Settings};
use amebo_knowledge::embed::{Embedder, Error, Languages, Purpose};
use amebo_outbound::{Client, Config};
use chrono::DateTime;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::provider::server::{Reply, Server};

fn settings(server: &Server, format: Format, dimension: Option<usize>) -> Settings {
    Settings {
        format,
        base_url: Some(format!("http://{}/v1/", server.address).parse().unwrap()),
        model: "wren-2".to_owned(),
        dimension,
        languages: None,
        max_tokens: 8192,
    }
}

async fn open(server: &Server, format: Format, dimension: Option<usize>) -> Result<RemoteEmbedder, Error> {
    let config = Config {
        allow: vec![server.address.to_string().parse().unwrap()],
        ..Config::default()
    };
    let clock = Arc::new(ManualClock::starting_at(DateTime::UNIX_EPOCH));
    let client = Client::new(&config, Environment::replayable(clock, 1)).unwrap();
    let key = SecretString::from("KEY");
    RemoteEmbedder::open(settings(server, format, dimension), Some(key), client).await
}

/// An answer with these vectors, numbered from 0.
fn vectors(vectors: &[&[f32]]) -> Reply {
    let data: Vec<Value> = vectors
        .iter()
        .enumerate()
        .map(|(index, vector)| json!({ "object": "embedding", "index": index, "embedding": vector }))
        .collect();
    Reply::text(
        "200 OK",
        "",
        &json!({ "object": "list", "data": data, "model": "wren-2" }).to_string(),
    )
}

fn refusal(status: &str, headers: &str, body: &str) -> Reply {
    Reply::text(status, headers, body)
}

/// What comes of embedding two texts when the server answers so.
async fn outcome(replies: Vec<Reply>) -> (Result<Vec<Vec<f32>>, Error>, Server) {
    let server = Server::start(replies).await;
    let model = open(&server, Format::Openai, Some(2)).await.unwrap();
    let texts = ["One.".to_owned(), "Two.".to_owned()];
    (model.embed(&texts, Purpose::Passage).await, server)
}

fn body(request: &str) -> Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[tokio::test]
async fn openai_gets_model_texts_and_dimension_and_gives_unit_vectors() {
    let (result, server) = outcome(vec![vectors(&[&[3.0, 4.0], &[0.0, -2.0]])]).await;
    assert_eq!(result.unwrap(), [[0.6, 0.8], [0.0, -1.0]]);
    let request = &server.requests()[0];
    assert!(
        request.starts_with("POST /v1/embeddings HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(request.contains("authorization: Bearer KEY\r\n"), "{request}");
    assert_eq!(
        body(request),
        json!({ "model": "wren-2", "input": ["One.", "Two."], "dimensions": 2 })
    );
}

#[tokio::test]
async fn voyage_is_told_what_a_text_is_for() {
    for (purpose, input_type) in [(Purpose::Query, "query"), (Purpose::Passage, "document")] {
        let server = Server::start(vec![vectors(&[&[1.0, 0.0]])]).await;
        let model = open(&server, Format::Voyage, Some(2)).await.unwrap();
        model.embed(&["Why?".to_owned()], purpose).await.unwrap();
        assert_eq!(
            body(&server.requests()[0]),
            json!({ "model": "wren-2", "input": ["Why?"], "input_type": input_type, "output_dimension": 2 })
        );
    }
}

#[tokio::test]
async fn the_dimension_is_learned_from_the_first_answer_where_it_is_not_configured() {
    let server = Server::start(vec![vectors(&[&[1.0, 2.0, 2.0]])]).await;
    let model = open(&server, Format::Openai, None).await.unwrap();
    assert_eq!(model.model().dimension, 3);
    assert_eq!(model.model().id, "wren-2");
    assert_eq!(model.model().languages, Languages::Any);
    assert_eq!(
        body(&server.requests()[0]),
        json!({ "model": "wren-2", "input": ["dimension"] })
    );
}

#[tokio::test]
async fn vectors_of_another_dimension_than_asked_for_have_another_model_id() {
    let server = Server::start(vec![vectors(&[&[1.0, 0.0]])]).await;
    let model = open(&server, Format::Openai, Some(256)).await.unwrap();
    assert_eq!(
        (model.model().id.as_str(), model.model().dimension),
        ("wren-2@256", 256)
    );
    let error = model.embed(&["x".to_owned()], Purpose::Query).await.unwrap_err();
    assert!(error.to_string().contains("2 numbers instead of 256"), "{error}");
}

#[tokio::test]
async fn many_texts_go_in_several_requests_and_come_back_in_order() {
    let large = "x".repeat(60_000);
    let server = Server::start(vec![vectors(&[&[1.0, 0.0], &[0.0, 1.0], &[-1.0, 0.0]])]).await;
    let model = open(&server, Format::Openai, Some(2)).await.unwrap();
    let found = model.embed(&vec![large; 6], Purpose::Passage).await.unwrap();
    assert_eq!(server.requests().len(), 2);
    assert_eq!(
        found,
        [
            [1.0, 0.0],
            [0.0, 1.0],
            [-1.0, 0.0],
            [1.0, 0.0],
            [0.0, 1.0],
            [-1.0, 0.0]
        ]
    );
}

#[tokio::test]
async fn a_limit_that_passes_is_waited_out() {
    let (result, server) = outcome(vec![
        refusal(
            "429 Too Many Requests",
            "retry-after: 0\r\n",
            r#"{"error": {"message": "slow down"}}"#,
        ),
        refusal("503 Service Unavailable", "retry-after: 0\r\n", ""),
        vectors(&[&[1.0, 0.0], &[0.0, 1.0]]),
    ])
    .await;
    assert_eq!(result.unwrap().len(), 2);
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_limit_that_lasts_is_handed_to_the_caller_with_the_wait_asked_for() {
    let (result, server) = outcome(vec![refusal(
        "429 Too Many Requests",
        "retry-after: 120\r\n",
        "{}",
    )])
    .await;
    let error = result.unwrap_err();
    assert!(error.is_retryable());
    assert!(matches!(error, Error::Unavailable { retry_after: Some(wait), .. } if wait.as_secs() == 120));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn refusals_say_what_to_mend_and_are_not_repeated() {
    let cases = [
        ("401 Unauthorized", "{}", "check the key"),
        ("404 Not Found", "not json", "no such model or address"),
        (
            "400 Bad Request",
            r#"{"error": {"message": "input is too long"}}"#,
            "input is too long",
        ),
        (
            "400 Bad Request",
            r#"{"detail": "dimension 7 is not offered"}"#,
            "dimension 7 is not offered",
        ),
        (
            "429 Too Many Requests",
            r#"{"error": {"code": "insufficient_quota"}}"#,
            "no credit left",
        ),
    ];
    for (status, answer, expected) in cases {
        let (result, server) = outcome(vec![refusal(status, "retry-after: 60\r\n", answer)]).await;
        let error = result.unwrap_err();
        assert!(error.to_string().contains(expected), "{status}: {error}");
        assert!(!error.is_retryable(), "{status}");
        assert_eq!(server.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn answers_that_cannot_be_used_are_errors() {
    let cases = [
        (vectors(&[&[1.0, 0.0]]), "fewer vectors"),
        (
            vectors(&[&[1.0, 0.0], &[1.0, 0.0, 0.0]]),
            "3 numbers instead of 2",
        ),
        (vectors(&[&[1.0, 0.0], &[0.0, 0.0]]), "no length"),
        (
            vectors(&[&[1.0, 0.0], &[0.0, 1.0], &[0.0, 1.0]]),
            "numbers its vectors",
        ),
        (
            Reply::text("200 OK", "", "<html>welcome</html>"),
            "format expected",
        ),
        (
            Reply::text("302 Found", "location: /elsewhere\r\n", ""),
            "redirect",
        ),
    ];
    for (reply, expected) in cases {
        let error = outcome(vec![reply]).await.0.unwrap_err();
        assert!(error.to_string().contains(expected), "{expected}: {error}");
        assert!(!error.is_retryable(), "{expected}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_may_be_tried_again() {
    let cut = Reply::text("200 OK", "content-length: 900\r\n", r#"{"data": ["#);
    let error = outcome(vec![cut]).await.0.unwrap_err();
    assert!(error.is_retryable(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_in_time_is_given_up() {
    let server = Server::start(vec![Reply::stalled("")]).await;
    let model = open(&server, Format::Openai, Some(2)).await.unwrap();
    let error = model
        .embed(&["Why?".to_owned()], Purpose::Query)
        .await
        .unwrap_err();
    assert!(error.is_retryable(), "{error}");
}

#[tokio::test]
async fn neither_key_nor_texts_are_shown_by_debug() {
    let server = Server::start(vec![vectors(&[&[1.0]])]).await;
    let model = open(&server, Format::Openai, None).await.unwrap();
    assert!(!format!("{model:?}").contains("KEY"));
}
