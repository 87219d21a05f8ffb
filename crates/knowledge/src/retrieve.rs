//! From a question to a search: which language it is in, what a follow-up means on its own, which models to ask.
//!
//! A model that does not know the question's language is not asked at all: its vectors would be noise, and noise fused with
//! good lexical scores is worse than lexical scores alone (docs/quality.md has the figures).

mod followup;

use std::collections::HashMap;
use std::sync::Arc;

use amebo_core::document::Reader;
use amebo_core::id::{DocumentId, KnowledgeBaseId};

use crate::embed::{self, Embedder, Purpose};
use crate::index::analysis::language::{self, Language};
use crate::index::{Balance, Hit, Query};

pub use followup::standalone;

/// The longest question that is searched with, in bytes; what lies beyond is cut off. No sentence of a person is longer, and
/// pasted logs say what they say in the beginning.
pub const LONGEST_QUESTION: usize = 8_000;

/// One utterance of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Who said it.
    pub speaker: Speaker,
    /// What was said.
    pub text: String,
}

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The person who asks.
    Person,
    /// Amebo.
    Amebo,
}

/// A question made ready for searching.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// What is searched for: the question, with what it refers to in the conversation.
    pub text: String,
    /// The language of `text`, by which models are chosen and words weighed.
    pub language: Language,
    /// Its vector by model, without the models that do not know its language or could not be asked.
    pub vectors: HashMap<String, Vec<f32>>,
    /// Models that should have been asked and failed; the search goes on without them.
    pub failed: Vec<(String, Arc<embed::Error>)>,
}

/// Makes a question ready: completes it from `history` (earlier turns, oldest first) and embeds it once per model.
pub async fn prepare(question: &str, history: &[Turn], models: &[Arc<dyn Embedder>]) -> Prepared {
    let question = &question[..question.floor_char_boundary(LONGEST_QUESTION)];
    let text = standalone(question, history);
    let language = language::detect(&text);
    let mut prepared = Prepared {
        text,
        language,
        vectors: HashMap::new(),
        failed: Vec::new(),
    };
    for model in models {
        let info = model.model();
        if !speaks(info, language) || prepared.vectors.contains_key(&info.id) {
            continue;
        }
        match model
            .embed(std::slice::from_ref(&prepared.text), Purpose::Query)
            .await
        {
            Ok(vectors) => prepared
                .vectors
                .extend(vectors.into_iter().next().map(|vector| (info.id.clone(), vector))),
            Err(error) => prepared.failed.push((info.id.clone(), Arc::new(error))),
        }
    }
    prepared
}

impl Prepared {
    /// The search for this question among what `readers` may see of some knowledge bases.
    pub fn query(&self, readers: Vec<Reader>, knowledge_bases: Vec<KnowledgeBaseId>, limit: usize) -> Query {
        Query {
            text: self.text.clone(),
            vectors: self.vectors.clone(),
            balance: match self.language {
                Language::English | Language::Other => Balance::Fitted,
                _ => Balance::ByWordsFound,
            },
            readers,
            knowledge_bases,
            limit,
        }
    }
}

/// Whether a model gives meaningful vectors for a question in `language`. One without any letters is worth a try.
pub fn speaks(model: &embed::ModelInfo, language: Language) -> bool {
    language == Language::Other || model.languages.include(language.code())
}

/// Keeps the order but takes at most `most` passages of one document, so that one document does not crowd out the others.
pub fn diversify(hits: &[Hit], most: usize) -> Vec<Hit> {
    let mut taken: HashMap<DocumentId, usize> = HashMap::new();
    hits.iter()
        .filter(|hit| {
            let taken = taken.entry(hit.document).or_default();
            *taken += 1;
            *taken <= most
        })
        .copied()
        .collect()
}

/// The places among a document's `count` passages that surround the one at `index`, itself included: read together they
/// give a quotation its context.
pub fn surroundings(index: u32, around: u32, count: u32) -> std::ops::Range<u32> {
    index.saturating_sub(around)..index.saturating_add(around).saturating_add(1).min(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use amebo_core::id::{ChunkId, Id};
    use uuid::Uuid;

    #[tokio::test]
    async fn a_follow_up_is_in_the_language_of_what_it_is_completed_to() {
        let turn = Turn {
            speaker: Speaker::Person,
            text: "Wie viele Urlaubstage habe ich im Jahr?".to_owned(),
        };
        let prepared = prepare("2024?", &[turn], &[]).await;
        assert_ne!(prepared.text, "2024?");
        assert_eq!(prepared.language, Language::German);
        assert_eq!(
            prepared.query(Vec::new(), Vec::new(), 1).balance,
            Balance::ByWordsFound
        );
    }

    #[test]
    fn no_document_gives_more_than_its_share() {
        let hit = |document: u128, chunk: u128| Hit {
            chunk: ChunkId::from_uuid(Uuid::from_u128(chunk)),
            document: DocumentId::from_uuid(Uuid::from_u128(document)),
            score: 0.0,
            dense: None,
            lexical: 0.0,
        };
        let hits = [hit(1, 1), hit(1, 2), hit(1, 3), hit(2, 4)];
        assert_eq!(diversify(&hits, 2), [hits[0], hits[1], hits[3]]);
    }

    #[test]
    fn surroundings_stay_inside_the_document() {
        assert_eq!(surroundings(0, 1, 5), 0..2);
        assert_eq!(surroundings(4, 1, 5), 3..5);
        assert_eq!(surroundings(2, 1, 5), 1..4);
    }
}
