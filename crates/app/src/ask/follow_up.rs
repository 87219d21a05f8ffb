//! What could be asked next: places near an answer that it does not rest on, named by their own headings. Nothing is made up: every
//! suggestion is a part of a document that the reader may see.

use std::collections::{BTreeSet, HashSet};

use amebo_core::id::{DocumentId, QuestionId};
use amebo_core::permission::{Action, Resource};
use amebo_knowledge::answer::Evidence;
use amebo_store::answer::{Citation, Verdict};

use crate::{Access, App, Result};

/// How many are suggested.
const SUGGESTIONS: usize = 3;
/// How many passages are looked at.
const LOOKED_AT: usize = 48;
/// The longest heading that reads as the subject of a question, in characters.
const LONGEST_HEADING: usize = 80;
/// How near, as a share of the best score, a passage of a document must be that the answer does not rest on.
const NEAR: f32 = 0.5;

/// A part of a document to ask about next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowUp {
    /// The document.
    pub document: DocumentId,
    /// Its title.
    pub document_title: String,
    /// The headings above the part, outermost first; the last is its own.
    pub heading_path: Vec<String>,
}

impl App {
    /// What could be asked after a question that was answered; nothing after others.
    pub async fn follow_ups(&self, access: &Access, id: QuestionId) -> Result<Vec<FollowUp>> {
        let permit = access.permit(Resource::Question, Action::Read)?;
        let question = self.question(access, id).await?;
        let Some(Verdict::Answered { citations, .. }) = question.answer.map(|answer| answer.content.verdict)
        else {
            return Ok(Vec::new());
        };
        // What stands around the cited places is as good a guess as what the question was about.
        let titles: BTreeSet<&str> = citations
            .iter()
            .map(|citation| citation.document_title.as_str())
            .collect();
        let sought = titles
            .into_iter()
            .fold(question.text.clone(), |text, title| format!("{text} {title}"));
        let scope = self.library.scope(&permit, &question.knowledge_bases).await?;
        let readers = [access.reader().clone()];
        let found = self
            .evidence(&permit, &readers, &scope, (&sought, &[]), LOOKED_AT)
            .await?;
        Ok(suggested(&citations, &found.evidence))
    }
}

/// Of passages found, best first, the parts of documents that the answer does not rest on: those of the documents cited, then those
/// of others that are near.
fn suggested(citations: &[Citation], found: &[Evidence]) -> Vec<FollowUp> {
    let cited: HashSet<DocumentId> = citations.iter().map(|citation| citation.document).collect();
    let mut known: HashSet<(DocumentId, &str)> = citations
        .iter()
        .filter_map(|citation| Some((citation.document, citation.heading_path.last()?.as_str())))
        .collect();
    let best = found.first().map_or(0.0, |passage| passage.score);
    let (inside, outside): (Vec<&Evidence>, Vec<&Evidence>) = found
        .iter()
        .filter(|passage| cited.contains(&passage.document) || passage.score >= best * NEAR)
        .partition(|passage| cited.contains(&passage.document));
    let mut suggestions = Vec::with_capacity(SUGGESTIONS);
    for passage in inside.into_iter().chain(outside) {
        let Some(heading) = passage.heading_path.last() else {
            continue;
        };
        let length = heading.chars().count();
        let is_subject = (2..=LONGEST_HEADING).contains(&length) && *heading != passage.title;
        if !is_subject || !known.insert((passage.document, heading)) {
            continue;
        }
        suggestions.push(FollowUp {
            document: passage.document,
            document_title: passage.title.clone(),
            heading_path: passage.heading_path.clone(),
        });
        if suggestions.len() == SUGGESTIONS {
            break;
        }
    }
    suggestions
}

#[cfg(test)]
mod tests {
    use amebo_core::id::{ChunkId, Id as _};
    use uuid::Uuid;

    use super::*;

    fn document(number: u128) -> DocumentId {
        DocumentId::from_uuid(Uuid::from_u128(number))
    }

    fn passage(in_document: u128, heading: &str, score: f32) -> Evidence {
        Evidence {
            chunk: ChunkId::from_uuid(Uuid::from_u128(9)),
            document: document(in_document),
            title: format!("Document {in_document}"),
            heading_path: vec![heading.to_owned()],
            content: String::new(),
            dense: None,
            lexical: 0.0,
            score,
        }
    }

    fn cited(in_document: u128, heading: &str) -> Citation {
        Citation {
            number: 0,
            source: 1,
            chunk: ChunkId::from_uuid(Uuid::from_u128(9)),
            document: document(in_document),
            document_title: format!("Document {in_document}"),
            heading_path: vec![heading.to_owned()],
            page: None,
            quote: String::new(),
            range_start: 0,
            range_end: 0,
        }
    }

    #[test]
    fn parts_of_the_cited_document_come_first_and_each_part_once() {
        let found = [
            passage(1, "Leave", 1.0),
            passage(2, "Hotels", 0.9),
            passage(1, "Sickness", 0.4),
            passage(1, "Sickness", 0.3),
            passage(3, "Far away", 0.2),
        ];
        let headings: Vec<String> = suggested(&[cited(1, "Leave")], &found)
            .into_iter()
            .map(|suggestion| suggestion.heading_path.concat())
            .collect();
        assert_eq!(headings, ["Sickness", "Hotels"]);
    }

    #[test]
    fn what_has_no_heading_of_its_own_is_not_suggested() {
        let mut bare = passage(1, "", 1.0);
        bare.heading_path.clear();
        let titled = passage(1, "Document 1", 1.0);
        let long = passage(1, &"x".repeat(81), 1.0);
        assert_eq!(suggested(&[cited(1, "Leave")], &[bare, titled, long]), []);
    }
}
