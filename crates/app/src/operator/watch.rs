//! How the platform is doing: its queue with what was given up, its database, its index and its models. Jobs are shown without what
//! they carry.

use std::time::{Duration, Instant};

use amebo_core::id::{Id as _, JobId};
use amebo_core::job::JobState;
use amebo_core::page::{Page, PageRequest};
use amebo_knowledge::embed::Purpose;
use amebo_knowledge::index::embedded;
use amebo_store::audit::NewEntry;
use chrono::{DateTime, Utc};
use serde_json::json;

pub use amebo_store::job::QueuedJob;

use super::Operator;
use crate::{App, Error, Result};

/// How long a model may take to make one vector.
const MODEL_TIME: Duration = Duration::from_secs(20);

/// How the platform is doing.
#[derive(Debug, Clone)]
pub struct Health {
    /// Amebo's version.
    pub version: &'static str,
    /// The database.
    pub database: DatabaseHealth,
    /// The queue.
    pub queue: QueueHealth,
    /// The search index of this process; `None` when it is kept elsewhere.
    pub index: Option<embedded::Usage>,
    /// The server's embedding models. Without any, passages are found by their words alone.
    pub embedding_models: Vec<ModelHealth>,
    /// The server's language model. Without one, organisations that bring none are answered by quoting.
    pub language_model: Option<String>,
}

/// How the database is doing.
#[derive(Debug, Clone)]
pub struct DatabaseHealth {
    /// Its server's version.
    pub version: String,
    /// How long it took to answer.
    pub answered_in: Duration,
    /// Bytes it takes.
    pub size_bytes: u64,
    /// Migrations that it has not seen.
    pub pending_migrations: Vec<String>,
}

/// How the queue is doing.
#[derive(Debug, Clone, Copy, Default)]
pub struct QueueHealth {
    /// Jobs that wait.
    pub queued: u64,
    /// Jobs being done.
    pub running: u64,
    /// Jobs given up.
    pub dead: u64,
    /// Since when the job waits that has waited longest of those that nothing keeps from running.
    pub waiting_since: Option<DateTime<Utc>>,
}

/// How a model is doing.
#[derive(Debug, Clone)]
pub struct ModelHealth {
    /// Its name.
    pub name: String,
    /// How long it took to make a vector, or why it made none.
    pub answered: Result<Duration, String>,
}

impl App {
    /// How the platform is doing.
    pub async fn health(&self, _: Operator) -> Result<Health> {
        let began = Instant::now();
        let inspection = self.store.inspect().await?;
        let answered_in = began.elapsed();
        let size_bytes = self.store.size().await?;
        let mut tx = self.store.begin_system().await?;
        let mut queue = QueueHealth {
            waiting_since: tx.queue().oldest_waiting().await?,
            ..QueueHealth::default()
        };
        for (state, _, count) in tx.queue().depth().await? {
            let count = count.unsigned_abs();
            match state.parse() {
                Ok(JobState::Queued) => queue.queued += count,
                Ok(JobState::Running) => queue.running += count,
                Ok(JobState::Dead) => queue.dead += count,
                _ => {}
            }
        }
        tx.commit().await?;
        let models = self.library.embedders().all().iter().map(async |model| {
            let word = ["yes".to_owned()];
            let began = Instant::now();
            // Of two models side by side a question would ask one alone.
            let asked = model.embed(&word, Purpose::Sentence);
            let answered = match tokio::time::timeout(MODEL_TIME, asked).await {
                Ok(Ok(_)) => Ok(began.elapsed()),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_elapsed) => Err(format!("no answer within {} seconds", MODEL_TIME.as_secs())),
            };
            ModelHealth {
                name: model.model().id.clone(),
                answered,
            }
        });
        Ok(Health {
            version: env!("CARGO_PKG_VERSION"),
            database: DatabaseHealth {
                version: inspection.server_version,
                answered_in,
                size_bytes,
                pending_migrations: inspection.pending_migrations,
            },
            queue,
            index: self.library.usage(),
            embedding_models: futures::future::join_all(models).await,
            language_model: self
                .answering
                .language_model()
                .map(|model| model.name().to_owned()),
        })
    }

    /// The jobs of all organisations that are in one state, in the order they came.
    pub async fn list_jobs(
        &self,
        _: Operator,
        state: JobState,
        page: &PageRequest<i64>,
    ) -> Result<Page<QueuedJob>> {
        let mut tx = self.store.begin_system().await?;
        let jobs = tx.queue().list(state, page).await?;
        tx.commit().await?;
        Ok(jobs)
    }

    /// Gives a dead job its attempts back.
    pub async fn retry_job(&self, operator: Operator, job: JobId) -> Result<()> {
        self.act_on_dead_job(operator, job, "job.retry").await
    }

    /// Throws a dead job away.
    pub async fn discard_job(&self, operator: Operator, job: JobId) -> Result<()> {
        self.act_on_dead_job(operator, job, "job.discard").await
    }

    /// Acts on a dead job inside its organisation, whose audit log shows it.
    async fn act_on_dead_job(&self, operator: Operator, id: JobId, action: &'static str) -> Result<()> {
        let mut tx = self.store.begin_system().await?;
        let organization = tx.queue().organization_of(id).await?;
        tx.commit().await?;
        let permit = operator.permit(organization.ok_or(Error::NotFound("job"))?)?;
        let mut tx = self.store.begin(&permit).await?;
        let job = tx.jobs().get(id).await?.ok_or(Error::NotFound("job"))?;
        if job.state != JobState::Dead {
            return Err(Error::Conflict("this job was not given up".to_owned()));
        }
        if action == "job.retry" {
            tx.jobs().revive(id).await?;
        } else {
            tx.jobs().cancel(id).await?;
        }
        tx.audit()
            .append(
                NewEntry::new(action, "job")
                    .of(id)
                    .details(json!({ "kind": job.kind, "reason": job.last_error })),
            )
            .await?;
        tx.commit().await?;
        tracing::info!(operator = %operator.0.user, job = %id.uuid(), action, "a dead job was taken up");
        Ok(())
    }
}
