//! Composition by a language model.
//!
//! Passages are written by many hands, some of them hostile, so they reach the model as data between tags whose boundary is
//! random in each request: no passage can close its own block or open another. What the model writes is passed on as it
//! comes, cut into sentences with their citations afterwards, and believed only after the check.

use std::fmt::Write;

use futures::channel::mpsc;
use futures::{SinkExt, StreamExt};

use super::{AnswerEvent, Evidence, Options, Question};
use crate::chunk;
use crate::index::analysis::language::Language;
use crate::provider::{Delta, Error, LanguageModel, Message, Part, Request, Role, Usage};
use crate::retrieve::Speaker;

/// What a model says when the passages do not answer the question.
const NO_ANSWER: &str = "NO_ANSWER";
/// How many earlier turns are shown, and how much of each, in bytes.
const TURNS: usize = 6;
const TURN_BYTES: usize = 1_000;
/// How much of a question is shown, in bytes.
const QUESTION_BYTES: usize = 8_000;

/// Everything a model is shown.
#[derive(Debug)]
pub struct Prompt<'a> {
    /// The question.
    pub question: &'a Question,
    /// The passages, numbered from 1.
    pub evidence: &'a [Evidence],
    /// The language to answer in.
    pub language: Language,
    /// Limits and further instructions.
    pub options: &'a Options,
    /// A random word that no passage can know.
    pub boundary: &'a str,
}

/// What a model wrote.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) said: Said,
    /// Whether text was passed on.
    pub(super) began: bool,
    pub(super) model: String,
    pub(super) usage: Usage,
}

/// What it says.
#[derive(Debug)]
pub(super) enum Said {
    /// These sentences; there may be none.
    Sentences(Vec<Draft>),
    /// That the passages hold no answer.
    NoAnswer,
}

/// A sentence as a model wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Its text without citation marks.
    pub text: String,
    /// The passages it cites, numbered from 1.
    pub numbers: Vec<usize>,
}

/// Why a model wrote nothing usable.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: Error,
    /// Whether text had been passed on before.
    pub(super) began: bool,
}

impl Prompt<'_> {
    /// The request for a model.
    pub fn request(&self) -> Request {
        let mut system = vec![Part::cached(include_str!("instructions.txt").trim_end())];
        if !self.options.instructions.trim().is_empty() {
            let wishes = self.options.instructions.trim();
            system.push(Part::cached(format!(
                "Wishes of the organisation for tone and form; they never override the rules above:\n{wishes}"
            )));
        }
        Request {
            system,
            messages: vec![Message {
                role: Role::User,
                content: vec![Part::new(self.data())],
            }],
            max_tokens: self.options.max_tokens,
            temperature: self.options.temperature,
        }
    }

    fn data(&self) -> String {
        let mut data = String::new();
        for (number, evidence) in (1..).zip(self.evidence) {
            let mut from = vec![evidence.title.as_str()];
            from.extend(
                evidence
                    .heading_path
                    .iter()
                    .map(String::as_str)
                    .filter(|heading| *heading != evidence.title),
            );
            let from = from.join(" > ").replace(['<', '>', '"', '\n', '\r'], " ");
            self.block(
                &mut data,
                "passage",
                &format!(" number=\"{number}\" from=\"{from}\""),
                &evidence.content,
            );
        }
        let history = &self.question.history;
        if !history.is_empty() {
            let mut turns = String::new();
            for turn in &history[history.len().saturating_sub(TURNS)..] {
                let speaker = match turn.speaker {
                    Speaker::Person => "Person",
                    Speaker::Amebo => "You",
                };
                let text = &turn.text[..turn.text.floor_char_boundary(TURN_BYTES)];
                // Writing to a string cannot fail.
                let _ = writeln!(turns, "{speaker}: {text}");
            }
            self.block(&mut data, "conversation", "", turns.trim_end());
        }
        let question = &self.question.text[..self.question.text.floor_char_boundary(QUESTION_BYTES)];
        self.block(&mut data, "question", "", question);
        let language = match self.language {
            Language::Other => "that of the question".to_owned(),
            language => format!("{language:?} ({})", language.code()),
        };
        let _ = write!(
            data,
            "Language of the answer: {language}. Cite every sentence, or reply {NO_ANSWER}."
        );
        data
    }

    fn block(&self, data: &mut String, name: &str, attributes: &str, text: &str) {
        let boundary = self.boundary;
        // It cannot be guessed; but if it ever stood there, it would count.
        let text = text.replace(boundary, "");
        let _ = writeln!(
            data,
            "<{name}-{boundary}{attributes}>\n{text}\n</{name}-{boundary}>\n"
        );
    }
}

/// Lets a model write, passing on its text, and cuts what it wrote into sentences.
pub(super) async fn compose(
    model: &dyn LanguageModel,
    prompt: &Prompt<'_>,
    events: &mut mpsc::Sender<AnswerEvent>,
) -> Result<Written, Failure> {
    let mut began = false;
    let mut deltas = model
        .complete(&prompt.request())
        .await
        .map_err(|error| Failure { error, began: false })?;
    let mut text = String::new();
    let mut passed_on = 0;
    while let Some(delta) = deltas.next().await {
        match delta.map_err(|error| Failure { error, began })? {
            Delta::Text(more) => {
                text.push_str(&more);
                // Held back as long as it may become the word for "no answer".
                if !NO_ANSWER.starts_with(text.trim_start()) && !text.trim_start().starts_with(NO_ANSWER) {
                    let token = text[passed_on..].to_owned();
                    passed_on = text.len();
                    began = true;
                    // A reader who left drops this whole future.
                    drop(events.send(AnswerEvent::Token(token)).await);
                }
            }
            Delta::Done(completion) => {
                return Ok(Written {
                    said: if text.trim_start().starts_with(NO_ANSWER) {
                        Said::NoAnswer
                    } else {
                        Said::Sentences(drafts(&text))
                    },
                    began,
                    model: completion.model,
                    usage: completion.usage,
                });
            }
        }
    }
    Err(Failure {
        error: Error::Interrupted,
        began,
    })
}

/// Cuts a text into sentences and takes their citation marks out. Marks that stand behind a full stop belong to the sentence
/// before it.
pub fn drafts(text: &str) -> Vec<Draft> {
    let text = spaced(text);
    let mut drafts: Vec<Draft> = Vec::new();
    for line in text.lines() {
        let mut first_of_line = true;
        for span in chunk::sentences(line) {
            let (leading, rest) = leading_marks(&line[span]);
            match drafts.last_mut() {
                Some(before) if !first_of_line || rest.is_empty() => before.numbers.extend(leading),
                _ if rest.is_empty() => continue,
                _ => {
                    let draft = without_marks(rest);
                    drafts.push(Draft {
                        numbers: [leading, draft.numbers].concat(),
                        ..draft
                    });
                    first_of_line = false;
                    continue;
                }
            }
            first_of_line = false;
            if !rest.is_empty() {
                drafts.push(without_marks(rest));
            }
        }
    }
    drafts.retain(|draft| draft.text.chars().any(char::is_alphanumeric));
    for draft in &mut drafts {
        draft.numbers.sort_unstable();
        draft.numbers.dedup();
    }
    drafts
}

/// `end.[1] Next` as `end. [1] Next`, so that the full stop is seen to end its sentence.
fn spaced(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len() + 16);
    let mut previous = ' ';
    for c in text.chars() {
        let c = match c {
            '【' => '[',
            '】' => ']',
            other => other,
        };
        if c == '[' && matches!(previous, '.' | '!' | '?' | '。') {
            spaced.push(' ');
        }
        spaced.push(c);
        previous = c;
    }
    spaced
}

/// The marks a text begins with, and what follows them.
fn leading_marks(text: &str) -> (Vec<usize>, &str) {
    let mut numbers = Vec::new();
    let mut rest = text.trim_start();
    while let Some((found, length)) = mark(rest) {
        numbers.extend(found);
        rest = rest[length..].trim_start_matches([' ', ',', ';']);
    }
    if !rest.chars().any(char::is_alphanumeric) {
        rest = "";
    }
    (numbers, rest)
}

/// A text without its marks, and their numbers.
fn without_marks(text: &str) -> Draft {
    let mut numbers = Vec::new();
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('[') {
        let (before, from) = rest.split_at(at);
        if let Some((found, length)) = mark(from) {
            numbers.extend(found);
            plain.push_str(before.trim_end());
            rest = &from[length..];
        } else {
            plain.push_str(before);
            plain.push('[');
            rest = &from[1..];
        }
    }
    plain.push_str(rest);
    let plain = plain.trim();
    let plain = plain.trim_start_matches(['-', '*', '•', ' ']);
    Draft {
        text: plain.to_owned(),
        numbers,
    }
}

/// The numbers of a mark such as `[1]`, `[1, 2]` or `[1-3]` at the beginning of a text, and its length.
fn mark(text: &str) -> Option<(Vec<usize>, usize)> {
    let inside = text.strip_prefix('[')?;
    let end = inside.find(']').filter(|end| *end <= 24)?;
    let mut numbers = Vec::new();
    for part in inside[..end].split([',', ';']) {
        let (first, last) = part.split_once(['-', '–']).unwrap_or((part, part));
        let (first, last): (usize, usize) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        if last < first || last - first > 20 {
            return None;
        }
        numbers.extend(first..=last);
    }
    Some((numbers, end + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<(String, Vec<usize>)> {
        drafts(text)
            .into_iter()
            .map(|draft| (draft.text, draft.numbers))
            .collect()
    }

    #[test]
    fn marks_belong_to_the_sentence_they_end() {
        let expected = [
            ("Four weeks.".to_owned(), vec![1]),
            ("In writing.".to_owned(), vec![2, 3]),
        ];
        for text in [
            "Four weeks [1]. In writing [2][3].",
            "Four weeks. [1] In writing. [2, 3]",
            "Four weeks.[1] In writing.[2-3]",
            "Four weeks.【1】 In writing.【2】【3】",
            "- Four weeks [1].\n- In writing [3] [2].",
        ] {
            assert_eq!(cut(text), expected, "{text}");
        }
    }

    #[test]
    fn sentences_in_scripts_without_spaces_keep_their_marks() {
        assert_eq!(cut("期限は四週間です。[1]書面が必要です[2]。").len(), 2);
        assert_eq!(cut("期限は四週間です。[1]書面が必要です[2]。")[0].1, [1]);
    }

    #[test]
    fn brackets_that_are_no_marks_stay() {
        assert_eq!(
            cut("Set [name] to [x1] [2]."),
            [("Set [name] to [x1].".to_owned(), vec![2])]
        );
        assert_eq!(cut("A list [1-900]."), [("A list [1-900].".to_owned(), vec![])]);
    }

    #[test]
    fn a_sentence_without_a_mark_has_none() {
        assert_eq!(cut("Free. Bound [1].")[0].1, Vec::<usize>::new());
    }
}
