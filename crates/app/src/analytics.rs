//! Figures about questions and answers, and the texts behind them for those who may see them.

use amebo_core::id::QuestionId;
use amebo_core::page::{Page, PageRequest};
use amebo_core::permission::{Action, Resource};
use amebo_store::answer::Question;
use amebo_store::audit::NewEntry;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

pub use amebo_store::analytics::{Figures, Tally, TopSource};
pub use amebo_store::question::{AnswerSettings, QuestionFilter, QuestionKey};

use crate::share::as_shared;
use crate::{Access, App, Error, Result};

/// How many documents are named that answers rest on.
const TOP_SOURCES: u32 = 10;
/// The longest stretch of time figures are made for.
const LONGEST_STRETCH: TimeDelta = TimeDelta::days(400);

impl App {
    /// Figures about what was asked from `from` on and before `until`; by default the last 30 days. They hold no text.
    pub async fn figures(
        &self,
        access: &Access,
        from: Option<DateTime<Utc>>,
        until: Option<DateTime<Utc>>,
    ) -> Result<Figures> {
        let permit = access.permit(Resource::Analytics, Action::Read)?;
        let (from, until) = self.stretch(from, until)?;
        let mut tx = self.store.begin(&permit).await?;
        let figures = tx.analytics().figures(from, until).await?;
        tx.commit().await?;
        Ok(figures)
    }

    /// The documents that most answers of such a stretch rest on, of those that the caller may see.
    pub async fn top_sources(
        &self,
        access: &Access,
        from: Option<DateTime<Utc>>,
        until: Option<DateTime<Utc>>,
    ) -> Result<Vec<TopSource>> {
        let permit = access.permit(Resource::Analytics, Action::Read)?;
        let (from, until) = self.stretch(from, until)?;
        let mut tx = self.store.begin(&permit).await?;
        let sources = tx
            .analytics()
            .top_sources(from, until, access.reader(), TOP_SOURCES)
            .await?;
        tx.commit().await?;
        Ok(sources)
    }

    fn stretch(
        &self,
        from: Option<DateTime<Utc>>,
        until: Option<DateTime<Utc>>,
    ) -> Result<(DateTime<Utc>, DateTime<Utc>)> {
        let until = until.unwrap_or_else(|| self.environment().now());
        let from = from.unwrap_or(until - TimeDelta::days(30));
        if from >= until || until - from > LONGEST_STRETCH {
            return Err(Error::invalid(
                "/from",
                "from must lie before until, by at most 400 days",
            ));
        }
        Ok((from, until))
    }

    /// The organisation's questions with their answers, the latest first, for those who may read what others asked. What they may
    /// not see of the documents stays hidden in the answers too.
    pub async fn transcripts(
        &self,
        access: &Access,
        filter: &QuestionFilter,
        page: &PageRequest<QuestionKey>,
    ) -> Result<Page<Question>> {
        let permit = access.permit(Resource::Transcript, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let questions = tx.questions().list(filter, access.reader(), page).await?;
        tx.commit().await?;
        Ok(questions)
    }

    /// One question with its answer: the caller's own, one that its asker shared, or anybody's for those who may read what others
    /// asked.
    pub async fn question(&self, access: &Access, id: QuestionId) -> Result<Question> {
        let permit = access.permit(Resource::Question, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let question = tx.questions().by_id(id, access.reader()).await?;
        tx.commit().await?;
        question
            .and_then(|question| {
                if is_own(access, &question) || access.permit(Resource::Transcript, Action::Read).is_ok() {
                    Some(question)
                } else {
                    as_shared(question)
                }
            })
            .ok_or(Error::NotFound("question"))
    }

    /// How the organisation wants to be answered.
    pub async fn answer_settings(&self, access: &Access) -> Result<AnswerSettings> {
        let permit = access.permit(Resource::Organization, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let settings = tx.questions().settings().await?;
        tx.commit().await?;
        Ok(settings)
    }

    /// Changes how the organisation wants to be answered.
    pub async fn change_answer_settings(&self, access: &Access, settings: &AnswerSettings) -> Result<()> {
        let permit = access.permit(Resource::Organization, Action::Update)?;
        if settings
            .confidence_threshold
            .is_some_and(|threshold| !(0.0..=1.0).contains(&threshold))
        {
            return Err(Error::invalid(
                "/confidence_threshold",
                "a probability between 0 and 1",
            ));
        }
        let mut tx = self.store.begin(&permit).await?;
        let before = tx.questions().settings().await?;
        tx.questions().set_settings(settings).await?;
        if *settings != before {
            tx.audit()
                .append(
                    NewEntry::new("organization.answers", "organization")
                        .of(access.organization())
                        .details(json!({ "before": before, "after": settings })),
                )
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

fn is_own(access: &Access, question: &Question) -> bool {
    use amebo_store::Actor;
    match access.actor() {
        Actor::User(user) => question.user == Some(user),
        Actor::ApiKey(key) => question.api_key == Some(key),
        Actor::System => false,
    }
}
