//! What keeps the database in order, done by one process at a time.
//!
//! Each task has a row; a process that locks the row and finds its interval elapsed is the leader for that task, until its
//! transaction ends. This needs no session-level lock, so that it works behind a transaction-mode pooler.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use crate::error::Result;
use crate::{Store, SystemTx};

/// How often tasks are looked at.
const TICK: Duration = Duration::from_secs(1);
/// How many interrupted questions are settled at a time.
const OVERDUE_QUESTIONS: u32 = 1_000;
/// How many webhooks past their deadline are taken up again at a time.
const OVERDUE_EVENTS: u32 = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Task {
    RescueJobs,
    PublishEvents,
    PruneEvents,
    PreparePartitions,
    SettleQuestions,
    RunSchedules,
    PruneIdempotencyKeys,
    PruneIndexChanges,
    PruneInboundEvents,
    PruneInstallations,
    ReviveInboundEvents,
}

impl Task {
    const ALL: [Self; 11] = [
        Self::RescueJobs,
        Self::PublishEvents,
        Self::PruneEvents,
        Self::PreparePartitions,
        Self::SettleQuestions,
        Self::RunSchedules,
        Self::PruneIdempotencyKeys,
        Self::PruneIndexChanges,
        Self::PruneInboundEvents,
        Self::PruneInstallations,
        Self::ReviveInboundEvents,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::RescueJobs => "jobs.rescue",
            Self::PublishEvents => "events.publish",
            Self::PruneEvents => "events.prune",
            Self::PreparePartitions => "audit.partitions",
            Self::SettleQuestions => "questions.settle",
            Self::RunSchedules => "schedules.run",
            Self::PruneIdempotencyKeys => "idempotency.prune",
            Self::PruneIndexChanges => "index_changes.prune",
            Self::PruneInboundEvents => "inbound.prune",
            Self::PruneInstallations => "installations.prune",
            Self::ReviveInboundEvents => "inbound.revive",
        }
    }

    fn interval(self) -> TimeDelta {
        match self {
            Self::RescueJobs => TimeDelta::seconds(5),
            Self::PublishEvents | Self::RunSchedules => TimeDelta::seconds(1),
            Self::PruneEvents
            | Self::PruneIdempotencyKeys
            | Self::PruneInboundEvents
            | Self::PruneInstallations
            | Self::PruneIndexChanges => TimeDelta::hours(1),
            Self::PreparePartitions => TimeDelta::days(1),
            Self::SettleQuestions | Self::ReviveInboundEvents => TimeDelta::seconds(10),
        }
    }

    async fn run(self, tx: &mut SystemTx) -> Result<()> {
        match self {
            Self::RescueJobs => {
                let rescued = tx.queue().rescue().await?;
                if rescued > 0 {
                    tracing::warn!(
                        rescued,
                        "jobs were taken from workers that stopped without a word"
                    );
                }
                Ok(())
            }
            Self::PublishEvents => tx.events().publish().await,
            Self::PruneEvents => tx.events().prune().await,
            Self::PreparePartitions => {
                tx.audit().prepare_months().await?;
                tx.prepare_message_months().await
            }
            Self::SettleQuestions => {
                let settled = tx.open_questions().fail_overdue(OVERDUE_QUESTIONS).await?;
                if settled > 0 {
                    tracing::warn!(settled, "questions were settled whose answering was interrupted");
                }
                Ok(())
            }
            Self::RunSchedules => tx.run_schedules().await,
            Self::PruneIdempotencyKeys => tx.prune_idempotency_keys().await,
            Self::PruneIndexChanges => tx.prune_index_changes().await,
            Self::PruneInboundEvents => tx.prune_inbound().await,
            Self::PruneInstallations => tx.prune_installations().await,
            Self::ReviveInboundEvents => {
                let revived = tx.revive_overdue_inbound(OVERDUE_EVENTS).await?;
                if revived > 0 {
                    tracing::warn!(
                        revived,
                        "people still waited for an answer whose work had been given up"
                    );
                }
                Ok(())
            }
        }
    }
}

/// Does what is due, until `stop`. A task is looked at no more often than it is to be done, whoever does it.
pub(crate) async fn run(store: &Store, stop: &CancellationToken) {
    let mut looked_at: HashMap<Task, DateTime<Utc>> = HashMap::new();
    while stop.run_until_cancelled(tokio::time::sleep(TICK)).await.is_some() {
        let now = store.environment().now();
        for task in Task::ALL {
            if looked_at
                .get(&task)
                .is_some_and(|last| now - *last < task.interval())
            {
                continue;
            }
            looked_at.insert(task, now);
            if let Err(error) = run_if_due(store, task).await {
                tracing::error!(
                    task = task.name(),
                    error = &error as &dyn std::error::Error,
                    "maintenance failed"
                );
            }
        }
    }
}

/// Does every task whose interval has elapsed and that no other process is doing. One that fails does not keep back the others;
/// the first failure is returned.
pub async fn run_due(store: &Store) -> Result<()> {
    let mut outcome = Ok(());
    for task in Task::ALL {
        outcome = outcome.and(run_if_due(store, task).await);
    }
    outcome
}

async fn run_if_due(store: &Store, task: Task) -> Result<()> {
    let mut tx = store.begin_system().await?;
    if lead(&mut tx, task).await? {
        task.run(&mut tx).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Whether `task` is due and this transaction is the one to do it; notes that it was done, if the transaction commits.
async fn lead(tx: &mut SystemTx, task: Task) -> Result<bool> {
    let scope = tx.scope();
    let now = scope.environment.now();
    let (name, due) = (task.name(), now - task.interval());
    sqlx::query(
        "insert into maintenance_tasks (name, last_run_at) values ($1, '-infinity') on conflict do nothing",
    )
    .bind(name)
    .execute(&mut *scope.connection)
    .await?;
    let done = sqlx::query(
        "update maintenance_tasks set last_run_at = $2
         where name = (select name from maintenance_tasks where name = $1 and last_run_at <= $3 for update skip locked)",
    )
    .bind(name)
    .bind(now)
    .bind(due)
    .execute(&mut *scope.connection)
    .await?;
    Ok(done.rows_affected() == 1)
}
