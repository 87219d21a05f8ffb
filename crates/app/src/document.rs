//! Documents as people and programs handle them: looking, changing, removing, processing anew.
//!
//! Whoever is not in the audience of a document does not know that it exists, whatever their role.

mod page;
mod receive;
mod view;

use amebo_core::document::{Audience, Reader};
use amebo_core::id::DocumentId;
use amebo_core::page::{Page, PageRequest};
use amebo_core::permission::{Action, Resource};
use amebo_store::audit::NewEntry;
use amebo_store::job::NewJob;
use amebo_store::{Document, DocumentFilter, Metric, OrgTx, Permit};
use serde_json::{Map, Value, json};

pub use page::PageAddress;
pub(crate) use page::{Unread, title_of_address, web_address};
pub use receive::{Received, Upload};
pub(crate) use receive::{count, file_name, not_kept};
pub use view::{Download, PassageInContext, Progress};

use crate::ingest::Ingest;
use crate::{Access, App, Error, Result};

/// The most entries a document's metadata may have, and the most bytes all of it.
const MAX_METADATA: (usize, usize) = (64, 16_384);

/// What is changed of a document; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct DocumentForm {
    /// 1 to 500 characters.
    pub title: Option<String>,
    /// What is said of it.
    pub metadata: Option<Map<String, Value>>,
    /// Who may see it.
    pub audience: Option<Audience>,
}

impl App {
    /// One document.
    pub async fn document(&self, access: &Access, id: DocumentId) -> Result<Document> {
        let permit = access.permit(Resource::Document, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let document = fetch(&mut tx, id, Action::Read, access).await?;
        tx.commit().await?;
        Ok(document)
    }

    /// A page of the documents that the caller may see, newest first.
    pub async fn documents(
        &self,
        access: &Access,
        page: PageRequest<DocumentId>,
        filter: &DocumentFilter,
    ) -> Result<Page<Document>> {
        let permit = access.permit(Resource::Document, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let found = tx.documents().list(page, filter, access.reader()).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// Changes what is said of a document and who may see it.
    pub async fn update_document(
        &self,
        access: &Access,
        id: DocumentId,
        form: &DocumentForm,
    ) -> Result<Document> {
        let permit = access.permit(Resource::Document, Action::Update)?;
        let mut tx = self.store.begin(&permit).await?;
        let before = fetch(&mut tx, id, Action::Update, access).await?;
        let new_title = form.title.as_deref().map_or(Ok(before.title.clone()), title)?;
        let metadata = form.metadata.as_ref().unwrap_or(&before.metadata);
        check_metadata(metadata)?;
        tx.documents().describe(id, &new_title, metadata).await?;
        if (&new_title, metadata) != (&before.title, &before.metadata) {
            let said =
                |title: &str, metadata: &Map<String, Value>| json!({ "title": title, "metadata": metadata });
            tx.audit()
                .append(
                    NewEntry::new("document.update", "document")
                        .of(id)
                        .details(json!({
                            "before": said(&before.title, &before.metadata),
                            "after": said(&new_title, metadata),
                        })),
                )
                .await?;
        }
        let audience = form
            .audience
            .as_ref()
            .filter(|wanted| **wanted != before.audience);
        if let Some(audience) = audience {
            check_audience(audience, access.reader())?;
            tx.documents().set_audience(id, audience).await?;
            tx.audit()
                .append(
                    NewEntry::new("document.audience", "document")
                        .of(id)
                        .details(json!({ "before": before.audience, "after": audience })),
                )
                .await?;
        }
        // A title is part of what is embedded and searched.
        if new_title != before.title {
            let version = tx.documents().renew(id, None).await?;
            push_ingest(&mut tx, id, version).await?;
        }
        let after = tx.documents().get(id).await?.ok_or(Error::NotFound("document"))?;
        tx.commit().await?;
        Ok(after)
    }

    /// Processes a document's bytes anew. What is findable stays so until the new passages are.
    pub async fn reindex_document(&self, access: &Access, id: DocumentId) -> Result<Document> {
        let permit = access.permit(Resource::Document, Action::Update)?;
        let mut tx = self.store.begin(&permit).await?;
        fetch(&mut tx, id, Action::Update, access).await?;
        let version = tx.documents().renew(id, None).await?;
        push_ingest(&mut tx, id, version).await?;
        tx.audit()
            .append(NewEntry::new("document.reindex", "document").of(id))
            .await?;
        let document = tx.documents().get(id).await?.ok_or(Error::NotFound("document"))?;
        tx.commit().await?;
        Ok(document)
    }

    /// Removes a document: from answers and storage, at once.
    pub async fn delete_document(&self, access: &Access, id: DocumentId) -> Result<()> {
        let permit = access.permit(Resource::Document, Action::Delete)?;
        let mut tx = self.store.begin(&permit).await?;
        let document = fetch(&mut tx, id, Action::Delete, access).await?;
        tx.usage().subtract(Metric::Documents, 1).await?;
        tx.usage()
            .subtract(Metric::StorageBytes, document.size_bytes)
            .await?;
        tx.documents().delete(id).await?;
        if let Some(blob) = document.blob {
            tx.blobs().delete(blob).await?;
        }
        tx.events()
            .append(
                "document.deleted",
                Some(amebo_core::id::Id::uuid(id)),
                &json!({ "knowledge_base_id": document.knowledge_base }),
            )
            .await?;
        tx.audit()
            .append(
                NewEntry::new("document.delete", "document").of(id).details(
                    json!({ "title": document.title, "knowledge_base_id": document.knowledge_base }),
                ),
            )
            .await?;
        tx.commit().await?;
        Ok(())
    }
}

/// One document for an action, if the caller may see it at all.
async fn fetch(tx: &mut OrgTx, id: DocumentId, action: Action, access: &Access) -> Result<Document> {
    tx.documents()
        .fetch_for(id, action, access.reader())
        .await?
        .ok_or(Error::NotFound("document"))
}

/// Asks for a version of a document to be processed.
async fn push_ingest(tx: &mut OrgTx, document: DocumentId, version: i32) -> Result<()> {
    let job = NewJob::of(&Ingest { document, version }).lane(format!("document:{document}"));
    tx.jobs().push(job).await?;
    Ok(())
}

fn title(text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 500 || text.chars().any(char::is_control) {
        return Err(Error::invalid("/title", "give a title of 1 to 500 characters"));
    }
    Ok(text.to_owned())
}

fn check_metadata(metadata: &Map<String, Value>) -> Result<()> {
    let (entries, bytes) = MAX_METADATA;
    let text = Value::Object(metadata.clone()).to_string();
    if metadata.len() > entries || text.len() > bytes || text.contains("\\u0000") {
        return Err(Error::invalid(
            "/metadata",
            format!("at most {entries} entries and {bytes} bytes altogether, without NUL characters"),
        ));
    }
    Ok(())
}

pub(crate) fn check_audience(audience: &Audience, reader: &Reader) -> Result<()> {
    let (roles, users) = match audience {
        Audience::Members { roles, users } => (roles, users),
        Audience::SlackChannel { .. } if !audience.includes(reader) => {
            return Err(Error::invalid(
                "/audience",
                "only members of a Slack channel can show a document to it",
            ));
        }
        _ => return Ok(()),
    };
    if roles.is_empty() && users.is_empty() {
        return Err(Error::invalid("/audience", "name at least one role or person"));
    }
    if roles.len() + users.len() > 1_000 {
        return Err(Error::invalid(
            "/audience",
            "name at most 1,000 roles and people; use roles for larger groups",
        ));
    }
    if matches!(reader, Reader::Member { .. }) && !audience.includes(reader) {
        return Err(Error::invalid(
            "/audience",
            "you would not see this document any more; name yourself or your role as well",
        ));
    }
    Ok(())
}

/// A permit together with the limits of its organisation.
pub(crate) async fn limits(app: &App, permit: &Permit) -> Result<amebo_core::organization::Limits> {
    let mut tx = app.store.begin(permit).await?;
    let limits = tx.organizations().current().await?.limits;
    tx.commit().await?;
    Ok(limits)
}
