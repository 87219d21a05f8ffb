//! Ingestion killed at every place where it can be killed.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use amebo_app::ingest::{EmbedHandler, IngestHandler};
use amebo_store::Store;
use amebo_store::job::{Handler, Lease, Outcome, Registry, Settings, Worker};
use amebo_testkit::{Person, TestApp};
use chrono::TimeDelta;
use serde_json::json;
use tokio::sync::Notify;

use crate::document::{document, uploaded};
use crate::knowledge_base::knowledge_base;

/// The owner of an organisation, calling with a key: tests here take longer than an access token lives.
async fn owner(app: &TestApp) -> Person {
    let mut owner = app.owner("Acme").await;
    let scopes = [
        "knowledge_base:create",
        "knowledge_base:update",
        "document:create",
        "document:read",
        "document:update",
    ];
    owner.client = app.program(&owner, &scopes).await;
    owner
}

/// Runs a handler for so many polls, then stops it as a killed process stops: nothing of it runs any more.
#[derive(Clone)]
struct Killed<H> {
    handler: H,
    polls: Arc<AtomicUsize>,
    dead: Arc<Notify>,
    finished: Arc<AtomicBool>,
}

impl<H> Killed<H> {
    fn after(handler: H, polls: usize) -> Self {
        Self {
            handler,
            polls: Arc::new(AtomicUsize::new(polls)),
            dead: Arc::default(),
            finished: Arc::default(),
        }
    }
}

impl<H: Handler> Handler for Killed<H> {
    type Task = H::Task;

    async fn run(&self, task: H::Task, lease: Lease) -> Outcome {
        let ended = {
            let mut running = pin!(self.handler.run(task, lease));
            std::future::poll_fn(|context| {
                if self.polls.load(Ordering::SeqCst) == 0 {
                    return std::task::Poll::Ready(None);
                }
                self.polls.fetch_sub(1, Ordering::SeqCst);
                running.as_mut().poll(context).map(Some)
            })
            .await
        };
        self.dead.notify_one();
        let Some(outcome) = ended else {
            return std::future::pending().await;
        };
        self.finished.store(true, Ordering::SeqCst);
        outcome
    }
}

/// Runs the one job there is with a handler that is killed after `polls` polls; whether it had ended by then.
pub(crate) async fn run_killed<H: Handler + Clone>(app: &TestApp, handler: H, polls: usize) -> bool {
    let killed = Killed::after(handler, polls);
    let begun = app
        .scalar("select (extract(epoch from clock_timestamp()) * 1000000)::bigint")
        .await;
    let store = Store::connect(&app.database.store_config(), app.app.environment().clone())
        .await
        .unwrap();
    let registry = Registry::default().with(killed.clone());
    let worker = Worker::new(store.clone(), registry, Settings::default());
    tokio::select! {
        () = killed.dead.notified() => {}
        ended = worker.run_until_idle() => ended.unwrap(),
    }
    drop(worker);
    store.close().await;
    // What a process leaves open when it dies, the database ends when it notices; here it notices at once.
    app.scalar(&format!(
        "select count(pg_terminate_backend(pid, 10000)) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null
         and backend_start >= to_timestamp({begun} / 1000000.0)"
    ))
    .await;
    // Nobody extends the lease any more.
    app.clock.advance(TimeDelta::minutes(2));
    app.run_maintenance().await;
    killed.finished.load(Ordering::SeqCst)
}

#[tokio::test]
async fn a_document_is_indexed_once_and_whole_wherever_its_processing_is_killed() {
    let app = TestApp::start().await;
    let owner = owner(&app).await;
    let base = knowledge_base(&owner, "Handbook").await;
    let mut polls = 0;
    loop {
        let text = format!("Rule number{polls}: tea is served at four. Coffee is served at nine.");
        let id = uploaded(&owner, &base, "rule.txt", &text).await;
        let word = format!("number{polls}");
        let ended = run_killed(&app, IngestHandler(app.app.clone()), polls).await;
        let status = document(&owner, &id).await["status"].clone();
        let found = app
            .found(&owner, &word)
            .await
            .iter()
            .filter(|passage| passage.contains(&word))
            .count();
        assert_eq!(
            found,
            usize::from(status == json!("indexed")),
            "killed after {polls} polls: findable exactly when it says so ({status})"
        );
        app.run_jobs().await;
        let done = document(&owner, &id).await;
        assert_eq!(done["status"], "indexed", "killed after {polls} polls");
        let stored = app
            .scalar(&format!("select count(*) from chunks where document_id = '{id}'"))
            .await;
        assert_eq!(json!(stored), done["chunk_count"], "killed after {polls} polls");
        assert_eq!(
            app.scalar("select count(*) from jobs where kind = 'document.ingest'")
                .await,
            0
        );
        if ended {
            break;
        }
        polls += 1;
    }
    assert!(polls > 2, "{polls} places were tried");
}

#[tokio::test]
async fn a_change_of_model_is_whole_wherever_it_is_killed() {
    let app = TestApp::start_with_models(&["one", "two"]).await;
    let owner = owner(&app).await;
    let base = knowledge_base(&owner, "Handbook").await;
    for number in 0..3 {
        uploaded(
            &owner,
            &base,
            "rule.txt",
            &format!("Rule {number}: tea is served at four."),
        )
        .await;
    }
    app.run_jobs().await;
    let path = owner.path(&format!("/knowledge-bases/{base}"));
    let mut polls = 0;
    loop {
        let (from, to) = if polls % 2 == 0 {
            ("one", "two")
        } else {
            ("two", "one")
        };
        let _ = owner
            .client
            .patch(&path, &json!({ "embedding_model": to }))
            .await
            .expect(200);
        let ended = run_killed(&app, EmbedHandler(app.app.clone()), polls).await;
        let models = app.models_of_passages().await;
        assert!(
            models == [from; 3] || models == [to; 3],
            "killed after {polls} polls: {models:?}"
        );
        app.run_jobs().await;
        assert_eq!(
            app.models_of_passages().await,
            [to; 3],
            "killed after {polls} polls"
        );
        assert_eq!(app.scalar("select count(*) from staged_embeddings").await, 0);
        assert_eq!(app.scalar("select count(*) from jobs").await, 0);
        if ended {
            break;
        }
        polls += 1;
    }
    assert!(polls > 5, "{polls} places were tried");
}

#[tokio::test]
async fn documents_wait_for_a_model_that_is_away() {
    let app = TestApp::start().await;
    let owner = owner(&app).await;
    let base = knowledge_base(&owner, "Handbook").await;
    app.models[0].set_away(true);
    let id = uploaded(&owner, &base, "tea.txt", "Tea is served at four.").await;
    app.run_jobs().await;
    assert_eq!(document(&owner, &id).await["status"], "embedding");
    app.models[0].set_away(false);
    app.clock.advance(TimeDelta::minutes(20));
    app.run_jobs().await;
    assert_eq!(document(&owner, &id).await["status"], "indexed");
    // A model that stays away is given up on, with a reason, and can be tried again.
    app.models[0].set_away(true);
    let id = uploaded(&owner, &base, "coffee.txt", "Coffee is at nine.").await;
    for _ in 0..8 {
        app.run_jobs().await;
        app.clock.advance(TimeDelta::minutes(20));
    }
    let failed = document(&owner, &id).await;
    assert_eq!(failed["status"], "failed");
    assert!(
        failed["error"].as_str().unwrap().contains("not available"),
        "{failed}"
    );
    app.models[0].set_away(false);
    let path = owner.path(&format!("/documents/{id}/reindex"));
    let _ = owner
        .client
        .post(&path, &serde_json::Value::Null)
        .await
        .expect(202);
    app.run_jobs().await;
    assert_eq!(document(&owner, &id).await["status"], "indexed");
}
