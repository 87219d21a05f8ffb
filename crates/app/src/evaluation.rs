//! Questions with known answers, kept by an organisation and replayed before a change goes live.
//!
//! A replay searches and quotes as the person who started it would be answered, with the organisation's present settings, and
//! stores no questions: figures about real use stay real.

mod figures;
mod replay;

use amebo_core::id::{EvaluationRunId, EvaluationSetId};
use amebo_core::page::{Page, PageRequest};
use amebo_core::permission::{Action, Resource};
use amebo_store::audit::NewEntry;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

pub use self::replay::{Replay, ReplayHandler};
pub use amebo_store::evaluation::{Case, EvaluationRun, EvaluationSet, RunState};

use crate::{Access, App, Error, FieldError, Result};

/// How many cases a set may have.
pub const MOST_CASES: usize = 5_000;
/// The longest question, answer or name, in characters.
const LONGEST_TEXT: usize = 8_000;
/// How many wrong fields are reported at once.
const MOST_REPORTED: usize = 20;
const LONGEST_NAME: usize = 200;
const LONGEST_DESCRIPTION: usize = 2_000;

/// A set to be kept.
#[derive(Debug, Clone)]
pub struct NewEvaluationSet {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its cases.
    pub cases: Vec<Case>,
}

impl App {
    /// Keeps a set.
    pub async fn create_evaluation_set(
        &self,
        access: &Access,
        new: &NewEvaluationSet,
    ) -> Result<EvaluationSet> {
        let permit = access.permit(Resource::Evaluation, Action::Create)?;
        check(new)?;
        let mut tx = self.store.begin(&permit).await?;
        let id = tx
            .evaluations()
            .insert(new.name.trim(), &new.description, &new.cases)
            .await
            .map_err(|error| {
                if error.is_conflict_on("evaluation_sets_organization_id_name_key") {
                    Error::Conflict("there is already a set of this name".to_owned())
                } else {
                    error.into()
                }
            })?;
        let set = tx.evaluations().by_id(id).await?;
        tx.audit()
            .append(
                NewEntry::new("evaluation_set.create", "evaluation_set")
                    .of(id)
                    .details(json!({ "name": new.name.trim(), "cases": new.cases.len() })),
            )
            .await?;
        tx.commit().await?;
        set.ok_or(Error::NotFound("evaluation set"))
    }

    /// All sets, by name.
    pub async fn evaluation_sets(&self, access: &Access) -> Result<Vec<EvaluationSet>> {
        let permit = access.permit(Resource::Evaluation, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let sets = tx.evaluations().list().await?;
        tx.commit().await?;
        Ok(sets)
    }

    /// One set with its cases.
    pub async fn evaluation_set(
        &self,
        access: &Access,
        id: EvaluationSetId,
    ) -> Result<(EvaluationSet, Vec<Case>)> {
        let permit = access.permit(Resource::Evaluation, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let set = tx.evaluations().by_id(id).await?;
        let cases = tx.evaluations().cases(id).await?;
        tx.commit().await?;
        set.zip(cases).ok_or(Error::NotFound("evaluation set"))
    }

    /// Removes a set with its runs.
    pub async fn delete_evaluation_set(&self, access: &Access, id: EvaluationSetId) -> Result<()> {
        let permit = access.permit(Resource::Evaluation, Action::Delete)?;
        let mut tx = self.store.begin(&permit).await?;
        if !tx.evaluations().delete(id).await? {
            return Err(Error::NotFound("evaluation set"));
        }
        tx.audit()
            .append(NewEntry::new("evaluation_set.delete", "evaluation_set").of(id))
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// The runs of a set, the latest first.
    pub async fn evaluation_runs(
        &self,
        access: &Access,
        id: EvaluationSetId,
        page: &PageRequest<(DateTime<Utc>, EvaluationRunId)>,
    ) -> Result<Page<EvaluationRun>> {
        let permit = access.permit(Resource::Evaluation, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        if tx.evaluations().by_id(id).await?.is_none() {
            return Err(Error::NotFound("evaluation set"));
        }
        let runs = tx.evaluations().runs(id, page).await?;
        tx.commit().await?;
        Ok(runs)
    }

    /// One run with what each case gave, once it is done.
    pub async fn evaluation_run(
        &self,
        access: &Access,
        id: EvaluationRunId,
    ) -> Result<(EvaluationRun, Option<Value>)> {
        let permit = access.permit(Resource::Evaluation, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let run = tx.evaluations().run(id).await?;
        let results = tx.evaluations().results(id).await?;
        tx.commit().await?;
        run.map(|run| (run, results))
            .ok_or(Error::NotFound("evaluation run"))
    }
}

fn check(new: &NewEvaluationSet) -> Result<()> {
    let mut wrong = Vec::new();
    let mut refuse = |pointer: String, message: &str| {
        wrong.push(FieldError {
            pointer,
            message: message.to_owned(),
        });
    };
    let long = |text: &str, most: usize| text.chars().count() > most;
    if new.name.trim().is_empty() || long(&new.name, LONGEST_NAME) {
        refuse("/name".to_owned(), "a name has 1 to 200 characters");
    }
    if long(&new.description, LONGEST_DESCRIPTION) {
        refuse(
            "/description".to_owned(),
            "a description has at most 2000 characters",
        );
    }
    if new.cases.is_empty() || new.cases.len() > MOST_CASES {
        refuse("/cases".to_owned(), "a set has 1 to 5000 cases");
    }
    for (index, case) in new.cases.iter().enumerate().take(MOST_CASES) {
        if case.question.trim().is_empty() || long(&case.question, LONGEST_TEXT) {
            refuse(
                format!("/cases/{index}/question"),
                "a question has 1 to 8000 characters",
            );
        }
        if case.answers.iter().any(|answer| long(answer, LONGEST_TEXT)) {
            refuse(
                format!("/cases/{index}/answers"),
                "an answer has at most 8000 characters",
            );
        }
        let names_answer = !case.answers.is_empty() || !case.documents.is_empty();
        if names_answer && !case.answerable {
            refuse(
                format!("/cases/{index}/answerable"),
                "a case that names answers or documents is answerable",
            );
        }
    }
    wrong.truncate(MOST_REPORTED);
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Error::Invalid(wrong))
    }
}
