//! A model that needs no weights: texts that share words lie close together.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use amebo_knowledge::embed::{Embedder, Error, Languages, ModelInfo, Purpose};
use parking_lot::Mutex;
use tokio::sync::Notify;

/// How many numbers its vectors have.
const DIMENSION: usize = 64;

/// What is the matter with a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Its service cannot be reached.
    Away,
    /// Its service does not take the texts.
    Refuses,
    /// It stopped working.
    Breaks,
}

/// Counts words into buckets. It can be told to fail, or to stand still.
#[derive(Debug)]
pub struct WordModel {
    info: ModelInfo,
    fault: Mutex<Option<Fault>>,
    still: AtomicBool,
    moved: Notify,
    calls: AtomicUsize,
}

impl WordModel {
    /// A model of this name.
    pub fn named(name: &str) -> Self {
        Self {
            info: ModelInfo {
                id: name.to_owned(),
                dimension: DIMENSION,
                languages: Languages::Any,
                max_tokens: 512,
            },
            fault: Mutex::new(None),
            still: AtomicBool::new(false),
            moved: Notify::new(),
            calls: AtomicUsize::new(0),
        }
    }

    /// The same model, which knows these languages alone (ISO 639-1).
    #[must_use]
    pub fn speaking(mut self, languages: &[&str]) -> Self {
        self.info.languages = Languages::Only(languages.iter().map(|&code| code.to_owned()).collect());
        self
    }

    /// Whether calls fail as those to an unreachable service do.
    pub fn set_away(&self, away: bool) {
        self.set_fault(away.then_some(Fault::Away));
    }

    /// What calls fail of until this is taken back.
    pub fn set_fault(&self, fault: Option<Fault>) {
        *self.fault.lock() = fault;
    }

    /// Whether passages wait, as before an overloaded model, until this is taken back.
    pub fn set_still(&self, still: bool) {
        self.still.store(still, Ordering::SeqCst);
        self.moved.notify_waiters();
    }

    /// How many calls there were.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

#[async_trait::async_trait]
impl Embedder for WordModel {
    fn model(&self) -> &ModelInfo {
        &self.info
    }

    async fn embed(&self, inputs: &[String], purpose: Purpose) -> Result<Vec<Vec<f32>>, Error> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        loop {
            let moved = self.moved.notified();
            if purpose == Purpose::Query || !self.still.load(Ordering::SeqCst) {
                break;
            }
            moved.await;
        }
        match *self.fault.lock() {
            None => {}
            Some(Fault::Away) => {
                return Err(Error::Unavailable {
                    reason: "it was told to be away".to_owned(),
                    retry_after: None,
                });
            }
            Some(Fault::Refuses) => return Err(Error::Refused("it was told to refuse".to_owned())),
            Some(Fault::Breaks) => return Err(Error::Failed("it was told to break".to_owned())),
        }
        Ok(inputs.iter().map(|input| words(input, DIMENSION)).collect())
    }
}

/// A vector of unit length that counts a text's words in buckets.
pub(crate) fn words(text: &str, dimension: usize) -> Vec<f32> {
    let mut vector = vec![0.0_f32; dimension];
    // No text lies nowhere.
    vector[0] = 0.1;
    for word in text
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        let mut hasher = DefaultHasher::new();
        word.to_lowercase().hash(&mut hasher);
        let bucket = usize::try_from(hasher.finish() % dimension as u64).unwrap();
        vector[bucket] += 1.0;
    }
    let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
    vector.iter().map(|number| number / length).collect()
}
