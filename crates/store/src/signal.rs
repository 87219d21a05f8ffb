//! Telling other processes that something was committed.
//!
//! A NOTIFY inside the writing transaction serialises all commits on one lock, so nothing notifies there. A transaction remembers
//! what it wrote; its commit raises a flag; [`crate::Store::announce`] sends at most one notification every 50 ms. Notifications may be
//! lost: whoever listens also polls.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How long notifications are gathered.
pub(crate) const GATHER: Duration = Duration::from_millis(50);
/// How long to wait after a failure to reach the database.
const RECONNECT: Duration = Duration::from_secs(1);

/// What can be announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// Jobs were pushed.
    Jobs,
    /// Events were appended.
    Events,
}

impl Topic {
    const ALL: [Self; 2] = [Self::Jobs, Self::Events];

    fn bit(self) -> u8 {
        match self {
            Self::Jobs => 1,
            Self::Events => 2,
        }
    }

    fn channel(self) -> &'static str {
        match self {
            Self::Jobs => "amebo_jobs",
            Self::Events => "amebo_events",
        }
    }
}

/// What a transaction wrote that others wait for.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Written(u8);

impl Written {
    pub(crate) fn note(&mut self, topic: Topic) {
        self.0 |= topic.bit();
    }
}

/// What was committed and not yet announced.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    pending: AtomicU8,
    raised: Notify,
}

impl Signals {
    /// To be called after a commit.
    pub(crate) fn raise(&self, written: Written) {
        if written.0 != 0 {
            self.pending.fetch_or(written.0, Ordering::Relaxed);
            self.raised.notify_one();
        }
    }

    /// What was raised since the last call, as soon as there is something; `None` once `stop` is cancelled.
    pub(crate) async fn next(&self, stop: &CancellationToken) -> Option<impl Iterator<Item = Topic> + use<>> {
        stop.run_until_cancelled(self.raised.notified()).await?;
        let pending = self.pending.swap(0, Ordering::Relaxed);
        Some(
            Topic::ALL
                .into_iter()
                .filter(move |topic| pending & topic.bit() != 0),
        )
    }
}

/// Tells every listener about `topic`.
pub(crate) async fn notify(pool: &PgPool, topic: Topic) -> Result<(), sqlx::Error> {
    sqlx::query("select pg_notify($1, '')")
        .bind(topic.channel())
        .execute(pool)
        .await?;
    Ok(())
}

/// Calls `heard` once when listening begins and again whenever `topic` is announced, until `stop`.
pub(crate) async fn listen(pool: &PgPool, topic: Topic, stop: &CancellationToken, heard: &(dyn Fn() + Sync)) {
    let hearing = async {
        loop {
            if let Err(error) = hear(pool, topic, heard).await {
                tracing::warn!(%error, "could not listen for commits; polling until the connection is back");
            }
            tokio::time::sleep(RECONNECT).await;
        }
    };
    stop.run_until_cancelled(hearing).await;
}

async fn hear(pool: &PgPool, topic: Topic, heard: &(dyn Fn() + Sync)) -> Result<(), sqlx::Error> {
    // A listening connection is held for good; it must not be one of the pool's few.
    let own = PgPoolOptions::new()
        .max_connections(1)
        .connect_with((*pool.connect_options()).clone())
        .await?;
    let mut listener = PgListener::connect_with(&own).await?;
    listener.listen(topic.channel()).await?;
    loop {
        heard();
        listener.try_recv().await?;
    }
}

/// The handle that [`crate::Store`] and its transactions share.
pub(crate) type SharedSignals = Arc<Signals>;
