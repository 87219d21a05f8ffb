//! Passages that were found elsewhere for one question, and are kept nowhere.
//!
//! They take part in the answer like stored ones. What is stored of the answer lacks whatever rests on them.

use amebo_core::document::Audience;
use amebo_core::id::{ChunkId, DocumentId, KnowledgeBaseId};
use amebo_knowledge::answer::Evidence;
use amebo_knowledge::embed::Purpose;
use amebo_store::Passage;
use amebo_store::answer::{Citation, NewAnswer, Sentence, Verdict};
use url::Url;

use super::evidence::Evidences;
use crate::App;

/// What is said of an answer of which a part is not kept.
const NOT_KEPT: &str = "What was found live for this answer is not kept.";
/// How much a word of the question that is found counts, about what a rare word counts in stored passages.
const WORD: f32 = 2.0;

/// A passage that was found elsewhere.
#[derive(Debug, Clone)]
pub(crate) struct LivePassage {
    /// The id it goes by in this answer and nowhere else.
    pub(crate) document: DocumentId,
    /// Where it was said, and by whom.
    pub(crate) title: String,
    /// Its words.
    pub(crate) content: String,
    /// Where it can be read.
    pub(crate) url: Option<Url>,
}

impl App {
    /// Puts passages that were found elsewhere among the evidence, best first.
    pub(super) async fn add_live(&self, found: &mut Evidences, live: &[LivePassage]) {
        if live.is_empty() {
            return;
        }
        let similar = self.similarity(&found.standalone, live).await;
        let words = words(&found.standalone);
        for (at, passage) in live.iter().enumerate() {
            let chunk: ChunkId = self.environment().id();
            let theirs = self::words(&passage.content);
            let common = words.iter().filter(|word| theirs.contains(word)).count();
            #[expect(clippy::cast_precision_loss, reason = "a few words")]
            let lexical = common as f32 * WORD;
            found.evidence.push(Evidence {
                chunk,
                document: passage.document,
                title: passage.title.clone(),
                heading_path: Vec::new(),
                content: passage.content.clone(),
                dense: similar.get(at).copied(),
                lexical,
                score: 0.0,
            });
            found.places.push(Passage {
                id: chunk,
                document: passage.document,
                knowledge_base: self.environment().id::<KnowledgeBaseId>(),
                title: passage.title.clone(),
                source_url: passage.url.as_ref().map(Url::to_string),
                // Nobody's: what rests on it is for whoever asked, now.
                audience: Audience::Members {
                    roles: Vec::new(),
                    users: Vec::new(),
                },
                index: 0,
                content: passage.content.clone(),
                range: 0..passage.content.len(),
                page: None,
                heading_path: Vec::new(),
            });
        }
        let rank = |evidence: &Evidence| (evidence.dense.unwrap_or_default(), evidence.lexical);
        found.evidence.sort_by(|one, other| {
            let (one, other) = (rank(one), rank(other));
            other.0.total_cmp(&one.0).then(other.1.total_cmp(&one.1))
        });
        for (at, evidence) in found.evidence.iter_mut().enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "a few dozen passages")]
            let place = at as f32;
            evidence.score = 1.0 / (61.0 + place);
        }
        found.documents += live.len();
        found.passages += live.len();
    }

    /// How similar each passage is to the question; nothing where no model is at hand.
    async fn similarity(&self, question: &str, live: &[LivePassage]) -> Vec<f32> {
        let Some(embedder) = self.library.embedders().first() else {
            return Vec::new();
        };
        let passages: Vec<String> = live.iter().map(|passage| passage.content.clone()).collect();
        let query = [question.to_owned()];
        let vectors = tokio::try_join!(
            embedder.embed(&query, Purpose::Query),
            embedder.embed(&passages, Purpose::Passage)
        );
        match vectors {
            Ok((query, passages)) => {
                let Some(query) = query.first() else {
                    return Vec::new();
                };
                passages
                    .iter()
                    .map(|vector| query.iter().zip(vector).map(|(one, other)| one * other).sum())
                    .collect()
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "what was found live is ranked by its words alone"
                );
                Vec::new()
            }
        }
    }
}

/// The answer as it is stored: without what rests on passages that are kept nowhere.
pub(super) fn without_live(answer: &NewAnswer, live: &[LivePassage]) -> NewAnswer {
    let is_live = |citation: &Citation| live.iter().any(|passage| passage.document == citation.document);
    let mut kept = answer.clone();
    match &mut kept.verdict {
        Verdict::Answered {
            sentences,
            citations,
            notice,
            ..
        } if citations.iter().any(is_live) => {
            citations.retain(|citation| !is_live(citation));
            let stays = |sentence: &Sentence| {
                sentence
                    .citations
                    .iter()
                    .all(|number| citations.iter().any(|citation| citation.number == *number))
            };
            sentences.retain(stays);
            *notice = Some(NOT_KEPT.to_owned());
        }
        Verdict::Declined { closest, .. } => closest.retain(|citation| !is_live(citation)),
        Verdict::Answered { .. } | Verdict::Escalated { .. } | Verdict::Failed { .. } => {}
    }
    kept
}

/// Whether an answer rests on passages that are kept nowhere.
pub(crate) fn rests_on_live(answer: &NewAnswer, live: &[LivePassage]) -> bool {
    let citations = match &answer.verdict {
        Verdict::Answered { citations, .. } => citations,
        Verdict::Declined { closest, .. } => closest,
        Verdict::Escalated { .. } | Verdict::Failed { .. } => return false,
    };
    citations
        .iter()
        .any(|citation| live.iter().any(|passage| passage.document == citation.document))
}

/// The words of a text that may carry meaning, folded, each once.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = text
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| word.chars().count() > 2)
        .map(str::to_lowercase)
        .collect();
    words.sort_unstable();
    words.dedup();
    words
}
