//! One question on its way to its verdict.

use amebo_core::answer::{Composer, Confidence, DeclineReason, Outcome};
use amebo_core::id::DocumentId;
use futures::SinkExt;
use futures::channel::mpsc;

use super::extractive::{self, Extract};
use super::phrase::{Catalogue, Phrase};
use super::{
    AnswerEvent, Answerer, Evidence, Options, Question, Searched, Sentence, Source, Suggestion, Verdict,
    check, citation, model, ratio,
};
use crate::index::analysis::language::Language;
use crate::provider::{LanguageModel, Usage};

/// One question on its way.
pub(super) struct Run {
    pub(super) answerer: Answerer,
    pub(super) question: Question,
    pub(super) evidence: Vec<Evidence>,
    pub(super) searched: Searched,
    pub(super) options: Options,
    pub(super) language: Language,
    pub(super) events: mpsc::Sender<AnswerEvent>,
}

impl Run {
    /// A reader who left drops the whole run, so nobody needs to hear of a failed send.
    pub(super) async fn say(&mut self, event: AnswerEvent) {
        drop(self.events.send(event).await);
    }

    fn phrase(&self, phrase: Phrase) -> &'static str {
        Catalogue::embedded().get(self.language, phrase)
    }

    pub(super) async fn verdict(&mut self) -> Verdict {
        if self.searched.passages == 0 && self.evidence.is_empty() {
            return self.decline(DeclineReason::NothingToSearch, Confidence::new(0.0));
        }
        if self.evidence.is_empty() {
            return self.decline(DeclineReason::NothingFound, Confidence::new(0.0));
        }
        let extract = self
            .answerer
            .sentences
            .extract(&self.question, &self.evidence, self.options.sentences)
            .await;
        self.say(AnswerEvent::Sources(self.sources())).await;
        if extract.quotes.is_empty() {
            return self.decline(DeclineReason::NothingFound, extract.confidence);
        }
        if extract.confidence.value() < self.options.threshold {
            return self.decline(DeclineReason::LowConfidence, extract.confidence);
        }
        match self.answerer.model.clone() {
            Some(model) => self.composed(&*model, extract).await,
            None => self.quoted(extract, Phrase::Quoted).await,
        }
    }

    fn sources(&self) -> Vec<Source> {
        let shown = self.options.passages.max(extractive::PASSAGES);
        (1..)
            .zip(self.evidence.iter().take(shown))
            .map(|(number, evidence)| Source {
                number,
                chunk: evidence.chunk,
                document: evidence.document,
                title: evidence.title.clone(),
                heading_path: evidence.heading_path.clone(),
            })
            .collect()
    }

    /// The answer in quotations; `notice` says why it quotes.
    async fn quoted(&mut self, extract: Extract, notice: Phrase) -> Verdict {
        let sentences: Vec<Sentence> = extract
            .quotes
            .iter()
            .map(|quote| Sentence {
                text: quote.text.clone(),
                citations: vec![citation(&self.evidence, quote.passage, quote.span.clone())],
            })
            .collect();
        let text = render(&sentences);
        for line in text.split_inclusive('\n') {
            self.say(AnswerEvent::Token(line.to_owned())).await;
        }
        let mut titles: Vec<&str> = Vec::new();
        for quote in &extract.quotes {
            let title = self.evidence[quote.passage].title.trim();
            if !title.is_empty() && !titles.contains(&title) {
                titles.push(title);
            }
        }
        Verdict {
            outcome: Outcome::Answered,
            reason: None,
            composer: Composer::Extractive,
            text,
            notice: Some(self.phrase(notice).replace("{titles}", &titles.join(", "))),
            sentences,
            confidence: extract.confidence,
            ..self.blank()
        }
    }

    async fn composed(&mut self, model: &dyn LanguageModel, extract: Extract) -> Verdict {
        let shown = self.evidence.len().min(self.options.passages);
        let boundary = hex(self.answerer.environment.bytes::<8>());
        let prompt = model::Prompt {
            question: &self.question,
            evidence: &self.evidence[..shown],
            language: self.language,
            options: &self.options,
            boundary: &boundary,
        };
        let events = &mut self.events;
        let written = match model::compose(model, &prompt, events).await {
            Ok(written) => written,
            Err(failure) => {
                tracing::warn!(error = %failure.error, "the language model failed; quoting instead");
                if failure.began {
                    self.say(AnswerEvent::Restart).await;
                }
                return Verdict {
                    failure: Some(failure.error.to_string()),
                    ..self.quoted(extract, Phrase::QuotedInstead).await
                };
            }
        };
        let sentences = match written.said {
            model::Said::Sentences(sentences) => sentences,
            model::Said::NoAnswer => {
                return Verdict {
                    composer: Composer::Model,
                    model: Some(written.model),
                    usage: written.usage,
                    ..self.decline(DeclineReason::LowConfidence, Confidence::new(0.0))
                };
            }
        };
        let checked = check::check(
            &sentences,
            &self.evidence[..shown],
            &self.question.standalone,
            self.answerer.sentences.embedder(),
        )
        .await;
        if checked.kept.is_empty() {
            if written.began {
                self.say(AnswerEvent::Restart).await;
            }
            return Verdict {
                struck: checked.struck,
                model: Some(written.model),
                usage: written.usage,
                ..self.quoted(extract, Phrase::QuotedUnproven).await
            };
        }
        let share = ratio(checked.kept.len(), checked.kept.len() + checked.struck.len());
        Verdict {
            outcome: Outcome::Answered,
            reason: None,
            composer: Composer::Model,
            text: render(&checked.kept),
            sentences: checked.kept,
            struck: checked.struck,
            confidence: Confidence::new(extract.confidence.value() * share),
            model: Some(written.model),
            usage: written.usage,
            ..self.blank()
        }
    }

    fn decline(&self, reason: DeclineReason, confidence: Confidence) -> Verdict {
        let phrase = match reason {
            DeclineReason::NothingToSearch => Phrase::NothingToSearch,
            DeclineReason::NothingFound => Phrase::NothingFound,
            DeclineReason::LowConfidence | DeclineReason::Unsupported => Phrase::LowConfidence,
        };
        let mut text = self.phrase(phrase).to_owned();
        if self.searched.documents > 0 {
            text.push(' ');
            text.push_str(
                &self
                    .phrase(Phrase::Searched)
                    .replace("{documents}", &self.searched.documents.to_string())
                    .replace("{knowledge_bases}", &self.searched.knowledge_bases.join(", ")),
            );
        }
        let mut suggestions = vec![Suggestion::Rephrase {
            text: self.phrase(Phrase::Rephrase).to_owned(),
        }];
        let mut seen: Vec<DocumentId> = Vec::new();
        for evidence in &self.evidence {
            if seen.len() < 3 && !seen.contains(&evidence.document) {
                seen.push(evidence.document);
                suggestions.push(Suggestion::Read {
                    text: self.phrase(Phrase::Read).replace("{title}", &evidence.title),
                    document: evidence.document,
                    title: evidence.title.clone(),
                });
            }
        }
        suggestions.push(Suggestion::AskPerson {
            text: self.phrase(Phrase::AskPerson).to_owned(),
        });
        Verdict {
            outcome: Outcome::Declined,
            reason: Some(reason),
            text,
            confidence,
            suggestions,
            ..self.blank()
        }
    }

    fn blank(&self) -> Verdict {
        Verdict {
            outcome: Outcome::Declined,
            reason: None,
            composer: Composer::Extractive,
            text: String::new(),
            notice: None,
            sentences: Vec::new(),
            struck: Vec::new(),
            confidence: Confidence::new(0.0),
            suggestions: Vec::new(),
            searched: self.searched.clone(),
            language: self.language.code(),
            model: None,
            usage: Usage::default(),
            failure: None,
        }
    }
}

/// Sentences with their citation marks, one a line.
fn render(sentences: &[Sentence]) -> String {
    let lines: Vec<String> = sentences
        .iter()
        .map(|sentence| {
            let mut numbers: Vec<usize> = sentence
                .citations
                .iter()
                .map(|citation| citation.number)
                .collect();
            numbers.dedup();
            let marks: Vec<String> = numbers.iter().map(|number| format!("[{number}]")).collect();
            format!("{} {}", sentence.text, marks.concat())
        })
        .collect();
    lines.join("\n")
}

fn hex(bytes: [u8; 8]) -> String {
    format!("{:016x}", u64::from_be_bytes(bytes))
}
