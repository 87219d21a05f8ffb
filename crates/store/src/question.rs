//! Questions: opened, settled by exactly one answer, read back, rated; and the sweep over those that were interrupted.

use amebo_core::answer::{Origin, Outcome, Rating};
use amebo_core::document::Reader;
use amebo_core::id::{
    AnswerId, ChannelConnectionId, ChannelIdentityId, ChunkId, ContactId, ConversationId, Id,
    KnowledgeBaseId, ProviderId, QuestionId, SessionId,
};
use amebo_core::organization::{LimitOverrides, Limits, Plan};
use amebo_core::page::{Page, PageRequest};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, Row as _};
use uuid::Uuid;

use crate::answer::{Citation, NewAnswer, Question, QuestionRow, SELECT, Sentence, Verdict, signed};
use crate::error::{Error, Result, parse};
use crate::provider::Endpoint;
use crate::transaction::{Scope, SystemScope};
use crate::{Actor, OrgTx, Searchable, SystemTx};

/// How many earlier exchanges of a session a question brings along.
const HISTORY: i64 = 6;

/// What is said of a question whose answering was interrupted.
pub const INTERRUPTED: &str =
    "The work on this question was interrupted before an answer was found. Please ask again.";

/// A question to be opened.
#[derive(Debug, Clone)]
pub struct NewQuestion<'a> {
    /// As it was asked.
    pub text: &'a str,
    /// Where it was asked.
    pub origin: Origin,
    /// The session it belongs to, which must be the asker's own.
    pub session: Option<SessionId>,
    /// What the session is called if it has no title yet.
    pub title: &'a str,
    /// The knowledge bases to search; `None` for all that are in use.
    pub knowledge_bases: Option<&'a [KnowledgeBaseId]>,
    /// Past it, the question counts as interrupted.
    pub deadline: DateTime<Utc>,
    /// The conversation on a channel it is asked in.
    pub asked_in: Option<AskedIn<'a>>,
}

/// Where on a channel a question is asked, and for whom it is answered there.
#[derive(Debug, Clone, Copy)]
pub struct AskedIn<'a> {
    /// The conversation.
    pub conversation: ConversationId,
    /// The person outside who asks.
    pub contact: Option<ContactId>,
    /// For whose eyes it is answered, as it is to be explained later.
    pub readers: &'a Value,
}

/// A question just opened, with what answering it needs of the organisation.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The question.
    pub id: QuestionId,
    /// The knowledge bases in use among those asked for, by name.
    pub knowledge_bases: Vec<Searchable>,
    /// Their names, in the same order.
    pub names: Vec<String>,
    /// The revision of what is searchable.
    pub revision: i64,
    /// The organisation's own language model.
    pub language_model: Option<Endpoint>,
    /// How the organisation wants to be answered.
    pub settings: AnswerSettings,
    /// What the organisation's plan allows.
    pub limits: Limits,
}

/// How an organisation wants to be answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AnswerSettings {
    /// Below this confidence, decline; `None` for Amebo's own threshold.
    pub confidence_threshold: Option<f64>,
}

/// Which questions to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct QuestionFilter {
    /// Only those that ended so.
    pub outcome: Option<Outcome>,
    /// Only those rated so.
    pub rating: Option<Rating>,
    /// Only those asked there.
    pub origin: Option<Origin>,
}

/// Where a question stands in a list.
pub type QuestionKey = (DateTime<Utc>, QuestionId);

impl OrgTx {
    /// The questions of the organisation.
    pub fn questions(&mut self) -> Questions<'_> {
        Questions(self.scope())
    }
}

/// The questions of the organisation.
#[derive(Debug)]
pub struct Questions<'a>(pub(crate) Scope<'a>);

impl Questions<'_> {
    /// Opens a question in one statement. `None`: the asker has no such session.
    pub async fn open(&mut self, new: &NewQuestion<'_>) -> Result<Option<Opened>> {
        let (id, now) = (self.0.environment.id::<QuestionId>(), self.0.environment.now());
        let (user, key) = actor_columns(self.0.actor);
        let requested: Option<Vec<Uuid>> = new
            .knowledge_bases
            .map(|ids| ids.iter().map(|id| id.uuid()).collect());
        let row = sqlx::query(
            "with asked_in as (
                 update sessions set last_question_at = $10, updated_at = $10, title = coalesce(title, $11)
                 where organization_id = $1 and id = $3 and user_id = $4 returning id
             ), scope as (
                 select coalesce(array_agg(id order by name), '{}') as ids, coalesce(array_agg(name order by name), '{}') as names,
                        coalesce(array_agg(embedding_model order by name), '{}') as models
                 from knowledge_bases
                 where organization_id = $1 and status <> 'archived' and ($8::uuid[] is null or id = any ($8))
             ), opened as (
                 insert into questions (id, organization_id, session_id, user_id, api_key_id, origin, text,
                                        knowledge_base_ids, deadline, created_at, updated_at, conversation_id, contact_id, readers)
                 select $2, $1, $3, $4, $5, $6, $7, ids, $9, $10, $10, $12, $13, $14
                 from scope where $3::uuid is null or exists (select from asked_in)
                 returning id
             )
             select scope.*, o.settings -> 'answers' as settings, o.subscription_plan, o.limits,
                    coalesce((select revision from index_revisions where organization_id = $1), 0) as revision,
                    p.id as provider_id, p.protocol, p.base_url, p.model, p.sealed_key
             from opened cross join scope cross join organizations o
             left join providers p on p.organization_id = o.id and p.kind = 'language' and p.is_active
             where o.id = $1",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(new.session.map(Id::uuid))
        .bind(user)
        .bind(key)
        .bind(new.origin.as_str())
        .bind(new.text)
        .bind(requested)
        .bind(new.deadline)
        .bind(now)
        .bind(new.title)
        .bind(new.asked_in.map(|place| place.conversation.uuid()))
        .bind(new.asked_in.and_then(|place| place.contact).map(Id::uuid))
        .bind(new.asked_in.map(|place| place.readers))
        .fetch_optional(&mut *self.0.connection)
        .await?;
        row.map(|row| {
            let ids: Vec<Uuid> = row.try_get("ids")?;
            let models: Vec<Option<String>> = row.try_get("models")?;
            let provider: Option<Uuid> = row.try_get("provider_id")?;
            let language_model = provider
                .map(|id| {
                    Ok::<_, Error>(Endpoint {
                        id: ProviderId::from_uuid(id),
                        protocol: parse(row.try_get("protocol")?)?,
                        base_url: row.try_get("base_url")?,
                        model: row.try_get("model")?,
                        sealed_key: row.try_get("sealed_key")?,
                    })
                })
                .transpose()?;
            let settings: Option<Json<AnswerSettings>> = row.try_get("settings")?;
            let plan: Plan = parse(row.try_get("subscription_plan")?)?;
            let Json(overrides): Json<LimitOverrides> = row.try_get("limits")?;
            Ok(Opened {
                id,
                knowledge_bases: ids
                    .into_iter()
                    .zip(models)
                    .map(|(id, embedding_model)| Searchable {
                        id: KnowledgeBaseId::from_uuid(id),
                        embedding_model,
                    })
                    .collect(),
                names: row.try_get("names")?,
                revision: row.try_get("revision")?,
                language_model,
                settings: settings.map(|Json(settings)| settings).unwrap_or_default(),
                limits: plan.limits().with(&overrides),
            })
        })
        .transpose()
    }

    /// Settles an open question in one statement. `None`: it was settled before, and stays so.
    pub async fn settle(&mut self, question: QuestionId, answer: &NewAnswer) -> Result<Option<AnswerId>> {
        let (id, now) = (self.0.environment.id::<AnswerId>(), self.0.environment.now());
        let columns = VerdictColumns::of(&answer.verdict);
        let cited: Vec<NewCitation<'_>> = columns
            .citations
            .iter()
            .map(|citation| NewCitation {
                id: self.0.environment.id::<ChunkId>().uuid(),
                citation,
            })
            .collect();
        let settled: bool = sqlx::query_scalar(
            "with settled as (
                 update questions set state = 'settled', updated_at = $20
                 where organization_id = $1 and id = $2 and state = 'open' returning id
             ), answer as (
                 insert into answers (organization_id, question_id, id, outcome, reason, message, sentences, composer, model,
                                      confidence, knowledge_bases_searched, documents_searched, passages_searched,
                                      input_tokens, output_tokens, retrieval_us, composition_us, total_us, created_at, updated_at,
                                      notice, language)
                 select $1, settled.id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $20, $20, $21, $22
                 from settled returning id
             ), cited as (
                 insert into citations (organization_id, answer_id, id, number, source, chunk_id, document_id, document_title,
                                        heading_path, page, quote, range_start, range_end)
                 select $1, answer.id, c.id, c.number, c.source, c.chunk_id, c.document_id, c.document_title,
                        c.heading_path, c.page, c.quote, c.range_start, c.range_end
                 from answer, jsonb_to_recordset($19) as c (id uuid, number integer, source integer, chunk_id uuid, document_id uuid,
                     document_title text, heading_path text[], page integer, quote text, range_start bigint, range_end bigint)
             )
             select exists (select from settled)",
        )
        .bind(self.0.organization.uuid())
        .bind(question.uuid())
        .bind(id.uuid())
        .bind(answer.verdict.outcome().as_str())
        .bind(columns.reason)
        .bind(columns.message)
        .bind(Json(columns.sentences))
        .bind(columns.composer)
        .bind(&answer.usage.model)
        .bind(columns.confidence)
        .bind(signed::<_, i32>(answer.searched.knowledge_bases))
        .bind(signed::<_, i32>(answer.searched.documents))
        .bind(signed::<_, i32>(answer.searched.passages))
        .bind(signed::<_, i64>(answer.usage.input_tokens))
        .bind(signed::<_, i64>(answer.usage.output_tokens))
        .bind(signed::<_, i64>(answer.latency.retrieval_us))
        .bind(signed::<_, i64>(answer.latency.composition_us))
        .bind(signed::<_, i64>(answer.latency.total_us))
        .bind(Json(cited))
        .bind(now)
        .bind(columns.notice)
        .bind(&answer.language)
        .fetch_one(&mut *self.0.connection)
        .await?;
        Ok(settled.then_some(id))
    }

    /// One question, whoever asked it, as `reader` may see it.
    pub async fn by_id(&mut self, id: QuestionId, reader: &Reader) -> Result<Option<Question>> {
        let row: Option<QuestionRow> = sqlx::query_as(AssertSqlSafe(format!(
            "{SELECT} where q.organization_id = $1 and q.id = $2"
        )))
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        row.map(|row| row.seen_by(reader)).transpose()
    }

    /// What was settled last in a session of the acting person, oldest first; for follow-up questions.
    pub async fn history(&mut self, session: SessionId, reader: &Reader) -> Result<Vec<Question>> {
        let (user, _) = actor_columns(self.0.actor);
        let rows: Vec<QuestionRow> = sqlx::query_as(AssertSqlSafe(format!(
            "{SELECT} where q.organization_id = $1 and q.session_id = $2 and q.user_id = $3 and q.state = 'settled'
             order by q.created_at desc, q.id desc limit $4"
        )))
        .bind(self.0.organization.uuid())
        .bind(session.uuid())
        .bind(user)
        .bind(HISTORY)
        .fetch_all(&mut *self.0.connection)
        .await?;
        rows.into_iter().rev().map(|row| row.seen_by(reader)).collect()
    }

    /// The questions of a session of the acting person, in the order asked.
    pub async fn of_session(
        &mut self,
        session: SessionId,
        reader: &Reader,
        page: &PageRequest<QuestionKey>,
    ) -> Result<Page<Question>> {
        let (user, _) = actor_columns(self.0.actor);
        let (after_time, after_id) = page.after.unzip();
        let rows: Vec<QuestionRow> = sqlx::query_as(AssertSqlSafe(format!(
            "{SELECT} where q.organization_id = $1 and q.session_id = $2 and q.user_id = $3
               and ($4::timestamptz is null or (q.created_at, q.id) > ($4, $5))
             order by q.created_at, q.id limit $6"
        )))
        .bind(self.0.organization.uuid())
        .bind(session.uuid())
        .bind(user)
        .bind(after_time)
        .bind(after_id.map(Id::uuid))
        .bind(page.rows())
        .fetch_all(&mut *self.0.connection)
        .await?;
        to_page(rows, reader, page.limit)
    }

    /// The organisation's questions, the latest first, as `reader` may see them.
    pub async fn list(
        &mut self,
        filter: &QuestionFilter,
        reader: &Reader,
        page: &PageRequest<QuestionKey>,
    ) -> Result<Page<Question>> {
        let (after_time, after_id) = page.after.unzip();
        let rows: Vec<QuestionRow> = sqlx::query_as(AssertSqlSafe(format!(
            "{SELECT} where q.organization_id = $1
               and ($2::text is null or a.outcome = $2) and ($3::text is null or a.rating = $3)
               and ($4::timestamptz is null or (q.created_at, q.id) < ($4, $5)) and ($7::text is null or q.origin = $7)
             order by q.created_at desc, q.id desc limit $6"
        )))
        .bind(self.0.organization.uuid())
        .bind(filter.outcome.map(Outcome::as_str))
        .bind(filter.rating.map(Rating::as_str))
        .bind(after_time)
        .bind(after_id.map(Id::uuid))
        .bind(page.rows())
        .bind(filter.origin.map(Origin::as_str))
        .fetch_all(&mut *self.0.connection)
        .await?;
        to_page(rows, reader, page.limit)
    }

    /// Keeps what the asker thought of an answer; `None` takes it back. `false`: the actor asked no such question, or it has no
    /// answer yet.
    pub async fn rate(
        &mut self,
        question: QuestionId,
        rating: Option<Rating>,
        comment: Option<&str>,
    ) -> Result<bool> {
        let (user, key) = actor_columns(self.0.actor);
        let now = self.0.environment.now();
        let done = sqlx::query(
            "update answers a set rating = $5, comment = $6, rated_at = $7, updated_at = $8
             from questions q
             where a.organization_id = $1 and a.question_id = $2
               and q.organization_id = $1 and q.id = $2 and (q.user_id = $3 or q.api_key_id = $4)",
        )
        .bind(self.0.organization.uuid())
        .bind(question.uuid())
        .bind(user)
        .bind(key)
        .bind(rating.map(Rating::as_str))
        .bind(comment.filter(|_| rating.is_some()))
        .bind(rating.map(|_| now))
        .bind(now)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Shares a question of the acting person with the organisation, or takes that back. `None`: they asked no such question; else
    /// whether it changed anything.
    pub async fn share(&mut self, question: QuestionId, shared: bool) -> Result<Option<bool>> {
        let (user, _) = actor_columns(self.0.actor);
        let was_shared: Option<bool> = sqlx::query_scalar(
            "with asked as (
                 select id, shared_at is not null as was_shared from questions
                 where organization_id = $1 and id = $2 and user_id = $3 for update
             ), changed as (
                 update questions q set shared_at = case when $4 then $5 end, updated_at = $5
                 from asked where q.organization_id = $1 and q.id = asked.id and asked.was_shared <> $4
             )
             select was_shared from asked",
        )
        .bind(self.0.organization.uuid())
        .bind(question.uuid())
        .bind(user)
        .bind(shared)
        .bind(self.0.environment.now())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        Ok(was_shared.map(|before| before != shared))
    }

    /// Keeps what somebody on a channel thought of the answer to a question asked in a conversation. `false`: there is no such
    /// answer.
    pub async fn rate_in_conversation(
        &mut self,
        question: QuestionId,
        connection: ChannelConnectionId,
        rating: Option<Rating>,
        comment: Option<&str>,
    ) -> Result<bool> {
        let now = self.0.environment.now();
        let done = sqlx::query(
            "update answers a set rating = coalesce($4, a.rating), comment = coalesce($5, a.comment), rated_at = $6, updated_at = $6
             from questions q join conversations c on c.organization_id = q.organization_id and c.id = q.conversation_id
             where a.organization_id = $1 and a.question_id = $2 and q.organization_id = $1 and q.id = $2 and c.connection_id = $3
               and ($4 is not null or a.rating is not null)",
        )
        .bind(self.0.organization.uuid())
        .bind(question.uuid())
        .bind(connection.uuid())
        .bind(rating.map(Rating::as_str))
        .bind(comment)
        .bind(now)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Whether a question was asked on a connected account by the person the platform calls so.
    pub async fn was_asked_by(
        &mut self,
        question: QuestionId,
        connection: ChannelConnectionId,
        external_id: &str,
    ) -> Result<bool> {
        Ok(sqlx::query_scalar(
            "select exists (
                 select from messages m
                 join messages a on a.organization_id = m.organization_id and a.conversation_id = m.conversation_id and a.question_id = $2
                 join channel_identities i on i.organization_id = m.organization_id and i.id = m.identity_id
                 where m.organization_id = $1 and m.connection_id = $3 and m.sender_type = 'user' and i.external_id = $4)",
        )
        .bind(self.0.organization.uuid())
        .bind(question.uuid())
        .bind(connection.uuid())
        .bind(external_id)
        .fetch_one(&mut *self.0.connection)
        .await?)
    }

    /// What a person on a channel asked last, the latest first, as `reader` may see it.
    pub async fn asked_by_identity(
        &mut self,
        identity: ChannelIdentityId,
        reader: &Reader,
        limit: u32,
    ) -> Result<Vec<Question>> {
        let rows: Vec<QuestionRow> = sqlx::query_as(AssertSqlSafe(format!(
            "{SELECT} join conversations k on k.organization_id = q.organization_id and k.id = q.conversation_id
             join channel_identities i on i.organization_id = q.organization_id and i.id = $2
             where q.organization_id = $1 and k.connection_id = i.connection_id
               and (q.user_id = i.user_id or q.contact_id = i.contact_id)
             order by q.created_at desc, q.id desc limit $3"
        )))
        .bind(self.0.organization.uuid())
        .bind(identity.uuid())
        .bind(i64::from(limit))
        .fetch_all(&mut *self.0.connection)
        .await?;
        rows.into_iter().map(|row| row.seen_by(reader)).collect()
    }

    /// Questions that several people asked and that were answered, those asked most first: of each, the one asked last.
    pub async fn often_asked(&mut self, since: DateTime<Utc>, limit: u32) -> Result<Vec<QuestionId>> {
        let rows: Vec<Uuid> = sqlx::query_scalar(
            "select (array_agg(q.id order by q.created_at desc, q.id desc))[1]
             from questions q
             join answers a on a.organization_id = q.organization_id and a.question_id = q.id and a.outcome = 'answered'
             where q.organization_id = $1 and q.created_at >= $2 and length(q.text) between 8 and 200
             group by lower(btrim(q.text))
             having count(distinct coalesce(q.user_id, q.contact_id)) > 1
             order by count(*) desc, max(q.created_at) desc limit $3",
        )
        .bind(self.0.organization.uuid())
        .bind(since)
        .bind(i64::from(limit))
        .fetch_all(&mut *self.0.connection)
        .await?;
        Ok(rows.into_iter().map(QuestionId::from_uuid).collect())
    }

    /// The connected account that a question was asked on; `None` for questions asked elsewhere.
    pub async fn connection_of(&mut self, question: QuestionId) -> Result<Option<ChannelConnectionId>> {
        let connection: Option<Uuid> = sqlx::query_scalar(
            "select k.connection_id from questions q
             join conversations k on k.organization_id = q.organization_id and k.id = q.conversation_id
             where q.organization_id = $1 and q.id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(question.uuid())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        Ok(connection.map(ChannelConnectionId::from_uuid))
    }

    /// For whose eyes a question was answered, where that is kept.
    pub async fn readers(&mut self, question: QuestionId) -> Result<Option<Value>> {
        let readers: Option<Option<Value>> =
            sqlx::query_scalar("select readers from questions where organization_id = $1 and id = $2")
                .bind(self.0.organization.uuid())
                .bind(question.uuid())
                .fetch_optional(&mut *self.0.connection)
                .await?;
        Ok(readers.flatten())
    }

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

impl SystemTx {
    /// Questions that are still open, in all organisations.
    pub fn open_questions(&mut self) -> OpenQuestions<'_> {
        OpenQuestions(self.scope())
    }
}

/// Questions as maintenance sees them: without text, and only while they are open.
#[derive(Debug)]
pub struct OpenQuestions<'a>(pub(crate) SystemScope<'a>);

impl OpenQuestions<'_> {
    /// Settles as failed at most `limit` questions whose deadline has passed: whatever answered them was interrupted. Returns how
    /// many.
    pub async fn fail_overdue(&mut self, limit: u32) -> Result<u64> {
        let now = self.0.environment.now();
        let overdue: Vec<(Uuid, Uuid)> = sqlx::query_as(
            "select organization_id, id from questions where state = 'open' and deadline < $1
             order by deadline limit $2 for update skip locked",
        )
        .bind(now)
        .bind(i64::from(limit))
        .fetch_all(&mut *self.0.connection)
        .await?;
        let (organizations, questions): (Vec<Uuid>, Vec<Uuid>) = overdue.into_iter().unzip();
        let answers: Vec<Uuid> = questions
            .iter()
            .map(|_| self.0.environment.id::<AnswerId>().uuid())
            .collect();
        sqlx::query(
            "with overdue as (
                 select * from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as o (organization_id, question_id, answer_id)
             ), settled as (
                 update questions q set state = 'settled', updated_at = $5
                 from overdue where q.organization_id = overdue.organization_id and q.id = overdue.question_id
             )
             insert into answers (organization_id, question_id, id, outcome, message, created_at, updated_at)
             select organization_id, question_id, answer_id, 'failed', $4, $5, $5 from overdue",
        )
        .bind(organizations)
        .bind(questions)
        .bind(answers)
        .bind(INTERRUPTED)
        .bind(now)
        .execute(&mut *self.0.connection)
        .await
        .map(|done| done.rows_affected())
        .map_err(Into::into)
    }
}

/// A verdict as the columns of `answers`.
#[derive(Default)]
struct VerdictColumns<'a> {
    reason: Option<&'static str>,
    message: Option<&'a str>,
    notice: Option<&'a str>,
    sentences: &'a [Sentence],
    citations: &'a [Citation],
    composer: Option<&'static str>,
    confidence: Option<f64>,
}

impl<'a> VerdictColumns<'a> {
    fn of(verdict: &'a Verdict) -> Self {
        match verdict {
            Verdict::Answered {
                sentences,
                citations,
                composer,
                confidence,
                notice,
            } => Self {
                notice: notice.as_deref(),
                sentences,
                citations,
                composer: Some(composer.as_str()),
                confidence: Some(confidence.value()),
                ..Self::default()
            },
            Verdict::Declined {
                reason,
                message,
                confidence,
                closest,
            } => Self {
                citations: closest,
                reason: Some(reason.as_str()),
                message: Some(message),
                confidence: Some(confidence.value()),
                ..Self::default()
            },
            Verdict::Escalated { message } | Verdict::Failed { message } => Self {
                message: Some(message),
                ..Self::default()
            },
        }
    }
}

#[derive(Serialize)]
struct NewCitation<'a> {
    id: Uuid,
    #[serde(flatten)]
    citation: &'a Citation,
}

fn actor_columns(actor: Actor) -> (Option<Uuid>, Option<Uuid>) {
    match actor {
        Actor::User(user) => (Some(user.uuid()), None),
        Actor::ApiKey(key) => (None, Some(key.uuid())),
        Actor::System => (None, None),
    }
}

fn to_page(rows: Vec<QuestionRow>, reader: &Reader, limit: u32) -> Result<Page<Question>> {
    let questions = rows
        .into_iter()
        .map(|row| row.seen_by(reader))
        .collect::<Result<Vec<_>>>()?;
    Ok(Page::from_rows(questions, limit, |question| {
        (question.created_at, question.id)
    }))
}
