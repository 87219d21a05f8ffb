//! How much of its plan an organisation has used.

use amebo_core::id::{Id, UsageCounterId};
use chrono::{DateTime, Datelike, NaiveDate, Utc};

use crate::error::Result;
use crate::transaction::Scope;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Documents kept.
    Documents,
    /// Bytes of original files kept.
    StorageBytes,
    /// Questions answered this month.
    AiAnswers,
}

impl Metric {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Documents => "documents",
            Self::StorageBytes => "storage_bytes",
            Self::AiAnswers => "ai_answers",
        }
    }

    fn period(self, now: DateTime<Utc>) -> NaiveDate {
        match self {
            Self::Documents | Self::StorageBytes => NaiveDate::default(),
            Self::AiAnswers => {
                let today = now.date_naive();
                today.with_day(1).unwrap_or(today)
            }
        }
    }
}

/// What the current organisation has used.
#[derive(Debug)]
pub struct Usage<'a>(pub(crate) Scope<'a>);

impl Usage<'_> {
    /// Adds to a counter if the sum stays within `limit`; returns whether it did. Exact under concurrency.
    pub async fn add(&mut self, metric: Metric, amount: u64, limit: u64) -> Result<bool> {
        if amount > limit {
            return Ok(false);
        }
        let now = self.0.environment.now();
        let done = sqlx::query(
            "insert into usage_counters as c (id, organization_id, metric, period, value, created_at, updated_at)
             values ($1, $2, $3, $4, $5, $6, $6)
             on conflict (organization_id, metric, period) do update set value = c.value + $5, updated_at = $6
             where c.value + $5 <= $7",
        )
        .bind(self.0.environment.id::<UsageCounterId>().uuid())
        .bind(self.0.organization.uuid())
        .bind(metric.as_str())
        .bind(metric.period(now))
        .bind(i64::try_from(amount).unwrap_or(i64::MAX))
        .bind(now)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .execute(&mut *self.0.connection)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Gives back what is no longer used.
    pub async fn subtract(&mut self, metric: Metric, amount: u64) -> Result<()> {
        let now = self.0.environment.now();
        sqlx::query(
            "update usage_counters set value = greatest(value - $4, 0), updated_at = $5
             where organization_id = $1 and metric = $2 and period = $3",
        )
        .bind(self.0.organization.uuid())
        .bind(metric.as_str())
        .bind(metric.period(now))
        .bind(i64::try_from(amount).unwrap_or(i64::MAX))
        .bind(now)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// What has been used, in this month where it is counted by month.
    pub async fn current(&mut self, metric: Metric) -> Result<u64> {
        let value: Option<i64> = sqlx::query_scalar(
            "select value from usage_counters where organization_id = $1 and metric = $2 and period = $3",
        )
        .bind(self.0.organization.uuid())
        .bind(metric.as_str())
        .bind(metric.period(self.0.environment.now()))
        .fetch_optional(&mut *self.0.connection)
        .await?;
        Ok(value.unwrap_or(0).unsigned_abs())
    }
}
