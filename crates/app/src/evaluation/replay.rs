//! Replaying a set, case by case, as a job.

use std::sync::Arc;
use std::time::Instant;

use amebo_core::answer::Outcome as Answered;
use amebo_core::document::Reader;
use amebo_core::id::{DocumentId, EvaluationRunId, EvaluationSetId};
use amebo_core::job::Priority;
use amebo_core::permission::{Action, Resource};
use amebo_knowledge::answer::{Options, Question, Searched, Verdict};
use amebo_store::Permit;
use amebo_store::evaluation::{Case, EvaluationRun, RunState};
use amebo_store::job::{Handler, Lease, NewJob, Outcome, Task};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::figures::{CaseResult, figures};
use crate::library::Scope;
use crate::{Access, App, Error, Result};

/// How many passages are looked at for each case.
const PASSAGES: usize = 24;
/// After how many cases progress is stored.
const REPORTED_EVERY: usize = 10;

/// Replay this run's set.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Replay {
    /// The run.
    pub run: EvaluationRunId,
}

impl Task for Replay {
    const KIND: &'static str = "evaluation.replay";
    const PRIORITY: Priority = Priority::Bulk;
    const MAX_ATTEMPTS: u16 = 3;
}

/// Handles [`Replay`].
#[derive(Debug, Clone)]
pub struct ReplayHandler(pub Arc<App>);

impl Handler for ReplayHandler {
    type Task = Replay;

    async fn run(&self, task: Replay, lease: Lease) -> Outcome {
        let app = &self.0;
        let ended = tokio::select! {
            () = lease.stopped() => return Outcome::Cancelled,
            ended = app.replay(&lease, task.run) => ended,
        };
        match ended {
            Ok(()) => Outcome::Done,
            Err(error) if !lease.is_last_attempt() => Outcome::retry(error),
            Err(error) => match app.fail_run(&lease, task.run, &error.to_string()).await {
                Ok(()) => Outcome::Done,
                Err(error) => Outcome::retry(error),
            },
        }
    }
}

impl App {
    /// Replays a set in the background, through the eyes of the caller.
    pub async fn start_evaluation_run(&self, access: &Access, id: EvaluationSetId) -> Result<EvaluationRun> {
        let permit = access.permit(Resource::Evaluation, Action::Create)?;
        let mut tx = self.store.begin(&permit).await?;
        let run = tx
            .evaluations()
            .insert_run(id)
            .await?
            .ok_or(Error::NotFound("evaluation set"))?;
        // One after the other in an organisation: they are long, and nobody waits at the screen.
        tx.jobs()
            .push(NewJob::of(&Replay { run: run.id }).lane("evaluation"))
            .await?;
        tx.commit().await?;
        Ok(run)
    }

    async fn replay(&self, lease: &Lease, id: EvaluationRunId) -> Result<()> {
        let permit = lease.permit();
        let mut tx = self.store.begin(&permit).await?;
        let Some(run) = tx.evaluations().run(id).await? else {
            return Ok(());
        };
        if matches!(run.state, RunState::Done { .. } | RunState::Failed { .. }) {
            return Ok(());
        }
        let cases = tx.evaluations().cases(run.set).await?.unwrap_or_default();
        let settings = tx.questions().settings().await?;
        let names = tx.knowledge_bases().names().await?;
        tx.evaluations().progress(id, 0).await?;
        tx.commit().await?;
        let replay = CaseReplay {
            app: self,
            permit,
            reader: self.reader_of(&permit, &run).await?,
            scope: self.library.scope(&permit, &[]).await?,
            names: names.into_iter().map(|(_, name)| name).collect(),
            options: self.answering.options(&settings),
        };
        let mut results = Vec::with_capacity(cases.len());
        for (done, case) in (1..).zip(&cases) {
            results.push(replay.run(case).await?);
            if done % REPORTED_EVERY == 0 {
                let mut tx = self.store.begin(&permit).await?;
                tx.evaluations()
                    .progress(id, u32::try_from(done).unwrap_or(u32::MAX))
                    .await?;
                tx.commit().await?;
            }
        }
        let metrics = figures(&results, replay.options.threshold);
        let mut tx = self.store.begin(&permit).await?;
        tx.evaluations()
            .finish(
                id,
                &serde_json::to_value(metrics).map_err(Error::internal)?,
                &json!(results),
            )
            .await?;
        if tx.jobs().complete(lease).await? {
            tx.commit().await?;
        }
        Ok(())
    }

    /// Through whose eyes a run sees documents: those of the person who started it, as they may see now; a program's otherwise.
    async fn reader_of(&self, permit: &Permit, run: &EvaluationRun) -> Result<Reader> {
        let Some(user) = run.started_by else {
            return Ok(Reader::Machine);
        };
        let mut tx = self.store.begin_system().await?;
        let access = tx.users().access(user, permit.organization()).await?;
        tx.commit().await?;
        access
            .map(|access| access.reader().clone())
            .ok_or(Error::NotAllowed(
                "whoever started the run is no longer an active member",
            ))
    }

    async fn fail_run(&self, lease: &Lease, id: EvaluationRunId, reason: &str) -> Result<()> {
        let mut tx = self.store.begin(&lease.permit()).await?;
        tx.evaluations().fail(id, reason).await?;
        if tx.jobs().complete(lease).await? {
            tx.commit().await?;
        }
        Ok(())
    }
}

/// What all cases of a run share. No language model takes part: a replay measures retrieval, quotation and confidence, which can
/// be compared from run to run and cost nothing.
struct CaseReplay<'a> {
    app: &'a App,
    permit: Permit,
    reader: Reader,
    scope: Scope,
    names: Vec<String>,
    options: Options,
}

impl CaseReplay<'_> {
    async fn run(&self, case: &Case) -> Result<CaseResult> {
        let began = Instant::now();
        let readers = std::slice::from_ref(&self.reader);
        let found = self
            .app
            .evidence(
                &self.permit,
                readers,
                &self.scope,
                (&case.question, &[]),
                PASSAGES,
            )
            .await?;
        let mut ranking: Vec<DocumentId> = Vec::new();
        for evidence in &found.evidence {
            if !ranking.contains(&evidence.document) {
                ranking.push(evidence.document);
            }
        }
        let question = Question {
            vector: found.vector,
            ..Question::new(&case.question)
        };
        let searched = Searched {
            knowledge_bases: self.names.clone(),
            documents: found.documents,
            passages: found.passages,
        };
        let verdict = self
            .app
            .answering
            .quoting()
            .verdict(question, found.evidence, searched, self.options.clone())
            .await
            .ok_or(Error::Unavailable("the answerer"))?;
        let latency_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        Ok(result(case, &ranking, &verdict, latency_us))
    }
}

fn result(case: &Case, ranking: &[DocumentId], verdict: &Verdict, latency_us: u64) -> CaseResult {
    let cited: Vec<DocumentId> = verdict
        .sentences
        .iter()
        .flat_map(|sentence| &sentence.citations)
        .map(|citation| citation.document)
        .collect();
    let said: Vec<&str> = verdict
        .sentences
        .iter()
        .map(|sentence| sentence.text.as_str())
        .collect();
    CaseResult {
        question: case.question.clone(),
        answerable: case.answerable,
        answered: verdict.outcome == Answered::Answered,
        confidence: verdict.confidence.value(),
        names_documents: !case.documents.is_empty(),
        rank: (1..)
            .zip(ranking)
            .find(|(_, id)| case.documents.contains(id))
            .map(|(rank, _)| rank),
        contained: (!case.answers.is_empty())
            .then(|| super::figures::contains_any(&said.join(" "), &case.answers)),
        citations: cited.len(),
        citations_right: cited.iter().filter(|id| case.documents.contains(id)).count(),
        answer: said.join(" "),
        latency_us,
    }
}
