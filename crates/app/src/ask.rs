//! Asking: from a question to its one stored outcome.
//!
//! A question is stored before anything is searched, and settled by exactly one answer: answered, declined, or failed with a
//! sentence for the asker when something breaks, takes too long, or was interrupted by a crash (maintenance settles what is open past its deadline). The work
//! runs in a task of its own, so an asker who leaves changes nothing. No transaction is open while models or the search engine
//! work. What a search finds is read back from the database through the eyes of whoever will read the answer.

mod evidence;
mod follow_up;
pub(crate) mod live;
mod outcome;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use amebo_core::Environment;
use amebo_core::answer::{Origin, Outcome};
use amebo_core::document::Reader;
use amebo_core::id::{AnswerId, ContactId, ConversationId, Id as _, KnowledgeBaseId, QuestionId, SessionId};
use amebo_core::permission::{Action, Resource};
use amebo_knowledge::answer::{AnswerEvent, Answerer, Options, Question, Searched, Source};
use amebo_knowledge::embed::Embedder;
use amebo_knowledge::provider::LanguageModel;
use amebo_store::question::{AnswerSettings, AskedIn, NewQuestion, Opened};
use amebo_store::{Metric, Permit};
use chrono::TimeDelta;
use futures::{FutureExt as _, StreamExt as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use amebo_knowledge::retrieve::{Speaker, Turn};
pub use amebo_store::answer::{Citation, NewAnswer, Question as StoredQuestion, Sentence, Verdict};
pub use follow_up::FollowUp;

use self::live::LivePassage;
use crate::library::Scope;
use crate::session::person;
use crate::{Access, App, Error, FieldError, Result};

/// The longest question, in characters.
pub const LONGEST_QUESTION: usize = 8_000;
/// How many passages are handed to the answerer.
const PASSAGES: usize = 24;
/// How many turns of a conversation are looked at.
const LONGEST_HISTORY: usize = 12;
/// How long after a question's time is up maintenance waits for it to be settled.
const GRACE: Duration = Duration::from_secs(30);

/// How questions are answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AskSettings {
    /// How long a question may take, in seconds.
    pub deadline_seconds: u64,
    /// The composition of answers, where an organisation has not decided otherwise.
    pub answer: Options,
}

impl Default for AskSettings {
    fn default() -> Self {
        Self {
            deadline_seconds: 60,
            answer: Options::default(),
        }
    }
}

/// What answers questions.
#[derive(Debug)]
pub struct Answering {
    settings: AskSettings,
    answerer: Answerer,
    language_model: Option<Arc<dyn LanguageModel>>,
    tasks: TaskTracker,
    stopping: CancellationToken,
}

impl Answering {
    /// Answers by quoting, or with a language model where there is one: an organisation's own, or else `language_model`.
    pub fn new(
        environment: Environment,
        settings: AskSettings,
        embedder: Option<Arc<dyn Embedder>>,
        language_model: Option<Arc<dyn LanguageModel>>,
    ) -> Self {
        Self {
            settings,
            answerer: Answerer::new(environment, embedder),
            language_model,
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
        }
    }

    /// The server's own language model.
    pub(crate) fn language_model(&self) -> Option<Arc<dyn LanguageModel>> {
        self.language_model.clone()
    }

    /// The answerer without a language model.
    pub(crate) fn quoting(&self) -> &Answerer {
        &self.answerer
    }

    /// How to answer, as an organisation wants it.
    pub(crate) fn options(&self, settings: &AnswerSettings) -> Options {
        Options {
            threshold: settings
                .confidence_threshold
                .unwrap_or(self.settings.answer.threshold),
            ..self.settings.answer.clone()
        }
    }

    /// Ends what is under way, each question with its outcome; whatever is not done by then counts as interrupted.
    pub(crate) async fn finish(&self) {
        self.tasks.close();
        self.stopping.cancel();
        self.tasks.wait().await;
    }

    fn deadline(&self) -> Duration {
        Duration::from_secs(self.settings.deadline_seconds)
    }
}

/// A question as it comes in.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Its words.
    pub text: String,
    /// Where it is asked.
    pub origin: Origin,
    /// The session it belongs to; its history is what was asked there before.
    pub session: Option<SessionId>,
    /// The knowledge bases to search; all that are in use when empty.
    pub knowledge_bases: Vec<KnowledgeBaseId>,
    /// What was said before, for askers who keep the conversation themselves.
    pub history: Vec<Turn>,
    /// Whether the question says all by itself, so that nothing said before is carried over.
    pub is_standalone: bool,
}

/// What is said while a question is answered.
#[derive(Debug, Clone)]
pub enum AskEvent {
    /// The passages the answer may cite.
    Sources(Vec<Source>),
    /// The next piece of the answer's text.
    Token(String),
    /// The text so far does not count; what follows replaces it.
    Restart,
    /// The end, as stored.
    Settled(Box<Settled>),
}

/// A question with the outcome it was given.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The question.
    pub question: QuestionId,
    /// The answer.
    pub id: AnswerId,
    /// What it says.
    pub answer: NewAnswer,
}

/// A question on its way.
#[derive(Debug)]
pub struct Asking {
    /// The question.
    pub question: QuestionId,
    events: mpsc::UnboundedReceiver<AskEvent>,
    stop: CancellationToken,
}

impl Asking {
    /// What is said next; `None` after the end, or when the outcome could not be stored.
    pub async fn next(&mut self) -> Option<AskEvent> {
        self.events.recv().await
    }

    /// Ends the work on the question for good, because nobody wants its answer any more; that becomes its outcome.
    pub fn stop(self) {
        self.stop.cancel();
    }

    /// Waits for the outcome.
    pub async fn settled(mut self) -> Result<Settled> {
        while let Some(event) = self.next().await {
            if let AskEvent::Settled(settled) = event {
                return Ok(*settled);
            }
        }
        Err(Error::Unavailable("the database"))
    }
}

/// An opened question with all that answering takes.
struct Run {
    permit: Permit,
    readers: Vec<Reader>,
    opened: Opened,
    text: String,
    history: Vec<Turn>,
    model: Option<Arc<dyn LanguageModel>>,
    live: Vec<LivePassage>,
    began: Instant,
    events: mpsc::UnboundedSender<AskEvent>,
    stop: CancellationToken,
}

/// For whom a question is answered.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    /// Whose question it is.
    pub(crate) permit: Permit,
    /// Everybody who will read the answer.
    pub(crate) readers: Vec<Reader>,
    /// The conversation on a channel it is asked in.
    pub(crate) conversation: Option<InConversation>,
}

/// Where on a channel a question is asked.
#[derive(Debug, Clone)]
pub(crate) struct InConversation {
    pub(crate) id: ConversationId,
    /// The person outside who asks.
    pub(crate) contact: Option<ContactId>,
    /// For whose eyes it is answered, as it is to be explained later.
    pub(crate) readers: Value,
    /// What was found elsewhere for the asker alone, and is not kept.
    pub(crate) live: Vec<LivePassage>,
}

impl App {
    /// Asks a question. What becomes of it is stored whether or not anybody waits for it.
    pub async fn ask(self: &Arc<Self>, access: &Access, ask: Ask) -> Result<Asking> {
        let permit = access.permit(Resource::Question, Action::Create)?;
        if ask.session.is_some() {
            access.permit(Resource::Session, Action::Update)?;
            person(access)?;
        }
        let asker = Asker {
            permit,
            readers: vec![access.reader().clone()],
            conversation: None,
        };
        self.ask_for(asker, ask).await
    }

    /// Asks a question for everybody who will read the answer.
    pub(crate) async fn ask_for(self: &Arc<Self>, asker: Asker, ask: Ask) -> Result<Asking> {
        let began = Instant::now();
        let ask = Ask {
            text: checked_text(&ask.text, "/text")?,
            ..ask
        };
        let (opened, said, model) = self.open_question(&asker, &ask).await?;
        let mut history = match (ask.is_standalone, ask.session) {
            (true, _) => Vec::new(),
            (false, Some(_)) => said,
            (false, None) => ask.history,
        };
        history.drain(..history.len().saturating_sub(LONGEST_HISTORY));
        let (sender, events) = mpsc::unbounded_channel();
        let (question, stop) = (opened.id, CancellationToken::new());
        let live = asker.conversation.map(|place| place.live).unwrap_or_default();
        let run = Run {
            permit: asker.permit,
            readers: asker.readers,
            model,
            live,
            opened,
            text: ask.text,
            history,
            began,
            events: sender,
            stop: stop.clone(),
        };
        let app = Arc::clone(self);
        self.answering.tasks.spawn(async move { app.run(run).await });
        Ok(Asking {
            question,
            events,
            stop,
        })
    }

    /// The knowledge bases that the caller can ask, by name.
    pub async fn askable_knowledge_bases(&self, access: &Access) -> Result<Vec<(KnowledgeBaseId, String)>> {
        let permit = access.permit(Resource::Question, Action::Create)?;
        let mut tx = self.store.begin(&permit).await?;
        let bases = tx.knowledge_bases().names().await?;
        tx.commit().await?;
        Ok(bases)
    }

    async fn open_question(
        &self,
        asker: &Asker,
        ask: &Ask,
    ) -> Result<(Opened, Vec<Turn>, Option<Arc<dyn LanguageModel>>)> {
        let wanted = (!ask.knowledge_bases.is_empty()).then_some(ask.knowledge_bases.as_slice());
        let mut tx = self.store.begin(&asker.permit).await?;
        let new = NewQuestion {
            text: &ask.text,
            origin: ask.origin,
            session: ask.session,
            title: &title(&ask.text),
            knowledge_bases: wanted,
            deadline: self.environment().now()
                + TimeDelta::from_std(self.answering.deadline() + GRACE).unwrap_or(TimeDelta::MAX),
            asked_in: asker.conversation.as_ref().map(|place| AskedIn {
                conversation: place.id,
                contact: place.contact,
                readers: &place.readers,
            }),
        };
        let opened = tx
            .questions()
            .open(&new)
            .await?
            .ok_or(Error::NotFound("session"))?;
        let missing: Vec<FieldError> = (0..)
            .zip(&ask.knowledge_bases)
            .filter(|(_, id)| !opened.knowledge_bases.iter().any(|base| base.id == **id))
            .map(|(index, id): (usize, _)| FieldError {
                pointer: format!("/knowledge_base_ids/{index}"),
                message: format!("there is no knowledge base {id} in use"),
            })
            .collect();
        if !missing.is_empty() {
            return Err(Error::Invalid(missing));
        }
        let limit = opened.limits.ai_answers;
        if !tx.usage().add(Metric::AiAnswers, 1, limit).await? {
            return Err(Error::QuotaExceeded {
                metric: "answers in a month",
                limit,
            });
        }
        let history = match (ask.session, asker.readers.as_slice()) {
            (Some(session), [reader]) => outcome::turns(tx.questions().history(session, reader).await?),
            _ => Vec::new(),
        };
        let model = self
            .language_model(&mut tx, opened.language_model.as_ref())
            .await
            .unwrap_or_else(|error| {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the language model cannot be called; quoting instead"
                );
                None
            });
        tx.commit().await?;
        Ok((opened, history, model))
    }

    /// Answers and settles; whatever happens in between becomes an outcome.
    async fn run(&self, run: Run) {
        let work = AssertUnwindSafe(self.answer(&run)).catch_unwind();
        let timed = tokio::time::timeout(self.answering.deadline(), work);
        let ended = tokio::select! {
            biased;
            ended = timed => ended,
            () = run.stop.cancelled() => Ok(Ok(Ok(outcome::stopped()))),
            () = self.answering.stopping.cancelled() => Ok(Ok(Ok(outcome::interrupted()))),
        };
        let mut answer = match ended {
            Ok(Ok(Ok(answer))) => answer,
            Ok(Ok(Err(error))) => {
                tracing::error!(
                    question = %run.opened.id,
                    error = &error as &dyn std::error::Error,
                    "a question could not be answered"
                );
                outcome::failed(&error)
            }
            Ok(Err(_panic)) => {
                tracing::error!(question = %run.opened.id, "answering a question panicked");
                outcome::interrupted()
            }
            Err(_elapsed) => outcome::too_slow(self.answering.deadline()),
        };
        answer.latency.total_us = micros(run.began.elapsed());
        match self.settle(&run, &answer).await {
            Ok(Some(id)) => {
                let settled = Settled {
                    question: run.opened.id,
                    id,
                    answer,
                };
                // Whoever asked may have left; the outcome is stored all the same.
                let _ = run.events.send(AskEvent::Settled(Box::new(settled)));
            }
            Ok(None) => {
                tracing::warn!(question = %run.opened.id, "a question was settled by maintenance before its answer came");
            }
            Err(error) => tracing::error!(
                question = %run.opened.id,
                error = &error as &dyn std::error::Error,
                "an outcome could not be stored; maintenance will settle the question"
            ),
        }
    }

    async fn answer(&self, run: &Run) -> Result<NewAnswer> {
        let scope = Scope {
            revision: run.opened.revision,
            knowledge_bases: run.opened.knowledge_bases.clone(),
        };
        let mut found = self
            .evidence(
                &run.permit,
                &run.readers,
                &scope,
                (&run.text, &run.history),
                PASSAGES,
            )
            .await?;
        self.add_live(&mut found, &run.live).await;
        let retrieval_us = micros(run.began.elapsed());
        let options = self.answering.options(&run.opened.settings);
        let searched = Searched {
            knowledge_bases: run.opened.names.clone(),
            documents: found.documents,
            passages: found.passages,
        };
        let question = Question {
            text: run.text.clone(),
            standalone: found.standalone,
            history: run.history.clone(),
            vector: found.vector,
        };
        let mut events = self.answering.answerer.with_model(run.model.clone()).answer(
            question,
            found.evidence,
            searched,
            options,
        );
        while let Some(event) = events.next().await {
            let event = match event {
                AnswerEvent::Sources(sources) => AskEvent::Sources(sources),
                AnswerEvent::Token(text) => AskEvent::Token(text),
                AnswerEvent::Restart => AskEvent::Restart,
                AnswerEvent::Verdict(verdict) => {
                    let mut answer =
                        outcome::of_verdict(*verdict, &found.places, run.opened.knowledge_bases.len());
                    answer.latency.retrieval_us = retrieval_us;
                    answer.latency.composition_us = micros(run.began.elapsed()).saturating_sub(retrieval_us);
                    return Ok(answer);
                }
            };
            // Nobody may be listening any more.
            let _ = run.events.send(event);
        }
        Ok(outcome::interrupted())
    }

    /// Stores the outcome; what was not answered does not count against the month's answers.
    async fn settle(&self, run: &Run, answer: &NewAnswer) -> Result<Option<AnswerId>> {
        let mut tx = self.store.begin(&run.permit).await?;
        let kept = live::without_live(answer, &run.live);
        let id = tx.questions().settle(run.opened.id, &kept).await?;
        if id.is_some() {
            let outcome = answer.verdict.outcome();
            if outcome != Outcome::Answered {
                tx.usage().subtract(Metric::AiAnswers, 1).await?;
            }
            tx.events()
                .append(
                    "question.settled",
                    Some(run.opened.id.uuid()),
                    &json!({ "outcome": outcome }),
                )
                .await?;
        }
        tx.commit().await?;
        Ok(id)
    }
}

/// The words of a question or a search in order, or what is wrong with the field at `pointer`.
pub fn checked_text(text: &str, pointer: &str) -> Result<String> {
    // PostgreSQL stores no NUL in a text, and nobody means one.
    let text = text.trim().replace('\0', "");
    let length = text.chars().count();
    if length == 0 {
        return Err(Error::invalid(pointer, "write a question"));
    }
    if length > LONGEST_QUESTION {
        return Err(Error::invalid(
            pointer,
            format!("a question has at most {LONGEST_QUESTION} characters; this one has {length}"),
        ));
    }
    Ok(text)
}

/// What a session is called after its first question: its beginning, cut between words.
fn title(text: &str) -> String {
    const LONGEST: usize = 80;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        None => line,
        Some((end, _)) => {
            let cut = line[..end].rfind(' ').filter(|&cut| cut > end / 2).unwrap_or(end);
            format!("{}…", &line[..cut])
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
