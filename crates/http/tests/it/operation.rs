//! Every operation of the API description, and of the interfaces that others describe, and how to call it. The generated tests walk this list, so an operation that is not covered
//! here fails them.

use std::collections::BTreeMap;

use amebo_testkit::{Client, Person, Reply, TestApp};
use axum::http::{Method, Request};
use serde_json::{Value, json};

/// One operation of the description.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: Method,
    pub(crate) path: String,
    /// Whether it is open to anybody.
    pub(crate) is_public: bool,
    body: Body,
}

/// What to send.
#[derive(Debug, Clone)]
enum Body {
    None,
    Json(Value),
}

/// The value that stands for each parameter of a path.
pub(crate) type Ids = BTreeMap<&'static str, String>;

/// A body with which an operation could succeed, if the caller may do it and what it acts on is there.
fn sample(operation: &str) -> Option<Value> {
    Some(match operation {
        "update_account" => json!({ "name": "Another Name" }),
        "change_password" => json!({ "new_password": "a password for tests" }),
        "create_organization" | "update_organization" => json!({ "name": "Another Name" }),
        "update_role" => json!({ "overrides": {} }),
        "update_member" => json!({ "status": "active" }),
        "create_invitation" => json!({ "email": "guest@people.example", "role": "viewer" }),
        "create_api_key" => json!({ "name": "sample", "scopes": ["organization:read"] }),
        "provision_organization" => {
            json!({ "name": "Provisioned", "owner_email": "boss@people.example", "owner_name": "Boss", "plan": "free" })
        }
        "create_knowledge_base" | "update_knowledge_base" => json!({ "name": "Another Name" }),
        "update_document" => json!({ "title": "Another Title" }),
        "fetch_page" => json!({ "url": "https://www.example.com/" }),
        "create_source" => {
            json!({ "knowledge_base_id": "01890a5d-ac96-774b-bcce-b302099a8057", "url": "http://127.0.0.1:9/" })
        }
        "update_source" => json!({ "paused": true }),
        "set_social_links" => json!({ "items": [] }),
        "set_logo" => json!({}),
        "upload_documents" | "upload_document" | "replace_document" | "import_slack_export" => json!({}),
        "ask_question" | "search_passages" => json!({ "text": "When is tea?" }),
        "rate_answer" => json!({ "rating": "up" }),
        "create_session" => json!({}),
        "rename_session" => json!({ "title": "Another Title" }),
        "change_answer_settings" => json!({ "confidence_threshold": 0.5 }),
        "create_provider" | "change_provider" => {
            json!({ "name": "Another Name", "protocol": "openai", "model": "m", "base_url": "http://127.0.0.1:9/v1" })
        }
        "create_evaluation_set" => {
            json!({ "name": "Another Name", "cases": [{ "question": "When is tea?" }] })
        }
        "describe_channel_link" | "confirm_channel_link" => json!({ "token": "unknown" }),
        "choose_synchronisation" => json!({}),
        "choose_slack_channel" => json!({ "selected": true }),
        "choose_slack_channels" => json!({ "channel_ids": [], "selected": true }),
        "set_slack_app" => json!({ "client_id": "1.2" }),
        "connect_slack_with_token" => json!({ "bot_token": "no token" }),
        "update_channel_connection" => json!({ "settings": {} }),
        "begin_slack_installation" => json!({}),
        "create_slack_app" => json!({
            "display_name": "Ours", "client_id": "1.2", "client_secret": "secret", "signing_secret": "secret"
        }),
        "update_terms" => json!({ "subscription_plan": "free" }),
        "update_user" => json!({ "is_active": true }),
        _ => return None,
    })
}

/// Parameters of paths that name no object.
const NAMES: &[(&str, &str)] = &[("role", "viewer")];

/// What follows the path, where it matters: a stream that is followed to its end has one.
const QUERIES: &[(&str, &str)] = &[("follow_documents", "?until=settled")];

/// Every operation: those of the description in its order, then those of interfaces that others describe.
pub(crate) fn all() -> Vec<Operation> {
    let mut operations = described();
    operations.extend(doors());
    operations
}

/// The interfaces whose form others have set, OpenAI's and the Model Context Protocol's. An API key says in which organisation.
fn doors() -> Vec<Operation> {
    let door = |id: &str, method, path: &str, body| Operation {
        id: id.to_owned(),
        method,
        path: path.to_owned(),
        is_public: false,
        body,
    };
    let tool = |name: &str, arguments: Value| {
        let call = json!({ "name": name, "arguments": arguments });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call });
        door(&format!("mcp_{name}"), Method::POST, "/mcp", Body::Json(body))
    };
    let chat = json!({
        "model": "amebo/{knowledge_base_name}", "messages": [{ "role": "user", "content": "When is tea?" }],
    });
    let bases = json!(["{knowledge_base_id}"]);
    vec![
        door("openai_list_models", Method::GET, "/v1/models", Body::None),
        door(
            "openai_create_chat_completion",
            Method::POST,
            "/v1/chat/completions",
            Body::Json(chat),
        ),
        tool(
            "ask",
            json!({ "question": "When is tea?", "knowledge_base_ids": bases }),
        ),
        tool(
            "search",
            json!({ "query": "When is tea?", "knowledge_base_ids": bases }),
        ),
        tool("fetch_passage", json!({ "chunk_id": "{passage_id}" })),
    ]
}

fn described() -> Vec<Operation> {
    let description = serde_json::to_value(amebo_http::description()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Ok(method) = method.to_uppercase().parse::<Method>() else {
                continue;
            };
            let id = operation["operationId"].as_str().unwrap().to_owned();
            let is_public = operation["security"] == json!([{}]);
            let body =
                match &operation["requestBody"] {
                    Value::Null => Body::None,
                    _ if is_public => Body::Json(json!({})),
                    _ => Body::Json(sample(&id).unwrap_or_else(|| {
                        panic!("say in tests/it/operation.rs what {id} may be called with")
                    })),
                };
            operations.push(Operation {
                id,
                method,
                path: path.clone(),
                is_public,
                body,
            });
        }
    }
    operations
}

impl Operation {
    /// Whether it acts in the organisation that its path names.
    pub(crate) fn is_of_organization(&self) -> bool {
        self.path.contains("{organization_id}")
    }

    /// Whether its API key says in which organisation it acts.
    pub(crate) fn is_door(&self) -> bool {
        self.path == "/mcp" || self.path.starts_with("/v1/")
    }

    /// The parameters of the path, and of a door's body, that name an object.
    pub(crate) fn objects(&self) -> Vec<String> {
        let mut text = self.path.clone();
        if let (true, Body::Json(body)) = (self.is_door(), &self.body) {
            text += &body.to_string();
        }
        let is_name = |name: &&str| {
            name.chars()
                .all(|letter| letter.is_ascii_lowercase() || letter == '_')
        };
        text.split('{')
            .skip(1)
            .filter_map(|rest| Some(rest.split_once('}')?.0))
            .filter(is_name)
            .filter(|name| NAMES.iter().all(|(other, _)| other != name))
            .map(str::to_owned)
            .collect()
    }

    /// What a reply says, whatever the form: a tool's refusal comes as its result.
    pub(crate) fn status(&self, reply: &Reply) -> u16 {
        let status = reply.status.as_u16();
        if self.path != "/mcp" || status != 200 || reply.json()["result"]["isError"] != true {
            return status;
        }
        let text = reply.text();
        match text {
            _ if text.contains("needs the permission") => 403,
            _ if text.contains("there is no") => 404,
            _ => 500,
        }
    }

    /// Calls it on these objects.
    pub(crate) async fn call(&self, client: &Client, ids: &Ids) -> Reply {
        let mut path = self.path.clone();
        let mut body = match &self.body {
            Body::None => None,
            Body::Json(body) => Some(body.to_string()),
        };
        for name in self.objects() {
            let id = ids
                .get(name.as_str())
                .unwrap_or_else(|| panic!("say in tests/it/operation.rs how a {name} comes about"));
            let place = format!("{{{name}}}");
            path = path.replace(&place, id);
            body = body.map(|body| body.replace(&place, id));
        }
        for (name, value) in NAMES {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        for (_, query) in QUERIES.iter().filter(|(id, _)| *id == self.id) {
            path += query;
        }
        let mut request = Request::builder().method(self.method.clone()).uri(path);
        if self.path == "/mcp" {
            request = request
                .header("host", "amebo.example")
                .header("accept", "application/json, text/event-stream");
        }
        let request = match body {
            None => request.body(axum::body::Body::empty()),
            Some(body) => request
                .header("content-type", "application/json")
                .body(body.into()),
        };
        client.send(request.unwrap()).await
    }
}

/// One object of each kind in somebody's organisation, by the name of the path parameter.
pub(crate) async fn objects(app: &TestApp, owner: &Person) -> Ids {
    let member = app.member(owner, amebo_core::permission::Role::Viewer).await;
    let members = owner.client.get(&owner.path("/members")).await.expect(200).json();
    let member_id = members["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["user_id"] == member.user.to_string())
        .unwrap()["id"]
        .clone();
    let invitation = json!({ "email": "somebody@people.example", "role": "viewer" });
    let invitation = owner
        .client
        .post(&owner.path("/invitations"), &invitation)
        .await
        .expect(201)
        .json();
    let key = json!({ "name": "key", "scopes": ["document:read"] });
    let key = owner
        .client
        .post(&owner.path("/api-keys"), &key)
        .await
        .expect(201)
        .json();
    let devices = owner.client.get("/api/v1/me/devices").await.expect(200).json();
    let base = crate::knowledge_base::knowledge_base(owner, "Handbook").await;
    let document = crate::document::uploaded(owner, &base, "tea.txt", "Tea is served at four.").await;
    app.run_jobs().await;
    let passages = owner.path(&format!("/documents/{document}/passages"));
    let passages = owner.client.get(&passages).await.expect(200).json();
    let made = async |path: &str, body: Value| {
        let reply = owner.client.post(&owner.path(path), &body).await;
        assert!(reply.status.is_success(), "{}", reply.text());
        reply.json()
    };
    let asked = made("/questions", json!({ "text": "When is tea served?" })).await;
    let session = made("/sessions", json!({})).await;
    let provider = made(
        "/providers",
        json!({ "name": "sample", "protocol": "openai", "model": "m" }),
    )
    .await;
    let cases = json!([{ "question": "When is tea?" }]);
    let set = made("/evaluation-sets", json!({ "name": "sample", "cases": cases })).await;
    let runs = format!("/evaluation-sets/{}/runs", set["id"].as_str().unwrap());
    let run = made(&runs, Value::Null).await;
    let import = owner.path(&format!("/knowledge-bases/{base}/slack-imports"));
    let import = owner.client.post(&import, &json!("no archive")).await;
    let slack =
        json!({ "display_name": "Ours", "client_id": "1.2", "client_secret": "s", "signing_secret": "s" });
    let connection = made("/channel-connections/slack/apps", slack).await;
    let source = json!({ "knowledge_base_id": base, "url": "http://127.0.0.1:9/" });
    let source = made("/sources", source).await;
    let job: amebo_core::id::JobId = app.store.environment().id();
    let channel: amebo_core::id::SlackChannelId = app.store.environment().id();
    app.sql(&format!(
        "insert into slack_channels (id, organization_id, source_id, external_id, kind, name, created_at, updated_at)
         select '{channel}', organization_id, id, 'C1', 'public', '#general', created_at, created_at from sources
         where kind = 'slack' and organization_id = '{}'",
        owner.organization
    ))
    .await;
    let identity: amebo_core::id::ChannelIdentityId = app.store.environment().id();
    app.sql(&format!(
        "insert into channel_identities (id, organization_id, connection_id, external_id, user_id, standing, verified_by, checked_at,
                                         created_at, updated_at)
         select '{identity}', organization_id, id, 'U1', '{}', 'colleague', 'link', created_at, created_at, created_at
         from channel_connections where organization_id = '{}'",
        owner.user, owner.organization
    ))
    .await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Ids::from([
        ("source_id", text(&source["id"])),
        ("job_id", job.to_string()),
        ("slack_channel_id", channel.to_string()),
        ("channel_identity_id", identity.to_string()),
        ("slack_import_id", text(&import.expect(202).json()["id"])),
        ("question_id", text(&asked["question_id"])),
        ("session_id", text(&session["id"])),
        ("provider_id", text(&provider["id"])),
        ("channel_connection_id", text(&connection["id"])),
        ("evaluation_set_id", text(&set["id"])),
        ("evaluation_run_id", text(&run["id"])),
        ("organization_id", owner.organization.to_string()),
        ("tenant_id", owner.organization.to_string()),
        ("user_id", member.user.to_string()),
        ("member_id", text(&member_id)),
        ("invitation_id", text(&invitation["id"])),
        ("api_key_id", text(&key["id"])),
        ("knowledge_base_id", base),
        ("knowledge_base_name", "Handbook".to_owned()),
        ("document_id", document),
        ("passage_id", text(&passages["items"][0]["id"])),
        ("device_id", text(&devices["items"][0]["id"])),
    ])
}

/// Ids that nothing has, but for the organisation's.
pub(crate) fn absent(owner: &Person, present: &Ids) -> Ids {
    present
        .keys()
        .map(|&name| {
            let id = match name {
                "organization_id" | "tenant_id" => owner.organization.to_string(),
                _ => "01890a5d-ac96-774b-bcce-b302099a8057".to_owned(),
            };
            (name, id)
        })
        .collect()
}
