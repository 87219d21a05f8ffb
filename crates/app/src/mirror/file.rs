//! Files that were shared in mirrored channels: fetched one at a time, and processed like uploads for whoever the channel is for.
//!
//! Which files there are is noted with the messages. This only looks at what is due, so a job that stops anywhere goes on there. A file
//! whose last message is gone from the channel goes too.

use std::sync::Arc;

use amebo_channels::inbound::{File, FileAccess};
use amebo_channels::outcome::Outcome as Answer;
use amebo_channels::slack::api::{CallError, Download, Patience, Workspace};
use amebo_core::channel::ConnectionStatus;
use amebo_core::document::Audience;
use amebo_core::id::{ChannelConnectionId, DocumentId, Id as _, SlackChannelId};
use amebo_core::job::Priority;
use amebo_store::blob::Stored;
use amebo_store::job::{Handler, Lease, NewJob, Outcome, Task};
use amebo_store::sealing::SLACK_FILE_ADDRESS;
use amebo_store::slack::{DueSlackFile, SlackChannel, SlackFileEnd};
use amebo_store::{Metric, NewDocument, OrgTx, Original, Permit};
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::compose::audience;
use super::follow::Stop;
use crate::document::{count, file_name, limits};
use crate::ingest::Ingest;
use crate::{App, Error};

/// Kinds of files in which there is nothing to read, by the beginning of their media type.
const WITHOUT_TEXT: [&str; 7] = [
    "image/",
    "audio/",
    "video/",
    "font/",
    "application/zip",
    "application/gzip",
    "application/x-",
];
/// The media type of an original before its content has been looked at.
const OPAQUE: &str = "application/octet-stream";
/// How often a channel's files are tried in a row although one of them fails for the moment; then the others are not kept waiting by it.
const TRIES: u32 = 5;

/// Do what is due about the files of a channel.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FetchFiles {
    /// The channel.
    pub channel: SlackChannelId,
}

impl Task for FetchFiles {
    const KIND: &'static str = "slack.fetch_files";
    const PRIORITY: Priority = Priority::Bulk;
    const MAX_ATTEMPTS: u16 = 20;
}

impl FetchFiles {
    /// The job; there is one of a channel.
    pub fn job(channel: SlackChannelId) -> NewJob {
        NewJob::of(&Self { channel }).unique(channel.to_string())
    }
}

/// Handles [`FetchFiles`].
#[derive(Debug, Clone)]
pub struct FetchFilesHandler(pub Arc<App>);

impl Handler for FetchFilesHandler {
    type Task = FetchFiles;

    async fn run(&self, task: FetchFiles, lease: Lease) -> Outcome {
        let ended = tokio::select! {
            () = lease.stopped() => return Outcome::Cancelled,
            ended = self.0.fetch_files(&lease, task.channel) => ended,
        };
        match ended {
            Ok(()) | Err(Stop::Over) => Outcome::Done,
            Err(Stop::Wait(wait)) => Outcome::Snooze(wait),
            Err(Stop::Refused(reason)) => Outcome::retry(reason),
            Err(Stop::Failed(error)) => Outcome::retry(error),
        }
    }
}

/// Why a file was not fetched.
enum Left {
    /// It is not to be read.
    Out(String),
    /// It cannot be had for now.
    Unreachable(String),
    /// Something failed that may go by in a moment.
    Broken(String),
    /// The channel's work has to wait, or is over.
    Stop(Stop),
}

impl<E: Into<Stop>> From<E> for Left {
    fn from(error: E) -> Self {
        Self::Stop(error.into())
    }
}

/// A file with its bytes on the way.
struct Fetched {
    name: String,
    title: String,
    link: Option<String>,
    download: Download,
}

impl App {
    async fn fetch_files(self: &Arc<Self>, lease: &Lease, channel: SlackChannelId) -> Result<(), Stop> {
        let permit = lease.permit();
        loop {
            let mut tx = self.store.begin(&permit).await?;
            let known = tx.slack().channel(channel).await?.ok_or(Stop::Over)?;
            let mut due = tx.slack().due_file(channel).await?;
            if due.is_none() {
                // What is noted after this lock finds no unfinished job and pushes another; what was noted before it is seen.
                tx.slack().lock_channel(channel).await?;
                due = tx.slack().due_file(channel).await?;
            }
            let Some(due) = due else {
                if tx.jobs().complete(lease).await? {
                    tx.commit().await?;
                }
                return Ok(());
            };
            if due.is_doubted {
                if tx.slack().is_shared(channel, &due.external).await? {
                    let end = due.document.map_or(SlackFileEnd::Waiting, SlackFileEnd::Stored);
                    tx.slack().end_file(&due, end).await?;
                } else {
                    tx.slack().remove_file(due.id).await?;
                }
                tx.commit().await?;
                continue;
            }
            let connection = tx
                .slack()
                .following(channel)
                .await?
                .and_then(|following| following.connection);
            tx.commit().await?;
            match self.fetch_file(&permit, &known, connection, &due).await {
                Ok(()) => {}
                Err(Left::Stop(stop)) => return Err(stop),
                Err(Left::Out(reason)) => {
                    self.end_file(&permit, &due, SlackFileEnd::LeftOut(&reason))
                        .await?;
                }
                Err(Left::Broken(_)) if lease.attempt() < TRIES => {
                    return Err(Stop::Failed(Error::Unavailable("Slack")));
                }
                Err(Left::Unreachable(reason) | Left::Broken(reason)) => {
                    self.end_file(&permit, &due, SlackFileEnd::Unreachable(&reason))
                        .await?;
                    if let Some(connection) = connection {
                        let mut tx = self.store.begin(&permit).await?;
                        tx.channel_connections().note_error(connection, &reason).await?;
                        tx.commit().await?;
                    }
                }
            }
        }
    }

    async fn end_file(&self, permit: &Permit, due: &DueSlackFile, end: SlackFileEnd<'_>) -> Result<(), Stop> {
        let mut tx = self.store.begin(permit).await?;
        tx.slack().end_file(due, end).await?;
        Ok(tx.commit().await?)
    }

    async fn fetch_file(
        self: &Arc<Self>,
        permit: &Permit,
        channel: &SlackChannel,
        connection: Option<ChannelConnectionId>,
        due: &DueSlackFile,
    ) -> Result<(), Left> {
        let limits = limits(self, permit).await?;
        let most = usize::try_from(limits.upload_bytes).unwrap_or(usize::MAX);
        let workspace = match connection {
            Some(connection) => self.workspace_of_files(permit, connection).await?,
            None => None,
        };
        let fetched = match (workspace, &due.sealed_address) {
            (Some(workspace), _) => from_workspace(&workspace, due, most).await?,
            (None, Some(sealed)) => self.exported_file(permit, due, sealed, most).await?,
            (None, None) => {
                return Err(Left::Unreachable(
                    "Connect the workspace to have its files read.".to_owned(),
                ));
            }
        };
        let stored = self
            .storage
            .put(
                permit.organization(),
                fetched.download.response.stream(),
                limits.upload_bytes,
            )
            .await
            .map_err(|error| match crate::document::not_kept(error) {
                Error::TooLarge { limit } => Left::Out(too_large(limit)),
                // Slack broke off, or the storage is away.
                _ => Left::Broken("The file broke off while it was fetched.".to_owned()),
            })?;
        let file = Named {
            name: file_name(&fetched.name),
            title: fetched.title,
            link: fetched.link,
        };
        match self.keep_file(permit, channel, due, &file, &stored).await {
            Err(Stop::Failed(Error::QuotaExceeded { metric, limit })) => Err(Left::Unreachable(format!(
                "The plan's limit of {limit} ({metric}) is reached."
            ))),
            kept => Ok(kept?),
        }
    }

    /// The workspace as Slack's interface; `None` when the connection is over.
    async fn workspace_of_files(
        self: &Arc<Self>,
        permit: &Permit,
        connection: ChannelConnectionId,
    ) -> Result<Option<Workspace>, Left> {
        let mut tx = self.store.begin(permit).await?;
        let connection = tx.channel_connections().by_id(connection).await?;
        tx.commit().await?;
        let Some(connection) = connection.filter(|known| known.status == ConnectionStatus::Active) else {
            return Ok(None);
        };
        let workspace = self.slack_workspace(permit, &connection).await?;
        Ok(Some(workspace.api.with_patience(Patience::NONE)))
    }

    /// A file at the address that an export names.
    async fn exported_file(
        &self,
        permit: &Permit,
        due: &DueSlackFile,
        sealed: &[u8],
        most: usize,
    ) -> Result<Fetched, Left> {
        let mut tx = self.store.begin(permit).await?;
        let plain = tx
            .secrets(&self.sealer)
            .open_content(SLACK_FILE_ADDRESS.row(due.id), sealed)
            .await
            .map_err(Error::internal)?;
        tx.commit().await?;
        let exported: ExportedFile = serde_json::from_slice(&plain).map_err(Error::internal)?;
        if let Some(reason) = unreadable(exported.media_type.as_deref(), exported.size, most) {
            return Err(Left::Out(reason));
        }
        let address = Url::parse(&exported.address)
            .map_err(|_| Left::Out("The export names no address of the file.".to_owned()))?;
        let download = self
            .slack_api
            .download_exported(&address, exported.media_type.as_deref(), most)
            .await;
        let download = match download {
            Ok(download) => download,
            Err(error) if error.outcome.is_repeatable() => return Err(for_the_moment(error)),
            Err(_) => {
                return Err(Left::Unreachable(
                    "Slack no longer gives out the files of this export. Export again, or connect the workspace."
                        .to_owned(),
                ));
            }
        };
        Ok(Fetched {
            name: exported.name.clone(),
            title: exported.name,
            link: exported.link,
            download,
        })
    }

    /// Makes a document of stored bytes, or puts them in the place of the document's.
    async fn keep_file(
        &self,
        permit: &Permit,
        channel: &SlackChannel,
        due: &DueSlackFile,
        file: &Named,
        stored: &Stored,
    ) -> Result<(), Stop> {
        let mut tx = self.store.begin(permit).await?;
        let limits = tx.organizations().current().await?.limits;
        let blob = tx.blobs().insert(stored, OPAQUE).await?;
        let known = match due.document {
            Some(document) => tx.documents().lock(document).await?,
            None => None,
        };
        let original = Original {
            name: file.name.clone(),
            size_bytes: stored.size_bytes,
            content_hash: hash(channel, due, stored),
            blob: Some(blob),
        };
        let document = match known {
            Some(known) if known.content_hash == original.content_hash => {
                tx.blobs().delete(blob).await?;
                known.id
            }
            Some(known) => {
                tx.usage()
                    .subtract(Metric::StorageBytes, known.size_bytes)
                    .await?;
                count(
                    &mut tx,
                    Metric::StorageBytes,
                    stored.size_bytes,
                    limits.storage_bytes,
                )
                .await?;
                let version = tx.documents().renew(known.id, Some(&original)).await?;
                if let Some(before) = known.blob {
                    tx.blobs().delete(before).await?;
                }
                ingest(&mut tx, known.id, version).await?;
                known.id
            }
            None => {
                count(&mut tx, Metric::Documents, 1, limits.documents).await?;
                count(
                    &mut tx,
                    Metric::StorageBytes,
                    stored.size_bytes,
                    limits.storage_bytes,
                )
                .await?;
                let new = document(channel, due, file, original, audience(channel));
                let id = tx.documents().insert(&new).await?;
                ingest(&mut tx, id, 1).await?;
                id
            }
        };
        if !tx.slack().end_file(due, SlackFileEnd::Stored(document)).await? {
            // A message with it went meanwhile; it is looked at again, and these bytes are swept away.
            return Ok(());
        }
        tx.events()
            .append(
                "document.uploaded",
                Some(document.uuid()),
                &json!({ "knowledge_base_id": channel.knowledge_base }),
            )
            .await?;
        Ok(tx.commit().await?)
    }
}

/// What a file is called and where it is.
struct Named {
    name: String,
    title: String,
    link: Option<String>,
}

/// What an export says of a file, as it is sealed.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::mirror) struct ExportedFile {
    pub(in crate::mirror) name: String,
    pub(in crate::mirror) media_type: Option<String>,
    pub(in crate::mirror) size: Option<u64>,
    pub(in crate::mirror) link: Option<String>,
    /// Where its bytes are, with the token that opens it.
    pub(in crate::mirror) address: String,
}

/// A file that Slack is asked for.
async fn from_workspace(workspace: &Workspace, due: &DueSlackFile, most: usize) -> Result<Fetched, Left> {
    let file = match workspace.file(&due.external).await {
        Ok(file) => file,
        Err(error) if error.outcome.is_repeatable() => return Err(for_the_moment(error)),
        Err(error) if matches!(error.code(), Some("file_deleted" | "file_not_found")) => {
            return Err(Left::Out("The file was deleted in Slack.".to_owned()));
        }
        Err(error) => return Err(Left::Unreachable(error.to_string())),
    };
    if let Some(reason) = not_there(&file) {
        return Err(Left::Out(reason.to_owned()));
    }
    if let Some(reason) = unreadable(file.media_type.as_deref(), file.size, most) {
        return Err(Left::Out(reason));
    }
    let download = match workspace.download(&file, most).await {
        Ok(download) => download,
        Err(error) if error.outcome.is_repeatable() => return Err(for_the_moment(error)),
        Err(error) => return Err(Left::Unreachable(error.to_string())),
    };
    let name = file.name.unwrap_or_else(|| due.external.clone());
    Ok(Fetched {
        title: name.clone(),
        name,
        link: file.permalink.map(String::from),
        download,
    })
}

/// Being asked to wait holds the whole channel up; anything else may be this file's alone.
fn for_the_moment(error: CallError) -> Left {
    match error.outcome {
        Answer::RetryAfter(_) => Left::Stop(error.into()),
        _ => Left::Broken(error.to_string()),
    }
}

fn not_there(file: &File) -> Option<&'static str> {
    match file.access {
        FileAccess::Available | FileAccess::LookUp => None,
        FileAccess::Elsewhere => Some("The file lies elsewhere and is only linked in Slack."),
        FileAccess::Gone => Some("The file is gone from Slack, or hidden by the workspace's plan."),
    }
}

/// Why a file is not read, as far as that shows before it is fetched.
fn unreadable(media_type: Option<&str>, size: Option<u64>, most: usize) -> Option<String> {
    let kind = media_type.unwrap_or_default();
    if WITHOUT_TEXT.iter().any(|beginning| kind.starts_with(beginning)) {
        return Some(format!(
            "There is no text to be read in files of this kind ({kind})."
        ));
    }
    let most = most as u64;
    size.filter(|size| *size > most).map(|_| too_large(most))
}

fn too_large(limit: u64) -> String {
    format!("The file is larger than {limit} bytes, which is the most that the plan allows for one file.")
}

/// One file is one document in each channel, whatever else has the same bytes: they may be for different people.
fn hash(channel: &SlackChannel, due: &DueSlackFile, stored: &Stored) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(channel.id.uuid().as_bytes());
    hash.update(due.external.as_bytes());
    hash.update(stored.sha256);
    hash.finalize().into()
}

fn document(
    channel: &SlackChannel,
    due: &DueSlackFile,
    file: &Named,
    original: Original,
    audience: Audience,
) -> NewDocument {
    let metadata = json!({ "channel": channel.described.name, "shared_at": due.shared_at });
    let title: String = file.title.chars().filter(|c| !c.is_control()).take(500).collect();
    NewDocument {
        knowledge_base: channel.knowledge_base,
        source: channel.source,
        title: if title.trim().is_empty() {
            original.name.clone()
        } else {
            title.trim().to_owned()
        },
        original,
        // The same file in two channels is two documents, each with an address of its own.
        source_url: file
            .link
            .as_ref()
            .filter(|link| link.len() <= 1_900)
            .map(|link| format!("{link}#{}", channel.described.external)),
        metadata: match metadata {
            serde_json::Value::Object(entries) => entries,
            _ => Map::new(),
        },
        audience,
    }
}

async fn ingest(tx: &mut OrgTx, document: DocumentId, version: i32) -> amebo_store::Result<()> {
    let job = NewJob::of(&Ingest { document, version }).lane(format!("document:{document}"));
    tx.jobs().push(job).await.map(drop)
}
