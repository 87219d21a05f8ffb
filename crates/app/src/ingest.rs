//! From stored bytes to findable passages: one job for each version of a document.
//!
//! Each step commits before the next begins, and none is open while a file is read, extracted or embedded. Only the last step touches
//! what is searched: it puts text and passages in place, raises the organisation's revision and ends the job in one transaction. So
//! whatever is killed wherever, the job runs again from the beginning and nothing is half indexed. A version that somebody has
//! replaced or removed meanwhile is noticed at the next step and thrown away.

mod embed;
mod prepare;

use std::sync::Arc;
use std::time::Duration;

use amebo_core::document::DocumentStatus;
use amebo_core::failure::FailureCode;
use amebo_core::id::{DocumentId, Id};
use amebo_core::job::Priority;
use amebo_knowledge::embed::Embedder;
use amebo_knowledge::passage::Extracted;
use amebo_store::blob::{self, Blob};
use amebo_store::job::{Handler, Lease, NewJob, Outcome, Task};
use amebo_store::{Document, KnowledgeBase, Learnt, NewText, OrgTx, Permit};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub(crate) use embed::Stalled;
pub use embed::{Embed, EmbedHandler};

use self::prepare::Prepared;
use crate::reason::Reason;
use crate::{App, Error, mirror};

/// How long a document waits before its passages are given vectors when there was no model.
const MODEL_AWAITED: Duration = Duration::from_mins(1);

/// How many mebibytes of originals are processed at a time; a larger file is processed alone.
pub(crate) const ROOM: u32 = 128;

/// Process this version of a document.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ingest {
    /// The document.
    pub document: DocumentId,
    /// The version that was asked for; an older one than the document's is not processed.
    pub version: i32,
}

impl Task for Ingest {
    const KIND: &'static str = "document.ingest";
    const PRIORITY: Priority = Priority::Bulk;
    const MAX_ATTEMPTS: u16 = 8;
}

/// Handles [`Ingest`].
#[derive(Debug, Clone)]
pub struct IngestHandler(pub Arc<App>);

/// What is needed to process a version.
struct Taken {
    document: Document,
    base: KnowledgeBase,
    original: Original,
    /// The model of the knowledge base, when it is at hand.
    embedder: Option<Arc<dyn Embedder>>,
}

/// Why a version did not become findable.
enum Stop {
    /// It is no longer wanted.
    Superseded,
    /// The knowledge base changed its model meanwhile: begin again.
    ModelChanged,
    /// The document is such that it will never be.
    Unfit(Reason),
    /// Something is away.
    Later { reason: Reason, after: Option<Duration> },
}

/// What a document's text is read from.
enum Original {
    /// A stored file.
    File(Blob),
    /// Messages, already written down.
    Messages(Extracted),
}

impl From<amebo_store::Error> for Stop {
    fn from(error: amebo_store::Error) -> Self {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "a document waits for the database"
        );
        Self::Later {
            reason: Reason::new(error.to_string(), FailureCode::Failed),
            after: None,
        }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Later {
            reason: Reason::from(&error),
            after: None,
        }
    }
}

impl From<amebo_knowledge::embed::Error> for Stop {
    fn from(error: amebo_knowledge::embed::Error) -> Self {
        let after = match &error {
            amebo_knowledge::embed::Error::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        };
        Self::Later {
            reason: Reason::from(&error),
            after,
        }
    }
}

impl Handler for IngestHandler {
    type Task = Ingest;

    async fn run(&self, task: Ingest, lease: Lease) -> Outcome {
        let app = &self.0;
        let ended = tokio::select! {
            () = lease.stopped() => return Outcome::Cancelled,
            ended = app.ingest(&lease, &task) => ended,
        };
        let reason = match ended {
            Ok(()) | Err(Stop::Superseded) => return Outcome::Done,
            Err(Stop::ModelChanged) => return Outcome::Snooze(Duration::ZERO),
            Err(Stop::Later { reason, after }) if !lease.is_last_attempt() => {
                return Outcome::Retry {
                    reason: reason.sentence,
                    after,
                };
            }
            Err(Stop::Later { reason, .. }) => Reason {
                sentence: format!("{reason}. Process the document again later"),
                ..reason
            },
            Err(Stop::Unfit(reason)) => reason,
        };
        match app.set_aside(&lease, &task, &reason).await {
            Ok(()) => Outcome::Done,
            Err(error) => Outcome::retry(error),
        }
    }
}

impl App {
    async fn ingest(&self, lease: &Lease, task: &Ingest) -> Result<(), Stop> {
        let permit = lease.permit();
        let Taken {
            document,
            base,
            original,
            embedder,
        } = self.take_up(&permit, task).await?;
        // Documents in work take memory in proportion to their size.
        let size = u32::try_from(document.size_bytes >> 20).unwrap_or(ROOM);
        let _room = self.ingest_room.acquire_many(size.clamp(1, ROOM)).await;
        let extracted = match original {
            Original::File(blob) => self.extract(&document, &blob).await?,
            Original::Messages(extracted) => extracted,
        };
        let title = title_of(&document, &extracted);
        self.step(&permit, task, DocumentStatus::Chunking, async |tx| {
            tx.documents()
                .learn(task.document, task.version, &learnt(&extracted, &title))
                .await
        })
        .await?;
        let mut prepared = Prepared::make(extracted, title, &base.chunking).await?;
        if let Some(embedder) = &embedder {
            let count = prepared.count();
            self.step(&permit, task, DocumentStatus::Embedding, async |tx| {
                tx.documents()
                    .progress(task.document, task.version, 0, count)
                    .await
            })
            .await?;
            self.embed_passages(&permit, task, embedder, &mut prepared)
                .await?;
        }
        let model = embedder.as_ref().map(|embedder| embedder.model().id.as_str());
        self.publish(lease, task, &base, model, prepared).await
    }

    /// Marks the version as in work and reads what is needed to process it.
    async fn take_up(&self, permit: &Permit, task: &Ingest) -> Result<Taken, Stop> {
        let mut tx = self.store.begin(permit).await?;
        if !tx
            .documents()
            .advance(task.document, task.version, DocumentStatus::Processing)
            .await?
        {
            return Err(Stop::Superseded);
        }
        let document = tx.documents().get(task.document).await?.ok_or(Stop::Superseded)?;
        let base = tx
            .knowledge_bases()
            .get(document.knowledge_base)
            .await?
            .ok_or(Stop::Superseded)?;
        let original = match document.blob {
            Some(blob) => tx.blobs().get(blob).await?.map(Original::File),
            None => mirror::extracted(&mut tx, document.id)
                .await?
                .map(Original::Messages),
        };
        let embedder = match &base.embedding_model {
            Some(model) => self.embedder(&mut tx, model).await?,
            None => None,
        };
        tx.commit().await?;
        Ok(Taken {
            document,
            base,
            original: original.ok_or(Stop::Superseded)?,
            embedder,
        })
    }

    async fn extract(&self, document: &Document, blob: &Blob) -> Result<Extracted, Stop> {
        let bytes = self.storage.read(blob).await.map_err(|error| match error {
            blob::Error::Damaged { .. } => Stop::Unfit(Reason::new(
                "The stored file is damaged; upload the document again",
                FailureCode::OriginalDamaged,
            )),
            error => Stop::Later {
                reason: Reason::new(
                    format!("the file could not be read: {error}"),
                    FailureCode::StorageUnavailable,
                ),
                after: None,
            },
        })?;
        self.extractor
            .extract(Some(&document.original_name), &bytes)
            .await
            .map_err(|error| {
                let reason = Reason::from(&error);
                if error.is_temporary() {
                    Stop::Later { reason, after: None }
                } else {
                    Stop::Unfit(reason)
                }
            })
    }

    /// Moves the version on to `status` and writes what belongs to that.
    async fn step(
        &self,
        permit: &Permit,
        task: &Ingest,
        status: DocumentStatus,
        write: impl AsyncFnOnce(&mut OrgTx) -> amebo_store::Result<bool>,
    ) -> Result<(), Stop> {
        let mut tx = self.store.begin(permit).await?;
        let moved = tx
            .documents()
            .advance(task.document, task.version, status)
            .await?;
        if !moved || !write(&mut tx).await? {
            return Err(Stop::Superseded);
        }
        tx.commit().await?;
        Ok(())
    }

    async fn embed_passages(
        &self,
        permit: &Permit,
        task: &Ingest,
        embedder: &Arc<dyn Embedder>,
        prepared: &mut Prepared,
    ) -> Result<(), Stop> {
        let of = prepared.count();
        let mut told = self.environment().now();
        let mut slices = prepared.vectors(embedder);
        let mut vectors = Vec::with_capacity(of as usize);
        while let Some(slice) = futures::StreamExt::next(&mut slices).await {
            vectors.extend(slice?);
            let now = self.environment().now();
            if now - told >= chrono::TimeDelta::milliseconds(500) {
                told = now;
                let done = u32::try_from(vectors.len()).unwrap_or(u32::MAX);
                let mut tx = self.store.begin(permit).await?;
                if !tx
                    .documents()
                    .progress(task.document, task.version, done, of)
                    .await?
                {
                    return Err(Stop::Superseded);
                }
                tx.commit().await?;
            }
        }
        drop(slices);
        prepared.set_vectors(vectors);
        Ok(())
    }

    /// Makes the version findable and ends the job, in one transaction.
    async fn publish(
        &self,
        lease: &Lease,
        task: &Ingest,
        base: &KnowledgeBase,
        model: Option<&str>,
        prepared: Prepared,
    ) -> Result<(), Stop> {
        let (text, chunks): (NewText, _) = prepared.into_parts();
        let mut tx = self.store.begin(&lease.permit()).await?;
        if !tx.jobs().complete(lease).await? {
            return Err(Stop::Superseded);
        }
        tx.events()
            .append(
                "document.indexed",
                Some(task.document.uuid()),
                &json!({ "knowledge_base_id": base.id, "passages": chunks.len() }),
            )
            .await?;
        if model.is_none() {
            let embed = NewJob::of(&Embed {
                knowledge_base: base.id,
            });
            let time = self.environment().now() + MODEL_AWAITED;
            tx.jobs().push(embed.unique(base.id.to_string()).at(time)).await?;
        }
        let published = tx
            .chunks()
            .publish(task.document, task.version, &text, model, &chunks)
            .await?;
        if !published {
            let current = tx.documents().get(task.document).await?;
            let wanted = current.is_some_and(|document| document.version == task.version);
            return Err(if wanted {
                Stop::ModelChanged
            } else {
                Stop::Superseded
            });
        }
        tx.commit().await?;
        Ok(())
    }

    /// Sets a version aside with a reason, and ends the job, in one transaction.
    async fn set_aside(&self, lease: &Lease, task: &Ingest, reason: &Reason) -> crate::Result<()> {
        let mut tx = self.store.begin(&lease.permit()).await?;
        let Reason { sentence, failure } = reason;
        if tx
            .documents()
            .fail(task.document, task.version, sentence, failure)
            .await?
        {
            tx.events()
                .append(
                    "document.failed",
                    Some(task.document.uuid()),
                    &json!({ "reason": sentence, "failure": failure }),
                )
                .await?;
        }
        if !tx.jobs().complete(lease).await? {
            return Err(Error::Conflict("the job was taken over".to_owned()));
        }
        tx.commit().await?;
        Ok(())
    }
}

/// The title of a web page that was given none is what the page says.
fn title_of(document: &Document, extracted: &Extracted) -> String {
    let given = document
        .source_url
        .as_deref()
        .is_none_or(|url| crate::document::title_of_address(url) != document.title);
    let found = extracted
        .title
        .as_deref()
        .map(|title| title.split_whitespace().collect::<Vec<_>>().join(" "))
        .map(|title| title.chars().take(500).collect::<String>())
        .filter(|title| !title.is_empty() && !given);
    found.unwrap_or_else(|| document.title.clone())
}

fn learnt(extracted: &Extracted, title: &str) -> Learnt {
    let metadata: Map<String, Value> = extracted
        .metadata
        .iter()
        .take(32)
        .map(|(name, value)| (name.clone(), Value::String(value.chars().take(1_000).collect())))
        .collect();
    Learnt {
        title: title.to_owned(),
        mime_type: extracted.mime_type.clone(),
        pages: extracted.pages,
        metadata,
    }
}
