//! What is told of the whole process from time to time: how much work waits, how much the index holds.

use crate::{App, Result};

impl App {
    /// Brings the gauges up to date; called every few seconds by whoever serves metrics.
    pub async fn update_gauges(&self) -> Result<()> {
        let mut tx = self.store.begin_system().await?;
        let depths = tx.queue().depth().await?;
        tx.commit().await?;
        for (state, priority, count) in depths {
            metrics::gauge!("amebo_jobs", "state" => state, "priority" => priority.as_str())
                .set(gauge(count));
        }
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count for a graph")]
fn gauge(count: i64) -> f64 {
    count as f64
}
