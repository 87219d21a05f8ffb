//! Questions with known answers, and their replays.

use amebo_core::id::{DocumentId, EvaluationRunId, EvaluationSetId, Id, UserId};
use amebo_core::page::{Page, PageRequest};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use sqlx::types::Json;
use uuid::Uuid;

use crate::answer::{signed, unsigned};
use crate::error::{Error, Result};
use crate::transaction::Scope;
use crate::{Actor, OrgTx};

/// One question with what is known about its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// What is asked.
    pub question: String,
    /// The documents that hold the answer.
    #[serde(default)]
    pub documents: Vec<DocumentId>,
    /// Texts of which an answer should contain one.
    #[serde(default)]
    pub answers: Vec<String>,
    /// Whether the documents hold an answer at all; when not, declining is right.
    pub answerable: bool,
}

/// A set of cases.
#[derive(Debug, Clone)]
pub struct EvaluationSet {
    /// The set.
    pub id: EvaluationSetId,
    /// How the organisation calls it; unique.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// How many cases it has.
    pub size: u32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Where a replay stands.
#[derive(Debug, Clone, PartialEq)]
pub enum RunState {
    /// Waiting for a worker.
    Queued,
    /// Being replayed.
    Running,
    /// Finished.
    Done {
        /// Figures over all cases.
        metrics: Value,
    },
    /// Given up.
    Failed {
        /// Why.
        error: String,
    },
}

/// One replay of a set.
#[derive(Debug, Clone)]
pub struct EvaluationRun {
    /// The run.
    pub id: EvaluationRunId,
    /// What is replayed.
    pub set: EvaluationSetId,
    /// Where it stands.
    pub state: RunState,
    /// Who started it, through whose eyes documents are seen.
    pub started_by: Option<UserId>,
    /// How many cases there are.
    pub cases_total: u32,
    /// How many have been replayed.
    pub cases_done: u32,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

type SetRow = (Uuid, String, String, i32, DateTime<Utc>);

fn set((id, name, description, size, created_at): SetRow) -> EvaluationSet {
    EvaluationSet {
        id: EvaluationSetId::from_uuid(id),
        name,
        description,
        size: unsigned(Some(size)),
        created_at,
    }
}

const SET: &str = "id, name, description, jsonb_array_length(cases), created_at";
const RUN: &str = "id, evaluation_set_id, state, started_by, cases_total, cases_done, metrics, error, created_at, finished_at";

#[derive(sqlx::FromRow)]
struct RunRow {
    id: Uuid,
    evaluation_set_id: Uuid,
    state: String,
    started_by: Option<Uuid>,
    cases_total: i32,
    cases_done: i32,
    metrics: Option<Value>,
    error: Option<String>,
    created_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
}

impl TryFrom<RunRow> for EvaluationRun {
    type Error = Error;

    fn try_from(row: RunRow) -> Result<Self> {
        let state = match row.state.as_str() {
            "queued" => RunState::Queued,
            "running" => RunState::Running,
            "done" => RunState::Done {
                metrics: row.metrics.unwrap_or_default(),
            },
            "failed" => RunState::Failed {
                error: row.error.unwrap_or_default(),
            },
            other => {
                return Err(Error::Corrupt(format!(
                    "unknown state {other} of an evaluation run"
                )));
            }
        };
        Ok(Self {
            id: EvaluationRunId::from_uuid(row.id),
            set: EvaluationSetId::from_uuid(row.evaluation_set_id),
            state,
            started_by: row.started_by.map(UserId::from_uuid),
            cases_total: unsigned(Some(row.cases_total)),
            cases_done: unsigned(Some(row.cases_done)),
            created_at: row.created_at,
            finished_at: row.finished_at,
        })
    }
}

impl OrgTx {
    /// The evaluation sets of the organisation and their runs.
    pub fn evaluations(&mut self) -> Evaluations<'_> {
        Evaluations(self.scope())
    }
}

/// The evaluation sets of the organisation and their runs.
#[derive(Debug)]
pub struct Evaluations<'a>(pub(crate) Scope<'a>);

impl Evaluations<'_> {
    /// Adds a set. A conflict on `evaluation_sets_organization_id_name_key` means the name is taken.
    pub async fn insert(&mut self, name: &str, description: &str, cases: &[Case]) -> Result<EvaluationSetId> {
        let (id, now) = (
            self.0.environment.id::<EvaluationSetId>(),
            self.0.environment.now(),
        );
        sqlx::query(
            "insert into evaluation_sets (id, organization_id, name, description, cases, created_at, updated_at)
             values ($1, $2, $3, $4, $5, $6, $6)",
        )
        .bind(id.uuid())
        .bind(self.0.organization.uuid())
        .bind(name)
        .bind(description)
        .bind(Json(cases))
        .bind(now)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(id)
    }

    /// All sets, by name; without their cases.
    pub async fn list(&mut self) -> Result<Vec<EvaluationSet>> {
        let rows: Vec<SetRow> = sqlx::query_as(AssertSqlSafe(format!(
            "select {SET} from evaluation_sets where organization_id = $1 order by name"
        )))
        .bind(self.0.organization.uuid())
        .fetch_all(&mut *self.0.connection)
        .await?;
        Ok(rows.into_iter().map(set).collect())
    }

    /// One set.
    pub async fn by_id(&mut self, id: EvaluationSetId) -> Result<Option<EvaluationSet>> {
        let row: Option<SetRow> = sqlx::query_as(AssertSqlSafe(format!(
            "select {SET} from evaluation_sets where organization_id = $1 and id = $2"
        )))
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        Ok(row.map(set))
    }

    /// The cases of a set.
    pub async fn cases(&mut self, id: EvaluationSetId) -> Result<Option<Vec<Case>>> {
        let cases: Option<Json<Vec<Case>>> =
            sqlx::query_scalar("select cases from evaluation_sets where organization_id = $1 and id = $2")
                .bind(self.0.organization.uuid())
                .bind(id.uuid())
                .fetch_optional(&mut *self.0.connection)
                .await?;
        Ok(cases.map(|Json(cases)| cases))
    }

    /// Removes a set with its runs. `false`: there is none.
    pub async fn delete(&mut self, id: EvaluationSetId) -> Result<bool> {
        let done = sqlx::query("delete from evaluation_sets where organization_id = $1 and id = $2")
            .bind(self.0.organization.uuid())
            .bind(id.uuid())
            .execute(&mut *self.0.connection)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Adds a run of a set, to be taken up by a job. `None`: there is no such set.
    pub async fn insert_run(&mut self, id: EvaluationSetId) -> Result<Option<EvaluationRun>> {
        let (run, now) = (
            self.0.environment.id::<EvaluationRunId>(),
            self.0.environment.now(),
        );
        let user = match self.0.actor {
            Actor::User(user) => Some(user.uuid()),
            Actor::ApiKey(_) | Actor::System => None,
        };
        let row: Option<RunRow> = sqlx::query_as(AssertSqlSafe(format!(
            "insert into evaluation_runs (id, organization_id, evaluation_set_id, started_by, cases_total, created_at, updated_at)
             select $1, $2, id, $4, jsonb_array_length(cases), $5, $5 from evaluation_sets
             where organization_id = $2 and id = $3
             returning {RUN}"
        )))
        .bind(run.uuid())
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(user)
        .bind(now)
        .fetch_optional(&mut *self.0.connection)
        .await?;
        row.map(EvaluationRun::try_from).transpose()
    }

    /// The runs of a set, the latest first.
    pub async fn runs(
        &mut self,
        id: EvaluationSetId,
        page: &PageRequest<(DateTime<Utc>, EvaluationRunId)>,
    ) -> Result<Page<EvaluationRun>> {
        let (after_time, after_id) = page.after.unzip();
        let rows: Vec<RunRow> = sqlx::query_as(AssertSqlSafe(format!(
            "select {RUN} from evaluation_runs where organization_id = $1 and evaluation_set_id = $2
               and ($3::timestamptz is null or (created_at, id) < ($3, $4))
             order by created_at desc, id desc limit $5"
        )))
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(after_time)
        .bind(after_id.map(Id::uuid))
        .bind(page.rows())
        .fetch_all(&mut *self.0.connection)
        .await?;
        let runs = rows
            .into_iter()
            .map(EvaluationRun::try_from)
            .collect::<Result<Vec<_>>>()?;
        Ok(Page::from_rows(runs, page.limit, |run| (run.created_at, run.id)))
    }

    /// One run.
    pub async fn run(&mut self, id: EvaluationRunId) -> Result<Option<EvaluationRun>> {
        let row: Option<RunRow> = sqlx::query_as(AssertSqlSafe(format!(
            "select {RUN} from evaluation_runs where organization_id = $1 and id = $2"
        )))
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        row.map(EvaluationRun::try_from).transpose()
    }

    /// What was found and answered for each case of a run; `None` until it is done.
    pub async fn results(&mut self, id: EvaluationRunId) -> Result<Option<Value>> {
        let results: Option<Option<Value>> =
            sqlx::query_scalar("select results from evaluation_runs where organization_id = $1 and id = $2")
                .bind(self.0.organization.uuid())
                .bind(id.uuid())
                .fetch_optional(&mut *self.0.connection)
                .await?;
        Ok(results.flatten())
    }

    /// Records how far a run has come.
    pub async fn progress(&mut self, id: EvaluationRunId, cases_done: u32) -> Result<()> {
        sqlx::query(
            "update evaluation_runs set state = 'running', cases_done = $3, started_at = coalesce(started_at, $4), updated_at = $4
             where organization_id = $1 and id = $2 and state in ('queued', 'running')",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(signed::<_, i32>(cases_done))
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Ends a run with its figures and what each case gave.
    pub async fn finish(&mut self, id: EvaluationRunId, metrics: &Value, results: &Value) -> Result<()> {
        sqlx::query(
            "update evaluation_runs set state = 'done', cases_done = cases_total, metrics = $3, results = $4,
                                        finished_at = $5, updated_at = $5
             where organization_id = $1 and id = $2 and state in ('queued', 'running')",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(metrics)
        .bind(results)
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Ends a run that cannot be finished.
    pub async fn fail(&mut self, id: EvaluationRunId, error: &str) -> Result<()> {
        sqlx::query(
            "update evaluation_runs set state = 'failed', error = $3, finished_at = $4, updated_at = $4
             where organization_id = $1 and id = $2 and state in ('queued', 'running')",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(error)
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }
}
