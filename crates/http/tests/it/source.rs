//! Web pages that are read again from time to time.

use std::future::IntoFuture as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use amebo_testkit::{Person, TestApp};
use axum::http::StatusCode;
use axum::routing::get;
use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::knowledge_base::knowledge_base;

/// A page that says what it is told to say.
struct Site {
    says: Arc<Mutex<(StatusCode, &'static str)>>,
    address: SocketAddr,
    _server: JoinSet<std::io::Result<()>>,
}

impl Site {
    async fn start(text: &'static str) -> Self {
        let says = Arc::new(Mutex::new((StatusCode::OK, text)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let said = Arc::clone(&says);
        let page = get(async move || {
            let (status, text) = *said.lock().unwrap();
            (
                status,
                axum::response::Html(format!("<title>Drinks</title><p>{text}</p>")),
            )
        });
        let mut server = JoinSet::new();
        server.spawn(axum::serve(listener, axum::Router::new().route("/drinks", page)).into_future());
        Self {
            says,
            address,
            _server: server,
        }
    }

    fn say(&self, status: StatusCode, text: &'static str) {
        *self.says.lock().unwrap() = (status, text);
    }

    fn url(&self) -> String {
        format!("http://{}/drinks", self.address)
    }
}

/// Signed in anew: the clock went on, past what an access token lasts.
async fn again(app: &TestApp, person: &Person) -> Person {
    Person {
        client: app.sign_in(&person.email).await,
        ..person.clone()
    }
}

async fn only(person: &Person) -> Value {
    let sources = person
        .client
        .get(&person.path("/sources"))
        .await
        .expect(200)
        .json();
    assert_eq!(sources["items"].as_array().unwrap().len(), 1, "{sources}");
    sources["items"][0].clone()
}

#[tokio::test]
async fn a_page_is_read_at_once_every_night_and_when_somebody_asks() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let base = knowledge_base(&owner, "Handbook").await;
    let site = Site::start("Tea is served at four.").await;
    let body =
        json!({ "knowledge_base_id": base, "url": site.url(), "every": "day", "timezone": "Europe/Madrid" });
    let made = owner
        .client
        .post(&owner.path("/sources"), &body)
        .await
        .expect(201)
        .json();
    assert_eq!(made["is_being_read"], true);
    let twice = owner.client.post(&owner.path("/sources"), &body).await;
    assert_eq!(twice.expect(409).problem(), "conflict");
    app.run_jobs().await;
    let source = only(&owner).await;
    assert_eq!(source["last_outcome"], "changed");
    assert_eq!(source["document_count"], 1);
    assert_eq!(source["is_being_read"], false);
    assert!(app.found(&owner, "tea").await[0].contains("four"));
    let next: chrono::DateTime<chrono::Utc> = source["next_read_at"].as_str().unwrap().parse().unwrap();
    let soon = next - app.store.environment().now();
    assert!(soon > TimeDelta::zero() && soon <= TimeDelta::days(1), "{source}");

    site.say(StatusCode::OK, "Tea is served at five.");
    app.clock.advance(TimeDelta::days(1));
    let owner = again(&app, &owner).await;
    amebo_store::maintenance::run_due(&app.store).await.unwrap();
    app.run_jobs().await;
    assert_eq!(only(&owner).await["last_outcome"], "changed");
    assert!(app.found(&owner, "tea").await[0].contains("five"));

    let path = owner.path(&format!("/sources/{}", made["id"].as_str().unwrap()));
    let _ = owner
        .client
        .post(&format!("{path}/read"), &Value::Null)
        .await
        .expect(202);
    app.run_jobs().await;
    assert_eq!(only(&owner).await["last_outcome"], "unchanged");
}

#[tokio::test]
async fn a_paused_page_is_left_alone_and_one_that_is_gone_says_so() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let base = knowledge_base(&owner, "Handbook").await;
    let site = Site::start("Tea is served at four.").await;
    let body = json!({ "knowledge_base_id": base, "url": site.url(), "every": "week", "name": "Drinks" });
    let made = owner
        .client
        .post(&owner.path("/sources"), &body)
        .await
        .expect(201)
        .json();
    app.run_jobs().await;
    let path = owner.path(&format!("/sources/{}", made["id"].as_str().unwrap()));
    let paused = owner
        .client
        .patch(&path, &json!({ "paused": true }))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&paused["every"], &paused["next_read_at"]),
        (&json!("week"), &Value::Null)
    );
    site.say(StatusCode::NOT_FOUND, "");
    app.clock.advance(TimeDelta::days(9));
    let owner = again(&app, &owner).await;
    amebo_store::maintenance::run_due(&app.store).await.unwrap();
    app.run_jobs().await;
    assert_eq!(only(&owner).await["last_outcome"], "changed", "nobody read it");

    let _ = owner
        .client
        .patch(&path, &json!({ "paused": false }))
        .await
        .expect(200);
    let _ = owner
        .client
        .post(&format!("{path}/read"), &Value::Null)
        .await
        .expect(202);
    app.run_jobs().await;
    let source = only(&owner).await;
    assert_eq!(source["last_outcome"], "failed");
    assert!(source["last_error"].as_str().unwrap().contains("404"));
    assert_eq!(
        source["failure"],
        json!({ "code": "page_answered", "status": 404 })
    );
    assert!(
        app.found(&owner, "tea").await[0].contains("four"),
        "what was known stays"
    );

    let _ = owner
        .client
        .patch(&path, &json!({ "every": null }))
        .await
        .expect(200);
    assert_eq!(only(&owner).await["next_read_at"], Value::Null);
    let wrong = owner
        .client
        .patch(&path, &json!({ "every": "day", "timezone": "Madrid" }))
        .await;
    assert_eq!(wrong.expect(422).json()["errors"][0]["pointer"], "/timezone");

    let _ = owner.client.delete(&path).await.expect(204);
    let left = only(&owner).await;
    assert_eq!(
        (&left["name"], &left["document_count"]),
        (&json!(""), &json!(1)),
        "the document stays"
    );
    let id = left["id"].as_str().unwrap();
    let other = owner
        .client
        .post(&owner.path(&format!("/sources/{id}/read")), &Value::Null)
        .await;
    assert_eq!(other.expect(409).problem(), "conflict");
}

#[tokio::test]
async fn a_page_that_cannot_be_reached_is_tried_again_and_never_becomes_a_dead_job() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let base = knowledge_base(&owner, "Handbook").await;
    let body = json!({ "knowledge_base_id": base, "url": "http://127.0.0.1:9/" });
    let _ = owner
        .client
        .post(&owner.path("/sources"), &body)
        .await
        .expect(201);
    app.run_jobs().await;
    let source = only(&owner).await;
    assert_eq!(
        (&source["last_outcome"], &source["is_being_read"]),
        (&json!("failed"), &json!(true))
    );
    for _ in 0..6 {
        app.clock.advance(TimeDelta::hours(2));
        app.run_jobs().await;
    }
    let owner = again(&app, &owner).await;
    let source = only(&owner).await;
    assert_eq!(
        (&source["last_outcome"], &source["is_being_read"]),
        (&json!("failed"), &json!(false))
    );
    let dead = app
        .superadmin()
        .await
        .get("/api/v1/operator/jobs")
        .await
        .expect(200)
        .json();
    assert_eq!(dead["items"], json!([]));
}
