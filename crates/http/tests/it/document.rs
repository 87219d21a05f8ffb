//! Documents: their way in, what they look like, how they change and go.

use std::fmt::Write as _;

use amebo_testkit::{Person, Reply, TestApp};
use axum::body::Body;
use axum::http::{Method, Request, header};
use axum::response::Html;
use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::knowledge_base::knowledge_base;

/// Uploads one file as the body.
pub(crate) async fn upload(
    person: &Person,
    knowledge_base: &str,
    name: &str,
    content: impl Into<Body>,
) -> Reply {
    let path = person.path(&format!(
        "/knowledge-bases/{knowledge_base}/documents/raw?name={name}"
    ));
    let request = Request::post(path).body(content.into()).unwrap();
    person.client.send(request).await
}

/// The id of a document just uploaded.
pub(crate) async fn uploaded(person: &Person, knowledge_base: &str, name: &str, content: &str) -> String {
    let reply = upload(person, knowledge_base, name, content.to_owned()).await;
    reply.expect(201).json()["id"].as_str().unwrap().to_owned()
}

pub(crate) async fn document(person: &Person, id: &str) -> Value {
    let path = person.path(&format!("/documents/{id}"));
    person.client.get(&path).await.expect(200).json()
}

async fn form(person: &Person, knowledge_base: &str, parts: &[(&str, &str, &str)]) -> Reply {
    let mut body = String::new();
    for (field, name, content) in parts {
        let name = if name.is_empty() {
            String::new()
        } else {
            format!("; filename=\"{name}\"")
        };
        write!(
            body,
            "--edge\r\ncontent-disposition: form-data; name=\"{field}\"{name}\r\n\r\n{content}\r\n"
        )
        .unwrap();
    }
    body += "--edge--\r\n";
    let path = person.path(&format!("/knowledge-bases/{knowledge_base}/documents"));
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge")
        .body(Body::from(body))
        .unwrap();
    person.client.send(request).await
}

#[tokio::test]
async fn an_uploaded_document_is_findable_when_its_job_is_done() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let base = knowledge_base(&owner, "Handbook").await;
    let text = "# Tea\n\nTea is served at four in the kitchen.\n\n# Coffee\n\nCoffee is served at nine.";
    let id = uploaded(&owner, &base, "drinks.md", text).await;
    let before = document(&owner, &id).await;
    assert_eq!(
        (&before["status"], &before["title"]),
        (&json!("uploaded"), &json!("drinks"))
    );
    assert!(app.found(&owner, "tea").await.is_empty());
    app.run_jobs().await;
    let after = document(&owner, &id).await;
    assert_eq!(
        (&after["status"], &after["error"]),
        (&json!("indexed"), &Value::Null)
    );
    assert_eq!(after["mime_type"], "text/markdown");
    assert!(app.found(&owner, "tea kitchen").await[0].contains("Tea is served at four"));

    let passages = owner
        .client
        .get(&owner.path(&format!("/documents/{id}/passages")))
        .await
        .expect(200)
        .json();
    let first = &passages["items"][0];
    assert_eq!(first["document_title"], "drinks");
    let passage = owner
        .client
        .get(&owner.path(&format!("/passages/{}", first["id"].as_str().unwrap())))
        .await
        .expect(200)
        .json();
    let whole = owner
        .client
        .get(&owner.path(&format!("/documents/{id}/text")))
        .await
        .expect(200)
        .json();
    let place = |name: &str| usize::try_from(passage[name].as_u64().unwrap()).unwrap();
    let whole = whole["content"].as_str().unwrap();
    assert_eq!(
        whole[place("start")..place("end")],
        *passage["content"].as_str().unwrap()
    );
    assert_eq!(passage["surrounding"]["content"], whole);

    let download = owner
        .client
        .get(&owner.path(&format!("/documents/{id}/content")))
        .await
        .expect(200);
    assert_eq!(download.text(), text);
    assert_eq!(
        download.headers[header::CONTENT_DISPOSITION],
        "attachment; filename*=UTF-8''drinks.md"
    );
    assert_eq!(download.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
}

#[tokio::test]
async fn the_same_bytes_are_processed_once_in_a_knowledge_base() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let (base, other) = (
        knowledge_base(&owner, "Handbook").await,
        knowledge_base(&owner, "Other").await,
    );
    let id = uploaded(&owner, &base, "tea.txt", "Tea is at four.").await;
    let again = upload(&owner, &base, "copy.txt", "Tea is at four.")
        .await
        .expect(200)
        .json();
    assert_eq!((&again["id"], &again["duplicate"]), (&json!(id), &json!(true)));
    let elsewhere = upload(&owner, &other, "tea.txt", "Tea is at four.")
        .await
        .expect(201)
        .json();
    assert_ne!(elsewhere["id"], json!(id));
    app.run_jobs().await;
    assert_eq!(app.stored_files(), 2, "the copy's bytes are not kept");
}

#[tokio::test]
async fn a_form_takes_many_files_and_refuses_each_for_itself() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let base = knowledge_base(&owner, "Handbook").await;
    let reply = form(
        &owner,
        &base,
        &[
            ("audience", "", r#"{"kind":"public"}"#),
            ("metadata", "", r#"{"tags":["drinks"]}"#),
            ("file", "tea.txt", "Tea is at four."),
            ("file", "empty.txt", ""),
            ("file", "../copy of tea.txt", "Tea is at four."),
            ("file", "coffee.txt", "Coffee is at nine."),
        ],
    )
    .await
    .expect(201)
    .json();
    let items = reply["items"].as_array().unwrap();
    assert_eq!(items.len(), 4);
    assert_eq!(items[0]["document"]["audience"]["kind"], "public");
    assert_eq!(items[0]["document"]["metadata"]["tags"][0], "drinks");
    assert_eq!(items[1]["problem"]["type"], "urn:amebo:problem:invalid-fields");
    assert_eq!(items[2]["duplicate"], true);
    assert_eq!(items[3]["duplicate"], false);
    let refused = form(&owner, &base, &[("file", "empty.txt", "")]).await;
    assert_eq!(refused.expect(422).problem(), "invalid-fields");
    let unknown = form(&owner, &base, &[("fiel", "tea.txt", "x")]).await;
    assert_eq!(unknown.expect(422).json()["errors"][0]["pointer"], "/fiel");
    app.run_jobs().await;
}

#[tokio::test]
async fn a_file_larger_than_the_plan_allows_is_refused_with_the_limit() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    app.sql(r#"update organizations set limits = '{"upload_bytes": 1000, "storage_bytes": 1500}'"#)
        .await;
    let base = knowledge_base(&owner, "Handbook").await;
    let refused = upload(&owner, &base, "big.txt", "x".repeat(1001))
        .await
        .expect(413);
    assert_eq!(refused.problem(), "too-large");
    assert!(refused.text().contains("1000"));
    uploaded(&owner, &base, "fits.txt", &"x".repeat(1000)).await;
    let full = upload(&owner, &base, "more.txt", "y".repeat(501))
        .await
        .expect(403);
    assert_eq!(full.problem(), "quota-exceeded");
    app.run_jobs().await;
}

#[tokio::test]
async fn a_file_that_cannot_be_read_says_why_and_is_tried_again_when_it_is_sent_again() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let base = knowledge_base(&owner, "Handbook").await;
    let picture = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR".to_vec();
    let made = upload(&owner, &base, "report.pdf", picture.clone())
        .await
        .expect(201)
        .json();
    app.run_jobs().await;
    let failed = document(&owner, made["id"].as_str().unwrap()).await;
    assert_eq!(failed["status"], "failed");
    assert!(failed["error"].as_str().unwrap().contains("picture"), "{failed}");
    assert_eq!(failed["failure"], json!({ "code": "image" }));
    let again = upload(&owner, &base, "report.pdf", picture)
        .await
        .expect(200)
        .json();
    assert_eq!(again["status"], "processing");
    app.run_jobs().await;
    assert_eq!(document(&owner, made["id"].as_str().unwrap()).await["version"], 2);
}

#[tokio::test]
async fn replaced_content_is_served_until_the_new_is_findable() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let base = knowledge_base(&owner, "Handbook").await;
    let id = uploaded(&owner, &base, "tea.txt", "Tea is served at four.").await;
    app.run_jobs().await;
    let path = owner.path(&format!("/documents/{id}/content?name=tea2.txt"));
    let request = Request::put(path)
        .body(Body::from("Tea is served at five."))
        .unwrap();
    let replaced = owner.client.send(request).await.expect(200).json();
    assert_eq!(
        (&replaced["version"], &replaced["original_name"]),
        (&json!(2), &json!("tea2.txt"))
    );
    assert_eq!(app.found(&owner, "tea").await, ["Tea is served at four."]);
    app.run_jobs().await;
    assert_eq!(app.found(&owner, "tea").await, ["Tea is served at five."]);
    assert_eq!(app.stored_files(), 1);
    let path = owner.path(&format!("/documents/{id}/reindex"));
    let _ = owner.client.post(&path, &Value::Null).await.expect(202);
    assert_eq!(app.found(&owner, "tea").await, ["Tea is served at five."]);
    app.run_jobs().await;
    assert_eq!(document(&owner, &id).await["version"], 3);
}

#[tokio::test]
async fn a_deleted_document_is_gone_from_answers_at_once_and_from_storage_soon() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let base = knowledge_base(&owner, "Handbook").await;
    let id = uploaded(&owner, &base, "tea.txt", "Tea is served at four.").await;
    app.run_jobs().await;
    assert_eq!(app.found(&owner, "tea").await.len(), 1);
    let path = owner.path(&format!("/documents/{id}"));
    let _ = owner.client.delete(&path).await.expect(204);
    assert!(app.found(&owner, "tea").await.is_empty());
    for rest in ["", "/content", "/text", "/passages"] {
        let reply = owner.client.get(&format!("{path}{rest}")).await;
        assert_eq!(reply.expect(404).problem(), "not-found", "{rest}");
    }
    app.run_jobs().await;
    assert_eq!(app.stored_files(), 0);
    // Deleted while it is in work.
    let id = uploaded(&owner, &base, "coffee.txt", "Coffee is at nine.").await;
    let path = owner.path(&format!("/documents/{id}"));
    let _ = owner.client.delete(&path).await.expect(204);
    app.run_jobs().await;
    assert!(app.found(&owner, "coffee").await.is_empty());
}

#[tokio::test]
async fn nobody_reaches_another_organizations_documents() {
    let app = TestApp::start().await;
    let (owner, other) = (app.owner("Acme").await, app.owner("Other").await);
    let base = knowledge_base(&owner, "Handbook").await;
    let id = uploaded(&owner, &base, "tea.txt", "Tea is served at four.").await;
    app.run_jobs().await;
    let path = other.path(&format!("/documents/{id}"));
    for (method, rest) in [
        (Method::GET, ""),
        (Method::GET, "/content"),
        (Method::GET, "/text"),
        (Method::GET, "/passages"),
        (Method::DELETE, ""),
        (Method::POST, "/reindex"),
    ] {
        let reply = other
            .client
            .json(method, &format!("{path}{rest}"), &Value::Null)
            .await;
        assert_eq!(reply.expect(404).problem(), "not-found", "{rest}");
    }
    let listed = other
        .client
        .get(&other.path("/documents"))
        .await
        .expect(200)
        .json();
    assert_eq!(listed["items"], json!([]));
    assert!(app.found(&other, "tea").await.is_empty());
}

#[tokio::test]
async fn an_audience_is_heeded_from_the_moment_it_changes_and_cannot_shut_out_who_sets_it() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let base = knowledge_base(&owner, "Handbook").await;
    let id = uploaded(&owner, &base, "tea.txt", "Tea is served at four.").await;
    app.run_jobs().await;
    let path = owner.path(&format!("/documents/{id}"));
    let others = json!({ "audience": { "kind": "members", "roles": ["manager"] } });
    let refused = owner.client.patch(&path, &others).await.expect(422).json();
    assert_eq!(refused["errors"][0]["pointer"], "/audience");
    let mine = json!({ "audience": { "kind": "members", "users": [owner.user] } });
    let _ = owner.client.patch(&path, &mine).await.expect(200);
    assert_eq!(app.found(&owner, "tea").await.len(), 1);
    app.sql(r#"update documents set audience = '{"kind": "members", "roles": ["manager"]}'"#)
        .await;
    assert!(
        app.found(&owner, "tea").await.is_empty(),
        "even an index that has not heard cannot show it"
    );
    assert_eq!(owner.client.get(&path).await.expect(404).problem(), "not-found");
}

#[tokio::test]
async fn documents_are_listed_newest_first_in_pages_and_by_what_they_are() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let base = knowledge_base(&owner, "Handbook").await;
    for number in 0..5 {
        app.clock.advance(chrono::TimeDelta::seconds(1));
        let name = format!("note{number}.txt");
        uploaded(&owner, &base, &name, &format!("Note number {number}.")).await;
    }
    let mut seen = Vec::new();
    let mut path = owner.path("/documents?limit=2");
    loop {
        let page = owner.client.get(&path).await.expect(200).json();
        seen.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["title"].as_str().unwrap().to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(cursor) => path = owner.path(&format!("/documents?limit=2&cursor={cursor}")),
            None => break,
        }
    }
    assert_eq!(seen, ["note4", "note3", "note2", "note1", "note0"]);
    let found = owner
        .client
        .get(&owner.path("/documents?text=NOTE3&status=uploaded"))
        .await
        .expect(200)
        .json();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    let altered = owner.client.get(&owner.path("/documents?cursor=abc")).await;
    assert_eq!(altered.expect(422).json()["errors"][0]["pointer"], "/cursor");
    app.run_jobs().await;
}

#[tokio::test]
async fn a_web_page_is_fetched_titled_by_itself_and_replaced_when_it_changed() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let base = knowledge_base(&owner, "Handbook").await;
    let page = |time: &'static str| {
        get(async move || {
            Html(format!(
                "<html><head><title>Drinks</title></head><body><p>Tea is served at {time}.</p></body></html>"
            ))
        })
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut server = JoinSet::new();
    server.spawn(axum::serve(listener, axum::Router::new().route("/drinks", page("four"))).into_future());
    let path = owner.path(&format!("/knowledge-bases/{base}/documents/web-page"));
    let request = json!({ "url": format!("http://{address}/drinks#top") });
    let made = owner.client.post(&path, &request).await.expect(201).json();
    app.run_jobs().await;
    let id = made["id"].as_str().unwrap();
    assert_eq!(document(&owner, id).await["title"], "Drinks");
    assert!(app.found(&owner, "tea").await[0].contains("four"));
    let same = owner.client.post(&path, &request).await.expect(200).json();
    assert_eq!(same["id"], made["id"]);
    server.shutdown().await;

    let listener = TcpListener::bind(address).await.unwrap();
    server.spawn(axum::serve(listener, axum::Router::new().route("/drinks", page("five"))).into_future());
    let changed = owner.client.post(&path, &request).await.expect(201).json();
    assert_eq!((&changed["id"], &changed["version"]), (&made["id"], &json!(2)));
    app.run_jobs().await;
    assert!(app.found(&owner, "tea").await[0].contains("five"));
    server.shutdown().await;

    let gone = owner.client.post(&path, &request).await.expect(422).json();
    assert_eq!(gone["errors"][0]["pointer"], "/url");
    let inside = json!({ "url": "http://169.254.169.254/latest/meta-data" });
    assert_eq!(
        owner.client.post(&path, &inside).await.expect(422).problem(),
        "invalid-fields"
    );
}

#[tokio::test]
async fn documents_in_work_are_followed_to_their_end_and_again_after_a_broken_connection() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let base = knowledge_base(&owner, "Handbook").await;
    let id = uploaded(&owner, &base, "tea.txt", "Tea is served at four.").await;
    let path = owner.path("/documents/events?until=settled");
    let (stream, ()) = tokio::join!(owner.client.get(&path), app.run_jobs());
    let text = stream.expect(200).text();
    let events: Vec<(String, Value)> = text.split("\n\n").filter_map(event).collect();
    let last = events
        .iter()
        .rfind(|(name, _)| name == "document")
        .unwrap_or_else(|| panic!("{text}"));
    assert_eq!(last.1["document"]["id"], json!(id));
    assert_eq!(events.last().unwrap().1["waiting"], 0);
    let cursor = text
        .lines()
        .filter_map(|line| line.strip_prefix("id:"))
        .next_back()
        .unwrap()
        .trim();
    let request = Request::get(&path)
        .header("last-event-id", cursor)
        .body(Body::empty())
        .unwrap();
    let text = owner.client.send(request).await.expect(200).text();
    let state: Vec<(String, Value)> = text.split("\n\n").filter_map(event).collect();
    let told = state.iter().find(|(name, _)| name == "document").unwrap();
    assert_eq!(told.1["document"]["status"], "indexed", "what was missed is told");
}

fn event(text: &str) -> Option<(String, Value)> {
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name))
            .map(str::trim)
    };
    Some((
        field("event:")?.to_owned(),
        serde_json::from_str(field("data:")?).unwrap(),
    ))
}

#[tokio::test]
async fn a_crowd_of_uploads_is_taken_in_turn_and_none_that_was_acknowledged_is_lost() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let base = knowledge_base(&owner, "Handbook").await;
    let mut uploads = JoinSet::new();
    for number in 0..700 {
        let (owner, base) = (owner.clone(), base.clone());
        uploads.spawn(async move {
            upload(&owner, &base, "note.txt", format!("Note number {number}."))
                .await
                .status
        });
    }
    let answers = uploads.join_all().await;
    let count = |status: u16| answers.iter().filter(|answer| answer.as_u16() == status).count();
    assert_eq!(count(201) + count(429), 700, "{answers:?}");
    assert!(count(429) > 0, "the line is bounded");
    let stored = app.scalar("select count(*) from documents").await;
    assert_eq!(usize::try_from(stored).unwrap(), count(201));
    let jobs = app
        .scalar("select count(*) from jobs where kind = 'document.ingest'")
        .await;
    assert_eq!(jobs, stored);
}
