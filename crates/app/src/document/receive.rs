//! Taking documents in: bytes to storage, then one transaction with the document, its file, its place in the quota and its job.

use amebo_core::document::{Audience, DocumentStatus, SourceKind};
use amebo_core::id::{DocumentId, Id, KnowledgeBaseId, SourceId};
use amebo_core::permission::{Action, Resource};
use amebo_store::audit::NewEntry;
use amebo_store::blob::{self, Stored};
use amebo_store::{Document, Metric, NewDocument, OrgTx, Original, Permit};
use bytes::Bytes;
use futures::Stream;
use serde_json::{Map, Value, json};
use url::Url;

use super::{check_audience, check_metadata, fetch, limits, push_ingest, title};
use crate::{Access, App, Error, Result};

/// The media type of an original before its content has been looked at.
const OPAQUE: &str = "application/octet-stream";

/// A document to be taken in, its bytes apart.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The knowledge base it goes to.
    pub knowledge_base: KnowledgeBaseId,
    /// The file's name; parts of a path before it are dropped.
    pub name: String,
    /// As people see it; from the name when absent.
    pub title: Option<String>,
    /// What is said of it.
    pub metadata: Map<String, Value>,
    /// Who may see it.
    pub audience: Audience,
}

/// What became of an upload.
#[derive(Debug, Clone)]
pub struct Received {
    /// The document that holds these bytes.
    pub document: Document,
    /// Whether the upload made or changed it; the same bytes are not processed twice.
    pub is_new: bool,
}

/// Where the bytes came from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin<'a> {
    /// The kind of source.
    pub(super) kind: SourceKind,
    /// The source; that of single documents of its kind when absent.
    pub(super) source: Option<SourceId>,
    /// The web page they are.
    pub(super) url: Option<&'a Url>,
}

impl App {
    /// Whether the caller may upload to a knowledge base now: asked before a body is read.
    pub async fn check_upload(&self, access: &Access, knowledge_base: KnowledgeBaseId) -> Result<()> {
        let permit = access.permit(Resource::Document, Action::Create)?;
        self.open_knowledge_base(&permit, knowledge_base).await.map(drop)
    }

    /// Takes a document in. It is durable when this returns, and processed in the background.
    pub async fn receive_document<S, E>(&self, access: &Access, upload: &Upload, bytes: S) -> Result<Received>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let permit = access.permit(Resource::Document, Action::Create)?;
        let kind = match access.user() {
            Some(_) => SourceKind::Upload,
            None => SourceKind::Api,
        };
        check(upload, access)?;
        let _pass = self.uploads.enter(access.organization()).await?;
        let stored = self.keep(&permit, upload.knowledge_base, bytes).await?;
        let received = self
            .accept(
                access,
                &permit,
                upload,
                Origin {
                    kind,
                    source: None,
                    url: None,
                },
                &stored,
            )
            .await;
        self.unless_refused(&permit, &stored, received).await
    }

    /// Puts other bytes in a document's place. What is findable stays so until the new passages are.
    pub async fn replace_document<S, E>(
        &self,
        access: &Access,
        id: DocumentId,
        name: Option<&str>,
        bytes: S,
    ) -> Result<Received>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let permit = access.permit(Resource::Document, Action::Update)?;
        let before = self.document(access, id).await?;
        let _pass = self.uploads.enter(access.organization()).await?;
        let stored = self.keep(&permit, before.knowledge_base, bytes).await?;
        let received = async {
            let limits = limits(self, &permit).await?;
            let mut tx = self.store.begin(&permit).await?;
            let before = fetch(&mut tx, id, Action::Update, access).await?;
            let name = name.map_or(before.original_name.clone(), file_name);
            let received = replace(&mut tx, &before, &stored, name, limits.storage_bytes).await?;
            record(&mut tx, "document.replace", &received).await?;
            tx.commit().await?;
            Ok(received)
        };
        let received = received.await;
        self.unless_refused(&permit, &stored, received).await
    }

    /// Has the bytes of an upload that was refused removed, so that refusals cannot fill the storage.
    pub(super) async fn unless_refused(
        &self,
        permit: &Permit,
        stored: &Stored,
        received: Result<Received>,
    ) -> Result<Received> {
        if received.is_err() {
            let removed = async {
                let mut tx = self.store.begin(permit).await?;
                discard(&mut tx, stored).await?;
                Ok::<_, Error>(tx.commit().await?)
            };
            if let Err(error) = removed.await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the bytes of a refused upload stay until they are swept away"
                );
            }
        }
        received
    }

    /// Writes bytes to storage, within the plan's limit for one file.
    pub(super) async fn keep<S, E>(&self, permit: &Permit, base: KnowledgeBaseId, bytes: S) -> Result<Stored>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.open_knowledge_base(permit, base).await?;
        let limit = limits(self, permit).await?.upload_bytes;
        let stored = self
            .storage
            .put(permit.organization(), bytes, limit)
            .await
            .map_err(not_kept)?;
        if stored.size_bytes == 0 {
            let mut tx = self.store.begin(permit).await?;
            discard(&mut tx, &stored).await?;
            tx.commit().await?;
            return Err(Error::invalid(
                "/file",
                "the file is empty; check it and upload it again",
            ));
        }
        Ok(stored)
    }

    /// Makes a document of stored bytes, unless the knowledge base holds them already.
    pub(super) async fn accept(
        &self,
        access: &Access,
        permit: &Permit,
        upload: &Upload,
        origin: Origin<'_>,
        stored: &Stored,
    ) -> Result<Received> {
        let limits = limits(self, permit).await?;
        // Somebody may be uploading the same bytes at this moment; whoever comes second finds the first one's document.
        for _ in 0..2 {
            let mut tx = self.store.begin(permit).await?;
            if let Some(known) = tx
                .documents()
                .by_content(upload.knowledge_base, &stored.sha256)
                .await?
            {
                let received = recognise(&mut tx, access, &known, stored).await?;
                tx.commit().await?;
                return Ok(received);
            }
            let at_address = match origin.url {
                Some(url) => {
                    tx.documents()
                        .by_source_url(upload.knowledge_base, url.as_str())
                        .await?
                }
                None => None,
            };
            if let Some(before) = at_address {
                access.permit(Resource::Document, Action::Update)?;
                let before = fetch(&mut tx, before.id, Action::Update, access).await?;
                let received = replace(
                    &mut tx,
                    &before,
                    stored,
                    file_name(&upload.name),
                    limits.storage_bytes,
                )
                .await?;
                record(&mut tx, "document.replace", &received).await?;
                tx.commit().await?;
                return Ok(received);
            }
            match insert(&mut tx, upload, origin, stored, &limits).await {
                Ok(document) => {
                    let received = Received {
                        document,
                        is_new: true,
                    };
                    record(&mut tx, "document.create", &received).await?;
                    tx.commit().await?;
                    return Ok(received);
                }
                Err(Refused::Raced) => {}
                Err(Refused::Error(error)) => return Err(error),
            }
        }
        Err(Error::Conflict(
            "the same document is being uploaded and removed at the same time; try again".to_owned(),
        ))
    }
}

/// Why a document was not inserted.
pub(super) enum Refused {
    /// Another transaction inserted the same bytes or address first.
    Raced,
    Error(Error),
}

impl<E: Into<Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

pub(super) async fn insert(
    tx: &mut OrgTx,
    upload: &Upload,
    origin: Origin<'_>,
    stored: &Stored,
    limits: &amebo_core::organization::Limits,
) -> Result<Document, Refused> {
    count(tx, Metric::Documents, 1, limits.documents).await?;
    count(tx, Metric::StorageBytes, stored.size_bytes, limits.storage_bytes).await?;
    let name = file_name(&upload.name);
    let blob = tx.blobs().insert(stored, OPAQUE).await?;
    let new = NewDocument {
        knowledge_base: upload.knowledge_base,
        source: match origin.source {
            Some(source) => source,
            None => {
                tx.sources()
                    .of_single_documents(upload.knowledge_base, origin.kind)
                    .await?
            }
        },
        title: upload
            .title
            .as_deref()
            .map_or_else(|| Ok(title_of(&name)), title)?,
        original: original(stored, name, blob),
        source_url: origin.url.map(Url::to_string),
        metadata: upload.metadata.clone(),
        audience: upload.audience.clone(),
    };
    let id = match tx.documents().insert(&new).await {
        Ok(id) => id,
        Err(error)
            if error.is_conflict_on("documents_content") || error.is_conflict_on("documents_source_url") =>
        {
            return Err(Refused::Raced);
        }
        Err(error) => return Err(error.into()),
    };
    push_ingest(tx, id, 1).await?;
    tx.events()
        .append(
            "document.uploaded",
            Some(id.uuid()),
            &json!({ "knowledge_base_id": upload.knowledge_base }),
        )
        .await?;
    let document = tx.documents().get(id).await?;
    Ok(document.ok_or(Error::NotFound("document"))?)
}

/// Answers an upload of bytes that the knowledge base holds already. One that failed before is tried again.
async fn recognise(tx: &mut OrgTx, access: &Access, known: &Document, stored: &Stored) -> Result<Received> {
    if !known.audience.includes(access.reader()) {
        return Err(Error::Conflict(
            "this knowledge base holds the same file for a smaller audience; ask those who manage it"
                .to_owned(),
        ));
    }
    discard(tx, stored).await?;
    let mut document = known.clone();
    if known.status == DocumentStatus::Failed {
        let version = tx.documents().renew(known.id, None).await?;
        push_ingest(tx, known.id, version).await?;
        document = tx
            .documents()
            .get(known.id)
            .await?
            .ok_or(Error::NotFound("document"))?;
    }
    Ok(Received {
        document,
        is_new: false,
    })
}

/// Puts stored bytes in the place of a document's.
pub(super) async fn replace(
    tx: &mut OrgTx,
    before: &Document,
    stored: &Stored,
    name: String,
    limit: u64,
) -> Result<Received> {
    if before.content_hash == stored.sha256 {
        discard(tx, stored).await?;
        return Ok(Received {
            document: before.clone(),
            is_new: false,
        });
    }
    let Some(original) = before.blob else {
        return Err(Error::Conflict(
            "this document is written down from messages; change them where they were said".to_owned(),
        ));
    };
    tx.usage()
        .subtract(Metric::StorageBytes, before.size_bytes)
        .await?;
    count(tx, Metric::StorageBytes, stored.size_bytes, limit).await?;
    let blob = tx.blobs().insert(stored, OPAQUE).await?;
    let version = tx
        .documents()
        .renew(before.id, Some(&self::original(stored, name, blob)))
        .await
        .map_err(|error| {
            if error.is_conflict_on("documents_content") {
                Error::Conflict("another document of this knowledge base holds the same file".to_owned())
            } else {
                error.into()
            }
        })?;
    tx.blobs().delete(original).await?;
    push_ingest(tx, before.id, version).await?;
    let document = tx
        .documents()
        .get(before.id)
        .await?
        .ok_or(Error::NotFound("document"))?;
    Ok(Received {
        document,
        is_new: true,
    })
}

/// Notes in the audit log what somebody brought, unless it was there already.
async fn record(tx: &mut OrgTx, action: &'static str, received: &Received) -> Result<()> {
    let document = &received.document;
    if received.is_new {
        let entry = NewEntry::new(action, "document").of(document.id).details(json!({
            "title": document.title,
            "file": document.original_name,
            "knowledge_base_id": document.knowledge_base,
        }));
        tx.audit().append(entry).await?;
    }
    Ok(())
}

/// Has stored bytes removed that nobody needs.
pub(super) async fn discard(tx: &mut OrgTx, stored: &Stored) -> Result<()> {
    let blob = tx.blobs().insert(stored, OPAQUE).await?;
    tx.blobs().delete(blob).await?;
    Ok(())
}

/// Counts something against the plan.
pub(crate) async fn count(tx: &mut OrgTx, metric: Metric, amount: u64, limit: u64) -> Result<()> {
    if tx.usage().add(metric, amount, limit).await? {
        return Ok(());
    }
    let metric = match metric {
        Metric::Documents => "documents",
        Metric::StorageBytes => "bytes of stored files",
        Metric::AiAnswers => "answers",
    };
    Err(Error::QuotaExceeded { metric, limit })
}

fn original(stored: &Stored, name: String, blob: amebo_core::id::BlobId) -> Original {
    Original {
        name,
        size_bytes: stored.size_bytes,
        content_hash: stored.sha256,
        blob: Some(blob),
    }
}

pub(super) fn check(upload: &Upload, access: &Access) -> Result<()> {
    if let Some(text) = &upload.title {
        title(text)?;
    }
    check_metadata(&upload.metadata)?;
    check_audience(&upload.audience, access.reader())
}

/// The last part of a path, without control characters, at most 255 characters; never empty.
pub(crate) fn file_name(path: &str) -> String {
    let last = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = last
        .chars()
        .filter(|character| !character.is_control())
        .take(255)
        .collect();
    let name = name.trim();
    if name.is_empty() {
        "document".to_owned()
    } else {
        name.to_owned()
    }
}

/// A file's name as a title: without its ending.
fn title_of(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, ending))
            if !stem.trim().is_empty()
                && (1..=5).contains(&ending.len())
                && ending.chars().all(char::is_alphanumeric) =>
        {
            stem.trim().to_owned()
        }
        _ => name.to_owned(),
    }
}

pub(crate) fn not_kept(error: blob::Error) -> Error {
    match error {
        blob::Error::TooLarge { limit } => Error::TooLarge { limit },
        blob::Error::Source(source) => {
            tracing::info!(
                error = source.as_ref() as &dyn std::error::Error,
                "an upload broke off"
            );
            Error::invalid("/file", "the upload broke off before its end; send it again")
        }
        other => {
            tracing::error!(error = &other as &dyn std::error::Error, "the storage failed");
            Error::Unavailable("the file storage")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_never_leads_anywhere() {
        assert_eq!(file_name("../../etc/passwd"), "passwd");
        assert_eq!(file_name("C:\\Users\\me\\plan.docx"), "plan.docx");
        assert_eq!(file_name("a\u{0}\r\nb.txt"), "ab.txt");
        assert_eq!(file_name("///"), "document");
    }

    #[test]
    fn a_title_is_the_name_without_its_ending() {
        assert_eq!(title_of("Travel policy.pdf"), "Travel policy");
        assert_eq!(title_of("v1.2 notes"), "v1.2 notes");
        assert_eq!(title_of(".env"), ".env");
    }
}
