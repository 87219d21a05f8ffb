//! An inverted index over a run of passages: for each term, the passages that hold it.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::pairs::Pairs;
use crate::index::analysis::stored::Terms;

/// Terms are hashes already, so they are their own hash.
#[derive(Debug, Default, Clone)]
pub(super) struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, number: u64) {
        // The table looks at the lowest bits for the place and at the highest seven for the tag; a term has 40 bits.
        self.0 = number ^ (number << 24);
    }
}

type Dictionary = HashMap<u64, u32, BuildHasherDefault<Identity>>;

/// The inverted index. Within a term, passages stand in ascending order.
#[derive(Debug, Default)]
pub(super) struct Postings {
    dictionary: Dictionary,
    /// Where the postings of each term begin, by the term's number; one more entry than terms.
    starts: Vec<u32>,
    passages: Vec<u32>,
    frequencies: Vec<u16>,
}

impl Postings {
    /// Builds the index of passages given as their stored terms, in order; also gives each passage's
    /// length in words and its pairs.
    pub(super) fn build<'a>(stored: impl Iterator<Item = &'a [u8]>) -> (Self, Vec<u32>, Pairs) {
        let mut dictionary = Dictionary::default();
        let mut counts: Vec<u32> = Vec::new();
        let mut lengths = Vec::new();
        let mut pairs = Pairs::default();
        let mut entries: Vec<(u32, u32, u16)> = Vec::new();
        for (passage, bytes) in (0_u32..).zip(stored) {
            let mut terms = Terms::read(bytes);
            lengths.push(terms.length);
            entries.reserve(terms.size_hint().1.unwrap_or(0));
            for (term, frequency) in terms.by_ref() {
                let next = u32::try_from(counts.len()).unwrap_or(u32::MAX);
                let number = *dictionary.entry(term).or_insert(next);
                if number == next {
                    counts.push(0);
                }
                counts[number as usize] += 1;
                entries.push((number, passage, u16::try_from(frequency).unwrap_or(u16::MAX)));
            }
            pairs.push(terms.pairs());
        }
        let mut postings = Self::with_counts(dictionary, &counts);
        let mut next = postings.starts.clone();
        for (number, passage, frequency) in entries {
            postings.place(&mut next, number, passage, frequency);
        }
        (postings, lengths, pairs)
    }

    /// One index over the passages of several, each passage renumbered by its index's map (`None`: left out). The new
    /// numbers ascend within each map and from one map to the next.
    pub(super) fn merge(parts: &[(&Postings, &[Option<u32>])]) -> Self {
        let mut dictionary = Dictionary::default();
        let mut counts: Vec<u32> = Vec::new();
        for (part, map) in parts {
            for (&term, &number) in &part.dictionary {
                let kept = part
                    .range(number)
                    .filter(|&at| map[part.passages[at] as usize].is_some())
                    .count();
                if kept == 0 {
                    continue;
                }
                let next = u32::try_from(counts.len()).unwrap_or(u32::MAX);
                let merged = *dictionary.entry(term).or_insert(next);
                if merged == next {
                    counts.push(0);
                }
                counts[merged as usize] += u32::try_from(kept).unwrap_or(u32::MAX);
            }
        }
        let mut postings = Self::with_counts(dictionary, &counts);
        let mut next = postings.starts.clone();
        for (part, map) in parts {
            for (term, &number) in &part.dictionary {
                let Some(&merged) = postings.dictionary.get(term) else {
                    continue;
                };
                for at in part.range(number) {
                    if let Some(passage) = map[part.passages[at] as usize] {
                        postings.place(&mut next, merged, passage, part.frequencies[at]);
                    }
                }
            }
        }
        postings
    }

    /// The passages that hold a term and how often, ascending by passage.
    pub(super) fn of(&self, term: u64) -> impl Iterator<Item = (u32, u16)> + '_ {
        let range = self
            .dictionary
            .get(&term)
            .map_or(0..0, |&number| self.range(number));
        self.passages[range.clone()]
            .iter()
            .copied()
            .zip(self.frequencies[range].iter().copied())
    }

    /// How much memory it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.dictionary.capacity() * 17 + self.starts.len() * 4 + self.passages.len() * 6
    }

    fn with_counts(dictionary: Dictionary, counts: &[u32]) -> Self {
        let mut starts = Vec::with_capacity(counts.len() + 1);
        let mut total = 0;
        starts.push(0);
        for count in counts {
            total += count;
            starts.push(total);
        }
        Self {
            dictionary,
            starts,
            passages: vec![0; total as usize],
            frequencies: vec![0; total as usize],
        }
    }

    fn place(&mut self, next: &mut [u32], number: u32, passage: u32, frequency: u16) {
        let at = &mut next[number as usize];
        self.passages[*at as usize] = passage;
        self.frequencies[*at as usize] = frequency;
        *at += 1;
    }

    fn range(&self, number: u32) -> std::ops::Range<usize> {
        self.starts[number as usize] as usize..self.starts[number as usize + 1] as usize
    }
}
