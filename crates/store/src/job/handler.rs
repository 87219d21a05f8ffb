//! What is done for each kind of job.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::{Lease, Task};

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// It failed and may succeed later: after the given time, or after the usual growing one. Out of attempts, it is dead.
    Retry {
        /// A sentence a person can act on.
        reason: String,
        /// How long to wait; what a server asked for, for example.
        after: Option<Duration>,
    },
    /// It failed for good: it is dead at once, with the reason, until a person retries it.
    Fail {
        /// A sentence a person can act on.
        reason: String,
    },
    /// It is not time yet: again after this long, without counting the attempt.
    Snooze(Duration),
    /// It is not wanted any more.
    Cancelled,
}

impl Outcome {
    /// Failed, to be tried again after the usual time.
    pub fn retry(reason: impl fmt::Display) -> Self {
        Self::Retry {
            reason: reason.to_string(),
            after: None,
        }
    }

    /// Failed for good.
    pub fn fail(reason: impl fmt::Display) -> Self {
        Self::Fail {
            reason: reason.to_string(),
        }
    }
}

/// Does one kind of job.
pub trait Handler: Send + Sync + 'static {
    /// What the kind carries.
    type Task: Task;

    /// Does the job. It may run again after a crash, so that its effects belong in one transaction that ends with
    /// [`super::Jobs::complete`], or must bear repetition.
    fn run(&self, task: Self::Task, lease: Lease) -> impl Future<Output = Outcome> + Send;
}

pub(super) type Running = Pin<Box<dyn Future<Output = Outcome> + Send>>;
type Erased = Arc<dyn Fn(Lease) -> Running + Send + Sync>;

/// The handlers a worker has, by kind.
#[derive(Clone, Default)]
pub struct Registry(HashMap<&'static str, Erased>);

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Registry").field(&self.kinds()).finish()
    }
}

impl Registry {
    /// Adds a handler; the last one added for a kind counts.
    #[must_use]
    pub fn with<H: Handler>(mut self, handler: H) -> Self {
        let handler = Arc::new(handler);
        let erased: Erased = Arc::new(move |lease: Lease| {
            let handler = Arc::clone(&handler);
            Box::pin(async move {
                match serde_json::from_value(lease.payload.clone()) {
                    Ok(task) => handler.run(task, lease).await,
                    Err(error) => Outcome::fail(format_args!("its payload cannot be read: {error}")),
                }
            })
        });
        self.0.insert(H::Task::KIND, erased);
        self
    }

    /// The kinds that can be done, sorted.
    pub fn kinds(&self) -> Vec<&'static str> {
        let mut kinds: Vec<_> = self.0.keys().copied().collect();
        kinds.sort_unstable();
        kinds
    }

    /// Starts doing a job; `None` for a kind without handler.
    pub(super) fn start(&self, lease: Lease) -> Option<Running> {
        self.0.get(lease.kind.as_str()).map(|handler| handler(lease))
    }
}
