//! Reading in an export: the archive to storage, then a job that stores what it says, some days at a time.
//!
//! Each transaction stores messages and how far the import has come, so a job that is stopped anywhere goes on there, and an export
//! that is read in again changes nothing twice. The archive is read on a thread of its own, which waits when storing falls behind.

mod read;
mod write;

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::sync::Arc;

use amebo_core::id::{BlobId, KnowledgeBaseId, SlackImportId, SourceId};
use amebo_core::job::Priority;
use amebo_core::page::{Page, PageRequest};
use amebo_core::permission::{Action, Resource};
use amebo_core::slack::SlackImportState;
use amebo_store::audit::NewEntry;
use amebo_store::blob::Blob;
use amebo_store::job::{Handler, Lease, NewJob, Outcome, Task};
use amebo_store::slack::{NewSlackImport, SlackImport, SlackImportProgress};
use bytes::Bytes;
use chrono::TimeDelta;
use futures::{Stream, StreamExt as _};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;
use url::Url;

use self::read::read_archive;
use self::write::Writer;
use crate::document::{file_name, limits, not_kept};
use crate::{Access, App, Error, Result};

/// How many parts the reader may be ahead.
const AHEAD: usize = 2;

/// Read in an export.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImportSlack {
    /// The import.
    pub import: SlackImportId,
    /// The archive.
    pub archive: BlobId,
}

impl Task for ImportSlack {
    const KIND: &'static str = "slack.import";
    const PRIORITY: Priority = Priority::Bulk;
}

impl ImportSlack {
    /// Its job. Two exports of a workspace follow one another.
    fn job(&self, source: SourceId) -> NewJob {
        NewJob::of(self).lane(format!("slack-import:{source}"))
    }
}

/// Handles [`ImportSlack`].
#[derive(Debug, Clone)]
pub struct ImportSlackHandler(pub Arc<App>);

/// An export to be read in, its bytes apart.
#[derive(Debug, Clone)]
pub struct NewImport {
    /// The knowledge base its documents go to.
    pub knowledge_base: KnowledgeBaseId,
    /// The archive's name.
    pub file_name: String,
    /// The workspace's address, such as `https://acme.slack.com`. Without it the export goes to the workspace that its users belong to,
    /// and its documents have links once that is connected.
    pub workspace_url: Option<String>,
    /// Whether documents of public channels are for every member of the organisation; those of others never are.
    pub is_open: bool,
}

/// An import and what is still to be done for it.
#[derive(Debug, Clone)]
pub struct ImportStatus {
    /// The import.
    pub import: SlackImport,
    /// Messages of its workspace whose document is not written yet.
    pub pending: u64,
    /// How long storing the rest will take, reckoned from how long it took so far.
    pub remaining: Option<TimeDelta>,
}

impl App {
    /// Takes an export in. It is durable when this returns, and read in the background.
    pub async fn receive_slack_export<S, E>(
        &self,
        access: &Access,
        new: &NewImport,
        bytes: S,
    ) -> Result<ImportStatus>
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Send,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let permit = access.permit(Resource::KnowledgeBase, Action::Create)?;
        let workspace_url = new.workspace_url.as_deref().map(workspace_address).transpose()?;
        self.open_knowledge_base(&permit, new.knowledge_base).await?;
        let _pass = self.uploads.enter(access.organization()).await?;
        let limit = limits(self, &permit).await?.storage_bytes;
        let stored = self
            .storage
            .put(permit.organization(), bytes, limit)
            .await
            .map_err(not_kept)?;
        let mut tx = self.store.begin(&permit).await?;
        let name = workspace_url
            .as_deref()
            .and_then(|url| url.strip_prefix("https://"))
            .unwrap_or("Slack export");
        let source = tx
            .sources()
            .of_workspace(new.knowledge_base, name, workspace_url.as_deref())
            .await?;
        let blob = tx.blobs().insert(&stored, "application/zip").await?;
        let id = tx
            .slack()
            .begin_import(&NewSlackImport {
                source,
                blob,
                file_name: file_name(&new.file_name),
                workspace_url,
                is_open: new.is_open,
            })
            .await?;
        let task = ImportSlack {
            import: id,
            archive: blob,
        };
        tx.jobs().push(task.job(source)).await?;
        tx.audit()
            .append(
                NewEntry::new("slack.import", "slack_import")
                    .of(id)
                    .details(json!({ "knowledge_base_id": new.knowledge_base, "file": new.file_name, "open": new.is_open })),
            )
            .await?;
        let import = tx.slack().import(id).await?.ok_or(Error::NotFound("import"))?;
        tx.commit().await?;
        Ok(self.status(import, 0))
    }

    /// One import.
    pub async fn slack_import(&self, access: &Access, id: SlackImportId) -> Result<ImportStatus> {
        let permit = access.permit(Resource::KnowledgeBase, Action::Create)?;
        let mut tx = self.store.begin(&permit).await?;
        let import = tx.slack().import(id).await?.ok_or(Error::NotFound("import"))?;
        let pending = tx.slack().pending(import.source).await?;
        tx.commit().await?;
        Ok(self.status(import, pending))
    }

    /// A page of the imports, newest first.
    pub async fn slack_imports(
        &self,
        access: &Access,
        page: PageRequest<SlackImportId>,
    ) -> Result<Page<SlackImport>> {
        let permit = access.permit(Resource::KnowledgeBase, Action::Create)?;
        let mut tx = self.store.begin(&permit).await?;
        let imports = tx.slack().imports(page).await?;
        tx.commit().await?;
        Ok(imports)
    }

    fn status(&self, import: SlackImport, pending: u64) -> ImportStatus {
        let progress = &import.progress;
        let remaining = import
            .started_at
            .filter(|_| import.state == SlackImportState::Running && progress.bytes_done > 0)
            .and_then(|started| {
                let taken = (self.environment().now() - started)
                    .num_milliseconds()
                    .unsigned_abs();
                let left = progress.bytes.saturating_sub(progress.bytes_done);
                let millis = u128::from(taken) * u128::from(left) / u128::from(progress.bytes_done);
                Some(TimeDelta::milliseconds(i64::try_from(millis).ok()?))
            });
        ImportStatus {
            import,
            pending,
            remaining,
        }
    }
}

/// Why a job does not go on.
enum Stop {
    /// The import is gone or over.
    Over,
    /// The archive is such that it can never be read.
    Unfit(String),
    /// Something is away.
    Later(String),
    /// Another job goes on with it.
    Moved,
}

impl From<amebo_store::Error> for Stop {
    fn from(error: amebo_store::Error) -> Self {
        Self::Later(error.to_string())
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Later(format!("the archive could not be copied to be read: {error}"))
    }
}

impl Handler for ImportSlackHandler {
    type Task = ImportSlack;

    async fn run(&self, task: ImportSlack, lease: Lease) -> Outcome {
        let app = &self.0;
        let ended = tokio::select! {
            () = lease.stopped() => return Outcome::Cancelled,
            ended = app.import(&lease, &task) => ended,
        };
        let failure = match ended {
            Ok(()) | Err(Stop::Moved) => return Outcome::Done,
            Err(Stop::Over) => None,
            Err(Stop::Later(reason)) if !lease.is_last_attempt() => {
                return Outcome::Retry { reason, after: None };
            }
            Err(Stop::Later(reason) | Stop::Unfit(reason)) => Some(reason),
        };
        match app.give_up(&lease, &task, failure.as_deref()).await {
            Ok(()) => Outcome::Done,
            Err(error) => Outcome::retry(error),
        }
    }
}

impl App {
    async fn import(&self, lease: &Lease, task: &ImportSlack) -> std::result::Result<(), Stop> {
        let permit = lease.permit();
        let mut tx = self.store.begin(&permit).await?;
        let import = tx.slack().import(task.import).await?.ok_or(Stop::Over)?;
        let blob = tx.blobs().get(task.archive).await?.ok_or(Stop::Over)?;
        tx.commit().await?;
        let file = self.copy(&blob).await?;
        let (parts, mut read) = mpsc::channel(AHEAD);
        let skip = import.progress.days_done;
        let reader = tokio::task::spawn_blocking(move || read_archive(file, skip, &parts));
        let mut writer = Writer {
            app: self,
            lease,
            task,
            source: import.source,
            is_open: import.is_open,
            progress: SlackImportProgress {
                days_done: skip,
                ..import.progress
            },
            channels: HashMap::new(),
            months: HashSet::new(),
        };
        while let Some(part) = read.recv().await {
            writer.store(part).await?;
        }
        match reader.await {
            Ok(Ok(())) => writer.finish().await,
            Ok(Err(amebo_channels::slack::export::Error::Io(error))) => Err(error.into()),
            Ok(Err(error)) => Err(Stop::Unfit(format!("{error}."))),
            Err(error) => Err(Stop::Later(format!(
                "reading the archive was interrupted: {error}"
            ))),
        }
    }

    /// The archive as a file that can be read in any order; it has no name and goes with its handle.
    async fn copy(&self, blob: &Blob) -> std::result::Result<File, Stop> {
        let away =
            |error: &dyn std::fmt::Display| Stop::Later(format!("the archive could not be read: {error}"));
        let mut file = tokio::fs::File::from_std(
            tokio::task::spawn_blocking(tempfile::tempfile)
                .await
                .map_err(|error| away(&error))??,
        );
        let mut bytes = self.storage.get(blob).await.map_err(|error| away(&error))?;
        while let Some(part) = bytes.next().await {
            file.write_all(&part.map_err(|error| away(&error))?).await?;
        }
        file.flush().await?;
        Ok(file.into_std().await)
    }

    /// Ends an import that cannot go on, and has its archive removed.
    async fn give_up(&self, lease: &Lease, task: &ImportSlack, failure: Option<&str>) -> Result<()> {
        let mut tx = self.store.begin(&lease.permit()).await?;
        if let Some(reason) = failure {
            tx.slack().end_import(task.import, Some(reason)).await?;
        }
        tx.blobs().delete(task.archive).await?;
        if !tx.jobs().complete(lease).await? {
            return Err(Error::Conflict("the job was taken over".to_owned()));
        }
        tx.commit().await?;
        Ok(())
    }
}

/// The address of a workspace as links begin with it: `https://acme.slack.com`.
fn workspace_address(text: &str) -> Result<String> {
    let wrong = || {
        Error::invalid(
            "/workspace",
            "give the workspace's address, such as https://acme.slack.com",
        )
    };
    let text = text.trim();
    let text = if text.contains("://") {
        text.to_owned()
    } else {
        format!("https://{text}")
    };
    let url = Url::parse(&text).map_err(|_| wrong())?;
    let host = url
        .host_str()
        .filter(|host| host.contains('.'))
        .ok_or_else(wrong)?;
    if url.scheme() != "https" || !url.username().is_empty() || url.port().is_some() || host.len() > 150 {
        return Err(wrong());
    }
    Ok(format!("https://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_is_known_by_its_host() {
        for text in [
            "https://acme.slack.com/",
            "acme.slack.com",
            "https://acme.slack.com/archives/C1",
        ] {
            assert_eq!(workspace_address(text).unwrap(), "https://acme.slack.com");
        }
        for text in [
            "",
            "acme",
            "http://acme.slack.com",
            "https://u:p@acme.slack.com",
            "https://acme.slack.com:1/",
        ] {
            assert!(workspace_address(text).is_err(), "{text}");
        }
    }
}
