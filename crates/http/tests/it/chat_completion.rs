//! The OpenAI-compatible interface and the tools of the Model Context Protocol, both with API keys.

use amebo_testkit::{Client, Reply, TestApp};
use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};

use crate::question::acme;

#[tokio::test]
async fn a_chat_client_asks_with_an_address_and_a_key() {
    let app = TestApp::start().await;
    let owner = acme(&app).await;
    let program = app.program(&owner, &["question:create", "question:read"]).await;
    let models = program.get("/v1/models").await.expect(200).json();
    let ids: Vec<&Value> = models["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|model| &model["id"])
        .collect();
    assert_eq!(ids, [&json!("amebo"), &json!("amebo/Handbook")]);
    let body = json!({ "model": "amebo/Handbook", "temperature": 0.7, "messages": [
        { "role": "system", "content": "You are a pirate." },
        { "role": "user", "content": [{ "type": "text", "text": "How many days of paid leave do new employees receive?" }] },
    ] });
    let reply = program
        .post("/v1/chat/completions", &body)
        .await
        .expect(200)
        .json();
    let content = reply["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(
        content.contains("25 days") && content.contains("[1] handbook"),
        "{content}"
    );
    assert_eq!(reply["amebo"]["answer"]["outcome"], "answered");
    let stream = json!({ "model": "amebo", "stream": true, "messages": [{ "role": "user", "content": "When is tea served in the kitchen?" }] });
    let text = program
        .post("/v1/chat/completions", &stream)
        .await
        .expect(200)
        .text();
    assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
    assert!(text.contains("\"finish_reason\":\"stop\""));
}

#[tokio::test]
async fn errors_have_openais_form() {
    let app = TestApp::start().await;
    let owner = acme(&app).await;
    let program = app.program(&owner, &["question:create"]).await;
    let body = json!({ "model": "amebo", "messages": [{ "role": "user", "content": "tea?" }] });
    let nobody = app
        .anonymous()
        .post("/v1/chat/completions", &body)
        .await
        .expect(401);
    assert_eq!(nobody.json()["error"]["type"], "authentication_error");
    let person = owner.client.post("/v1/chat/completions", &body).await.expect(403);
    assert_eq!(person.json()["error"]["type"], "permission_error");
    let unknown = json!({ "model": "gpt-4o", "messages": [{ "role": "user", "content": "tea?" }] });
    let unknown = program.post("/v1/chat/completions", &unknown).await.expect(404);
    assert_eq!(unknown.json()["error"]["code"], "model_not_found");
    let silent = json!({ "model": "amebo", "messages": [{ "role": "assistant", "content": "Hello" }] });
    let silent = program.post("/v1/chat/completions", &silent).await.expect(400);
    assert_eq!(silent.json()["error"]["param"], "messages");
}

async fn call(program: &Client, method: &str, params: &Value) -> Reply {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let request = Request::post("/mcp")
        .header(header::HOST, "amebo.example")
        .header(header::ACCEPT, "application/json, text/event-stream")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    program.send(request).await
}

async fn tool(program: &Client, name: &str, arguments: &Value) -> Value {
    let reply = call(
        program,
        "tools/call",
        &json!({ "name": name, "arguments": arguments }),
    )
    .await;
    reply.expect(200).json()["result"].clone()
}

#[tokio::test]
async fn an_assistant_searches_asks_and_fetches_passages() {
    let app = TestApp::start().await;
    let owner = acme(&app).await;
    let program = app
        .program(&owner, &["question:create", "question:read", "document:read"])
        .await;
    let hello = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
    let hello = call(&program, "initialize", &hello).await.expect(200).json();
    assert_eq!(hello["result"]["serverInfo"]["name"], "amebo");
    let tools = call(&program, "tools/list", &json!({})).await.expect(200).json();
    assert_eq!(tools["result"]["tools"].as_array().unwrap().len(), 3);
    let found = tool(&program, "search", &json!({ "query": "tea kitchen" })).await;
    let passage = &found["structuredContent"]["passages"][0];
    assert!(passage["content"].as_str().unwrap().contains("Tea is served"));
    let fetched = tool(
        &program,
        "fetch_passage",
        &json!({ "chunk_id": passage["chunk_id"] }),
    )
    .await;
    assert_eq!(
        fetched["structuredContent"]["passage"]["content"],
        passage["content"]
    );
    let asked = tool(
        &program,
        "ask",
        &json!({ "question": "How many days of paid leave do new employees receive?" }),
    )
    .await;
    assert_eq!(asked["structuredContent"]["answer"]["outcome"], "answered");
}

#[tokio::test]
async fn an_assistant_may_do_no_more_than_its_key() {
    let app = TestApp::start().await;
    let owner = acme(&app).await;
    let reader = app.program(&owner, &["question:read"]).await;
    let refused = tool(&reader, "ask", &json!({ "question": "When is tea?" })).await;
    assert_eq!(refused["isError"], true);
    assert!(refused.to_string().contains("question:create"), "{refused}");
    assert_eq!(app.scalar("select count(*) from questions").await, 0);
    let foreign = app.owner("Other").await;
    let foreign = app.program(&foreign, &["question:read", "document:read"]).await;
    let found = tool(&foreign, "search", &json!({ "query": "tea kitchen" })).await;
    assert_eq!(found["structuredContent"]["passages"], json!([]));
    let chunk: String = {
        let mine = tool(&reader, "search", &json!({ "query": "tea kitchen" })).await;
        mine["structuredContent"]["passages"][0]["chunk_id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let missing = tool(&foreign, "fetch_passage", &json!({ "chunk_id": chunk })).await;
    assert_eq!(missing["isError"], true);
    assert_eq!(
        call(&app.anonymous(), "tools/list", &json!({}))
            .await
            .expect(401)
            .problem(),
        "unauthenticated"
    );
}
