//! Named collections of documents.

use amebo_core::document::KnowledgeBaseStatus;
use amebo_core::id::{Id, KnowledgeBaseId};
use amebo_core::page::{Page, PageRequest};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::OrgTx;
use crate::error::{Result, parse};
use crate::index_feed;
use crate::transaction::Scope;

/// A named collection of documents.
#[derive(Debug, Clone)]
pub struct KnowledgeBase {
    /// The knowledge base.
    pub id: KnowledgeBaseId,
    /// Unique in the organisation, whatever its case.
    pub name: String,
    /// What it holds, for people.
    pub description: String,
    /// Whether it takes part in answers.
    pub status: KnowledgeBaseStatus,
    /// The model whose vectors are searched; `None` when passages have none.
    pub embedding_model: Option<String>,
    /// The model its passages are being embedded with.
    pub building_model: Option<String>,
    /// Deviations from the default size of passages.
    pub chunking: Value,
    /// Documents in it, whatever their status.
    pub document_count: u64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// A knowledge base to be added.
#[derive(Debug, Clone)]
pub struct NewKnowledgeBase {
    /// Unique in the organisation, whatever its case.
    pub name: String,
    /// What it holds, for people.
    pub description: String,
    /// The model to embed with; `None` when there is none.
    pub embedding_model: Option<String>,
    /// Deviations from the default size of passages.
    pub chunking: Value,
}

/// One knowledge base that takes part in answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Searchable {
    /// The knowledge base.
    pub id: KnowledgeBaseId,
    /// The model whose vectors are searched; `None` when passages have none.
    pub embedding_model: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    name: String,
    description: String,
    status: String,
    embedding_model: Option<String>,
    building_model: Option<String>,
    chunking: Json<Value>,
    document_count: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<Row> for KnowledgeBase {
    type Error = crate::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: KnowledgeBaseId::from_uuid(row.id),
            name: row.name,
            description: row.description,
            status: parse(&row.status)?,
            embedding_model: row.embedding_model,
            building_model: row.building_model,
            chunking: row.chunking.0,
            document_count: row.document_count.unsigned_abs(),
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select k.id, k.name, k.description, k.status, k.embedding_model, k.building_model, k.chunking, k.created_at, k.updated_at,
             (select count(*) from documents d where d.organization_id = k.organization_id and d.knowledge_base_id = k.id) as document_count
             from knowledge_bases k where k.organization_id = $1 ",
            $rest
        )
    };
}

impl OrgTx {
    /// Its knowledge bases.
    pub fn knowledge_bases(&mut self) -> KnowledgeBases<'_> {
        KnowledgeBases(self.scope())
    }
}

/// The knowledge bases of the current organisation.
#[derive(Debug)]
pub struct KnowledgeBases<'a>(pub(crate) Scope<'a>);

impl KnowledgeBases<'_> {
    /// Adds one. A conflict on `knowledge_bases_name` means the name is taken.
    pub async fn insert(&mut self, new: &NewKnowledgeBase) -> Result<KnowledgeBaseId> {
        let id = self.0.environment.id::<KnowledgeBaseId>();
        sqlx::query(
            "insert into knowledge_bases (id, organization_id, name, description, embedding_model, chunking, created_at, updated_at)
             values ($1, $2, $3, $4, $5, $6, $7, $7)",
        )
        .bind(id.uuid())
        .bind(self.0.organization.uuid())
        .bind(&new.name)
        .bind(&new.description)
        .bind(&new.embedding_model)
        .bind(Json(&new.chunking))
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(id)
    }

    /// One knowledge base.
    pub async fn get(&mut self, id: KnowledgeBaseId) -> Result<Option<KnowledgeBase>> {
        let row: Option<Row> = sqlx::query_as(select!("and k.id = $2"))
            .bind(self.0.organization.uuid())
            .bind(id.uuid())
            .fetch_optional(&mut *self.0.connection)
            .await?;
        row.map(TryInto::try_into).transpose()
    }

    /// One knowledge base, which nobody else can change or remove until this transaction ends.
    pub async fn lock(&mut self, id: KnowledgeBaseId) -> Result<Option<KnowledgeBase>> {
        let found =
            sqlx::query("select from knowledge_bases where organization_id = $1 and id = $2 for update")
                .bind(self.0.organization.uuid())
                .bind(id.uuid())
                .fetch_optional(&mut *self.0.connection)
                .await?;
        if found.is_none() {
            return Ok(None);
        }
        self.get(id).await
    }

    /// The knowledge base of this name, whatever its case.
    pub async fn by_name(&mut self, name: &str) -> Result<Option<KnowledgeBase>> {
        let row: Option<Row> = sqlx::query_as(select!("and lower(k.name) = lower($2)"))
            .bind(self.0.organization.uuid())
            .bind(name)
            .fetch_optional(&mut *self.0.connection)
            .await?;
        row.map(TryInto::try_into).transpose()
    }

    /// A page of them, newest first.
    pub async fn list(
        &mut self,
        page: PageRequest<KnowledgeBaseId>,
        status: Option<KnowledgeBaseStatus>,
    ) -> Result<Page<KnowledgeBase>> {
        let rows: Vec<Row> = sqlx::query_as(select!(
            "and ($2::uuid is null or k.id < $2) and ($3::text is null or k.status = $3) order by k.id desc limit $4"
        ))
        .bind(self.0.organization.uuid())
        .bind(page.after.map(Id::uuid))
        .bind(status.map(KnowledgeBaseStatus::as_str))
        .bind(page.rows())
        .fetch_all(&mut *self.0.connection)
        .await?;
        let rows = rows
            .into_iter()
            .map(TryInto::try_into)
            .collect::<Result<Vec<KnowledgeBase>>>()?;
        Ok(Page::from_rows(rows, page.limit, |base| base.id))
    }

    /// Every knowledge base that takes part in answers, by name.
    pub async fn names(&mut self) -> Result<Vec<(KnowledgeBaseId, String)>> {
        let rows: Vec<(Uuid, String)> = sqlx::query_as(
            "select id, name from knowledge_bases where organization_id = $1 and status <> 'archived' order by name",
        )
        .bind(self.0.organization.uuid())
        .fetch_all(&mut *self.0.connection)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(id, name)| (KnowledgeBaseId::from_uuid(id), name))
            .collect())
    }

    /// Every knowledge base that takes part in answers, with the model to embed a question with.
    pub async fn searchable(&mut self) -> Result<Vec<Searchable>> {
        let rows: Vec<(Uuid, Option<String>)> = sqlx::query_as(
            "select id, embedding_model from knowledge_bases where organization_id = $1 and status <> 'archived' order by id",
        )
        .bind(self.0.organization.uuid())
        .fetch_all(&mut *self.0.connection)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(id, embedding_model)| Searchable {
                id: KnowledgeBaseId::from_uuid(id),
                embedding_model,
            })
            .collect())
    }

    /// Whether any knowledge base is searched or being embedded with this model.
    pub async fn uses(&mut self, model: &str) -> Result<bool> {
        let uses = sqlx::query_scalar(
            "select exists (select from knowledge_bases where organization_id = $1 and $2 in (embedding_model, building_model))",
        )
        .bind(self.0.organization.uuid())
        .bind(model)
        .fetch_one(&mut *self.0.connection)
        .await?;
        Ok(uses)
    }

    /// Changes what people see of it and how new documents are split. A conflict on `knowledge_bases_name` means the name is taken.
    pub async fn describe(
        &mut self,
        id: KnowledgeBaseId,
        name: &str,
        description: &str,
        chunking: &Value,
    ) -> Result<()> {
        sqlx::query(
            "update knowledge_bases set name = $3, description = $4, chunking = $5, updated_at = $6
             where organization_id = $1 and id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(name)
        .bind(description)
        .bind(Json(chunking))
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Takes it out of answers, which also calls off a change of model, or brings it back.
    pub async fn set_archived(&mut self, id: KnowledgeBaseId, archived: bool) -> Result<()> {
        let status = if archived {
            KnowledgeBaseStatus::Archived
        } else {
            KnowledgeBaseStatus::Active
        };
        self.set_building(id, status, None).await
    }

    /// Begins the change to another model, or calls it off with `None`.
    pub async fn build(&mut self, id: KnowledgeBaseId, model: Option<&str>) -> Result<()> {
        let status = match model {
            Some(_) => KnowledgeBaseStatus::Building,
            None => KnowledgeBaseStatus::Active,
        };
        self.set_building(id, status, model).await
    }

    async fn set_building(
        &mut self,
        id: KnowledgeBaseId,
        status: KnowledgeBaseStatus,
        model: Option<&str>,
    ) -> Result<()> {
        sqlx::query(
            "update knowledge_bases set status = $3, building_model = $4, updated_at = $5 where organization_id = $1 and id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(status.as_str())
        .bind(model)
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Puts the staged vectors of `model` in the place of those searched so far, all at once. `false`, and nothing happens, when
    /// the knowledge base is no longer being moved to this model or a passage has no staged vector yet.
    pub async fn switch_model(&mut self, id: KnowledgeBaseId, model: &str) -> Result<bool> {
        let Some(base) = self.lock(id).await? else {
            return Ok(false);
        };
        if base.building_model.as_deref() != Some(model) {
            return Ok(false);
        }
        let missing: bool = sqlx::query_scalar(
            "select exists (
                 select from chunks c join documents d on d.organization_id = c.organization_id and d.id = c.document_id
                 where d.organization_id = $1 and d.knowledge_base_id = $2 and c.embedding_model is distinct from $3
                 and not exists (select from staged_embeddings s where s.chunk_id = c.id and s.model = $3))",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(model)
        .fetch_one(&mut *self.0.connection)
        .await?;
        if missing {
            return Ok(false);
        }
        let changed: Vec<Uuid> = sqlx::query_scalar(
            "with switched as (
                 update chunks c set embedding = s.embedding, embedding_model = s.model
                 from staged_embeddings s, documents d
                 where c.organization_id = $1 and d.organization_id = $1 and d.knowledge_base_id = $2 and d.id = c.document_id
                 and s.organization_id = $1 and s.chunk_id = c.id and s.model = $3
                 returning c.document_id)
             select distinct document_id from switched",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(model)
        .fetch_all(&mut *self.0.connection)
        .await?;
        self.unstage(id).await?;
        sqlx::query(
            "update knowledge_bases set embedding_model = $3, building_model = null, status = 'active', updated_at = $4
             where organization_id = $1 and id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(model)
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        index_feed::record(&mut self.0, &changed, false).await?;
        Ok(true)
    }

    /// Throws staged vectors away.
    pub async fn unstage(&mut self, id: KnowledgeBaseId) -> Result<()> {
        sqlx::query(
            "delete from staged_embeddings s using chunks c, documents d
             where s.organization_id = $1 and c.organization_id = $1 and c.id = s.chunk_id
             and d.organization_id = $1 and d.id = c.document_id and d.knowledge_base_id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Removes it with all its documents from everything that is searched. Returns what the documents kept, to be given back.
    pub async fn delete(&mut self, id: KnowledgeBaseId) -> Result<Option<Removed>> {
        if self.lock(id).await?.is_none() {
            return Ok(None);
        }
        let documents: Vec<(Uuid, Option<Uuid>, i64)> = sqlx::query_as(
            "delete from documents where organization_id = $1 and knowledge_base_id = $2 returning id, blob_id, size_bytes",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .fetch_all(&mut *self.0.connection)
        .await?;
        sqlx::query("delete from knowledge_bases where organization_id = $1 and id = $2")
            .bind(self.0.organization.uuid())
            .bind(id.uuid())
            .execute(&mut *self.0.connection)
            .await?;
        let ids: Vec<Uuid> = documents.iter().map(|(id, _, _)| *id).collect();
        index_feed::record(&mut self.0, &ids, true).await?;
        Ok(Some(Removed {
            documents: ids.len() as u64,
            bytes: documents.iter().map(|(_, _, size)| size.unsigned_abs()).sum(),
            blobs: documents
                .iter()
                .filter_map(|(_, blob, _)| blob.map(Id::from_uuid))
                .collect(),
        }))
    }
}

/// What was kept by documents that are gone.
#[derive(Debug, Clone, Default)]
pub struct Removed {
    /// How many documents.
    pub documents: u64,
    /// Bytes of their original files.
    pub bytes: u64,
    /// Their original files.
    pub blobs: Vec<amebo_core::id::BlobId>,
}
