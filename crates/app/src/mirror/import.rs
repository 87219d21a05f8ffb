//! Reading in an export: the archive to storage, then a job that stores what it says, some days at a time.
//!
//! Each transaction stores messages and how far the import has come, so a job that is stopped anywhere goes on there, and an export
//! that is read in again changes nothing twice. The archive is read on a thread of its own, which waits when storing falls behind.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::io;
use std::sync::Arc;

use amebo_channels::slack::export::{Channel, Export, Limits, Problem, User};
use amebo_channels::slack::transcript::{LeftOut, Message, Names, is_id};

use amebo_core::id::{BlobId, Id as _, KnowledgeBaseId, SlackChannelId, SlackImportId, SourceId};
use amebo_core::job::Priority;
use amebo_core::page::{Page, PageRequest};
use amebo_core::permission::{Action, Resource};
use amebo_core::slack::{SlackChannelKind, SlackImportState};
use amebo_store::OrgTx;
use amebo_store::audit::NewEntry;
use amebo_store::blob::Blob;
use amebo_store::job::{Handler, Lease, NewJob, Outcome, Task};
use amebo_store::slack::{
    NewSlackChannel, NewSlackImport, NewSlackUser, SlackImport, SlackImportProgress, SlackMessage,
};
use bytes::Bytes;
use chrono::{Datelike as _, NaiveDate, TimeDelta};
use futures::{Stream, StreamExt as _};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;
use url::Url;

use super::compose::Compose;
use super::transcript::kept;
use crate::document::{file_name, limits, not_kept};
use crate::{Access, App, Error, Result};

/// How many messages are stored in one transaction, about.
const AT_ONCE: usize = 4_000;
/// How many days are, at most.
const DAYS_AT_ONCE: u64 = 500;
/// How many parts the reader may be ahead.
const AHEAD: usize = 2;
/// How many users or channels are stored in one transaction.
const PEOPLE_AT_ONCE: usize = 2_000;
/// The month before which there was no Slack.
const FIRST_MONTH: Option<NaiveDate> = NaiveDate::from_ymd_opt(2013, 1, 1);

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
    /// The workspace's address, such as `https://acme.slack.com`; without it documents have no links.
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
        // Two exports of a workspace follow one another.
        let job = NewJob::of(&task).lane(format!("slack-import:{source}"));
        tx.jobs().push(job).await?;
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
            Ok(()) => return Outcome::Done,
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
            import: task.import,
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
            Ok(Ok(())) => writer.finish(task).await,
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

/// What the reader hands to the writer.
enum Part {
    Users(Vec<NewSlackUser>),
    Channels(Vec<ReadChannel>),
    Extent(Extent),
    Days(Days),
}

/// A channel as an export describes it.
struct ReadChannel {
    new: NewSlackChannel,
    members: Vec<String>,
    /// Its folder, when it is not its id.
    folder: Option<String>,
}

/// How much there is, and what is left out of it from the beginning.
struct Extent {
    days: u64,
    bytes: u64,
    users: u64,
    channels: u64,
    problems: Vec<Problem>,
}

/// Some days in a row.
#[derive(Default)]
struct Days {
    count: u64,
    bytes: u64,
    /// Messages by folder.
    messages: BTreeMap<String, Vec<Message>>,
    /// Folders that end with these days.
    complete: Vec<String>,
    left_out: HashMap<LeftOut, u64>,
    problems: Vec<Problem>,
}

/// Reads an archive and hands it on part by part, without the first `skip` days. Stops when nobody takes the parts any more.
fn read_archive(
    file: File,
    skip: u64,
    parts: &mpsc::Sender<Part>,
) -> std::result::Result<(), amebo_channels::slack::export::Error> {
    let mut export = Export::open(io::BufReader::with_capacity(1 << 16, file), Limits::default())?;
    let mut problems = export.problems().to_vec();
    let (mut names, mut bots, mut users) = (Names::default(), HashSet::new(), Vec::new());
    let (mut user_count, mut channel_count) = (0, 0);
    let mut is_wanted = true;
    let read = export.users(|user| {
        if user.is_bot() {
            bots.insert(user.id.clone());
        }
        let Some(user) = new_user(&user) else { return };
        names.users.insert(user.external.clone(), user.name.clone());
        user_count += 1;
        users.push(user);
        if users.len() == PEOPLE_AT_ONCE {
            is_wanted &= parts
                .blocking_send(Part::Users(std::mem::take(&mut users)))
                .is_ok();
        }
    });
    problems.extend(read.err());
    is_wanted &= parts.blocking_send(Part::Users(users)).is_ok();
    let mut channels = Vec::new();
    let broken = export.channels(|kind, channel| {
        let Some(channel) = read_channel(kind, channel, &names) else {
            return;
        };
        channel_count += 1;
        channels.push(channel);
        if channels.len() == PEOPLE_AT_ONCE {
            is_wanted &= parts
                .blocking_send(Part::Channels(std::mem::take(&mut channels)))
                .is_ok();
        }
    });
    problems.extend(broken);
    is_wanted &= parts.blocking_send(Part::Channels(channels)).is_ok();
    let days = export.days().to_vec();
    let extent = Part::Extent(Extent {
        days: days.len() as u64,
        bytes: days.iter().map(|day| day.bytes).sum(),
        users: user_count,
        channels: channel_count,
        problems,
    });
    if !is_wanted || parts.blocking_send(extent).is_err() {
        return Ok(());
    }
    let mut part = Days::default();
    let mut held = 0;
    let skip = usize::try_from(skip).unwrap_or(usize::MAX);
    for (at, day) in days.iter().enumerate().skip(skip) {
        part.count += 1;
        part.bytes += day.bytes;
        match export.messages(day, |user| bots.contains(user)) {
            Ok(messages) => {
                held += messages.kept.len();
                part.messages
                    .entry(day.folder.clone())
                    .or_default()
                    .extend(messages.kept);
                for (reason, count) in messages.left_out {
                    *part.left_out.entry(reason).or_default() += count;
                }
            }
            Err(problem) => part.problems.push(problem),
        }
        if days.get(at + 1).is_none_or(|next| next.folder != day.folder) {
            part.complete.push(day.folder.clone());
        }
        if held >= AT_ONCE || part.count >= DAYS_AT_ONCE {
            held = 0;
            if parts
                .blocking_send(Part::Days(std::mem::take(&mut part)))
                .is_err()
            {
                return Ok(());
            }
        }
    }
    // Nobody takes it only when the job has ended.
    let _ = parts.blocking_send(Part::Days(part));
    Ok(())
}

fn new_user(user: &User) -> Option<NewSlackUser> {
    is_id(&user.id).then(|| NewSlackUser {
        external: user.id.clone(),
        name: clean(user.display_name(), 200),
        email: user.email().filter(|email| !email.chars().any(char::is_control)),
        is_bot: user.is_bot(),
        is_deleted: user.deleted,
    })
}

fn read_channel(kind: SlackChannelKind, channel: Channel, names: &Names) -> Option<ReadChannel> {
    let name = clean(&channel.title(kind, names), 1_000);
    let folder = channel.name().map(str::to_owned);
    is_id(&channel.id).then_some(ReadChannel {
        new: NewSlackChannel {
            external: channel.id,
            kind,
            name,
            is_archived: channel.is_archived,
            is_shared: channel.is_ext_shared,
            is_open: false,
        },
        members: channel.members,
        folder,
    })
}

/// The text without control characters, at most so many characters.
fn clean(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect()
}

/// Stores what was read.
struct Writer<'a> {
    app: &'a App,
    lease: &'a Lease,
    import: SlackImportId,
    source: SourceId,
    is_open: bool,
    progress: SlackImportProgress,
    /// By folder.
    channels: HashMap<String, SlackChannelId>,
    /// Months that have a partition.
    months: HashSet<NaiveDate>,
}

impl Writer<'_> {
    async fn store(&mut self, part: Part) -> std::result::Result<(), Stop> {
        match part {
            Part::Users(users) => {
                let users = distinct(users, |user| user.external.clone());
                let mut tx = self.begin().await?;
                tx.slack().put_users(self.source, &users).await?;
                self.commit(tx).await
            }
            Part::Channels(channels) => self.store_channels(channels).await,
            Part::Extent(extent) => {
                let progress = &mut self.progress;
                (progress.days, progress.bytes) = (extent.days, extent.bytes);
                (progress.users, progress.channels) = (extent.users, extent.channels);
                if progress.days_done == 0 {
                    (progress.problems, progress.problem_count) = (Vec::new(), 0);
                    for problem in extent.problems {
                        progress.note(problem.file, problem.reason);
                    }
                }
                let tx = self.begin().await?;
                self.commit(tx).await
            }
            Part::Days(days) => self.store_days(days).await,
        }
    }

    async fn begin(&self) -> std::result::Result<OrgTx, Stop> {
        Ok(self.app.store.begin(&self.lease.permit()).await?)
    }

    /// Keeps what was stored together with how far the import has come.
    async fn commit(&self, mut tx: OrgTx) -> std::result::Result<(), Stop> {
        if !tx.slack().note_import(self.import, &self.progress).await? {
            return Err(Stop::Over);
        }
        Ok(tx.commit().await?)
    }

    async fn store_channels(&mut self, channels: Vec<ReadChannel>) -> std::result::Result<(), Stop> {
        let mut channels = distinct(channels, |channel| channel.new.external.clone());
        for channel in &mut channels {
            channel.new.is_open = self.is_open && channel.new.kind == SlackChannelKind::Public;
        }
        let new: Vec<NewSlackChannel> = channels.iter().map(|channel| channel.new.clone()).collect();
        let mut tx = self.begin().await?;
        let ids = tx.slack().put_channels(self.source, &new).await?;
        for channel in channels {
            let Some(id) = ids.get(&channel.new.external) else {
                continue;
            };
            tx.slack().set_members(*id, &channel.members).await?;
            // Folders of channels bear their names, those of direct messages their ids.
            self.channels.extend(channel.folder.map(|folder| (folder, *id)));
            self.channels.insert(channel.new.external, *id);
        }
        self.commit(tx).await
    }

    async fn store_days(&mut self, days: Days) -> std::result::Result<(), Stop> {
        self.prepare_months(&days).await?;
        let mut tx = self.begin().await?;
        for (folder, messages) in days.messages {
            let Some(channel) = self.channels.get(&folder).copied() else {
                let reason = "no list of channels in the export names its folder".to_owned();
                self.progress.note(format!("{folder}/"), reason);
                continue;
            };
            let messages: BTreeMap<_, _> = messages
                .into_iter()
                .map(|message| (message.ts, kept(message)))
                .collect();
            let messages: Vec<SlackMessage> = messages.into_values().collect();
            let new = tx.slack().put_messages(channel, &messages).await?;
            self.progress.messages += messages.len() as u64;
            self.progress.messages_new += new;
        }
        for (reason, count) in days.left_out {
            *self
                .progress
                .left_out
                .entry(reason.as_str().to_owned())
                .or_default() += count;
        }
        for problem in days.problems {
            self.progress.note(problem.file, problem.reason);
        }
        self.progress.days_done += days.count;
        self.progress.bytes_done += days.bytes;
        for folder in days.complete {
            if let Some(channel) = self.channels.get(&folder) {
                tx.jobs().push(Compose::job(*channel)).await?;
            }
        }
        self.commit(tx).await
    }

    /// Makes the partitions these messages need, except for times that no message can have.
    async fn prepare_months(&mut self, days: &Days) -> std::result::Result<(), Stop> {
        let last = self.app.environment().now().date_naive() + TimeDelta::days(31);
        let months: BTreeSet<NaiveDate> = days
            .messages
            .values()
            .flatten()
            .filter_map(|message| message.ts.time().date_naive().with_day(1))
            .filter(|month| FIRST_MONTH <= Some(*month) && *month <= last && !self.months.contains(month))
            .collect();
        if !months.is_empty() {
            let months: Vec<NaiveDate> = months.into_iter().collect();
            self.app.store.prepare_slack_months(&months).await?;
            self.months.extend(months);
        }
        Ok(())
    }

    /// Ends the import with its job, and has the archive removed.
    async fn finish(self, task: &ImportSlack) -> std::result::Result<(), Stop> {
        let mut tx = self.begin().await?;
        if !tx.jobs().complete(self.lease).await? || !tx.slack().end_import(task.import, None).await? {
            return Err(Stop::Over);
        }
        tx.blobs().delete(task.archive).await?;
        tx.events()
            .append(
                "slack.imported",
                Some(task.import.uuid()),
                &json!({ "messages": self.progress.messages, "new": self.progress.messages_new }),
            )
            .await?;
        Ok(tx.commit().await?)
    }
}

/// The last of those that have the same key.
fn distinct<T>(items: Vec<T>, key: impl Fn(&T) -> String) -> Vec<T> {
    let items: BTreeMap<String, T> = items.into_iter().map(|item| (key(&item), item)).collect();
    items.into_values().collect()
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
