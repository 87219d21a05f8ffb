//! Both wire formats against a server that plays recordings of our own making, and everything that goes wrong.

pub(crate) mod server;

use std::sync::Arc;
use std::time::Duration;

use amebo_core::{Environment, ManualClock};
use amebo_knowledge::provider::{
    Completion, Delta, Error, Format, LanguageModel, Message, Part, Request, Role, Settings, Stop, Usage,
    open,
};
use amebo_outbound::{Client, Config};
use chrono::DateTime;
use futures::StreamExt;
use secrecy::SecretString;
use server::{Reply, Server};

const ANTHROPIC: &str = include_str!("provider/anthropic.sse");
const OPENAI: &str = include_str!("provider/openai.sse");

fn model(server: &Server, format: Format) -> Arc<dyn LanguageModel> {
    let config = Config {
        allow: vec![server.address.to_string().parse().unwrap()],
        ..Config::default()
    };
    let clock = Arc::new(ManualClock::starting_at(DateTime::UNIX_EPOCH));
    let client = Client::new(&config, Environment::replayable(clock, 1)).unwrap();
    let settings = Settings {
        format,
        base_url: Some(format!("http://{}/v1/", server.address).parse().unwrap()),
        model: "sparrow-1".to_owned(),
    };
    open(&settings, Some(SecretString::from("KEY")), client).unwrap()
}

fn request() -> Request {
    let say = |role, text: &str| Message {
        role,
        content: vec![Part::new(text)],
    };
    Request {
        system: vec![Part::cached("Be brief."), Part::new("Be kind.")],
        messages: vec![
            say(Role::User, "Hi"),
            say(Role::Assistant, "Hello"),
            say(Role::User, "How many?"),
        ],
        max_tokens: 100,
        temperature: None,
    }
}

async fn outcome(format: Format, replies: Vec<Reply>) -> (Result<(String, Completion), Error>, Server) {
    let server = Server::start(replies).await;
    let result = async {
        let mut deltas = model(&server, format).complete(&request()).await?;
        let mut text = String::new();
        while let Some(delta) = deltas.next().await {
            match delta? {
                Delta::Text(more) => text += &more,
                Delta::Done(completion) => return Ok((text, completion)),
            }
        }
        unreachable!("a stream ends with its completion or an error")
    };
    (result.await, server)
}

async fn error(format: Format, reply: Reply) -> Error {
    outcome(format, vec![reply]).await.0.unwrap_err()
}

#[tokio::test]
async fn anthropic_s_events_become_text_and_counts() {
    let (result, server) = outcome(Format::Anthropic, vec![Reply::events(ANTHROPIC)]).await;
    let (text, completion) = result.unwrap();
    assert_eq!(text, "Twelve größere Möwen [1].");
    let usage = Usage {
        input: 340,
        cached: 300,
        output: 9,
    };
    assert_eq!(
        completion,
        Completion {
            model: "sparrow-1-2026".to_owned(),
            stop: Stop::End,
            usage
        }
    );
    let sent = &server.requests()[0];
    assert!(sent.starts_with("POST /v1/messages HTTP/1.1"), "{sent}");
    assert!(sent.contains("x-api-key: KEY") && sent.contains("anthropic-version: 2023-06-01"));
    let body = body(sent);
    assert_eq!(body["system"][0]["cache_control"]["type"], "ephemeral");
    assert!(body["system"][1].get("cache_control").is_none());
    assert_eq!(body["messages"][1]["role"], "assistant");
    assert_eq!(body["stream"], true);
}

#[tokio::test]
async fn openai_s_events_become_text_and_counts() {
    let (result, server) = outcome(Format::Openai, vec![Reply::events(OPENAI)]).await;
    let (text, completion) = result.unwrap();
    assert_eq!(text, "Twelve größere Möwen [1].");
    let usage = Usage {
        input: 340,
        cached: 300,
        output: 9,
    };
    assert_eq!(
        completion,
        Completion {
            model: "sparrow-1-2026".to_owned(),
            stop: Stop::Length,
            usage
        }
    );
    let sent = &server.requests()[0];
    assert!(sent.starts_with("POST /v1/chat/completions HTTP/1.1"), "{sent}");
    assert!(sent.contains("authorization: Bearer KEY"));
    let body = body(sent);
    assert_eq!(body["messages"][0]["content"], "Be brief.\n\nBe kind.");
    assert_eq!(body["max_tokens"], 100);
    assert!(body.get("temperature").is_none());
}

fn body(request: &str) -> serde_json::Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[tokio::test]
async fn every_refusal_has_its_own_error_and_words_for_a_person() {
    let reply = |status: &str, kind: &str, message: &str| {
        let body = format!(r#"{{"error":{{"type":"{kind}","code":"{kind}","message":"{message}"}}}}"#);
        Reply::text(status, "retry-after: 3600\r\n", &body)
    };
    for format in [Format::Anthropic, Format::Openai] {
        let hour = Some(Duration::from_hours(1));
        let of = async |status, kind, message| error(format, reply(status, kind, message)).await;
        assert!(matches!(
            of("401 No", "authentication_error", "x").await,
            Error::Authentication
        ));
        assert!(matches!(
            of("403 No", "permission_error", "x").await,
            Error::Authentication
        ));
        assert!(matches!(
            of("402 Pay", "billing_error", "x").await,
            Error::Billing
        ));
        assert!(matches!(
            of("429 Slow", "insufficient_quota", "x").await,
            Error::Billing
        ));
        assert!(
            matches!(of("429 Slow", "rate_limit_error", "x").await, Error::RateLimited { after } if after == hour)
        );
        assert!(
            matches!(of("529 Busy", "overloaded_error", "x").await, Error::Overloaded { after } if after == hour)
        );
        assert!(
            matches!(of("404 No", "not_found_error", "no such").await, Error::NotFound(said) if said == "no such")
        );
        assert!(matches!(
            of("400 Bad", "context_length_exceeded", "x").await,
            Error::TooLong
        ));
        assert!(matches!(
            of("413 Big", "request_too_large", "x").await,
            Error::TooLong
        ));
        assert!(matches!(
            of("500 Oops", "api_error", "x").await,
            Error::Server(500)
        ));
        let bad = of("400 Bad", "invalid_request_error", "temperature: 0 to 1").await;
        assert!(
            bad.to_string()
                .ends_with("refused the request: temperature: 0 to 1"),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn a_busy_provider_is_asked_again() {
    for busy in ["429 Slow down", "529 Overloaded", "503 Unavailable", "500 Oops"] {
        let replies = vec![
            Reply::text(busy, "retry-after: 0\r\n", "{}"),
            Reply::events(ANTHROPIC),
        ];
        let (result, server) = outcome(Format::Anthropic, replies).await;
        assert_eq!(result.unwrap().0, "Twelve größere Möwen [1].");
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn a_provider_that_is_overloaded_before_the_first_word_is_asked_again() {
    let overloaded = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    let (result, server) = outcome(
        Format::Anthropic,
        vec![Reply::events(overloaded), Reply::events(ANTHROPIC)],
    )
    .await;
    assert_eq!(result.unwrap().0, "Twelve größere Möwen [1].");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn an_answer_that_has_begun_is_not_asked_for_again() {
    let half = &ANTHROPIC[..ANTHROPIC.find("Möwen").unwrap()];
    let overloaded = format!(
        "{}\n\ndata: {{\"type\":\"error\",\"error\":{{\"type\":\"overloaded_error\",\"message\":\"x\"}}}}\n\n",
        &half[..half.rfind("\n\n").unwrap()]
    );
    let (result, server) = outcome(Format::Anthropic, vec![Reply::events(&overloaded)]).await;
    assert!(matches!(result, Err(Error::Overloaded { .. })), "{result:?}");
    assert_eq!(server.requests().len(), 1);
    let (result, server) = outcome(Format::Anthropic, vec![Reply::events(half)]).await;
    assert!(matches!(result, Err(Error::Interrupted)), "{result:?}");
    assert_eq!(server.requests().len(), 1);
    let half = &OPENAI[..OPENAI.find("Möwen").unwrap()];
    let (result, _) = outcome(Format::Openai, vec![Reply::events(half)]).await;
    assert!(matches!(result, Err(Error::Interrupted)), "{result:?}");
}

#[tokio::test]
async fn an_answer_may_end_without_a_reason() {
    let events = "data: {\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\ndata: [DONE]\n\n";
    let (text, completion) = outcome(Format::Openai, vec![Reply::events(events)])
        .await
        .0
        .unwrap();
    assert_eq!((text.as_str(), completion.stop), ("Hi", Stop::Other));
}

#[tokio::test]
async fn a_model_that_declines_is_said_to_decline() {
    let refusal = "data: {\"type\":\"message_start\",\"message\":{\"model\":\"m\",\"usage\":{}}}\n\n\
        data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"refusal\"}}\n\n";
    assert!(matches!(
        error(Format::Anthropic, Reply::events(refusal)).await,
        Error::Refused
    ));
    let refusal = "data: {\"choices\":[{\"index\":0,\"delta\":{\"refusal\":\"I cannot\"}}]}\n\n";
    assert!(matches!(
        error(Format::Openai, Reply::events(refusal)).await,
        Error::Refused
    ));
    let filtered =
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"content_filter\"}]}\n\n";
    assert!(matches!(
        error(Format::Openai, Reply::events(filtered)).await,
        Error::Refused
    ));
}

#[tokio::test]
async fn garbage_is_an_error_and_not_an_answer() {
    let page = Reply::text(
        "200 OK",
        "content-type: text/html\r\n",
        "<h1>Welcome to the hotel's network</h1>",
    );
    assert!(matches!(error(Format::Openai, page).await, Error::Malformed(_)));
    for format in [Format::Anthropic, Format::Openai] {
        let wrong = error(format, Reply::events("data: {\"choices\": 7, \"type\": 8}\n\n")).await;
        assert!(matches!(wrong, Error::Malformed(_)), "{wrong:?}");
        assert!(matches!(
            error(format, Reply::events("data: [DONE")).await,
            Error::Interrupted
        ));
        assert!(matches!(
            error(format, Reply::events("")).await,
            Error::Interrupted
        ));
    }
}

#[tokio::test]
async fn a_reader_who_leaves_ends_the_exchange() {
    let beginning = &ANTHROPIC[..ANTHROPIC.find("größere").unwrap()];
    let server = Server::start(vec![Reply::stalled(beginning)]).await;
    let mut deltas = model(&server, Format::Anthropic)
        .complete(&request())
        .await
        .unwrap();
    assert_eq!(
        deltas.next().await.unwrap().unwrap(),
        Delta::Text("Twelve ".to_owned())
    );
    drop(deltas);
    server.client_left().await;
}

#[tokio::test]
async fn a_server_that_is_not_allowed_is_unreachable() {
    let server = Server::start(vec![Reply::events(OPENAI)]).await;
    let clock = Arc::new(ManualClock::starting_at(DateTime::UNIX_EPOCH));
    let client = Client::new(&Config::default(), Environment::replayable(clock, 1)).unwrap();
    let settings = Settings {
        format: Format::Openai,
        base_url: Some(format!("http://{}", server.address).parse().unwrap()),
        model: "m".to_owned(),
    };
    let model = open(&settings, Some(SecretString::from("KEY")), client).unwrap();
    assert!(!format!("{model:?}").contains("KEY"));
    let error = model.complete(&request()).await.err().unwrap();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
}
