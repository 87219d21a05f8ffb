//! The queue: order in lanes, turns between organisations, leases, and that nothing is lost or done twice.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use amebo_core::id::OrganizationId;
use amebo_core::job::{JobState, Priority};
use amebo_core::page::PageRequest;
use amebo_core::permission::{Action, Resource};
use amebo_store::job::{Concurrency, Handler, Lease, NewJob, Outcome, Registry, Settings, Task, Worker};
use amebo_store::{Access, Permit};
use chrono::TimeDelta;
use parking_lot::Mutex;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::database::Database;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Step {
    lane: String,
    number: u32,
}

impl Task for Step {
    const KIND: &'static str = "test.step";
    const MAX_ATTEMPTS: u16 = 3;
}

/// Writes down what it does, and ends as it is told to.
#[derive(Clone, Default)]
struct Recorder {
    done: Arc<Mutex<Vec<(OrganizationId, String, u32)>>>,
    outcomes: Arc<Mutex<HashMap<u32, Vec<Outcome>>>>,
}

impl Handler for Recorder {
    type Task = Step;

    async fn run(&self, step: Step, lease: Lease) -> Outcome {
        self.done
            .lock()
            .push((lease.organization(), step.lane, step.number));
        let told = self.outcomes.lock().get_mut(&step.number).and_then(Vec::pop);
        told.unwrap_or(Outcome::Done)
    }
}

impl Recorder {
    fn numbers(&self) -> Vec<u32> {
        self.done.lock().iter().map(|(_, _, number)| *number).collect()
    }

    fn tell(&self, number: u32, outcomes: impl IntoIterator<Item = Outcome>) {
        self.outcomes
            .lock()
            .insert(number, outcomes.into_iter().collect());
    }
}

fn permit(access: &Access) -> Permit {
    access.permit(Resource::Document, Action::Create).unwrap()
}

fn step(lane: &str, number: u32) -> NewJob {
    let job = NewJob::of(&Step {
        lane: lane.to_owned(),
        number,
    });
    if lane.is_empty() { job } else { job.lane(lane) }
}

fn worker(database: &Database, recorder: &Recorder, normal: usize) -> Worker {
    let settings = Settings {
        concurrency: Concurrency {
            normal,
            ..Concurrency::default()
        },
        ..Settings::default()
    };
    Worker::new(
        database.store.clone(),
        Registry::default().with(recorder.clone()),
        settings,
    )
}

async fn push(database: &Database, permit: &Permit, jobs: Vec<NewJob>) {
    let mut tx = database.store.begin(permit).await.unwrap();
    tx.jobs().push_all(jobs).await.unwrap();
    tx.commit().await.unwrap();
}

async fn left(database: &Database) -> i64 {
    let mut raw = database.raw().await;
    sqlx::query_scalar("select count(*) from jobs")
        .fetch_one(&mut raw)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_job_pushed_in_a_transaction_that_is_dropped_never_runs() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    let mut tx = database.store.begin(&permit(&access)).await.unwrap();
    tx.jobs().push(step("", 1)).await.unwrap();
    drop(tx);
    push(&database, &permit(&access), vec![step("", 2)]).await;
    let recorder = Recorder::default();
    worker(&database, &recorder, 4).run_until_idle().await.unwrap();
    assert_eq!(recorder.numbers(), [2]);
    assert_eq!(left(&database).await, 0);
}

#[tokio::test]
async fn a_lane_keeps_its_order_through_failures_and_other_lanes_pass_it() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    let jobs = vec![step("a", 1), step("a", 2), step("b", 3), step("a", 4)];
    push(&database, &permit(&access), jobs).await;
    let recorder = Recorder::default();
    recorder.tell(
        1,
        [
            Outcome::Snooze(Duration::from_secs(10)),
            Outcome::retry("not yet"),
        ],
    );
    let worker = worker(&database, &recorder, 4);
    worker.run_until_idle().await.unwrap();
    assert_eq!(recorder.numbers(), [1, 3]);
    database.advance(TimeDelta::minutes(1));
    worker.run_until_idle().await.unwrap();
    assert_eq!(recorder.numbers(), [1, 3, 1]);
    database.advance(TimeDelta::seconds(10));
    worker.run_until_idle().await.unwrap();
    assert_eq!(recorder.numbers(), [1, 3, 1, 1, 2, 4]);
    assert_eq!(left(&database).await, 0);
}

#[tokio::test]
async fn out_of_attempts_a_job_is_dead_with_its_reason_and_lets_its_lane_go_on() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    push(&database, &permit(&access), vec![step("a", 1), step("a", 2)]).await;
    let recorder = Recorder::default();
    recorder.tell(1, (0..3).map(|_| Outcome::retry("the server said no")));
    let worker = worker(&database, &recorder, 4);
    for _ in 0..3 {
        worker.run_until_idle().await.unwrap();
        database.advance(TimeDelta::hours(1));
    }
    assert_eq!(recorder.numbers(), [1, 1, 1, 2]);

    let mut tx = database.store.begin(&permit(&access)).await.unwrap();
    let page = PageRequest::new(None, None).unwrap();
    let dead = tx.jobs().dead(&page).await.unwrap().items;
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].state, JobState::Dead);
    assert_eq!(dead[0].last_error.as_deref(), Some("the server said no"));
    assert!(tx.jobs().revive(dead[0].id).await.unwrap());
    assert!(!tx.jobs().revive(dead[0].id).await.unwrap());
    tx.commit().await.unwrap();
    worker.run_until_idle().await.unwrap();
    assert_eq!(recorder.numbers(), [1, 1, 1, 2, 1]);
    assert_eq!(left(&database).await, 0);
}

#[tokio::test]
async fn organizations_take_turns_and_interactive_work_comes_first() {
    let database = Database::new().await;
    let (big, big_access) = database.organization("Big").await;
    let (small, small_access) = database.organization("Small").await;
    push(
        &database,
        &permit(&big_access),
        (0..20).map(|number| step("", number)).collect(),
    )
    .await;
    push(
        &database,
        &permit(&small_access),
        (100..103).map(|number| step("", number)).collect(),
    )
    .await;
    let urgent = step("", 500).priority(Priority::Interactive);
    push(&database, &permit(&big_access), vec![urgent]).await;
    let recorder = Recorder::default();
    let settings = Settings {
        concurrency: Concurrency {
            interactive: 1,
            normal: 1,
            bulk: 1,
        },
        ..Settings::default()
    };
    let registry = Registry::default().with(recorder.clone());
    Worker::new(database.store.clone(), registry, settings)
        .run_until_idle()
        .await
        .unwrap();
    let done = recorder.done.lock().clone();
    assert_eq!(done.len(), 24);
    assert!(done[..2].iter().any(|(_, _, number)| *number == 500));
    let normal: Vec<_> = done.iter().filter(|step| step.2 != 500).collect();
    assert_eq!(normal[..6].iter().filter(|step| step.0 == small).count(), 3);
    let order: Vec<_> = normal
        .iter()
        .filter(|step| step.0 == big)
        .map(|step| step.2)
        .collect();
    assert_eq!(order, (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_equal_unfinished_job_is_not_pushed_again_and_does_not_hold_its_lane() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    let mut tx = database.store.begin(&permit(&access)).await.unwrap();
    assert!(
        tx.jobs()
            .push(step("a", 1).unique("once"))
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        tx.jobs()
            .push(step("b", 2).unique("once"))
            .await
            .unwrap()
            .is_none()
    );
    let pushed = tx
        .jobs()
        .push_all(vec![step("c", 3).unique("once"), step("c", 4)])
        .await
        .unwrap();
    assert_eq!(pushed.len(), 1);
    tx.commit().await.unwrap();
    let recorder = Recorder::default();
    let worker = worker(&database, &recorder, 1);
    worker.run_until_idle().await.unwrap();
    assert_eq!(recorder.numbers(), [1, 4]);
    push(&database, &permit(&access), vec![step("", 5).unique("once")]).await;
    worker.run_until_idle().await.unwrap();
    assert_eq!(recorder.numbers(), [1, 4, 5]);
}

#[tokio::test]
async fn a_job_waits_for_its_time() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    let later = database.environment().now() + TimeDelta::minutes(5);
    push(
        &database,
        &permit(&access),
        vec![step("", 1).at(later), step("", 2)],
    )
    .await;
    let recorder = Recorder::default();
    let worker = worker(&database, &recorder, 4);
    worker.run_until_idle().await.unwrap();
    assert_eq!(recorder.numbers(), [2]);
    database.advance(TimeDelta::minutes(5));
    worker.run_until_idle().await.unwrap();
    assert_eq!(recorder.numbers(), [2, 1]);
}

#[tokio::test]
async fn one_organization_neither_sees_nor_touches_the_jobs_of_another() {
    let database = Database::new().await;
    let (_, mine) = database.organization("Mine").await;
    let (_, theirs) = database.organization("Theirs").await;
    let mut tx = database.store.begin(&permit(&theirs)).await.unwrap();
    let job = tx.jobs().push(step("a", 1)).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    let mut tx = database.store.begin(&permit(&mine)).await.unwrap();
    assert!(tx.jobs().get(job).await.unwrap().is_none());
    assert!(!tx.jobs().cancel(job).await.unwrap());
    drop(tx);
    let mut tx = database.store.begin(&permit(&theirs)).await.unwrap();
    assert!(tx.jobs().get(job).await.unwrap().is_some());
    assert!(tx.jobs().cancel(job).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(left(&database).await, 0);
}

/// Announces that it runs and then waits for ever.
#[derive(Clone, Default)]
struct Stuck {
    begun: Arc<Notify>,
}

impl Handler for Stuck {
    type Task = Step;

    async fn run(&self, _: Step, lease: Lease) -> Outcome {
        self.begun.notify_one();
        lease.stopped().await;
        Outcome::retry("it was stopped")
    }
}

#[tokio::test]
async fn the_job_of_a_worker_that_vanished_runs_again_elsewhere_when_its_lease_ends() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    push(&database, &permit(&access), vec![step("a", 1), step("a", 2)]).await;
    let stuck = Stuck::default();
    let lost = Worker::new(
        database.store.clone(),
        Registry::default().with(stuck.clone()),
        Settings::default(),
    );
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { lost.run_until_idle().await });
    stuck.begun.notified().await;
    tasks.abort_all();
    while tasks.join_next().await.is_some() {}

    let recorder = Recorder::default();
    let worker = worker(&database, &recorder, 4);
    amebo_store::maintenance::run_due(&database.store).await.unwrap();
    worker.run_until_idle().await.unwrap();
    assert!(recorder.numbers().is_empty(), "the lease has not ended yet");
    database.advance(TimeDelta::seconds(61));
    amebo_store::maintenance::run_due(&database.store).await.unwrap();
    worker.run_until_idle().await.unwrap();
    assert_eq!(recorder.numbers(), [1, 2]);
    assert_eq!(left(&database).await, 0);
}

#[tokio::test]
async fn a_stopping_worker_hands_back_what_does_not_end_without_counting_the_attempt() {
    let database = Database::on_system_clock().await;
    let (_, access) = database.organization("Acme").await;
    push(&database, &permit(&access), vec![step("a", 1)]).await;
    let stuck = Stuck::default();
    let settings = Settings {
        grace_seconds: 0,
        ..Settings::default()
    };
    let first = Worker::new(
        database.store.clone(),
        Registry::default().with(stuck.clone()),
        settings,
    );
    let stop = CancellationToken::new();
    tokio::join!(first.run(stop.clone()), async {
        stuck.begun.notified().await;
        stop.cancel();
    });
    let mut raw = database.raw().await;
    let (state, attempts): (String, i32) = sqlx::query_as("select state, attempts from jobs")
        .fetch_one(&mut raw)
        .await
        .unwrap();
    assert_eq!((state.as_str(), attempts), ("queued", 0));
    let recorder = Recorder::default();
    worker(&database, &recorder, 1).run_until_idle().await.unwrap();
    assert_eq!(recorder.numbers(), [1]);
}

/// Ends its job in the transaction that writes its effect; the first attempt loses its lease before.
#[derive(Clone)]
struct Complete {
    store: amebo_store::Store,
    results: Arc<Mutex<Vec<bool>>>,
}

impl Handler for Complete {
    type Task = Step;

    async fn run(&self, _: Step, lease: Lease) -> Outcome {
        let mut tx = self.store.begin(&lease.permit()).await.unwrap();
        let completed = tx.jobs().complete(&lease).await.unwrap();
        self.results.lock().push(completed);
        if completed {
            tx.organizations().rename("Done").await.unwrap();
            tx.commit().await.unwrap();
        }
        Outcome::Done
    }
}

#[tokio::test]
async fn completing_in_the_writing_transaction_needs_the_lease() {
    let database = Database::new().await;
    let (_, access) = database.organization("Acme").await;
    push(&database, &permit(&access), vec![step("a", 1), step("a", 2)]).await;
    let results = Arc::default();
    let handler = Complete {
        store: database.store.clone(),
        results: Arc::clone(&results),
    };
    let worker = Worker::new(
        database.store.clone(),
        Registry::default().with(handler),
        Settings::default(),
    );
    worker.run_until_idle().await.unwrap();
    assert_eq!(*results.lock(), [true, true]);
    let mut tx = database.store.begin(&permit(&access)).await.unwrap();
    assert_eq!(tx.organizations().current().await.unwrap().name, "Done");
    assert_eq!(left(&database).await, 0);
}

#[tokio::test]
async fn two_workers_and_many_pushers_keep_every_lane_in_order_and_lose_nothing() {
    const LANES: u32 = 6;
    const EACH: u32 = 40;
    let database = Database::on_system_clock().await;
    let mut accesses = Vec::new();
    for name in ["One", "Two", "Three"] {
        accesses.push(database.organization(name).await.1);
    }
    let recorder = Recorder::default();
    let stop = CancellationToken::new();
    let mut workers = JoinSet::new();
    for _ in 0..2 {
        let worker = worker(&database, &recorder, 8);
        let stop = stop.clone();
        workers.spawn(async move { worker.run(stop).await });
    }
    let mut pushers = JoinSet::new();
    for access in &accesses {
        for lane in 0..LANES {
            let (store, permit) = (database.store.clone(), permit(access));
            pushers.spawn(async move {
                for number in 0..EACH {
                    let mut tx = store.begin(&permit).await.unwrap();
                    tx.jobs()
                        .push(step(&format!("lane {lane}"), number))
                        .await
                        .unwrap();
                    // Transactions that hold the lane for a while, or come to nothing, among the others.
                    if number % 7 == 0 {
                        tx.organizations().current().await.unwrap();
                    }
                    if number % 5 == 4 {
                        drop(tx);
                    } else {
                        tx.commit().await.unwrap();
                    }
                }
            });
        }
    }
    while let Some(pushed) = pushers.join_next().await {
        pushed.unwrap();
    }
    let done = async {
        while left(&database).await > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), done)
        .await
        .expect("every job is done");
    stop.cancel();
    while workers.join_next().await.is_some() {}

    let mut lanes: BTreeMap<_, Vec<u32>> = BTreeMap::new();
    for (organization, lane, number) in recorder.done.lock().iter() {
        lanes
            .entry((organization.to_string(), lane.clone()))
            .or_default()
            .push(*number);
    }
    assert_eq!(lanes.len(), 18);
    let expected: Vec<u32> = (0..EACH).filter(|number| number % 5 != 4).collect();
    for (lane, numbers) in lanes {
        assert_eq!(numbers, expected, "{lane:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_to_jobs_each_lane_is_done_in_order(
        plan in prop::collection::vec((0u8..3, 0u8..6), 1..25)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let database = Database::new().await;
            let (_, access) = database.organization("Acme").await;
            let recorder = Recorder::default();
            let mut expected: BTreeMap<String, Vec<u32>> = BTreeMap::new();
            let mut jobs = Vec::new();
            for (number, (lane, fate)) in (0u32..).zip(plan) {
                let lane = format!("lane {lane}");
                recorder.tell(number, match fate {
                    0 => vec![Outcome::retry("again")],
                    1 => vec![Outcome::Snooze(Duration::from_secs(1)), Outcome::Snooze(Duration::ZERO)],
                    2 => vec![Outcome::fail("never")],
                    3 => vec![Outcome::Cancelled],
                    _ => vec![],
                });
                let tries = match fate { 0 => 2, 1 => 3, _ => 1 };
                expected.entry(lane.clone()).or_default().extend(std::iter::repeat_n(number, tries));
                jobs.push(step(&lane, number));
            }
            push(&database, &permit(&access), jobs).await;
            let worker = worker(&database, &recorder, 3);
            for _ in 0..60 {
                worker.run_until_idle().await.unwrap();
                database.advance(TimeDelta::minutes(1));
            }
            let mut done: BTreeMap<String, Vec<u32>> = BTreeMap::new();
            for (_, lane, number) in recorder.done.lock().iter() {
                done.entry(lane.clone()).or_default().push(*number);
            }
            assert_eq!(done, expected);
        });
    }
}
