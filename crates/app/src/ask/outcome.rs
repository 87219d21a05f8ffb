//! What became of a question, as it is stored.

use std::time::Duration;

use amebo_core::answer::{DeclineReason, Outcome};
use amebo_core::id::DocumentId;
use amebo_knowledge::answer::{self, Suggestion};
use amebo_knowledge::retrieve::{Speaker, Turn};
use amebo_store::Passage;
use amebo_store::answer::{Citation, Latency, NewAnswer, Question, Searched, Sentence, Usage, Verdict};

use amebo_store::question::INTERRUPTED;

use crate::Error;

/// The outcome of a question that broke.
pub(super) fn failed(error: &Error) -> NewAnswer {
    without_answer(match error {
        Error::Unavailable(what) => {
            format!("The question could not be answered, because {what} is not available at the moment. Please ask again shortly.")
        }
        _ => "The question could not be answered, because something went wrong inside Amebo. Please ask again; if it happens again, \
              tell your administrator."
            .to_owned(),
    })
}

/// The outcome of a question that took too long.
pub(super) fn too_slow(deadline: Duration) -> NewAnswer {
    without_answer(format!(
        "No answer was found within {} seconds. Please ask again, or ask something narrower.",
        deadline.as_secs()
    ))
}

/// The outcome of a question that was interrupted.
pub(super) fn interrupted() -> NewAnswer {
    without_answer(INTERRUPTED.to_owned())
}

/// The outcome of a question whose asker wanted no more of it.
pub(super) fn stopped() -> NewAnswer {
    ended(
        "Whoever asked stopped the answer before it was complete.".to_owned(),
        true,
    )
}

fn without_answer(message: String) -> NewAnswer {
    ended(message, false)
}

fn ended(message: String, stopped: bool) -> NewAnswer {
    NewAnswer {
        verdict: Verdict::Failed { message, stopped },
        language: None,
        searched: Searched::default(),
        usage: Usage::default(),
        latency: Latency::default(),
    }
}

/// A verdict of the answerer, with each citation at its place in the document. Times are left to the caller.
pub(super) fn of_verdict(verdict: answer::Verdict, places: &[Passage], knowledge_bases: usize) -> NewAnswer {
    let searched = Searched {
        knowledge_bases: count(knowledge_bases),
        documents: count(verdict.searched.documents),
        passages: count(verdict.searched.passages),
    };
    let usage = Usage {
        model: verdict.model,
        input_tokens: verdict.usage.input,
        output_tokens: verdict.usage.output,
    };
    let stored = match verdict.outcome {
        Outcome::Answered => {
            let (sentences, citations) = cited(&verdict.sentences, places);
            Verdict::Answered {
                sentences,
                citations,
                composer: verdict.composer,
                confidence: verdict.confidence,
                notice: verdict.notice,
            }
        }
        Outcome::Declined | Outcome::Escalated => {
            let mut message = vec![verdict.text];
            let mut closest = Vec::new();
            for suggestion in verdict.suggestions {
                match suggestion {
                    Suggestion::Rephrase { text } | Suggestion::AskPerson { text } => message.push(text),
                    Suggestion::Read { document, .. } => {
                        closest.extend(closest_passage(document, closest.len(), places));
                    }
                }
            }
            Verdict::Declined {
                reason: verdict.reason.unwrap_or(DeclineReason::LowConfidence),
                message: message.join("\n"),
                confidence: verdict.confidence,
                closest,
            }
        }
        Outcome::Failed => Verdict::Failed {
            message: verdict.text,
            stopped: false,
        },
    };
    NewAnswer {
        verdict: stored,
        language: Some(verdict.language.to_owned()),
        searched,
        usage,
        latency: Latency::default(),
    }
}

/// Sentences with the numbers of their citations, and the citations.
fn cited(sentences: &[answer::Sentence], places: &[Passage]) -> (Vec<Sentence>, Vec<Citation>) {
    let mut citations: Vec<Citation> = Vec::new();
    let sentences = sentences
        .iter()
        .map(|sentence| {
            let mut numbers = Vec::with_capacity(sentence.citations.len());
            for citation in &sentence.citations {
                let Some(passage) = places.iter().find(|passage| passage.id == citation.chunk) else {
                    continue;
                };
                let start = passage.range.start + citation.span.start;
                let end = passage.range.start + citation.span.end;
                let known = citations.iter().find(|known| {
                    known.chunk == citation.chunk
                        && (known.range_start, known.range_end) == (start as u64, end as u64)
                });
                numbers.push(known.map_or_else(|| count(citations.len()), |known| known.number));
                if known.is_none() {
                    citations.push(place(
                        passage,
                        citations.len(),
                        citation.number,
                        citation.quote.clone(),
                        start..end,
                    ));
                }
            }
            Sentence {
                text: sentence.text.clone(),
                citations: numbers,
            }
        })
        .collect();
    (sentences, citations)
}

/// Of a document that comes close, the passage that does so most; `places` are best first.
fn closest_passage(document: DocumentId, number: usize, places: &[Passage]) -> Option<Citation> {
    let passage = places.iter().find(|passage| passage.document == document)?;
    Some(place(
        passage,
        number,
        number + 1,
        passage.content.clone(),
        passage.range.clone(),
    ))
}

fn place(
    passage: &Passage,
    number: usize,
    source: usize,
    quote: String,
    range: std::ops::Range<usize>,
) -> Citation {
    Citation {
        number: count(number),
        source: count(source),
        chunk: passage.id,
        document: passage.document,
        document_title: passage.title.clone(),
        heading_path: passage.heading_path.clone(),
        page: passage.page,
        quote,
        range_start: range.start as u64,
        range_end: range.end as u64,
    }
}

/// What was said in a session, as turns of a conversation.
pub(super) fn turns(questions: Vec<Question>) -> Vec<Turn> {
    let mut turns = Vec::with_capacity(questions.len() * 2);
    for question in questions {
        turns.push(Turn {
            speaker: Speaker::Person,
            text: question.text,
        });
        if let Some(Verdict::Answered { sentences, .. }) =
            question.answer.map(|answer| answer.content.verdict)
        {
            let text: Vec<String> = sentences.into_iter().map(|sentence| sentence.text).collect();
            turns.push(Turn {
                speaker: Speaker::Amebo,
                text: text.join(" "),
            });
        }
    }
    turns
}

fn count(amount: usize) -> u32 {
    u32::try_from(amount).unwrap_or(u32::MAX)
}
