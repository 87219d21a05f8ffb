//! Where the documents of a knowledge base come from.

use amebo_core::document::SourceKind;
use amebo_core::id::{Id, KnowledgeBaseId, SourceId};
use uuid::Uuid;

use crate::OrgTx;
use crate::error::Result;
use crate::transaction::Scope;

impl OrgTx {
    /// Where its documents come from.
    pub fn sources(&mut self) -> Sources<'_> {
        Sources(self.scope())
    }
}

/// The sources of the current organisation.
#[derive(Debug)]
pub struct Sources<'a>(pub(crate) Scope<'a>);

impl Sources<'_> {
    /// The source that mirrors a workspace in a knowledge base; made when it is first needed. A workspace is known by its address, so
    /// that an export of it and a connection to it are one; where the address is not given, by this name.
    pub async fn of_workspace(
        &mut self,
        knowledge_base: KnowledgeBaseId,
        name: &str,
        url: Option<&str>,
    ) -> Result<SourceId> {
        // Whoever asks at the same time waits, and then finds the same.
        sqlx::query("select from knowledge_bases where organization_id = $1 and id = $2 for no key update")
            .bind(self.0.organization.uuid())
            .bind(knowledge_base.uuid())
            .execute(&mut *self.0.connection)
            .await?;
        let known: Option<Uuid> = sqlx::query_scalar(
            "select id from sources
             where organization_id = $1 and knowledge_base_id = $2 and kind = 'slack' and configuration ->> 'workspace_url' = $3
             order by created_at, id limit 1",
        )
        .bind(self.0.organization.uuid())
        .bind(knowledge_base.uuid())
        .bind(url)
        .fetch_optional(&mut *self.0.connection)
        .await?;
        if let Some(known) = known {
            return Ok(SourceId::from_uuid(known));
        }
        let id: Uuid = sqlx::query_scalar(
            "insert into sources as s (id, organization_id, knowledge_base_id, kind, name, configuration, created_at, updated_at)
             values ($1, $2, $3, 'slack', $4, jsonb_strip_nulls(jsonb_build_object('workspace_url', $5::text)), $6, $6)
             on conflict on constraint sources_name do update
                 set configuration = s.configuration || excluded.configuration, updated_at = excluded.updated_at
             returning id",
        )
        .bind(self.0.environment.id::<SourceId>().uuid())
        .bind(self.0.organization.uuid())
        .bind(knowledge_base.uuid())
        .bind(name)
        .bind(url)
        .bind(self.0.environment.now())
        .fetch_one(&mut *self.0.connection)
        .await?;
        Ok(SourceId::from_uuid(id))
    }

    /// The source of documents that are added to a knowledge base one by one; made when it is first needed.
    pub async fn of_single_documents(
        &mut self,
        knowledge_base: KnowledgeBaseId,
        kind: SourceKind,
    ) -> Result<SourceId> {
        let id: Uuid = sqlx::query_scalar(
            "with known as (select id from sources where organization_id = $2 and knowledge_base_id = $3 and kind = $4 and name = ''),
             made as (
                 insert into sources (id, organization_id, knowledge_base_id, kind, name, created_at, updated_at)
                 select $1, $2, $3, $4, '', $5, $5 where not exists (select from known)
                 on conflict on constraint sources_name do update set updated_at = excluded.updated_at
                 returning id)
             select id from known union all select id from made",
        )
        .bind(self.0.environment.id::<SourceId>().uuid())
        .bind(self.0.organization.uuid())
        .bind(knowledge_base.uuid())
        .bind(kind.as_str())
        .bind(self.0.environment.now())
        .fetch_one(&mut *self.0.connection)
        .await?;
        Ok(SourceId::from_uuid(id))
    }
}
