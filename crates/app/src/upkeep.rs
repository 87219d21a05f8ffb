//! What the process does for itself from time to time: telling how much work waits, removing what nobody owns.

use crate::{App, Result};

impl App {
    /// Removes stored files that no row owns, such as those of uploads that were cut off.
    pub async fn sweep_files(&self) -> Result<()> {
        let removed = self
            .storage
            .sweep(&self.store)
            .await
            .map_err(crate::Error::internal)?;
        if removed > 0 {
            tracing::info!(removed, "removed files that nothing refers to");
        }
        Ok(())
    }

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
