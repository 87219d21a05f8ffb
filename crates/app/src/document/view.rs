//! Looking into documents: their text, passages and originals, and how far those in work have come.

use std::ops::Range;

use amebo_core::document::DocumentStatus;
use amebo_core::id::{ChunkId, DocumentId, KnowledgeBaseId};
use amebo_core::page::{Page, PageRequest};
use amebo_core::permission::{Action, Resource};
use amebo_store::blob;
use amebo_store::{Document, DocumentFilter, Passage, TextWindow};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};

use super::fetch;
use crate::{Access, App, Error, Result, mirror};

/// How many bytes of text are shown at a time.
const MAX_WINDOW: usize = 200_000;
/// How many bytes of text are shown on either side of a passage.
const AROUND: usize = 1_000;
/// How late a change may come to light after the time it bears: longer than any transaction that changes documents.
const LATE: TimeDelta = TimeDelta::seconds(10);
/// How many changes are told at a time.
const TOLD_AT_ONCE: u32 = 500;

/// A document's original, ready to be sent.
pub struct Download {
    /// The document.
    pub document: Document,
    /// Its bytes.
    pub bytes: BoxStream<'static, Result<Bytes, blob::Error>>,
}

/// A passage with the text around it.
#[derive(Debug, Clone)]
pub struct PassageInContext {
    /// The passage.
    pub passage: Passage,
    /// The document's text around it, the passage included.
    pub surrounding: Option<TextWindow>,
}

/// What changed in the documents that somebody follows.
#[derive(Debug, Clone)]
pub struct Progress {
    /// Each changed document with the time it may still take.
    pub documents: Vec<(Document, Option<TimeDelta>)>,
    /// Where to go on next time.
    pub cursor: DateTime<Utc>,
    /// Documents of the organisation that wait or are in work.
    pub waiting: u64,
    /// How long those may still take altogether; `None` while there is nothing to go by.
    pub remaining: Option<TimeDelta>,
}

impl App {
    /// A stretch of a document's extracted text.
    pub async fn document_text(
        &self,
        access: &Access,
        id: DocumentId,
        range: Range<usize>,
    ) -> Result<TextWindow> {
        let permit = access.permit(Resource::Document, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        fetch(&mut tx, id, Action::Read, access).await?;
        let end = range.end.min(range.start.saturating_add(MAX_WINDOW));
        let text = tx
            .chunks()
            .text(id, range.start..end.max(range.start))
            .await?
            .ok_or(Error::Conflict(
                "the text of this document has not been extracted yet; its status says how far it is"
                    .to_owned(),
            ))?;
        tx.commit().await?;
        Ok(text)
    }

    /// A page of a document's passages, in order.
    pub async fn passages(
        &self,
        access: &Access,
        id: DocumentId,
        page: PageRequest<u32>,
    ) -> Result<Page<Passage>> {
        let permit = access.permit(Resource::Document, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        fetch(&mut tx, id, Action::Read, access).await?;
        let passages = tx.chunks().of_document(id, page).await?;
        tx.commit().await?;
        Ok(passages)
    }

    /// One passage with the text around it.
    pub async fn passage(&self, access: &Access, id: ChunkId) -> Result<PassageInContext> {
        let permit = access.permit(Resource::Document, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let passage = tx
            .chunks()
            .get(id, access.reader())
            .await?
            .ok_or(Error::NotFound("passage"))?;
        let around = passage.range.start.saturating_sub(AROUND)..passage.range.end + AROUND;
        let surrounding = tx.chunks().text(passage.document, around).await?;
        tx.commit().await?;
        Ok(PassageInContext { passage, surrounding })
    }

    /// A document's original.
    pub async fn download_document(&self, access: &Access, id: DocumentId) -> Result<Download> {
        let permit = access.permit(Resource::Document, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let document = fetch(&mut tx, id, Action::Read, access).await?;
        let Some(blob) = document.blob else {
            // What is written down from messages has no other original than its text.
            let text = mirror::extracted(&mut tx, id).await?.unwrap_or_default().text;
            tx.commit().await?;
            let mut document = document;
            document.size_bytes = text.len() as u64;
            let bytes = futures::stream::iter([Ok(Bytes::from(text))]).boxed();
            return Ok(Download { document, bytes });
        };
        let blob = tx.blobs().get(blob).await?.ok_or(Error::NotFound("document"))?;
        tx.commit().await?;
        let bytes = self.storage.get(&blob).await.map_err(|error| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "an original could not be read"
            );
            Error::Unavailable("the file storage")
        })?;
        Ok(Download {
            document,
            bytes: bytes.map_err(blob::Error::from).boxed(),
        })
    }

    /// What changed in the documents that the caller may see, at or after `since`; with `None`, what is in work now. The same change
    /// may be told twice, since each tells the whole state; none is left out.
    pub async fn document_progress(
        &self,
        access: &Access,
        knowledge_base: Option<KnowledgeBaseId>,
        since: Option<DateTime<Utc>>,
    ) -> Result<Progress> {
        let permit = access.permit(Resource::Document, Action::Read)?;
        let now = self.environment().now();
        let filter = DocumentFilter {
            knowledge_base,
            ..DocumentFilter::default()
        };
        let mut tx = self.store.begin(&permit).await?;
        let changed = tx
            .documents()
            .changed_since(
                since.unwrap_or(now),
                &filter,
                access.reader(),
                since.is_none(),
                TOLD_AT_ONCE,
            )
            .await?;
        let backlog = tx.documents().backlog().await?;
        tx.commit().await?;
        let newest = changed.last().map(|document| document.updated_at);
        let is_all = changed.len() < TOLD_AT_ONCE as usize;
        let cursor = match (since, newest) {
            // More are waiting to be told: go on exactly there.
            (Some(_), Some(newest)) if !is_all => newest,
            (Some(since), _) => since.max(now - LATE),
            (None, _) => now - LATE,
        };
        let remaining = backlog.recent_since.and_then(|begun| {
            let spent = (now - begun).num_milliseconds().max(1);
            let left = i64::try_from(backlog.bytes).ok()?.checked_mul(spent)?;
            let recent = i64::try_from(backlog.recent_bytes)
                .ok()
                .filter(|bytes| *bytes > 0)?;
            Some(TimeDelta::milliseconds(left / recent))
        });
        Ok(Progress {
            documents: changed
                .into_iter()
                .map(|document| {
                    let remaining = remaining_of(&document, now);
                    (document, remaining)
                })
                .collect(),
            cursor,
            waiting: backlog.documents,
            remaining: remaining.filter(|_| backlog.documents > 0),
        })
    }
}

/// How long the passages of a document may still take, by those that are done.
fn remaining_of(document: &Document, now: DateTime<Utc>) -> Option<TimeDelta> {
    let (done, of) = (i64::from(document.chunks_done), i64::from(document.chunk_count));
    let begun = document
        .started_at
        .filter(|_| document.status == DocumentStatus::Embedding && done > 0)?;
    let spent = (now - begun).num_milliseconds();
    Some(TimeDelta::milliseconds(spent * (of - done).max(0) / done))
}
