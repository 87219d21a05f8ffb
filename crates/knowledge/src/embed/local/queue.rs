//! The line of texts before the inference threads: questions first, bounded, fair to nobody else.

use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::embed::{Error, Purpose};

/// One text waiting for its vector.
#[derive(Debug)]
pub(super) struct Job {
    /// Its tokens, with the model's own marks, already cut to the model's limit.
    pub(super) tokens: Vec<u32>,
    /// Its place among the inputs of its caller.
    pub(super) place: usize,
    /// Where the vector goes.
    pub(super) reply: mpsc::UnboundedSender<(usize, Result<Vec<f32>, Error>)>,
    /// Its share of the bounded queue, given back when the job is dropped.
    pub(super) _permit: OwnedSemaphorePermit,
}

/// The waiting texts of all callers.
#[derive(Debug)]
pub(super) struct Queue {
    lines: Mutex<Lines>,
    wake: Condvar,
    /// How many threads take from it.
    threads: usize,
}

#[derive(Debug, Default)]
struct Lines {
    queries: Line,
    passages: Line,
    closed: bool,
}

#[derive(Debug, Default)]
struct Line {
    jobs: VecDeque<Job>,
    tokens: usize,
}

/// Passages are taken in units of about this many tokens: enough to keep the processor's caches busy, short enough
/// (10 to 20 ms) that threads stay responsive.
const UNIT_TOKENS: usize = 256;

/// A query unit is not split below this many tokens: smaller ones cost more than the second thread saves.
const LEAST_SHARE: usize = 48;

impl Queue {
    pub(super) fn new(threads: usize) -> Self {
        Self {
            lines: Mutex::default(),
            wake: Condvar::new(),
            threads,
        }
    }

    /// Appends a job.
    pub(super) fn push(&self, purpose: Purpose, jobs: impl IntoIterator<Item = Job>) {
        {
            let mut lines = self.lines.lock();
            let line = match purpose {
                Purpose::Query | Purpose::Sentence => &mut lines.queries,
                Purpose::Passage => &mut lines.passages,
            };
            for job in jobs {
                line.tokens += job.tokens.len();
                line.jobs.push_back(job);
            }
        }
        self.wake.notify_all();
    }

    /// The next jobs to run together, questions before passages; waits for some. `None` once the queue is closed.
    pub(super) fn take(&self) -> Option<(Purpose, Vec<Job>)> {
        let mut lines = self.lines.lock();
        loop {
            if lines.closed {
                return None;
            }
            let share = self.share(&lines.queries);
            let queries = lines.queries.take(share);
            if !queries.is_empty() {
                return Some((Purpose::Query, queries));
            }
            let passages = lines.passages.take(UNIT_TOKENS);
            if !passages.is_empty() {
                return Some((Purpose::Passage, passages));
            }
            self.wake.wait(&mut lines);
        }
    }

    /// Questions that arrived meanwhile, for a thread that is in the middle of passages. Never waits.
    pub(super) fn take_queries(&self) -> Vec<Job> {
        let mut lines = self.lines.lock();
        let share = self.share(&lines.queries);
        lines.queries.take(share)
    }

    /// Ends the threads once their present unit is done, and drops what waits.
    pub(super) fn close(&self) {
        let mut lines = self.lines.lock();
        *lines = Lines {
            closed: true,
            ..Lines::default()
        };
        drop(lines);
        self.wake.notify_all();
    }

    /// How many tokens of waiting questions one thread takes, so that all threads get a part.
    fn share(&self, queries: &Line) -> usize {
        queries
            .tokens
            .div_ceil(self.threads)
            .clamp(LEAST_SHARE, 2 * UNIT_TOKENS)
    }
}

impl Line {
    /// Takes jobs from the front until they hold about `tokens` tokens; skips those nobody waits for any more.
    fn take(&mut self, tokens: usize) -> Vec<Job> {
        let mut unit = Vec::new();
        let mut taken = 0;
        while let Some(job) = self.jobs.front() {
            let length = job.tokens.len();
            if taken > 0 && taken + length / 2 > tokens {
                break;
            }
            let Some(job) = self.jobs.pop_front() else { break };
            self.tokens -= length;
            if !job.reply.is_closed() {
                taken += length;
                unit.push(job);
            }
        }
        unit
    }
}
