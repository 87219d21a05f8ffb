//! A run of documents that were added together. Segments never change: a newer version of an index shares those of the
//! older one, so a search goes on undisturbed in the version it began with.

use std::collections::HashMap;
use std::sync::Arc;

use amebo_core::document::Audience;
use amebo_core::id::{ChunkId, DocumentId, KnowledgeBaseId};

use super::pairs::Pairs;
use super::postings::Postings;
use super::vectors::Vectors;
use crate::index::IndexedDocument;

/// Documents that share knowledge base and audience: what decides whether they are searched.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Group {
    pub(super) knowledge_base: KnowledgeBaseId,
    pub(super) audience: Audience,
}

/// One document of a segment.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) id: DocumentId,
    /// Its group's number in [`Segment::groups`].
    pub(super) group: u32,
    /// Its passages' numbers.
    pub(super) passages: std::ops::Range<u32>,
    /// The words of all its passages.
    pub(super) length: u64,
}

/// The segment.
#[derive(Debug, Default)]
pub(super) struct Segment {
    pub(super) groups: Vec<Group>,
    pub(super) documents: Vec<Entry>,
    by_id: HashMap<DocumentId, u32>,
    pub(super) chunks: Vec<ChunkId>,
    /// Length in words, by passage.
    pub(super) lengths: Vec<u32>,
    pub(super) postings: Postings,
    pub(super) pairs: Pairs,
    pub(super) vectors: Vec<(String, Vectors)>,
}

impl Segment {
    /// A segment of documents no two of which have the same id.
    pub(super) fn build(documents: &[&IndexedDocument]) -> Self {
        let passages = || documents.iter().flat_map(|document| &document.passages);
        let (postings, lengths, pairs) = Postings::build(passages().map(|passage| passage.terms.as_slice()));
        let mut segment = Self {
            lengths,
            postings,
            pairs,
            ..Self::default()
        };
        let mut scratch = Vec::new();
        for (passage, content) in (0_u32..).zip(passages()) {
            segment.chunks.push(content.id);
            if !content.vector.is_empty() {
                segment
                    .vectors_of(&content.model)
                    .push(passage, &content.vector, &mut scratch);
            }
        }
        let mut start = 0;
        let mut groups = HashMap::new();
        for document in documents {
            let end = start + u32::try_from(document.passages.len()).unwrap_or(u32::MAX);
            let group = Group {
                knowledge_base: document.knowledge_base,
                audience: document.audience.clone(),
            };
            segment.add(&mut groups, document.id, group, start..end);
            start = end;
        }
        segment
    }

    /// One segment of what is still alive in several.
    pub(super) fn merge(parts: &[&Part]) -> Self {
        let mut merged = Self::default();
        let mut groups = HashMap::new();
        let mut maps: Vec<Vec<Option<u32>>> = Vec::with_capacity(parts.len());
        let mut next = 0;
        for part in parts {
            let segment = &*part.segment;
            let mut map = vec![None; segment.chunks.len()];
            for entry in part.alive() {
                let start = next;
                for passage in entry.passages.clone() {
                    map[passage as usize] = Some(next);
                    merged.chunks.push(segment.chunks[passage as usize]);
                    merged.lengths.push(segment.lengths[passage as usize]);
                    merged.pairs.push(segment.pairs.of(passage).iter().copied());
                    next += 1;
                }
                merged.add(
                    &mut groups,
                    entry.id,
                    segment.groups[entry.group as usize].clone(),
                    start..next,
                );
            }
            for (model, vectors) in &segment.vectors {
                merged.vectors_of(model).extend(vectors, &map);
            }
            maps.push(map);
        }
        let postings: Vec<_> = parts
            .iter()
            .zip(&maps)
            .map(|(part, map)| (&part.segment.postings, map.as_slice()))
            .collect();
        merged.postings = Postings::merge(&postings);
        merged
    }

    /// How much memory it takes, in bytes, roughly.
    pub(super) fn bytes(&self) -> usize {
        self.documents.len() * (size_of::<Entry>() + 40)
            + self.chunks.len() * 20
            + self.postings.bytes()
            + self.pairs.bytes()
            + self
                .vectors
                .iter()
                .map(|(_, vectors)| vectors.bytes())
                .sum::<usize>()
            + size_of::<Self>()
    }

    fn add(
        &mut self,
        groups: &mut HashMap<Group, u32>,
        id: DocumentId,
        group: Group,
        passages: std::ops::Range<u32>,
    ) {
        let length = self.lengths[passages.start as usize..passages.end as usize]
            .iter()
            .map(|&length| u64::from(length))
            .sum();
        let number = u32::try_from(self.groups.len()).unwrap_or(u32::MAX);
        let group = *groups.entry(group).or_insert_with_key(|group| {
            self.groups.push(group.clone());
            number
        });
        self.by_id
            .insert(id, u32::try_from(self.documents.len()).unwrap_or(u32::MAX));
        self.documents.push(Entry {
            id,
            group,
            passages,
            length,
        });
    }

    fn vectors_of(&mut self, model: &str) -> &mut Vectors {
        let at = self
            .vectors
            .iter()
            .position(|(known, _)| known == model)
            .unwrap_or_else(|| {
                self.vectors.push((model.to_owned(), Vectors::default()));
                self.vectors.len() - 1
            });
        &mut self.vectors[at].1
    }
}

/// A segment and which of its documents are still alive in one version of the index.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) segment: Arc<Segment>,
    dead: Arc<Vec<bool>>,
    dead_passages: usize,
}

impl Part {
    /// A segment all of whose documents are alive.
    pub(super) fn new(segment: Segment) -> Self {
        Self {
            dead: Arc::new(vec![false; segment.documents.len()]),
            segment: Arc::new(segment),
            dead_passages: 0,
        }
    }

    /// Marks documents as gone.
    pub(super) fn remove<'a>(&mut self, gone: impl Iterator<Item = &'a DocumentId>) {
        for id in gone {
            if let Some(&at) = self.segment.by_id.get(id)
                && !self.dead[at as usize]
            {
                Arc::make_mut(&mut self.dead)[at as usize] = true;
                self.dead_passages += self.segment.documents[at as usize].passages.len();
            }
        }
    }

    /// The documents that are alive.
    pub(super) fn alive(&self) -> impl Iterator<Item = &Entry> {
        self.segment
            .documents
            .iter()
            .zip(self.dead.iter())
            .filter(|(_, dead)| !**dead)
            .map(|(entry, _)| entry)
    }

    /// How many passages are alive.
    pub(super) fn passages(&self) -> usize {
        self.segment.chunks.len() - self.dead_passages
    }

    /// Whether so much of it is dead that it should be written anew.
    pub(super) fn is_worn(&self) -> bool {
        self.dead_passages * 3 > self.segment.chunks.len() || self.alive().next().is_none()
    }
}
