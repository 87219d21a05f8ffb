//! Named collections of documents.

use amebo_core::document::{KnowledgeBaseStatus, MoveProblem};
use amebo_core::id::KnowledgeBaseId;
use amebo_core::job::JobState;
use amebo_core::page::{Page, PageRequest};
use amebo_core::permission::{Action, Resource};
use amebo_knowledge::chunk;
use amebo_store::audit::NewEntry;
use amebo_store::job::{NewJob, Task as _};
use amebo_store::{KnowledgeBase, Metric, Moved, NewKnowledgeBase, OrgTx, Permit};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::ingest::{Embed, Stalled};
use crate::{Access, App, Error, Result};

/// By how much of what was done it is told how long the rest takes.
const LATELY: TimeDelta = TimeDelta::minutes(10);

/// What somebody says of a knowledge base; what is absent stays, or takes its default.
#[derive(Debug, Clone, Default)]
pub struct KnowledgeBaseForm {
    /// 1 to 200 characters, unique in the organisation.
    pub name: Option<String>,
    /// What it holds, at most 2,000 characters.
    pub description: Option<String>,
    /// Whether it takes part in answers.
    pub archived: Option<bool>,
    /// The model to embed its passages with.
    pub embedding_model: Option<String>,
    /// How large its passages are; counts for documents processed from then on.
    pub chunking: Option<Value>,
}

/// How far a change of embedding model has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Building {
    /// Passages in the knowledge base.
    pub passages: u64,
    /// Those that have a vector of the new model.
    pub embedded: u64,
    /// How long the rest may still take, by what was done lately; `None` while that cannot be told.
    pub remaining: Option<TimeDelta>,
    /// Why it does not go on at the moment.
    pub problem: Option<MoveProblem>,
    /// What the model's service said of it, where the problem is its.
    pub detail: Option<String>,
    /// Whether it was given up; choosing the model again takes it up.
    pub given_up: bool,
}

impl App {
    /// Adds a knowledge base.
    pub async fn create_knowledge_base(
        &self,
        access: &Access,
        form: &KnowledgeBaseForm,
    ) -> Result<KnowledgeBase> {
        let permit = access.permit(Resource::KnowledgeBase, Action::Create)?;
        let name = name(form.name.as_deref().unwrap_or_default())?;
        let mut new = NewKnowledgeBase {
            name: name.clone(),
            description: description(form.description.as_deref().unwrap_or_default())?,
            embedding_model: None,
            chunking: chunking(form.chunking.as_ref())?,
        };
        let mut tx = self.store.begin(&permit).await?;
        new.embedding_model = match &form.embedding_model {
            Some(model) => Some(self.known_model(&mut tx, model).await?),
            None => self.first_model(&mut tx).await?,
        };
        let id = tx
            .knowledge_bases()
            .insert(&new)
            .await
            .map_err(|error| name_taken(error, &name))?;
        let made = fetch(&mut tx, id).await?;
        tx.audit()
            .append(
                NewEntry::new("knowledge_base.create", "knowledge_base")
                    .of(id)
                    .details(json!({ "name": name })),
            )
            .await?;
        tx.commit().await?;
        Ok(made)
    }

    /// One knowledge base.
    pub async fn knowledge_base(&self, access: &Access, id: KnowledgeBaseId) -> Result<KnowledgeBase> {
        let permit = access.permit(Resource::KnowledgeBase, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let found = fetch(&mut tx, id).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// How far the change of a knowledge base's model has come; `None` when there is none under way.
    pub async fn building(&self, access: &Access, base: &KnowledgeBase) -> Result<Option<Building>> {
        let Some(model) = &base.building_model else {
            return Ok(None);
        };
        let permit = access.permit(Resource::KnowledgeBase, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let now = self.environment().now();
        let moved = tx.chunks().moved(base.id, model, now - LATELY).await?;
        let job = tx
            .jobs()
            .youngest(Embed::KIND, &Embed::keys(base.id, model))
            .await?;
        let is_there = self.is_at_hand(&mut tx, model).await?;
        tx.commit().await?;
        let given_up = job.as_ref().is_some_and(|job| job.state == JobState::Dead);
        let stalled = job.as_ref().and_then(Stalled::of);
        let (problem, detail) = match (is_there, stalled) {
            (false, _) => (Some(MoveProblem::ModelMissing), None),
            (true, Some(Stalled { problem, detail, .. })) => (Some(problem), detail),
            (true, None) => (None, None),
        };
        Ok(Some(Building {
            passages: moved.passages,
            embedded: moved.embedded,
            remaining: remaining(&moved, now),
            problem,
            detail,
            given_up,
        }))
    }

    /// A page of the knowledge bases, newest first.
    pub async fn knowledge_bases(
        &self,
        access: &Access,
        page: PageRequest<KnowledgeBaseId>,
        status: Option<KnowledgeBaseStatus>,
    ) -> Result<Page<KnowledgeBase>> {
        let permit = access.permit(Resource::KnowledgeBase, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let found = tx.knowledge_bases().list(page, status).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// The knowledge base of this name, made when there is none.
    pub async fn knowledge_base_named(&self, access: &Access, wanted: &str) -> Result<KnowledgeBase> {
        let permit = access.permit(Resource::KnowledgeBase, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let found = tx.knowledge_bases().by_name(wanted.trim()).await?;
        tx.commit().await?;
        if let Some(found) = found {
            return Ok(found);
        }
        let form = KnowledgeBaseForm {
            name: Some(wanted.to_owned()),
            ..KnowledgeBaseForm::default()
        };
        self.create_knowledge_base(access, &form).await
    }

    /// Changes a knowledge base. Another embedding model is worked towards in the background; until every passage has its new
    /// vector, the old ones are searched.
    pub async fn update_knowledge_base(
        &self,
        access: &Access,
        id: KnowledgeBaseId,
        form: &KnowledgeBaseForm,
    ) -> Result<KnowledgeBase> {
        let permit = access.permit(Resource::KnowledgeBase, Action::Update)?;
        let mut tx = self.store.begin(&permit).await?;
        let base = tx
            .knowledge_bases()
            .lock(id)
            .await?
            .ok_or(Error::NotFound("knowledge base"))?;
        let new_name = form.name.as_deref().map_or(Ok(base.name.clone()), name)?;
        let new_description = form
            .description
            .as_deref()
            .map_or(Ok(base.description.clone()), description)?;
        let new_chunking = match &form.chunking {
            Some(value) => chunking(Some(value))?,
            None => base.chunking.clone(),
        };
        tx.knowledge_bases()
            .describe(id, &new_name, &new_description, &new_chunking)
            .await
            .map_err(|error| name_taken(error, &new_name))?;
        let was_archived = base.status == KnowledgeBaseStatus::Archived;
        if let Some(archived) = form.archived.filter(|archived| *archived != was_archived) {
            tx.knowledge_bases().set_archived(id, archived).await?;
        }
        if let Some(model) = &form.embedding_model {
            if form.archived.unwrap_or(was_archived) {
                return Err(Error::Conflict(
                    "an archived knowledge base keeps its embedding model; bring it back first".to_owned(),
                ));
            }
            let model = self.known_model(&mut tx, model).await?;
            move_to_model(&mut tx, &base, &model).await?;
        }
        let changed = fetch(&mut tx, id).await?;
        tx.audit()
            .append(
                NewEntry::new("knowledge_base.update", "knowledge_base")
                    .of(id)
                    .details(json!({
                        "name": changed.name, "status": changed.status, "embedding_model": changed.embedding_model,
                        "building_model": changed.building_model,
                    })),
            )
            .await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// Removes a knowledge base with all its documents, whoever may see them, from storage and from answers.
    pub async fn delete_knowledge_base(&self, access: &Access, id: KnowledgeBaseId) -> Result<()> {
        let permit = access.permit(Resource::KnowledgeBase, Action::Delete)?;
        let mut tx = self.store.begin(&permit).await?;
        let removed = tx
            .knowledge_bases()
            .delete(id)
            .await?
            .ok_or(Error::NotFound("knowledge base"))?;
        for blob in &removed.blobs {
            tx.blobs().delete(*blob).await?;
        }
        tx.usage().subtract(Metric::Documents, removed.documents).await?;
        tx.usage().subtract(Metric::StorageBytes, removed.bytes).await?;
        tx.audit()
            .append(
                NewEntry::new("knowledge_base.delete", "knowledge_base")
                    .of(id)
                    .details(json!({ "documents": removed.documents })),
            )
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// The knowledge base of a new document: there, and open for documents.
    pub(crate) async fn open_knowledge_base(
        &self,
        permit: &Permit,
        id: KnowledgeBaseId,
    ) -> Result<KnowledgeBase> {
        let mut tx = self.store.begin(permit).await?;
        let base = fetch(&mut tx, id).await?;
        tx.commit().await?;
        if base.status == KnowledgeBaseStatus::Archived {
            return Err(Error::Conflict(
                "this knowledge base is archived; bring it back before you add documents".to_owned(),
            ));
        }
        Ok(base)
    }
}

async fn move_to_model(tx: &mut OrgTx, base: &KnowledgeBase, model: &str) -> Result<()> {
    if let Some(building) = &base.building_model {
        let keys = Embed::keys(base.id, building);
        let job = tx.jobs().youngest(Embed::KIND, &keys).await?;
        let given_up = job.filter(|job| job.state == JobState::Dead);
        match given_up {
            Some(job) if building == model => _ = tx.jobs().revive(job.id).await?,
            Some(job) => _ = tx.jobs().cancel(job.id).await?,
            None => {}
        }
        if building == model {
            return Ok(());
        }
    }
    tx.knowledge_bases().unstage(base.id).await?;
    if base.embedding_model.as_deref() == Some(model) {
        return Ok(tx.knowledge_bases().build(base.id, None).await?);
    }
    tx.knowledge_bases().build(base.id, Some(model)).await?;
    let job = NewJob::of(&Embed {
        knowledge_base: base.id,
    });
    let [_, key] = Embed::keys(base.id, model);
    tx.jobs().push(job.unique(key)).await?;
    Ok(())
}

/// How long the passages without a vector may still take, if they come as fast as the recent ones did.
fn remaining(moved: &Moved, now: DateTime<Utc>) -> Option<TimeDelta> {
    let (begun, done) = moved.recent.filter(|(_, done)| *done > 0)?;
    let left = i64::try_from(moved.passages.saturating_sub(moved.embedded)).ok()?;
    let spent = (now - begun).num_milliseconds().checked_mul(left)?;
    Some(TimeDelta::milliseconds(spent / i64::try_from(done).ok()?))
}

async fn fetch(tx: &mut OrgTx, id: KnowledgeBaseId) -> Result<KnowledgeBase> {
    tx.knowledge_bases()
        .get(id)
        .await?
        .ok_or(Error::NotFound("knowledge base"))
}

fn name(text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 200 || text.chars().any(char::is_control) {
        return Err(Error::invalid("/name", "give a name of 1 to 200 characters"));
    }
    Ok(text.to_owned())
}

fn description(text: &str) -> Result<String> {
    let text = text.trim();
    if text.chars().count() > 2_000 || text.contains('\0') {
        return Err(Error::invalid("/description", "at most 2,000 characters"));
    }
    Ok(text.to_owned())
}

fn chunking(value: Option<&Value>) -> Result<Value> {
    let Some(value) = value else {
        return Ok(json!({}));
    };
    let settings: chunk::Settings = serde_json::from_value(value.clone())
        .map_err(|error| Error::invalid("/chunking", error.to_string()))?;
    if !(100..=4_000).contains(&settings.target)
        || !(settings.target..=8_000).contains(&settings.max)
        || settings.overlap > settings.target / 2
    {
        return Err(Error::invalid(
            "/chunking",
            "target is 100 to 4000, max is from target to 8000, overlap at most half of target",
        ));
    }
    Ok(value.clone())
}

fn name_taken(error: amebo_store::Error, name: &str) -> Error {
    if error.is_conflict_on("knowledge_bases_name") {
        Error::Conflict(format!("there is already a knowledge base named {name}"))
    } else {
        error.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_takes_as_long_as_what_was_done_lately() {
        let begun = DateTime::<Utc>::UNIX_EPOCH;
        let now = begun + TimeDelta::seconds(20);
        let mut moved = Moved {
            passages: 1_000,
            embedded: 400,
            recent: Some((begun, 200)),
        };
        assert_eq!(remaining(&moved, now), Some(TimeDelta::seconds(60)));
        moved.recent = Some((begun, 0));
        assert_eq!(remaining(&moved, now), None, "one batch tells nothing");
        moved.recent = None;
        assert_eq!(remaining(&moved, now), None);
    }
}
