//! How well the messages of a chat are grouped into conversations, where it is known which belong together.
//!
//! A set is an unpacked Slack export with a file of known conversations beside it: tab-separated, a header, then the channel's folder, the
//! message's timestamp and the conversation's name. The first calendar year of each channel is what constants were fitted on and is left out
//! of the report, unless there is no other year.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use amebo_channels::slack::transcript::agreement::{Agreement, agreement};
use amebo_channels::slack::transcript::group::Grouper;
use amebo_channels::slack::transcript::{Message, Raw, Timestamp};
use amebo_knowledge::evaluate::{Measure, Mode, Report};
use anyhow::{Context as _, Result};
use chrono::Datelike as _;

/// The file of known conversations.
pub(super) const KNOWN: &str = "conversations.gold.tsv";

/// The silences, in minutes, of which the window that does best on the fitted part is what the grouping is compared with.
const SILENCES: [i64; 9] = [5, 10, 15, 20, 30, 45, 60, 120, 240];

/// A message with the conversation it is put in and the one it is known to belong to.
type Placed = (u64, String);

/// Groups every channel of the set and compares.
pub(super) fn report(folder: &Path, mode: Mode) -> Result<Report> {
    let known = known(folder)?;
    let (mut fitted, mut reported) = (Vec::new(), Vec::new());
    for (channel, of_channel) in &known {
        let messages = messages(&folder.join(channel), of_channel)?;
        let years = |message: &Message| message.ts.time().year();
        let first = messages.iter().map(years).min().unwrap_or_default();
        let has_more = messages.iter().map(years).any(|year| year > first);
        let (early, late): (Vec<_>, Vec<_>) = messages
            .into_iter()
            .partition(|message| has_more && years(message) == first);
        fitted.push((early, of_channel));
        reported.push((late, of_channel));
    }
    let by_window = |channels: &[(Vec<Message>, &Conversations)], minutes| {
        compare(channels, |messages| by_silence(messages, minutes))
    };
    let best_silence = SILENCES
        .into_iter()
        .max_by(|a, b| {
            let shen = |minutes| by_window(&fitted, minutes).shen_f;
            shen(*a).total_cmp(&shen(*b))
        })
        .unwrap_or_default();
    let ours = compare(&reported, |messages| {
        let mut grouper = Grouper::default();
        messages.iter().map(|message| grouper.place(message)).collect()
    });
    let window = by_window(&reported, best_silence);
    let count = reported.iter().map(|(messages, _)| messages.len()).sum();
    let mut measures = self::measures("", &ours);
    measures.extend(self::measures(
        &format!("silence_of_{best_silence}_minutes_"),
        &window,
    ));
    Ok(Report {
        set: folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        mode,
        model: None,
        entries: count,
        passages: 0,
        questions: 0,
        measures,
    })
}

/// The known conversation of each message of a channel.
type Conversations = HashMap<Timestamp, String>;

fn known(folder: &Path) -> Result<BTreeMap<String, Conversations>> {
    let file = folder.join(KNOWN);
    let text = fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    let mut known: BTreeMap<String, Conversations> = BTreeMap::new();
    for (number, line) in text.lines().enumerate().skip(1) {
        let mut fields = line.split('\t');
        let (Some(channel), Some(ts), Some(conversation)) = (fields.next(), fields.next(), fields.next())
        else {
            anyhow::bail!("{} has no three fields in line {}", file.display(), number + 1);
        };
        let ts = ts
            .parse()
            .with_context(|| format!("{}, line {}", file.display(), number + 1))?;
        known
            .entry(channel.to_owned())
            .or_default()
            .insert(ts, conversation.to_owned());
    }
    Ok(known)
}

/// The messages of a channel whose conversation is known, in order.
fn messages(folder: &Path, known: &Conversations) -> Result<Vec<Message>> {
    let mut messages = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| format!("there is no {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let day: Vec<Raw> = serde_json::from_slice(&fs::read(&path)?)
            .with_context(|| format!("{} is no day of messages", path.display()))?;
        let kept = day.into_iter().filter_map(|raw| raw.read(|_| false).ok());
        messages.extend(kept.filter(|message| known.contains_key(&message.ts)));
    }
    messages.sort_by_key(|message| message.ts);
    Ok(messages)
}

fn compare(channels: &[(Vec<Message>, &Conversations)], group: impl Fn(&[Message]) -> Vec<u64>) -> Agreement {
    let mut pairs: Vec<((usize, u64), Placed)> = Vec::new();
    for (channel, (messages, known)) in channels.iter().enumerate() {
        for (message, number) in messages.iter().zip(group(messages)) {
            let conversation = known.get(&message.ts).cloned().unwrap_or_default();
            pairs.push(((channel, number), (channel as u64, conversation)));
        }
    }
    agreement(&pairs)
}

/// The baseline: a conversation ends when nothing is said for so many minutes.
fn by_silence(messages: &[Message], minutes: i64) -> Vec<u64> {
    let mut number = 0;
    let mut last: Option<Timestamp> = None;
    messages
        .iter()
        .map(|message| {
            if last.is_some_and(|last| message.ts.micros() - last.micros() > minutes * 60_000_000) {
                number += 1;
            }
            last = Some(message.ts);
            number
        })
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts of conversations")]
fn measures(prefix: &str, found: &Agreement) -> Vec<Measure> {
    let measure = |name: &str, value: f64, unit: &str| Measure {
        name: format!("{prefix}{name}"),
        value,
        unit: unit.to_owned(),
    };
    vec![
        measure("one_to_one", found.one_to_one, "share"),
        measure("variation", found.variation, "share"),
        measure("shen_f", found.shen_f, "share"),
        measure("exact_f", found.exact_f, "share"),
        measure("conversations", found.groups as f64, "conversations"),
        measure("known", found.known as f64, "conversations"),
    ]
}
