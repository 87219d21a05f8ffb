//! Which messages make up which document: threads whole, the rest grouped into conversations.
//!
//! One channel at a time, in its lane, a bounded number of messages in each transaction. A message that has a document keeps it, so a
//! conversation only ever grows; what was decided is never decided again. Documents that say something new are processed by the same
//! job as uploads, and what they said before stays findable until then.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use amebo_channels::slack::transcript::group::{Grouper, HORIZON};
use amebo_channels::slack::transcript::{Message, Names, Timestamp};
use amebo_core::document::Audience;
use amebo_core::id::{DocumentId, Id, SlackChannelId};
use amebo_core::job::Priority;
use amebo_core::organization::Limits;
use amebo_core::slack::SlackChannelKind;
use amebo_store::job::{Handler, Lease, NewJob, Outcome, Task};
use amebo_store::slack::{PlacedSlackMessage, SlackChannel, SlackDocument, SlackMessage};
use amebo_store::{Metric, OrgTx};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};
use sha2::{Digest as _, Sha256};

use super::file::FetchFiles;
use super::transcript::{names, said, write_down};
use crate::ingest::Ingest;
use crate::{App, Error, Result};

/// How many messages are looked at in one transaction.
const AT_ONCE: u32 = 2_000;

/// Write the documents of a channel that has messages without.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Compose {
    /// The channel.
    pub channel: SlackChannelId,
}

impl Task for Compose {
    const KIND: &'static str = "slack.compose";
    const PRIORITY: Priority = Priority::Bulk;
}

impl Compose {
    /// The job, after everything that is stored in the channel's lane now.
    pub fn job(channel: SlackChannelId) -> NewJob {
        NewJob::of(&Self { channel })
            .lane(format!("slack:{channel}"))
            .unique(channel.to_string())
    }
}

/// Handles [`Compose`].
#[derive(Debug, Clone)]
pub struct ComposeHandler(pub Arc<App>);

impl Handler for ComposeHandler {
    type Task = Compose;

    async fn run(&self, task: Compose, lease: Lease) -> Outcome {
        let composed = tokio::select! {
            () = lease.stopped() => return Outcome::Cancelled,
            composed = self.0.compose(&lease, task.channel) => composed,
        };
        match composed {
            Ok(()) => Outcome::Done,
            Err(error @ Error::QuotaExceeded { .. }) => {
                Outcome::fail(format!("{error}; ask for a larger plan, then try again"))
            }
            Err(error) => Outcome::retry(error),
        }
    }
}

/// Which document each message belongs to after a decision, and which documents say something new.
#[derive(Default)]
struct Decision {
    /// Every message that was looked at, with its document.
    placed: BTreeMap<DateTime<Utc>, (SlackMessage, DocumentId)>,
    /// The documents that may say something new.
    touched: BTreeSet<DocumentId>,
    /// Documents that are there already.
    known: BTreeSet<DocumentId>,
}

impl Decision {
    fn put(&mut self, placed: PlacedSlackMessage, document: DocumentId) {
        self.known.extend(placed.document);
        if placed.pending || placed.document != Some(document) {
            self.touched.insert(document);
            self.touched.extend(placed.document);
        }
        self.placed.insert(placed.message.ts, (placed.message, document));
    }
}

impl App {
    async fn compose(&self, lease: &Lease, channel: SlackChannelId) -> Result<()> {
        loop {
            let mut tx = self.store.begin(&lease.permit()).await?;
            let Some(channel) = tx.slack().channel(channel).await? else {
                return Ok(());
            };
            let mut decision = self.decide(&mut tx, channel.id).await?;
            if decision.placed.is_empty() {
                // What comes after this lock finds no unfinished job and pushes another; what came before it is seen.
                tx.slack().lock_channel(channel.id).await?;
                decision = self.decide(&mut tx, channel.id).await?;
            }
            if decision.placed.is_empty() {
                if tx.slack().due_file(channel.id).await?.is_some() {
                    tx.jobs().push(FetchFiles::job(channel.id)).await?;
                }
                if tx.jobs().complete(lease).await? {
                    tx.commit().await?;
                }
                return Ok(());
            }
            let limits = tx.organizations().current().await?.limits;
            write(&mut tx, &channel, decision, &limits).await?;
            tx.commit().await?;
        }
    }

    async fn decide(&self, tx: &mut OrgTx, channel: SlackChannelId) -> Result<Decision> {
        let threads = self.threads(tx, channel).await?;
        if threads.placed.is_empty() {
            return self.conversations(tx, channel).await;
        }
        Ok(threads)
    }

    /// Threads that have messages without document, whole.
    async fn threads(&self, tx: &mut OrgTx, channel: SlackChannelId) -> Result<Decision> {
        let mut threads: BTreeMap<DateTime<Utc>, Vec<PlacedSlackMessage>> = BTreeMap::new();
        for placed in tx.slack().pending_threads(channel, AT_ONCE).await? {
            let thread = placed.message.thread.unwrap_or(placed.message.ts);
            threads.entry(thread).or_default().push(placed);
        }
        let mut decision = Decision::default();
        for messages in threads.into_values() {
            // What begins a thread may have been part of a conversation, whose document stays with the others.
            let document = messages
                .iter()
                .filter(|placed| placed.message.thread != Some(placed.message.ts))
                .find_map(|placed| placed.document);
            let document = document.unwrap_or_else(|| self.environment().id());
            for placed in messages {
                decision.put(placed, document);
            }
        }
        Ok(decision)
    }

    /// The next messages outside threads that have no document.
    async fn conversations(&self, tx: &mut OrgTx, channel: SlackChannelId) -> Result<Decision> {
        let horizon = TimeDelta::seconds(HORIZON);
        let (before, messages) = tx
            .slack()
            .pending_outside_threads(channel, AT_ONCE, horizon)
            .await?;
        let mut grouper = Grouper::default();
        let mut numbers: HashMap<DocumentId, u64> = HashMap::new();
        let mut documents: HashMap<u64, DocumentId> = HashMap::new();
        let mut decision = Decision::default();
        for (placed, is_new) in before
            .into_iter()
            .map(|placed| (placed, false))
            .chain(messages.into_iter().map(|placed| (placed, true)))
        {
            let message = said(&placed.message);
            let document = if let Some(document) = placed.document {
                let next = numbers.len() as u64;
                let number = *numbers.entry(document).or_insert(next);
                documents.insert(number, document);
                grouper.remember(&message, number);
                document
            } else {
                let number = grouper.place(&message);
                let document = *documents.entry(number).or_insert_with(|| self.environment().id());
                numbers.insert(document, number);
                document
            };
            decision.known.extend(placed.document);
            if is_new {
                decision.put(placed, document);
            }
        }
        Ok(decision)
    }
}

/// Writes what was decided: documents, their jobs, and which message belongs where.
async fn write(tx: &mut OrgTx, channel: &SlackChannel, decision: Decision, limits: &Limits) -> Result<()> {
    let known: Vec<DocumentId> = decision.touched.intersection(&decision.known).copied().collect();
    let mut contents: BTreeMap<DocumentId, BTreeMap<DateTime<Utc>, SlackMessage>> = BTreeMap::new();
    for placed in tx.slack().messages_of(channel.id, &known).await? {
        // Those that were looked at are put where they belong now.
        if let (Some(document), false) = (placed.document, decision.placed.contains_key(&placed.message.ts)) {
            contents
                .entry(document)
                .or_default()
                .insert(placed.message.ts, placed.message);
        }
    }
    for (ts, (message, document)) in &decision.placed {
        if decision.touched.contains(document) {
            contents
                .entry(*document)
                .or_default()
                .insert(*ts, message.clone());
        }
    }
    let names = names(tx, channel, contents.values().flat_map(BTreeMap::values)).await?;
    let mut documents = Vec::new();
    for (id, messages) in &contents {
        let messages: Vec<Message> = messages.values().map(said).collect();
        if messages.iter().any(says_something) {
            documents.push(written(channel, *id, &messages, &names));
        }
    }
    let written: BTreeSet<DocumentId> = documents.iter().map(|document| document.id).collect();
    for gone in known.iter().filter(|id| !written.contains(id)) {
        tx.slack().remove_document(*gone).await?;
    }
    let unchanged = tx.slack().unchanged(&documents).await?;
    documents.retain(|document| !unchanged.contains(&document.id));
    count(tx, &documents, limits).await?;
    let versions = tx.slack().write_documents(channel, &documents).await?;
    let jobs = versions.into_iter().map(|(document, version)| {
        NewJob::of(&Ingest { document, version }).lane(format!("document:{document}"))
    });
    let jobs = jobs.collect();
    tx.jobs().push_all(jobs).await?;
    let places: Vec<_> = decision
        .placed
        .iter()
        .map(|(ts, (_, document))| {
            let has_document = !decision.touched.contains(document) || written.contains(document);
            (*ts, has_document.then_some(*document))
        })
        .collect();
    tx.slack().place(channel.id, &places).await?;
    Ok(())
}

/// Who may see the documents of a channel.
pub(super) fn audience(channel: &SlackChannel) -> Audience {
    if channel.described.is_open && channel.described.kind == SlackChannelKind::Public {
        Audience::Organization
    } else {
        Audience::SlackChannel { channel: channel.id }
    }
}

/// Whether there is anything in a message to look for.
fn says_something(message: &Message) -> bool {
    !message.files.is_empty() || message.text.chars().any(char::is_alphanumeric)
}

fn written(channel: &SlackChannel, id: DocumentId, messages: &[Message], names: &Names) -> SlackDocument {
    let transcript = write_down(channel, messages, names);
    let first = messages.first().map(|message| message.ts);
    let last = messages.last().map(|message| message.ts);
    let people: BTreeSet<&str> = messages.iter().map(|message| names.user(&message.user)).collect();
    let mut hash = Sha256::new();
    hash.update(channel.id.uuid().as_bytes());
    hash.update(first.map_or(0, Timestamp::micros).to_be_bytes());
    hash.update(&transcript.text);
    let metadata = json!({
        "channel": channel.described.name,
        "from": first.map(Timestamp::time),
        "to": last.map(Timestamp::time),
        "messages": messages.len(),
        "people": people.into_iter().take(20).collect::<Vec<_>>(),
    });
    SlackDocument {
        id,
        title: transcript.title,
        file_name: format!(
            "{}-{}.txt",
            channel.described.external,
            first.map(|ts| ts.to_string()).unwrap_or_default()
        ),
        size_bytes: transcript.text.len() as u64,
        content_hash: hash.finalize().into(),
        link: transcript.link,
        metadata: match metadata {
            serde_json::Value::Object(entries) => entries,
            _ => Map::new(),
        },
        audience: audience(channel),
    }
}

/// Counts what is written against the plan.
async fn count(tx: &mut OrgTx, documents: &[SlackDocument], limits: &Limits) -> Result<()> {
    let ids: Vec<DocumentId> = documents.iter().map(|document| document.id).collect();
    let before = tx.slack().sizes(&ids).await?;
    let new = (documents.len() - before.len()) as u64;
    let bytes = documents.iter().map(|document| document.size_bytes).sum();
    let (documents, storage) = (limits.documents, limits.storage_bytes);
    tx.usage()
        .subtract(Metric::StorageBytes, before.values().sum())
        .await?;
    crate::document::count(tx, Metric::Documents, new, documents).await?;
    crate::document::count(tx, Metric::StorageBytes, bytes, storage).await
}
