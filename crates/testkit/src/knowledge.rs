//! What tests of knowledge do and look at.

use std::path::Path;

use amebo_app::Access;
use amebo_app::library::Search;
use amebo_store::{job, maintenance};
use sqlx::{AssertSqlSafe, Executor as _};

use crate::{Person, TestApp};

impl TestApp {
    /// What a person may do in their organisation.
    pub async fn access(&self, person: &Person) -> Access {
        let mut tx = self.store.begin_system().await.unwrap();
        let access = tx.users().access(person.user, person.organization).await.unwrap();
        tx.commit().await.unwrap();
        access.unwrap()
    }

    /// The passages that a person finds, best first.
    pub async fn found(&self, person: &Person, text: &str) -> Vec<String> {
        let search = Search {
            text: text.to_owned(),
            knowledge_bases: Vec::new(),
            readers: Vec::new(),
            limit: 10,
        };
        let found = self.app.find(&self.access(person).await, search).await.unwrap();
        found
            .passages
            .into_iter()
            .map(|(_, passage)| passage.content)
            .collect()
    }

    /// Changes what is stored, past everything.
    pub async fn sql(&self, statement: &str) {
        let mut administrator = self.database.administrator().await;
        administrator
            .execute(AssertSqlSafe(statement.to_owned()))
            .await
            .unwrap();
    }

    /// A number, past row-level security.
    pub async fn scalar(&self, query: &str) -> i64 {
        let mut administrator = self.database.administrator().await;
        sqlx::query_scalar(AssertSqlSafe(query.to_owned()))
            .fetch_one(&mut administrator)
            .await
            .unwrap()
    }

    /// The models of all passages' vectors, in order; empty for a passage without one.
    pub async fn models_of_passages(&self) -> Vec<String> {
        let mut administrator = self.database.administrator().await;
        sqlx::query_scalar("select coalesce(embedding_model, '') from chunks order by id")
            .fetch_all(&mut administrator)
            .await
            .unwrap()
    }

    /// How many files are in storage.
    pub fn stored_files(&self) -> usize {
        fn count(directory: &Path) -> usize {
            std::fs::read_dir(directory)
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .map(|path| if path.is_dir() { count(&path) } else { 1 })
                .sum()
        }
        count(&self.files.path().join("files"))
    }

    /// Does what maintenance is due.
    pub async fn run_maintenance(&self) {
        maintenance::run_due(&self.store).await.unwrap();
    }

    /// Does all jobs that are due, and those that they push.
    pub async fn run_jobs(&self) {
        let worker = self.app.worker(job::Settings::default());
        worker.run_until_idle().await.unwrap();
    }
}
