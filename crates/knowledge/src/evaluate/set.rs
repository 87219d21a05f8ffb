//! Sets in the shape of BEIR: `corpus.jsonl` (or `.gz`), `queries.jsonl`, `qrels.tsv` and, where known, `answers.jsonl`.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Error;
use crate::retrieve::{Speaker, Turn};

/// The longest line of a set, in bytes: a whole book fits, an endless file does not.
const LONGEST_LINE: u64 = 256 << 20;

/// Questions about a library, with what is known of their answers.
#[derive(Debug, Clone)]
pub struct Set {
    /// The names of its folder and, where it lies in one of several, of that folder: `xquad/en`.
    pub name: String,
    /// What is searched.
    pub entries: Vec<Entry>,
    /// What is asked.
    pub questions: Vec<Question>,
    /// How relevant entries are, by question and entry; only what is relevant at all.
    pub judgements: HashMap<String, BTreeMap<String, u32>>,
    /// What is known of the answers, by question.
    pub answers: HashMap<String, KnownAnswer>,
}

/// An entry of the corpus.
#[derive(Debug, Clone, Deserialize)]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// Its title; may be empty.
    #[serde(default)]
    pub title: String,
    /// Its text.
    pub text: String,
}

/// A question.
#[derive(Debug, Clone)]
pub struct Question {
    /// Its id.
    pub id: String,
    /// As asked.
    pub text: String,
    /// What was said before, oldest first.
    pub history: Vec<Turn>,
}

/// What is known of an answer.
#[derive(Debug, Clone, Deserialize)]
pub struct KnownAnswer {
    id: String,
    /// Texts of which any is right; may be empty.
    #[serde(default)]
    pub answers: Vec<String>,
    /// Whether the library answers the question.
    #[serde(default = "yes")]
    pub answerable: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
struct QuestionLine {
    id: String,
    text: String,
    #[serde(default)]
    history: Vec<TurnLine>,
}

#[derive(Deserialize)]
struct TurnLine {
    speaker: String,
    text: String,
}

impl Set {
    /// Loads the set in `folder`, or every set in its subfolders where it is none itself. A folder without a corpus of its own
    /// asks that of the folder above.
    pub fn load_all(folder: &Path) -> Result<Vec<Set>, Error> {
        if folder.join("queries.jsonl").exists() {
            return Ok(vec![Self::load(folder)?]);
        }
        let read = |source| Error::Read {
            path: folder.to_owned(),
            source,
        };
        let mut folders: Vec<PathBuf> = Vec::new();
        for entry in folder.read_dir().map_err(read)? {
            let path = entry.map_err(read)?.path();
            if path.join("queries.jsonl").exists() {
                folders.push(path);
            }
        }
        folders.sort();
        if folders.is_empty() {
            let path = folder.join("queries.jsonl");
            return Err(Error::Read {
                path,
                source: ErrorKind::NotFound.into(),
            });
        }
        folders.iter().map(|folder| Self::load(folder)).collect()
    }

    fn load(folder: &Path) -> Result<Self, Error> {
        let own = has_corpus(folder);
        let above = folder.parent().filter(|above| !own && has_corpus(above));
        let in_several = above.is_some()
            || folder.parent().is_some_and(|above| {
                !has_corpus(above) && count_sets(above) > 1 && above.join("LICENSE-NOTE.md").exists()
            });
        let last = |path: &Path| {
            path.file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default()
        };
        let name = match folder.parent() {
            Some(above) if in_several => format!("{}/{}", last(above), last(folder)),
            _ => last(folder),
        };
        let entries = lines(&above.unwrap_or(folder).join("corpus.jsonl"))?;
        let questions: Vec<QuestionLine> = lines(&folder.join("queries.jsonl"))?;
        let answers = folder.join("answers.jsonl");
        let answers: Vec<KnownAnswer> = if answers.exists() {
            lines(&answers)?
        } else {
            Vec::new()
        };
        Ok(Self {
            name,
            entries,
            questions: questions.into_iter().map(Question::from).collect(),
            judgements: judgements(&folder.join("qrels.tsv"))?,
            answers: answers
                .into_iter()
                .map(|answer| (answer.id.clone(), answer))
                .collect(),
        })
    }

    /// The same questions about the library of `other`, whose judgements and known answers hold for questions of the same id; the
    /// others are left out. So questions of one language are asked about documents in another.
    #[must_use]
    pub fn about(mut self, other: &Set) -> Self {
        self.questions
            .retain(|question| other.judgements.contains_key(&question.id));
        self.name = format!("{} about {}", self.name, other.name);
        self.entries.clone_from(&other.entries);
        self.judgements.clone_from(&other.judgements);
        self.answers.clone_from(&other.answers);
        self
    }

    /// Only the questions with an odd or an even number, counted from 0 among all of the set: what constants are fitted on must
    /// not be what is reported.
    #[must_use]
    pub fn half(mut self, odd: bool) -> Self {
        let mut number = 0;
        self.questions.retain(|_| {
            number += 1;
            (number % 2 == 0) == odd
        });
        self
    }
}

impl From<QuestionLine> for Question {
    fn from(line: QuestionLine) -> Self {
        let turn = |turn: TurnLine| Turn {
            speaker: if turn.speaker == "user" {
                Speaker::Person
            } else {
                Speaker::Amebo
            },
            text: turn.text,
        };
        Self {
            id: line.id,
            text: line.text,
            history: line.history.into_iter().map(turn).collect(),
        }
    }
}

fn has_corpus(folder: &Path) -> bool {
    folder.join("corpus.jsonl").exists() || folder.join("corpus.jsonl.gz").exists()
}

fn count_sets(folder: &Path) -> usize {
    folder.read_dir().map_or(0, |entries| {
        entries
            .flatten()
            .filter(|entry| entry.path().join("queries.jsonl").exists())
            .count()
    })
}

fn judgements(path: &Path) -> Result<HashMap<String, BTreeMap<String, u32>>, Error> {
    let mut judgements: HashMap<String, BTreeMap<String, u32>> = HashMap::new();
    let file = File::open(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    for (number, line) in BufReader::new(file).lines().enumerate().skip(1) {
        let line = line.map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        if line.is_empty() {
            continue;
        }
        let parts: Vec<&str> = line.split('\t').collect();
        let [question, entry, gain] = parts[..] else {
            return Err(malformed(
                path,
                number + 1,
                "a judgement is question, entry and gain, separated by tabs",
            ));
        };
        let gain: i64 = gain
            .parse()
            .map_err(|_| malformed(path, number + 1, "the gain is not a whole number"))?;
        if let Some(gain) = u32::try_from(gain).ok().filter(|gain| *gain > 0) {
            judgements
                .entry(question.to_owned())
                .or_default()
                .insert(entry.to_owned(), gain);
        }
    }
    Ok(judgements)
}

fn lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, Error> {
    let zipped = PathBuf::from(format!("{}.gz", path.display()));
    let (path, is_zipped) = if path.exists() {
        (path.to_owned(), false)
    } else {
        (zipped, true)
    };
    let read = |source| Error::Read {
        path: path.clone(),
        source,
    };
    let file = File::open(&path).map_err(read)?;
    let mut reader: Box<dyn BufRead> = if is_zipped {
        Box::new(BufReader::new(MultiGzDecoder::new(file)))
    } else {
        Box::new(BufReader::new(file))
    };
    let mut all = Vec::new();
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let length = reader
            .by_ref()
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)
            .map_err(read)?;
        if length == 0 {
            break;
        }
        if !line.trim_ascii().is_empty() {
            all.push(
                serde_json::from_slice(&line)
                    .map_err(|error| malformed(&path, number, &error.to_string()))?,
            );
        }
    }
    Ok(all)
}

fn malformed(path: &Path, line: usize, reason: &str) -> Error {
    Error::Malformed {
        path: path.to_owned(),
        line,
        reason: reason.to_owned(),
    }
}
