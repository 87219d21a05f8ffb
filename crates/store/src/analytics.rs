//! Figures about questions and answers. No words of anybody who asked leave here, so whoever sees them learns nothing of what was asked.

use amebo_core::document::Reader;
use amebo_core::id::{DocumentId, Id as _};
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::OrgTx;
use crate::answer::unsigned;
use crate::document::Eyes;
use crate::error::Result;
use crate::transaction::Scope;

/// What happened in a stretch of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// Everything together.
    pub total: Tally,
    /// Day by day (UTC), the earliest first; days on which nothing was asked are absent.
    pub days: Vec<(NaiveDate, Tally)>,
    /// Members who asked.
    pub askers: u64,
    /// Half of the answers took no longer than this, in microseconds.
    pub latency_p50_us: u64,
    /// 95 of 100 answers took no longer than this, in microseconds.
    pub latency_p95_us: u64,
    /// How often declined, by reason.
    pub declined: Vec<(String, u64)>,
}

/// A document that answers rest on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopSource {
    /// The document.
    pub document: DocumentId,
    /// What it is called now.
    pub title: String,
    /// How many answers cite it.
    pub answers: u64,
}

/// Counts of questions by what became of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// Asked.
    pub questions: u64,
    /// Answered.
    pub answered: u64,
    /// Declined for want of evidence.
    pub declined: u64,
    /// Handed to a person.
    pub escalated: u64,
    /// Broken.
    pub failed: u64,
    /// Stopped by whoever asked while the answer was written.
    pub stopped: u64,
    /// Rated helpful.
    pub rated_up: u64,
    /// Rated not helpful.
    pub rated_down: u64,
    /// Mean confidence of what was answered, if anything was.
    pub mean_confidence: Option<f64>,
    /// Tokens read by language models.
    pub input_tokens: u64,
    /// Tokens written by language models.
    pub output_tokens: u64,
}

#[derive(sqlx::FromRow)]
struct TallyRow {
    day: Option<NaiveDate>,
    questions: i64,
    answered: i64,
    declined: i64,
    escalated: i64,
    failed: i64,
    stopped: i64,
    rated_up: i64,
    rated_down: i64,
    mean_confidence: Option<f64>,
    input_tokens: i64,
    output_tokens: i64,
    askers: i64,
    latency_p50_us: Option<i64>,
    latency_p95_us: Option<i64>,
}

impl From<&TallyRow> for Tally {
    fn from(row: &TallyRow) -> Self {
        Self {
            questions: unsigned(Some(row.questions)),
            answered: unsigned(Some(row.answered)),
            declined: unsigned(Some(row.declined)),
            escalated: unsigned(Some(row.escalated)),
            failed: unsigned(Some(row.failed)),
            stopped: unsigned(Some(row.stopped)),
            rated_up: unsigned(Some(row.rated_up)),
            rated_down: unsigned(Some(row.rated_down)),
            mean_confidence: row.mean_confidence,
            input_tokens: unsigned(Some(row.input_tokens)),
            output_tokens: unsigned(Some(row.output_tokens)),
        }
    }
}

impl OrgTx {
    /// Figures about questions and answers.
    pub fn analytics(&mut self) -> Analytics<'_> {
        Analytics(self.scope())
    }
}

/// The figures of the organisation.
#[derive(Debug)]
pub struct Analytics<'a>(pub(crate) Scope<'a>);

impl Analytics<'_> {
    /// What was asked from `from` on and before `until`.
    pub async fn figures(&mut self, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Figures> {
        let rows: Vec<TallyRow> = sqlx::query_as(
            "select (q.created_at at time zone 'UTC')::date as day,
                    count(*) as questions,
                    count(*) filter (where a.outcome = 'answered') as answered,
                    count(*) filter (where a.outcome = 'declined') as declined,
                    count(*) filter (where a.outcome = 'escalated') as escalated,
                    count(*) filter (where a.outcome = 'failed' and not a.stopped) as failed,
                    count(*) filter (where a.stopped) as stopped,
                    count(*) filter (where a.rating = 'up') as rated_up,
                    count(*) filter (where a.rating = 'down') as rated_down,
                    avg(a.confidence) filter (where a.outcome = 'answered') as mean_confidence,
                    coalesce(sum(a.input_tokens), 0)::bigint as input_tokens,
                    coalesce(sum(a.output_tokens), 0)::bigint as output_tokens,
                    count(distinct q.user_id) as askers,
                    percentile_disc(0.5) within group (order by a.total_us) as latency_p50_us,
                    percentile_disc(0.95) within group (order by a.total_us) as latency_p95_us
             from questions q
             left join answers a on a.organization_id = q.organization_id and a.question_id = q.id
             where q.organization_id = $1 and q.created_at >= $2 and q.created_at < $3
             group by grouping sets ((), (1)) order by 1 nulls first",
        )
        .bind(self.0.organization.uuid())
        .bind(from)
        .bind(until)
        .fetch_all(&mut *self.0.connection)
        .await?;
        let declined: Vec<(String, i64)> = sqlx::query_as(
            "select a.reason, count(*) from answers a
             join questions q on q.organization_id = a.organization_id and q.id = a.question_id
             where q.organization_id = $1 and q.created_at >= $2 and q.created_at < $3 and a.reason is not null
             group by 1 order by 2 desc, 1",
        )
        .bind(self.0.organization.uuid())
        .bind(from)
        .bind(until)
        .fetch_all(&mut *self.0.connection)
        .await?;
        let total = rows.iter().find(|row| row.day.is_none());
        Ok(Figures {
            total: total.map(Tally::from).unwrap_or_default(),
            days: rows
                .iter()
                .filter_map(|row| Some((row.day?, Tally::from(row))))
                .collect(),
            askers: unsigned(total.map(|row| row.askers)),
            latency_p50_us: unsigned(total.and_then(|row| row.latency_p50_us)),
            latency_p95_us: unsigned(total.and_then(|row| row.latency_p95_us)),
            declined: declined
                .into_iter()
                .map(|(reason, count)| (reason, unsigned(Some(count))))
                .collect(),
        })
    }

    /// The documents that most answers to what was asked from `from` on and before `until` rest on, as far as `reader` may see them.
    pub async fn top_sources(
        &mut self,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        reader: &Reader,
        limit: u32,
    ) -> Result<Vec<TopSource>> {
        let eyes = Eyes::of(reader);
        let rows: Vec<(Uuid, String, i64)> = sqlx::query_as(
            "select d.id, d.title, count(distinct a.id)
             from questions q
             join answers a on a.organization_id = q.organization_id and a.question_id = q.id and a.outcome = 'answered'
             join citations c on c.organization_id = a.organization_id and c.answer_id = a.id
             join documents d on d.organization_id = c.organization_id and d.id = c.document_id
             where q.organization_id = $1 and q.created_at >= $2 and q.created_at < $3
               and (d.audience ->> 'kind' = any($4) or d.audience -> 'roles' ? $5 or d.audience -> 'users' ? $6
                    or d.audience ->> 'channel' = any($7))
             group by d.id, d.title order by 3 desc, d.title limit $8",
        )
        .bind(self.0.organization.uuid())
        .bind(from)
        .bind(until)
        .bind(eyes.kinds)
        .bind(eyes.role)
        .bind(eyes.user)
        .bind(eyes.channels)
        .bind(i64::from(limit))
        .fetch_all(&mut *self.0.connection)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(document, title, answers)| TopSource {
                document: DocumentId::from_uuid(document),
                title,
                answers: unsigned(Some(answers)),
            })
            .collect())
    }
}
