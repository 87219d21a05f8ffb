//! Storing what was read, each part together with how far the import has come.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use amebo_channels::slack::transcript::Attached;
use amebo_core::channel::ChannelKind;
use amebo_core::id::{Id as _, SlackChannelId, SourceId};
use amebo_core::slack::SlackChannelKind;
use amebo_store::OrgTx;
use amebo_store::job::Lease;
use amebo_store::sealing::SLACK_FILE_ADDRESS;
use amebo_store::slack::{NewSlackChannel, SlackImportProgress, SlackMessage};
use chrono::{Datelike as _, NaiveDate, TimeDelta};
use serde_json::json;

use super::read::{Days, Part, ReadChannel};
use super::{ImportSlack, Stop};
use crate::App;
use crate::mirror::compose::Compose;
use crate::mirror::file::ExportedFile;
use crate::mirror::transcript::kept;

/// The month before which there was no Slack.
const FIRST_MONTH: Option<NaiveDate> = NaiveDate::from_ymd_opt(2013, 1, 1);

/// Stores what was read.
pub(super) struct Writer<'a> {
    pub app: &'a App,
    pub lease: &'a Lease,
    pub task: &'a ImportSlack,
    pub source: SourceId,
    pub is_open: bool,
    pub progress: SlackImportProgress,
    /// By folder.
    pub channels: HashMap<String, SlackChannelId>,
    /// Months that have a partition.
    pub months: HashSet<NaiveDate>,
}

impl Writer<'_> {
    /// Stores a part, with how far the import has come.
    pub async fn store(&mut self, part: Part) -> Result<(), Stop> {
        match part {
            Part::Workspace(workspace) => self.go_to(&workspace).await,
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

    /// Sees to it that the messages of one workspace lie in one place, whether they are exported or followed: an import that was not told
    /// its workspace begins anew in the line of the workspace that its users name.
    async fn go_to(&self, workspace: &str) -> Result<(), Stop> {
        let mut tx = self.begin().await?;
        let import = tx.slack().import(self.task.import).await?.ok_or(Stop::Over)?;
        if import.workspace_url.is_some() || import.progress.days_done > 0 {
            return Ok(());
        }
        let connection = tx
            .channel_connections()
            .by_account(ChannelKind::Slack, workspace)
            .await?;
        let url = connection
            .and_then(|connection| Some(connection.facts["url"].as_str()?.trim_end_matches('/').to_owned()));
        let source = tx
            .sources()
            .of_workspace(import.knowledge_base, workspace, url.as_deref())
            .await?;
        if source == self.source {
            return Ok(());
        }
        tx.slack()
            .move_import(self.task.import, source, url.as_deref())
            .await?;
        tx.jobs().push(self.task.job(source)).await?;
        if !tx.jobs().complete(self.lease).await? {
            return Err(Stop::Over);
        }
        tx.commit().await?;
        Err(Stop::Moved)
    }

    async fn begin(&self) -> Result<OrgTx, Stop> {
        Ok(self.app.store.begin(&self.lease.permit()).await?)
    }

    /// Keeps what was stored together with how far the import has come.
    async fn commit(&self, mut tx: OrgTx) -> Result<(), Stop> {
        if !tx.slack().note_import(self.task.import, &self.progress).await? {
            return Err(Stop::Over);
        }
        Ok(tx.commit().await?)
    }

    async fn store_channels(&mut self, channels: Vec<ReadChannel>) -> Result<(), Stop> {
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

    async fn store_days(&mut self, days: Days) -> Result<(), Stop> {
        self.prepare_months(&days).await?;
        let mut tx = self.begin().await?;
        for (folder, messages) in days.messages {
            let Some(channel) = self.channels.get(&folder).copied() else {
                let reason = "no list of channels in the export names its folder".to_owned();
                self.progress.note(format!("{folder}/"), reason);
                continue;
            };
            let mut addresses = HashMap::new();
            for file in messages.iter().flat_map(|message| &message.files) {
                addresses.extend(exported(file).map(|exported| (file.id.clone(), exported)));
            }
            let messages: BTreeMap<_, _> = messages
                .into_iter()
                .map(|message| (message.ts, kept(message)))
                .collect();
            let messages: Vec<SlackMessage> = messages.into_values().collect();
            let new = tx.slack().put_messages(channel, &messages).await?;
            self.keep_addresses(&mut tx, channel, &addresses).await?;
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

    /// Keeps where files lie, sealed: whoever has the address has the file.
    async fn keep_addresses(
        &self,
        tx: &mut OrgTx,
        channel: SlackChannelId,
        addresses: &HashMap<String, ExportedFile>,
    ) -> Result<(), Stop> {
        if addresses.is_empty() {
            return Ok(());
        }
        let ids: Vec<&str> = addresses.keys().map(String::as_str).collect();
        for (file, id) in tx.slack().files_without_address(channel, &ids).await? {
            let Some(exported) = addresses.get(&id) else {
                continue;
            };
            let failed = |error: &dyn std::fmt::Display| {
                Stop::Later(format!("the address of a file could not be sealed: {error}"))
            };
            let plain = serde_json::to_vec(exported).map_err(|error| failed(&error))?;
            let sealed = tx
                .secrets(&self.app.sealer)
                .seal(SLACK_FILE_ADDRESS.row(file), &plain)
                .await
                .map_err(|error| failed(&error))?;
            tx.slack().set_file_address(file, &sealed).await?;
        }
        Ok(())
    }

    /// Makes the partitions these messages need, except for times that no message can have.
    async fn prepare_months(&mut self, days: &Days) -> Result<(), Stop> {
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
    pub async fn finish(self) -> Result<(), Stop> {
        let mut tx = self.begin().await?;
        if !tx.jobs().complete(self.lease).await? || !tx.slack().end_import(self.task.import, None).await? {
            return Err(Stop::Over);
        }
        tx.blobs().delete(self.task.archive).await?;
        tx.events()
            .append(
                "slack.imported",
                Some(self.task.import.uuid()),
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

/// What an export says of a file, if it says where its bytes are.
fn exported(file: &Attached) -> Option<ExportedFile> {
    Some(ExportedFile {
        name: file.name.clone(),
        media_type: file.media_type.clone(),
        size: file.size_bytes,
        link: file.link.clone(),
        address: file.address.clone()?,
    })
}
