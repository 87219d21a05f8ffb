//! One search over one version of an index: scope, words, vectors, fusion.
//!
//! Everything that enters a score, including how many passages hold a word and how long passages are on average, is
//! counted over the scope alone: what the readers may see of the knowledge bases asked for. So a search gives what an
//! index of nothing but that scope would give, and nothing hidden can be inferred from scores.

use amebo_core::document::Reader;
use amebo_core::id::ChunkId;

use super::segment::{Entry, Part, Segment};
use super::vectors::{Probe, Vectors};
use crate::index::analysis::{self, Asked, Pair};
use crate::index::fusion::{Fusion, Spread};
use crate::index::{Balance, Hit, Hits, Query};

/// How many of the roughly best passages are compared again in full precision.
const RESCORED: usize = 200;

/// How many of the passages that hold most of the question's words are looked at for pairs of neighbouring words.
const PAIRED: usize = 200;

/// Searches the parts of an index.
pub(super) fn search(parts: &[Part], query: &Query, fusion: &Fusion) -> Hits {
    let scope = Scope::new(parts, query);
    if scope.passages == 0 || query.limit == 0 {
        return Hits {
            hits: Vec::new(),
            documents_in_scope: scope.documents.len(),
            passages_in_scope: scope.passages,
        };
    }
    let mut signals = Signals::new(&scope);
    let question = analysis::question(&query.text);
    let mut found = (query.balance == Balance::ByWordsFound).then(|| vec![0.0; scope.passages]);
    let rarities: Vec<f32> = question
        .words
        .iter()
        .map(|asked| signals.count(&scope, asked, found.as_deref_mut(), fusion))
        .collect();
    let fusion = &match found {
        Some(found) => fusion.by_words_found(share_found(&found, &question.words, &rarities)),
        None => *fusion,
    };
    signals.pair(&scope, &question.pairs, &rarities, fusion);
    for (model, vector) in &query.vectors {
        signals.compare(&scope, model, &Probe::new(vector), fusion);
    }
    Hits {
        hits: signals.best(&scope, query.limit, fusion),
        documents_in_scope: scope.documents.len(),
        passages_in_scope: scope.passages,
    }
}

/// The documents that are searched. Their passages are numbered from 0 without gaps.
struct Scope<'a> {
    parts: Vec<Area<'a>>,
    documents: Vec<Place<'a>>,
    passages: usize,
    length: u64,
}

/// The part of the scope that lies in one segment.
struct Area<'a> {
    segment: &'a Segment,
    /// The number in the scope of each passage of the segment; [`OUTSIDE`] for the others.
    numbers: Vec<u32>,
}

struct Place<'a> {
    entry: &'a Entry,
    area: usize,
    /// The number in the scope of its first passage.
    start: u32,
}

const OUTSIDE: u32 = u32::MAX;

impl<'a> Scope<'a> {
    fn new(parts: &'a [Part], query: &Query) -> Self {
        let mut scope = Self {
            parts: Vec::with_capacity(parts.len()),
            documents: Vec::new(),
            passages: 0,
            length: 0,
        };
        for (area, part) in parts.iter().enumerate() {
            let segment = &*part.segment;
            let open: Vec<bool> = segment
                .groups
                .iter()
                .map(|group| {
                    query.knowledge_bases.contains(&group.knowledge_base)
                        && !query.readers.is_empty()
                        && query
                            .readers
                            .iter()
                            .all(|reader: &Reader| group.audience.includes(reader))
                })
                .collect();
            let mut numbers = vec![OUTSIDE; segment.chunks.len()];
            for entry in part.alive().filter(|entry| open[entry.group as usize]) {
                let start = u32::try_from(scope.passages).unwrap_or(OUTSIDE);
                for (number, passage) in (start..).zip(entry.passages.clone()) {
                    numbers[passage as usize] = number;
                }
                scope.passages += entry.passages.len();
                scope.length += entry.length;
                scope.documents.push(Place { entry, area, start });
            }
            scope.parts.push(Area { segment, numbers });
        }
        scope
    }
}

/// What is known of each passage and document of the scope, by number.
struct Signals {
    lexical: Vec<f32>,
    dense: Vec<f32>,
    /// The document of each passage.
    document_of: Vec<u32>,
    document_lexical: Vec<f32>,
    /// The normalised dense signals, summed with their weights.
    dense_share: Vec<f32>,
    lengths: Vec<f32>,
    average_length: f32,
    average_document_length: f32,
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts and lengths are far below 2^24 or need no more precision"
)]
impl Signals {
    fn new(scope: &Scope<'_>) -> Self {
        let mut document_of = Vec::with_capacity(scope.passages);
        let mut lengths = Vec::with_capacity(scope.passages);
        for (number, place) in (0_u32..).zip(&scope.documents) {
            document_of.resize(document_of.len() + place.entry.passages.len(), number);
            let passages = place.entry.passages.start as usize..place.entry.passages.end as usize;
            lengths.extend(
                scope.parts[place.area].segment.lengths[passages]
                    .iter()
                    .map(|&length| length as f32),
            );
        }
        Self {
            lexical: vec![0.0; scope.passages],
            dense: vec![f32::NAN; scope.passages],
            document_of,
            document_lexical: vec![0.0; scope.documents.len()],
            dense_share: vec![0.0; scope.passages],
            lengths,
            average_length: (scope.length as f32 / scope.passages as f32).max(1.0),
            average_document_length: (scope.length as f32 / scope.documents.len() as f32).max(1.0),
        }
    }

    /// Adds what one word of the question contributes to BM25, and gives the word's rarity, which it also adds to `held` of
    /// each passage that has the word.
    fn count(&mut self, scope: &Scope<'_>, asked: &Asked, held: Option<&mut [f32]>, fusion: &Fusion) -> f32 {
        let mut found: Vec<(u32, f32)> = Vec::new();
        for area in &scope.parts {
            let before = found.len();
            for &term in &asked.terms {
                let postings = area.segment.postings.of(term);
                found.extend(postings.filter_map(|(passage, frequency)| {
                    let number = area.numbers[passage as usize];
                    (number != OUTSIDE).then_some((number, f32::from(frequency)))
                }));
            }
            if asked.terms.len() > 1 {
                // The same word under several stems counts once, as often as its most frequent stem.
                found[before..].sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
            }
        }
        found.dedup_by_key(|(number, _)| *number);
        let rarity = self::rarity(found.len(), scope.passages);
        if let Some(held) = held {
            for (number, _) in &found {
                held[*number as usize] += asked.weight * rarity;
            }
        }
        let mut in_documents: Vec<(u32, f32)> = Vec::new();
        for (number, frequency) in found {
            let long = 1.0 - fusion.b + fusion.b * self.lengths[number as usize] / self.average_length;
            self.lexical[number as usize] +=
                asked.weight * rarity * frequency / (frequency + fusion.k1 * long);
            let document = self.document_of[number as usize];
            match in_documents.last_mut() {
                Some((last, total)) if *last == document => *total += frequency,
                _ => in_documents.push((document, frequency)),
            }
        }
        let rarity_of_document = asked.weight * self::rarity(in_documents.len(), scope.documents.len());
        for (document, frequency) in in_documents {
            let length = scope.documents[document as usize].entry.length as f32;
            let long = 1.0 - fusion.b + fusion.b * length / self.average_document_length;
            self.document_lexical[document as usize] +=
                rarity_of_document * frequency / (frequency + fusion.k1 * long);
        }
        rarity
    }

    /// Adds to BM25 what neighbouring words of the question contribute where they are neighbours in the passage, too.
    fn pair(&mut self, scope: &Scope<'_>, pairs: &[Pair], rarities: &[f32], fusion: &Fusion) {
        if pairs.is_empty() {
            return;
        }
        let mut found: Vec<u32> = (0_u32..)
            .zip(&self.lexical)
            .filter(|(_, score)| **score > 0.0)
            .map(|(number, _)| number)
            .collect();
        if found.len() > PAIRED {
            let score = |number: &u32| self.lexical[*number as usize];
            found.select_nth_unstable_by(PAIRED - 1, |a, b| {
                score(b)
                    .total_cmp(&score(a))
                    .then_with(|| self.chunk(scope, *a).cmp(&self.chunk(scope, *b)))
            });
            found.truncate(PAIRED);
        }
        for number in found {
            let (segment, passage) = self.locate(scope, number);
            let held = segment.pairs.of(passage);
            let shared = pairs.iter().filter(|pair| {
                pair.fingerprints
                    .iter()
                    .any(|fingerprint| held.binary_search(fingerprint).is_ok())
            });
            let bonus: f32 = shared
                .map(|pair| pair.words.iter().map(|&word| rarities[word]).sum::<f32>() / 2.0)
                .sum();
            self.lexical[number as usize] += fusion.pair * bonus;
        }
    }

    /// Compares the question with the vectors one model made.
    fn compare(&mut self, scope: &Scope<'_>, model: &str, probe: &Probe, fusion: &Fusion) {
        let mut rows: Vec<(u32, f32, &Vectors, usize)> = Vec::new();
        for area in &scope.parts {
            let Some((_, vectors)) = area.segment.vectors.iter().find(|(known, _)| known == model) else {
                continue;
            };
            for (row, &passage) in vectors.passages.iter().enumerate() {
                let number = area.numbers[passage as usize];
                if number != OUTSIDE
                    && let Some(similarity) = vectors.rough(row, probe)
                {
                    rows.push((number, similarity, vectors, row));
                }
            }
        }
        if rows.is_empty() {
            return;
        }
        if rows.len() > RESCORED {
            rows.select_nth_unstable_by(RESCORED - 1, |a, b| b.1.total_cmp(&a.1));
        }
        for (_, similarity, vectors, row) in rows.iter_mut().take(RESCORED) {
            if let Some(exact) = vectors.exact(*row, probe) {
                *similarity = exact;
            }
        }
        let mut values: Vec<f32> = rows.iter().map(|row| row.1).collect();
        let spread = Spread::of(&mut values, fusion.depth);
        let mut means = vec![
            (0.0_f32, 0.0_f32);
            if fusion.document_dense > 0.0 {
                scope.documents.len()
            } else {
                0
            }
        ];
        for &(number, similarity, ..) in &rows {
            self.dense[number as usize] = similarity;
            self.dense_share[number as usize] = fusion.dense * spread.place(similarity);
            if let Some((sum, count)) = means.get_mut(self.document_of[number as usize] as usize) {
                *sum += similarity;
                *count += 1.0;
            }
        }
        if means.is_empty() {
            return;
        }
        let mut values: Vec<f32> = means
            .iter()
            .filter(|mean| mean.1 > 0.0)
            .map(|(sum, count)| sum / count)
            .collect();
        let spread = Spread::of(&mut values, fusion.depth);
        for &(number, ..) in &rows {
            let (sum, count) = means[self.document_of[number as usize] as usize];
            self.dense_share[number as usize] += fusion.document_dense * spread.place(sum / count);
        }
    }

    /// The best passages: those with a word of the question or a vector that was compared.
    fn best(&self, scope: &Scope<'_>, limit: usize, fusion: &Fusion) -> Vec<Hit> {
        let spread_of = |scores: &[f32]| {
            let mut positive: Vec<f32> = scores.iter().copied().filter(|score| *score > 0.0).collect();
            // Where fewer passages than the depth hold a word, the others, at 0, are the floor.
            if positive.len() < fusion.depth && positive.len() < scores.len() {
                positive.push(0.0);
            }
            Spread::of(&mut positive, fusion.depth)
        };
        let (words, words_of_document) = (spread_of(&self.lexical), spread_of(&self.document_lexical));
        let mut ranked: Vec<(f32, u32)> = (0_u32..)
            .zip(self.lexical.iter().zip(&self.dense))
            .filter(|(_, (lexical, dense))| **lexical > 0.0 || !dense.is_nan())
            .map(|(number, (lexical, _))| {
                let at = number as usize;
                let of_document = self.document_lexical[self.document_of[at] as usize];
                let mut score = self.dense_share[at];
                if *lexical > 0.0 {
                    score += fusion.lexical * words.place(*lexical);
                }
                if of_document > 0.0 {
                    score += fusion.document_lexical * words_of_document.place(of_document);
                }
                (score, number)
            })
            .collect();
        // Equal scores: by id, so that the order does not depend on how the index came about.
        let order = |a: &(f32, u32), b: &(f32, u32)| {
            b.0.total_cmp(&a.0)
                .then_with(|| self.chunk(scope, a.1).cmp(&self.chunk(scope, b.1)))
        };
        if ranked.len() > limit {
            ranked.select_nth_unstable_by(limit - 1, order);
            ranked.truncate(limit);
        }
        ranked.sort_unstable_by(order);
        ranked
            .into_iter()
            .map(|(score, number)| Hit {
                chunk: self.chunk(scope, number),
                document: scope.documents[self.document_of[number as usize] as usize]
                    .entry
                    .id,
                score,
                dense: Some(self.dense[number as usize]).filter(|similarity| !similarity.is_nan()),
                lexical: self.lexical[number as usize],
            })
            .collect()
    }

    /// Where a passage of the scope lies.
    fn locate<'a>(&self, scope: &Scope<'a>, number: u32) -> (&'a Segment, u32) {
        let place = &scope.documents[self.document_of[number as usize] as usize];
        (
            scope.parts[place.area].segment,
            place.entry.passages.start + (number - place.start),
        )
    }

    fn chunk(&self, scope: &Scope<'_>, number: u32) -> ChunkId {
        let (segment, passage) = self.locate(scope, number);
        segment.chunks[passage as usize]
    }
}

/// The largest share of the question's words that a passage has, rare words counting more; `held` is what each has.
fn share_found(held: &[f32], words: &[Asked], rarities: &[f32]) -> f32 {
    let all: f32 = words
        .iter()
        .zip(rarities)
        .map(|(asked, rarity)| asked.weight * rarity)
        .sum();
    let most = held.iter().copied().fold(0.0, f32::max);
    if all > 0.0 { most / all } else { 0.0 }
}

/// The inverse document frequency in the form Lucene uses, which is never negative.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of passages need no more precision"
)]
fn rarity(holders: usize, all: usize) -> f32 {
    (1.0 + (all as f32 - holders as f32 + 0.5) / (holders as f32 + 0.5)).ln()
}
