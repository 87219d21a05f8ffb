//! Taking webhooks in: what arrives while a group is being stored goes into the next one, so that many share the cost of a commit and a
//! single one waits for nobody.
//!
//! A writer runs in a task of its own: a platform that hangs up changes nothing for the others of its group.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use amebo_core::id::ChannelConnectionId;
use amebo_store::inbound_event::{Receipt, Webhook};
use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

use crate::{App, Error, Result};

/// How many webhooks are stored in one transaction at most. Each may hold a lane's lock, and a server has room for a few thousand.
const GROUP: usize = 256;
/// How many groups are stored at a time: while one waits for the disk, the others are made and read.
const WRITERS: usize = 3;
/// From how many webhooks in a group on the next one is given time to gather.
const CROWD: u32 = 8;
/// How long it is given for each of them: a small part of what storing one takes.
const GATHERING: Duration = Duration::from_micros(25);
/// How many webhooks may wait; whoever comes then is told to come again.
const LONGEST_LINE: usize = 20_000;
/// How often refusals are written down, at most.
const NOTED_EVERY: TimeDelta = TimeDelta::seconds(1);

/// The line of webhooks to be stored.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    line: Mutex<Line>,
    refusals: Mutex<HashMap<ChannelConnectionId, Refused>>,
    tasks: TaskTracker,
}

#[derive(Debug, Default)]
struct Line {
    waiting: VecDeque<Waiting>,
    writers: usize,
}

#[derive(Debug)]
struct Waiting {
    webhook: Webhook,
    receipt: oneshot::Sender<Result<Receipt>>,
}

/// Refusals in the name of one account that are not written down yet.
#[derive(Debug, Clone, Copy)]
struct Refused {
    count: u32,
    reason: &'static str,
    since: DateTime<Utc>,
}

impl Intake {
    /// Waits for what is being stored.
    pub(crate) async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl App {
    /// Stores a webhook with its job; when this returns, a crash loses neither.
    pub(crate) async fn take_in(self: &Arc<Self>, webhook: Webhook) -> Result<Receipt> {
        let (receipt, told) = oneshot::channel();
        let starts = {
            let mut line = self.intake.line.lock();
            if line.waiting.len() >= LONGEST_LINE {
                return Err(Error::Unavailable("room for more events"));
            }
            line.waiting.push_back(Waiting { webhook, receipt });
            let starts = line.writers < WRITERS;
            line.writers += usize::from(starts);
            starts
        };
        if starts {
            let app = Arc::clone(self);
            self.intake.tasks.spawn(async move { app.write_groups().await });
        }
        told.await.unwrap_or(Err(Error::Unavailable("the server")))
    }

    async fn write_groups(&self) {
        let mut last: u32 = 0;
        loop {
            if last >= CROWD {
                // Those who were just told come again at once: with them the group is worth its commit.
                tokio::time::sleep(last * GATHERING).await;
            }
            let group: Vec<Waiting> = {
                let mut line = self.intake.line.lock();
                let count = line.waiting.len().min(GROUP);
                if count == 0 {
                    line.writers -= 1;
                    return;
                }
                line.waiting.drain(..count).collect()
            };
            last = u32::try_from(group.len()).unwrap_or(u32::MAX);
            let (webhooks, receipts): (Vec<Webhook>, Vec<_>) = group
                .into_iter()
                .map(|waiting| (waiting.webhook, waiting.receipt))
                .unzip();
            metrics::histogram!("amebo_inbound_group_size").record(to_f64(webhooks.len()));
            match self.store.accept(&self.sealer, &webhooks).await {
                Ok(told) => {
                    for (receipt, told) in receipts.into_iter().zip(told) {
                        // Whoever sent it may have hung up; it is stored all the same.
                        let _ = receipt.send(Ok(told));
                    }
                }
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        count = receipts.len(),
                        "webhooks could not be stored; their platforms send them again"
                    );
                    for receipt in receipts {
                        let _ = receipt.send(Err(Error::Unavailable("the database")));
                    }
                }
            }
        }
    }

    /// Counts a refused webhook: in the figures, and with the account in whose name it came, if that is known. A flood of refusals
    /// costs one statement a second.
    pub(crate) async fn refuse(&self, connection: Option<ChannelConnectionId>, reason: &'static str) {
        metrics::counter!("amebo_inbound_refused_total", "reason" => reason).increment(1);
        let Some(connection) = connection else { return };
        let now = self.environment().now();
        let due = {
            let mut refusals = self.intake.refusals.lock();
            let refused = refusals.entry(connection).or_insert(Refused {
                count: 0,
                reason,
                since: DateTime::UNIX_EPOCH,
            });
            refused.count += 1;
            refused.reason = reason;
            let due = now - refused.since >= NOTED_EVERY;
            if due {
                let noted = *refused;
                refused.count = 0;
                refused.since = now;
                Some(noted)
            } else {
                None
            }
        };
        if let Some(refused) = due
            && let Err(error) = self
                .store
                .note_refusals(connection, refused.count, refused.reason)
                .await
        {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "refusals could not be noted"
            );
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count for a graph")]
fn to_f64(count: usize) -> f64 {
    count as f64
}
