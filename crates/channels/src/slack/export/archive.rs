//! Reading the archive.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};

use amebo_core::slack::SlackChannelKind as ChannelKind;
use chrono::NaiveDate;
use serde::de::{DeserializeOwned, Deserializer as _, SeqAccess, Visitor};
use serde_json::value::RawValue;
use zip::ZipArchive;
use zip::result::ZipError;

use super::people::{Channel, User};
use crate::slack::transcript::{LeftOut, Message, Raw};

/// The most files an archive may have; the list of them is held in memory.
pub const MAX_ENTRIES: u64 = 2_000_000;
/// From this size on a file that packs better than [`MAX_RATIO`] is taken for a bomb.
const SUSPICIOUS: u64 = 16 << 20;
/// Chat packs ten to twenty times; this is far beyond.
const MAX_RATIO: u64 = 250;

/// What an archive may weigh.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// All files unpacked, in bytes.
    pub total_bytes: u64,
    /// One day of one channel unpacked, in bytes; it is held in memory.
    pub day_bytes: u64,
    /// A list of users or channels unpacked, in bytes; it is read as a stream.
    pub list_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            total_bytes: 1 << 40,
            day_bytes: 64 << 20,
            list_bytes: 2 << 30,
        }
    }
}

/// Why an archive is refused as a whole.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not a zip archive, or a broken one.
    #[error("the file is not a zip archive that can be read")]
    NotAnArchive(#[source] ZipError),
    /// It lacks what every export has.
    #[error("the archive is not a Slack export: it has no users.json beside folders of days")]
    NotAnExport,
    /// It would unpack to more than a reader can take.
    #[error("the archive would unpack to more than is allowed ({0}); it looks made to exhaust its reader")]
    Bomb(&'static str),
    /// The bytes could not be read.
    #[error("the archive could not be read")]
    Io(#[from] io::Error),
}

/// What is wrong with one file of the archive, in a sentence for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file's name in the archive.
    pub file: String,
    /// Why it was left out.
    pub reason: String,
}

/// One day of one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    entry: usize,
    /// The folder: a channel's name or id.
    pub folder: String,
    /// The day.
    pub date: NaiveDate,
    /// Its size packed, in bytes.
    pub bytes: u64,
}

/// The messages of one day, by their timestamps.
#[derive(Debug, Clone, Default)]
pub struct Messages {
    /// What people said.
    pub kept: Vec<Message>,
    /// How many were left out, by reason.
    pub left_out: HashMap<LeftOut, u64>,
}

/// An opened export.
#[derive(Debug)]
pub struct Export<R> {
    archive: ZipArchive<R>,
    limits: Limits,
    /// The lists, by name, and where they are.
    lists: HashMap<&'static str, usize>,
    days: Vec<Day>,
    problems: Vec<Problem>,
}

const USERS: &str = "users.json";
const CHANNELS: [(&str, ChannelKind); 4] = [
    ("channels.json", ChannelKind::Public),
    ("groups.json", ChannelKind::Private),
    ("dms.json", ChannelKind::Direct),
    ("mpims.json", ChannelKind::Group),
];
/// Lists that exports have besides and that say nothing to search.
const OTHER_LISTS: [&str; 4] = [
    "integration_logs.json",
    "canvases.json",
    "huddle_transcripts.json",
    "lists.json",
];

impl<R: Read + Seek> Export<R> {
    /// Opens an archive and looks through its list of files.
    pub fn open(mut reader: R, limits: Limits) -> Result<Self, Error> {
        if declared_entries(&mut reader)?.is_some_and(|entries| entries > MAX_ENTRIES) {
            return Err(Error::Bomb("too many files"));
        }
        reader.rewind()?;
        let mut archive = ZipArchive::new(reader).map_err(Error::NotAnArchive)?;
        let root = root(&archive);
        let (mut lists, mut days, mut problems) = (HashMap::new(), Vec::new(), Vec::new());
        let mut total = 0_u64;
        for entry in 0..archive.len() {
            let file = archive.by_index_raw(entry).map_err(Error::NotAnArchive)?;
            let name = String::from_utf8_lossy(file.name_raw()).into_owned();
            let (size, packed) = (file.size(), file.compressed_size());
            let is_encrypted = file.encrypted();
            drop(file);
            total = total.saturating_add(size);
            if total > limits.total_bytes {
                return Err(Error::Bomb("too many bytes"));
            }
            if size > SUSPICIOUS && size / packed.max(1) > MAX_RATIO {
                return Err(Error::Bomb("a file that packs too well"));
            }
            let Some(inner) = name.strip_prefix(root.as_str()).filter(|inner| !inner.is_empty()) else {
                continue;
            };
            let mut refuse = |reason: &str| {
                problems.push(Problem {
                    file: shown(&name),
                    reason: reason.to_owned(),
                });
            };
            match classify(inner) {
                Entry::Ignored => {}
                Entry::Unknown => refuse("it is not part of a Slack export"),
                Entry::List(_) | Entry::Day(..) if is_encrypted => refuse("it is encrypted"),
                Entry::List(list) => {
                    lists.insert(list, entry);
                }
                Entry::Day(folder, date) => days.push(Day {
                    entry,
                    folder: folder.to_owned(),
                    date,
                    bytes: packed,
                }),
            }
        }
        if !lists.contains_key(USERS) || (days.is_empty() && lists.len() < 2) {
            return Err(Error::NotAnExport);
        }
        days.sort_by(|a, b| (&a.folder, a.date, a.entry).cmp(&(&b.folder, b.date, b.entry)));
        days.dedup_by(|later, earlier| (&later.folder, later.date) == (&earlier.folder, earlier.date));
        Ok(Self {
            archive,
            limits,
            lists,
            days,
            problems,
        })
    }

    /// What is in the archive that is left out.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The days of all channels, by folder and date: an order that does not change, so that a reader can go on where it stopped.
    pub fn days(&self) -> &[Day] {
        &self.days
    }

    /// Tells every user.
    pub fn users(&mut self, each: impl FnMut(User)) -> Result<(), Problem> {
        self.list(USERS, each)
    }

    /// Tells every channel with what it is; answers the lists that could not be read.
    pub fn channels(&mut self, mut each: impl FnMut(ChannelKind, Channel)) -> Vec<Problem> {
        CHANNELS
            .iter()
            .filter(|(list, _)| self.lists.contains_key(list))
            .copied()
            .collect::<Vec<_>>()
            .into_iter()
            .filter_map(|(list, kind)| self.list(list, |channel: Channel| each(kind, channel)).err())
            .collect()
    }

    fn list<T: DeserializeOwned>(&mut self, list: &str, mut each: impl FnMut(T)) -> Result<(), Problem> {
        let problem = |reason: String| Problem {
            file: list.to_owned(),
            reason,
        };
        let entry = *self
            .lists
            .get(list)
            .ok_or_else(|| problem("it is missing".to_owned()))?;
        let limit = self.limits.list_bytes;
        let file = self
            .archive
            .by_index(entry)
            .map_err(|error| problem(format!("it cannot be unpacked: {error}")))?;
        let reader = io::BufReader::with_capacity(1 << 16, file.take(limit));
        let mut deserializer = serde_json::Deserializer::from_reader(reader);
        let visitor = Each(|value: Box<RawValue>| {
            // One that is not as expected leaves the others alone.
            if let Ok(value) = serde_json::from_str(value.get()) {
                each(value);
            }
        });
        deserializer
            .deserialize_seq(visitor)
            .and_then(|()| deserializer.end())
            .map_err(|error| problem(format!("it is not a JSON list: {error}")))
    }

    /// What people said on one day: all of it, or a reason why the file is left out.
    pub fn messages(&mut self, day: &Day, is_bot: impl Fn(&str) -> bool) -> Result<Messages, Problem> {
        let problem = |reason: String| Problem {
            file: shown(&format!("{}/{}.json", day.folder, day.date)),
            reason,
        };
        let limit = self.limits.day_bytes;
        let file = self
            .archive
            .by_index(day.entry)
            .map_err(|error| problem(format!("it cannot be unpacked: {error}")))?;
        let mut bytes = Vec::new();
        file.take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| problem(format!("it cannot be unpacked: {error}")))?;
        if bytes.len() as u64 > limit {
            return Err(problem(format!("it is larger than {} MiB", limit >> 20)));
        }
        let values: Vec<&RawValue> = serde_json::from_slice(&bytes)
            .map_err(|error| problem(format!("it is not a JSON list: {error}")))?;
        let mut messages = Messages::default();
        for value in values {
            let read = serde_json::from_str::<Raw>(value.get())
                .map_err(|_| LeftOut::Malformed)
                .and_then(|raw| raw.read(&is_bot));
            match read {
                Ok(message) => messages.kept.push(message),
                Err(reason) => *messages.left_out.entry(reason).or_default() += 1,
            }
        }
        messages.kept.sort_by_key(|message| message.ts);
        messages.kept.dedup_by_key(|message| message.ts);
        Ok(messages)
    }
}

/// What an entry is by its name.
enum Entry<'a> {
    List(&'static str),
    Day(&'a str, NaiveDate),
    Ignored,
    Unknown,
}

fn classify(name: &str) -> Entry<'_> {
    if name.ends_with('/') || name.starts_with("__MACOSX/") || OTHER_LISTS.contains(&name) {
        return Entry::Ignored;
    }
    let lists = CHANNELS.iter().map(|(list, _)| *list).chain([USERS]);
    if let Some(list) = lists.into_iter().find(|list| *list == name) {
        return Entry::List(list);
    }
    let Some((folder, file)) = name.split_once('/') else {
        return if name.to_ascii_lowercase().ends_with(".json") || name.starts_with('.') {
            Entry::Ignored
        } else {
            Entry::Unknown
        };
    };
    let is_folder = !folder.is_empty()
        && folder.chars().count() <= 120
        && !folder.starts_with('.')
        && !folder.chars().any(|c| c.is_control() || matches!(c, '\\' | ':'));
    let date = file
        .strip_suffix(".json")
        .filter(|date| date.len() == 10)
        .and_then(|date| NaiveDate::parse_from_str(date, "%Y-%m-%d").ok());
    match date {
        Some(date) if is_folder => Entry::Day(folder, date),
        _ if file.starts_with('.') && !file.contains('/') => Entry::Ignored,
        _ => Entry::Unknown,
    }
}

/// People unpack and pack exports again, which puts everything into one folder: the one that holds `users.json`.
fn root<R: Read + Seek>(archive: &ZipArchive<R>) -> String {
    let mut roots = archive
        .file_names()
        .filter_map(|name| Some(name.ok()?.strip_suffix(USERS)?.to_owned()))
        .filter(|root| root.is_empty() || (root.ends_with('/') && root.matches('/').count() == 1))
        .collect::<Vec<String>>();
    roots.sort_unstable();
    roots.into_iter().next().unwrap_or_default()
}

/// A name from the archive as it may be shown: bounded and without control characters.
fn shown(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .take(200)
        .collect()
}

/// How many entries the end of the archive declares (PKWARE's APPNOTE 4.3.14 to 4.3.16), asked before anything is allocated for them; `None`
/// when there is no such record.
fn declared_entries<R: Read + Seek>(reader: &mut R) -> io::Result<Option<u64>> {
    let length = reader.seek(SeekFrom::End(0))?;
    let tail_length = length.min(65_535 + 22 + 20);
    reader.seek(SeekFrom::Start(length - tail_length))?;
    let mut tail = Vec::new();
    reader.take(tail_length).read_to_end(&mut tail)?;
    let Some(end) = tail.windows(4).rposition(|window| window == b"PK\x05\x06") else {
        return Ok(None);
    };
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .rev()
            .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte))
    };
    let Some(entries) = tail.get(end + 10..end + 12).map(number) else {
        return Ok(None);
    };
    let locator = end.checked_sub(20).and_then(|start| tail.get(start..end));
    let Some(record) = locator
        .filter(|locator| locator.starts_with(b"PK\x06\x07"))
        .map(|locator| number(&locator[8..16]))
        .filter(|record| *record < length)
    else {
        return Ok(Some(entries));
    };
    reader.seek(SeekFrom::Start(record))?;
    let mut large = Vec::new();
    reader.take(40).read_to_end(&mut large)?;
    let declared = large.get(32..40).map(number);
    Ok(Some(declared.map_or(entries, |declared| declared.max(entries))))
}

/// Visits a JSON list element by element.
struct Each<F>(F);

impl<'de, F: FnMut(Box<RawValue>)> Visitor<'de> for Each<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(element) = list.next_element()? {
            (self.0)(element);
        }
        Ok(())
    }
}
