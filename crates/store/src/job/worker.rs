//! Doing jobs: claims what there is room for, runs it, settles what ended, keeps leases alive, hands back on stopping.
//!
//! One loop owns all of it. Each turn settles everything that ended since the last and claims for what room that made, in one
//! transaction, so that the cost of a commit is shared by as many jobs as end together.

use std::collections::HashMap;
use std::time::Duration;

use amebo_core::id::{Id, JobId};
use amebo_core::job::Priority;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::task::{self, JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Lease, Outcome, Registry};
use crate::error::Result;
use crate::signal::Topic;
use crate::{Store, maintenance};

/// How many jobs of each priority run at a time in this process.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Concurrency {
    /// Somebody is waiting.
    pub interactive: usize,
    /// Ordinary work.
    pub normal: usize,
    /// Ingestion and the like. It mostly waits, for a child that extracts or for a model that serves questions first; enough of it
    /// keeps the model busy with small documents too.
    pub bulk: usize,
}

impl Default for Concurrency {
    fn default() -> Self {
        Self {
            interactive: 16,
            normal: 8,
            bulk: 8,
        }
    }
}

/// How a worker works.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How many jobs run at a time.
    pub concurrency: Concurrency,
    /// After how many seconds without a sign of life a worker's jobs are given to others.
    pub lease_seconds: u64,
    /// How many seconds running jobs may take to end when the process stops; then they are handed back.
    pub grace_seconds: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            concurrency: Concurrency::default(),
            lease_seconds: 60,
            grace_seconds: 20,
        }
    }
}

/// How often the queue is looked at without being told to.
const POLL: Duration = Duration::from_secs(1);

/// Runs jobs.
#[derive(Debug)]
pub struct Worker {
    store: Store,
    registry: Registry,
    settings: Settings,
    id: Uuid,
}

impl Worker {
    /// A worker that does the kinds of job `registry` has handlers for.
    pub fn new(store: Store, registry: Registry, settings: Settings) -> Self {
        let id = store.environment().id::<JobId>().uuid();
        Self {
            store,
            registry,
            settings,
            id,
        }
    }

    /// Works until `stop`, then lets running jobs end within the grace period and hands the others back.
    pub async fn run(&self, stop: CancellationToken) {
        let woken = Notify::new();
        let wake = || woken.notify_one();
        tokio::join!(
            Box::pin(self.work(&woken, &stop)),
            self.store.announce(&stop),
            Box::pin(self.store.listen(Topic::Jobs, &stop, &wake)),
            Box::pin(maintenance::run(&self.store, &stop)),
        );
    }

    /// Claims and runs jobs, as many at a time as settings allow, until none can be claimed. For tests and one-off commands.
    pub async fn run_until_idle(&self) -> Result<()> {
        let mut shift = Shift::new(self);
        loop {
            shift.turn(true).await?;
            if shift.tasks.is_empty() && shift.ended.is_empty() {
                return Ok(());
            }
            shift.wait_for_an_end().await;
        }
    }

    async fn work(&self, woken: &Notify, stop: &CancellationToken) {
        let mut shift = Shift::new(self);
        let mut poll = interval(POLL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heartbeat = interval(Duration::from_secs(self.settings.lease_seconds.max(3)) / 3);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => break,
                () = shift.wait_for_an_end(), if !shift.tasks.is_empty() => {}
                () = woken.notified() => {}
                _ = poll.tick() => {}
                _ = heartbeat.tick() => shift.keep_leases().await,
            }
            if let Err(error) = shift.turn(true).await {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the job queue cannot be reached"
                );
                // What ended stays in `ended`; the next turn comes with the next tick rather than in a tight circle.
                poll.tick().await;
            }
        }
        shift
            .finish(Duration::from_secs(self.settings.grace_seconds))
            .await;
    }
}

/// What one worker has in hand.
struct Shift<'a> {
    worker: &'a Worker,
    kinds: Vec<&'static str>,
    tasks: JoinSet<Outcome>,
    running: HashMap<task::Id, Lease>,
    ended: Vec<(Lease, Outcome)>,
    /// Whose turn was last, for each priority.
    cursors: [Uuid; 3],
}

impl<'a> Shift<'a> {
    fn new(worker: &'a Worker) -> Self {
        Self {
            worker,
            kinds: worker.registry.kinds(),
            tasks: JoinSet::new(),
            running: HashMap::new(),
            ended: Vec::new(),
            cursors: [Uuid::nil(); 3],
        }
    }

    /// Settles what ended and, if wanted, claims and starts what there is room for.
    async fn turn(&mut self, claiming: bool) -> Result<()> {
        let lease = Duration::from_secs(self.worker.settings.lease_seconds);
        let mut tx = self.worker.store.begin_system().await?;
        let mut queue = tx.queue();
        let postponed = if self.ended.is_empty() {
            Vec::new()
        } else {
            queue.settle(self.ended.clone()).await?
        };
        let mut claimed = Vec::new();
        if claiming {
            queue.wake_due().await?;
            for (priority, cursor) in Priority::ALL.iter().zip(&mut self.cursors) {
                let room = room(
                    &self.worker.settings.concurrency,
                    *priority,
                    self.running.values(),
                );
                if room > 0 {
                    claimed.extend(
                        queue
                            .claim(self.worker.id, &self.kinds, *priority, room, lease, cursor)
                            .await?,
                    );
                }
            }
        }
        tx.commit().await?;
        self.ended = postponed;
        for lease in claimed {
            self.start(lease);
        }
        Ok(())
    }

    fn start(&mut self, lease: Lease) {
        if lease.attempts > lease.max_attempts {
            let reason = lease
                .last_error
                .clone()
                .unwrap_or_else(|| "its attempts are used up".to_owned());
            self.ended.push((lease, Outcome::Fail { reason }));
        } else if lease.is_stopped() {
            self.ended.push((lease, Outcome::Cancelled));
        } else if let Some(running) = self.worker.registry.start(lease.clone()) {
            let handle = self.tasks.spawn(running);
            self.running.insert(handle.id(), lease);
        }
    }

    /// Waits until a job ends, and takes with it all others that have ended.
    async fn wait_for_an_end(&mut self) {
        if self.tasks.is_empty() {
            // What is left was postponed for a lane that somebody is pushing into.
            tokio::time::sleep(Duration::from_millis(5)).await;
            return;
        }
        let mut next = self.tasks.join_next_with_id().await;
        while let Some(ended) = next {
            self.note(ended);
            next = self.tasks.try_join_next_with_id();
        }
    }

    fn note(&mut self, ended: Result<(task::Id, Outcome), JoinError>) {
        let (id, outcome) = match ended {
            Ok((id, outcome)) => (id, outcome),
            Err(error) if error.is_cancelled() => (error.id(), Outcome::Snooze(Duration::ZERO)),
            Err(error) => (error.id(), Outcome::retry("its handler panicked; see the log")),
        };
        let Some(lease) = self.running.remove(&id) else {
            return;
        };
        let outcome = match outcome {
            Outcome::Retry { .. } | Outcome::Snooze(_) if lease.is_stopped() => Outcome::Cancelled,
            outcome => outcome,
        };
        if let Outcome::Retry { reason, .. } | Outcome::Fail { reason } = &outcome {
            tracing::warn!(job = %lease.job, kind = lease.kind, attempt = lease.attempts, reason, "a job failed");
        }
        self.ended.push((lease, outcome));
    }

    /// Extends the leases of what runs; tells jobs that were cancelled or taken away.
    async fn keep_leases(&mut self) {
        if self.running.is_empty() && self.ended.is_empty() {
            return;
        }
        let jobs: Vec<_> = self
            .running
            .values()
            .chain(self.ended.iter().map(|(lease, _)| lease))
            .map(|lease| lease.job.uuid())
            .collect();
        let lease = Duration::from_secs(self.worker.settings.lease_seconds);
        let kept = async {
            let mut tx = self.worker.store.begin_system().await?;
            let kept = tx.queue().keep(self.worker.id, &jobs, lease).await?;
            tx.commit().await?;
            Ok::<_, crate::Error>(kept)
        };
        match kept.await {
            Ok(kept) => {
                for lease in self.running.values() {
                    if kept.cancelled.contains(&lease.job) || !kept.held.contains(&lease.job) {
                        lease.stopped.cancel();
                    }
                }
            }
            Err(error) => tracing::error!(
                error = &error as &dyn std::error::Error,
                "leases could not be extended"
            ),
        }
    }

    /// Lets running jobs end within `grace`, hands back those that do not, and settles everything.
    async fn finish(&mut self, grace: Duration) {
        let deadline = Instant::now() + grace;
        while !self.tasks.is_empty()
            && tokio::time::timeout_at(deadline, self.wait_for_an_end())
                .await
                .is_ok()
        {}
        self.tasks.abort_all();
        while !self.tasks.is_empty() {
            self.wait_for_an_end().await;
        }
        // A lane that stays locked, or a database that is gone: the leases expire and others take over.
        let attempts = 100;
        for _ in 0..attempts {
            if self.ended.is_empty() {
                return;
            }
            if let Err(error) = self.turn(false).await {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "jobs could not be handed back; their leases will expire"
                );
                return;
            }
            self.wait_for_an_end().await;
        }
    }
}

fn room<'l>(
    concurrency: &Concurrency,
    priority: Priority,
    running: impl Iterator<Item = &'l Lease>,
) -> usize {
    let most = match priority {
        Priority::Interactive => concurrency.interactive,
        Priority::Normal => concurrency.normal,
        Priority::Bulk => concurrency.bulk,
    };
    most.saturating_sub(running.filter(|lease| lease.priority == priority).count())
}
