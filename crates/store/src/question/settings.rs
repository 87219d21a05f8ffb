//! How an organisation wants to be answered.

use amebo_core::id::Id as _;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;

use super::Questions;
use crate::error::Result;

/// How an organisation wants to be answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AnswerSettings {
    /// Below this confidence, decline; `None` for Amebo's own threshold.
    pub confidence_threshold: Option<f64>,
}

impl Questions<'_> {
    /// How the organisation wants to be answered.
    pub async fn settings(&mut self) -> Result<AnswerSettings> {
        let settings: Option<Json<AnswerSettings>> =
            sqlx::query_scalar("select settings -> 'answers' from organizations where id = $1")
                .bind(self.0.organization.uuid())
                .fetch_one(&mut *self.0.connection)
                .await?;
        Ok(settings.map(|Json(settings)| settings).unwrap_or_default())
    }

    /// Changes how the organisation wants to be answered.
    pub async fn set_settings(&mut self, settings: &AnswerSettings) -> Result<()> {
        sqlx::query(
            "update organizations set settings = jsonb_set(settings, '{answers}', $2), updated_at = $3 where id = $1",
        )
        .bind(self.0.organization.uuid())
        .bind(Json(settings))
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }
}
