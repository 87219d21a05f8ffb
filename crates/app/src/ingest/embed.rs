//! Giving the passages of a knowledge base the vectors of a model: when it is moved to another one, and when there was none.
//!
//! The vectors are put aside as they come, and take the place of the old ones in one transaction when none is missing. Until then the
//! old ones are searched. Killed anywhere, the job goes on with what is still missing.

use std::sync::Arc;
use std::time::Duration;

use amebo_core::document::{KnowledgeBaseStatus, MoveProblem};
use amebo_core::id::{ChunkId, KnowledgeBaseId};
use amebo_core::job::{JobState, Priority};
use amebo_knowledge::chunk;
use amebo_knowledge::embed::{self, Embedder};
use amebo_knowledge::passage::Passage;
use amebo_store::job::{Handler, Job, Lease, Outcome, Task};
use amebo_store::{KnowledgeBase, OrgTx, Unembedded};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Stop, prepare};
use crate::App;

/// How often it is looked whether a model has come.
const LOOK_AGAIN: Duration = Duration::from_mins(5);
/// How many passages are embedded between two transactions.
const AT_ONCE: u32 = 128;

/// Give a knowledge base's passages the vectors they lack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Embed {
    /// The knowledge base.
    pub knowledge_base: KnowledgeBaseId,
}

impl Embed {
    /// Under which unique keys its jobs are: of a knowledge base whose model is yet to be found, and of one on its way to `model`.
    pub(crate) fn keys(base: KnowledgeBaseId, model: &str) -> [String; 2] {
        // A model's name may be longer than a key.
        let model = hex::encode(&Sha256::digest(model)[..16]);
        [base.to_string(), format!("{base}:{model}")]
    }
}

impl Task for Embed {
    const KIND: &'static str = "knowledge_base.embed";
    const PRIORITY: Priority = Priority::Bulk;
}

/// Handles [`Embed`].
#[derive(Debug, Clone)]
pub struct EmbedHandler(pub Arc<App>);

/// Why an attempt stopped at the model, as its job keeps it for those who watch the move.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Stalled {
    /// What it comes down to.
    pub(crate) problem: MoveProblem,
    /// What the model's service said.
    pub(crate) detail: Option<String>,
    /// Which attempt it was; what an earlier one met says nothing of the last.
    attempt: u32,
}

impl Stalled {
    fn at(attempt: u32, error: &embed::Error) -> Self {
        let (problem, detail) = match error {
            embed::Error::Unavailable { reason, .. } => (MoveProblem::ModelUnavailable, Some(reason.clone())),
            embed::Error::Refused(reason) => (MoveProblem::ModelRefused, Some(reason.clone())),
            embed::Error::BadAnswer(reason) => (MoveProblem::BadAnswer, Some(reason.clone())),
            embed::Error::Failed(_) => (MoveProblem::Failed, None),
        };
        Self {
            problem,
            detail,
            attempt,
        }
    }

    /// Why the last attempt of a job failed; `None` when it did not, is not over, or the job has just been given its attempts back.
    pub(crate) fn of(job: &Job) -> Option<Self> {
        if job.state == JobState::Running || job.attempts == 0 || job.last_error.is_none() {
            return None;
        }
        let told = job
            .progress
            .as_ref()
            .and_then(|told| Self::deserialize(told).ok());
        // Where the attempt told nothing, it was not the model that stopped it.
        Some(told.filter(|told| told.attempt == job.attempts).unwrap_or(Self {
            problem: MoveProblem::Failed,
            detail: None,
            attempt: job.attempts,
        }))
    }
}

/// What is to be done next.
enum Next {
    /// These passages.
    Embed(Arc<dyn Embedder>, Vec<Unembedded>),
    /// Look from the first passage again.
    FromTheFirst,
    /// Nothing is left to do.
    Finished,
    /// The model is not at hand.
    NoModel,
}

impl Handler for EmbedHandler {
    type Task = Embed;

    async fn run(&self, task: Embed, lease: Lease) -> Outcome {
        let ended = tokio::select! {
            () = lease.stopped() => return Outcome::Cancelled,
            ended = self.0.embed_knowledge_base(&lease, task.knowledge_base) => ended,
        };
        match ended {
            Ok(outcome) => outcome,
            Err(Stop::Later { reason, after }) => Outcome::Retry {
                reason: reason.sentence,
                after,
            },
            Err(Stop::Unfit(reason)) => Outcome::fail(reason),
            Err(Stop::Superseded | Stop::ModelChanged) => Outcome::Done,
        }
    }
}

impl App {
    async fn embed_knowledge_base(&self, lease: &Lease, id: KnowledgeBaseId) -> Result<Outcome, Stop> {
        let permit = lease.permit();
        let mut after = None;
        loop {
            let mut tx = self.store.begin(&permit).await?;
            let next = self.next_to_embed(&mut tx, id, after).await?;
            if matches!(next, Next::Finished) && !tx.jobs().complete(lease).await? {
                return Err(Stop::Superseded);
            }
            tx.commit().await?;
            let (embedder, passages) = match next {
                Next::Finished => return Ok(Outcome::Done),
                Next::NoModel => return Ok(Outcome::Snooze(LOOK_AGAIN)),
                Next::FromTheFirst => {
                    after = None;
                    continue;
                }
                Next::Embed(embedder, passages) => (embedder, passages),
            };
            after = passages.last().map(|passage| passage.id);
            let texts: Vec<String> = passages.iter().map(text_of).collect();
            let vectors = match prepare::embed(&embedder, &texts).await {
                Ok(vectors) => vectors,
                Err(error) => {
                    self.tell_stalled(lease, &error).await?;
                    return Err(error.into());
                }
            };
            let staged: Vec<(ChunkId, Vec<u8>)> =
                passages.iter().map(|passage| passage.id).zip(vectors).collect();
            let mut tx = self.store.begin(&permit).await?;
            tx.chunks().stage(&embedder.model().id, &staged).await?;
            tx.commit().await?;
        }
    }

    async fn tell_stalled(&self, lease: &Lease, error: &embed::Error) -> Result<(), Stop> {
        let told =
            serde_json::to_value(Stalled::at(lease.attempt(), error)).map_err(crate::Error::internal)?;
        let mut tx = self.store.begin(&lease.permit()).await?;
        tx.jobs().report(lease.job(), &told).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn next_to_embed(
        &self,
        tx: &mut OrgTx,
        id: KnowledgeBaseId,
        after: Option<ChunkId>,
    ) -> Result<Next, Stop> {
        let Some(base) = tx.knowledge_bases().lock(id).await? else {
            return Ok(Next::Finished);
        };
        if base.status == KnowledgeBaseStatus::Archived {
            return Ok(Next::Finished);
        }
        let Some(embedder) = self.wanted_model(tx, &base).await? else {
            return Ok(Next::NoModel);
        };
        let model = embedder.model().id.as_str();
        if base.building_model.is_none() {
            tx.knowledge_bases().build(id, Some(model)).await?;
        }
        let passages = tx.chunks().unembedded(id, model, after, AT_ONCE).await?;
        if !passages.is_empty() {
            return Ok(Next::Embed(embedder, passages));
        }
        if after.is_none() && tx.knowledge_bases().switch_model(id, model).await? {
            return Ok(Next::Finished);
        }
        Ok(Next::FromTheFirst)
    }

    /// The model a knowledge base is moved to, or has, or would have been given.
    async fn wanted_model(
        &self,
        tx: &mut OrgTx,
        base: &KnowledgeBase,
    ) -> crate::Result<Option<Arc<dyn Embedder>>> {
        let model = match base.building_model.as_ref().or(base.embedding_model.as_ref()) {
            Some(model) => Some(model.clone()),
            None => self.first_model(tx).await?,
        };
        match model {
            Some(model) => self.embedder(tx, &model).await,
            None => Ok(None),
        }
    }
}

fn text_of(passage: &Unembedded) -> String {
    let whole = Passage {
        index: 0,
        content: passage.content.clone(),
        range: 0..passage.content.len(),
        heading_path: passage.heading_path.clone(),
        page: None,
    };
    chunk::embedding_text(&passage.title, &whole)
}
