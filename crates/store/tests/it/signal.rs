//! Commits are announced to whoever listens.

use std::time::Duration;

use amebo_core::permission::{Action, Resource};
use amebo_store::Topic;
use amebo_store::event::Cursor;
use serde_json::json;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::database::Database;

#[tokio::test]
async fn a_listener_hears_of_a_commit_and_finds_what_was_written() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    let permit = access.permit(Resource::Document, Action::Create).unwrap();
    let stop = CancellationToken::new();
    let (heard, store) = (Notify::new(), &database.store);
    let hear = || heard.notify_one();
    let test = async {
        heard.notified().await;
        let mut tx = store.begin(&permit).await.unwrap();
        tx.events()
            .append("document.indexed", None, &json!({}))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        heard.notified().await;
        let mut tx = store.begin(&permit).await.unwrap();
        assert_eq!(tx.events().after(Cursor::START, 10).await.unwrap().len(), 1);
        stop.cancel();
    };
    let all = async {
        tokio::join!(
            store.announce(&stop),
            store.listen(Topic::Events, &stop, &hear),
            test
        )
    };
    tokio::time::timeout(Duration::from_mins(1), Box::pin(all))
        .await
        .unwrap();
}
