//! A question from its opening to its one answer.

use amebo_core::id::{AnswerId, ChunkId, Id, KnowledgeBaseId, ProviderId, QuestionId};
use amebo_core::organization::{LimitOverrides, Plan};
use serde::Serialize;
use sqlx::Row as _;
use sqlx::types::Json;
use uuid::Uuid;

use super::{AnswerSettings, NewQuestion, Opened, Questions, actor_columns};
use crate::Searchable;
use crate::answer::{Citation, NewAnswer, Sentence, Verdict, signed};
use crate::error::{Error, Result, parse};
use crate::provider::Endpoint;

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
                                      notice, language, stopped)
                 select $1, settled.id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $20, $20, $21, $22, $23
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
        .bind(matches!(answer.verdict, Verdict::Failed { stopped: true, .. }))
        .fetch_one(&mut *self.0.connection)
        .await?;
        Ok(settled.then_some(id))
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
            Verdict::Escalated { message } | Verdict::Failed { message, .. } => Self {
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
