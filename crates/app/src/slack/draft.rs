//! Answers that appear while they are written.
//!
//! A draft is noted before Slack is asked for it, and named as soon as Slack has answered; whoever takes the event up again after a stop
//! has the outcome put in its place. So however often it is begun, there is one message. What takes no time is not shown piece by piece:
//! quotations come whole, and so does what a model has written before anybody could have begun to read.
//!
//! A reader who wants no more of it says so to Slack, which tells by an event or by refusing the next piece. What was shown until then
//! stays, and is marked.

use std::time::Duration;

use amebo_channels::outbound::{Closing, Destination, Draft, Form, OutboundPayload, Reply};
use amebo_channels::slack::CAPABILITIES;
use amebo_channels::slack::api::{self, CallError, Patience, Posted, StreamTarget};
use amebo_channels::slack::outbound::{Pace, Pacer, Step, render_below};
use amebo_core::id::{ConversationId, InboundEventId};
use amebo_store::Permit;
use amebo_store::delivery_draft::DeliveryDraft;
use amebo_store::inbound_event::InboundEvent;
use amebo_store::job::Lease;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::audience;
use super::converse::Addressed;
use super::reply;
use super::send::Outgoing;
use super::token::Workspace;
use crate::ask::{AskEvent, Asking, Settled};
use crate::{App, Error, Result};

/// For how long an answer is waited for before it is shown unfinished.
const GRACE: TimeDelta = TimeDelta::milliseconds(600);

/// How often it is looked whether the reader wants more.
const LOOK: Duration = Duration::from_millis(500);

/// An answer that appears, or may.
pub(super) struct Showing<'a> {
    app: &'a App,
    permit: Permit,
    event: &'a InboundEvent,
    pub(super) workspace: &'a Workspace,
    api: api::Workspace,
    pub(super) said: &'a Addressed,
    began: DateTime<Utc>,
    /// Whether an earlier attempt began to show it.
    is_known: bool,
    state: State,
    is_stopped: bool,
}

/// How far it has come.
enum State {
    /// It is not to be shown before it is complete.
    Whole,
    /// There is not enough of it, or it is too early.
    Waiting { text: String },
    /// It is there.
    Shown {
        pacer: Pacer,
        posted: Posted,
        is_stream: bool,
        /// Whether everything that the pacer gave was taken, so that what stands there is the beginning of the answer.
        is_sound: bool,
        /// What stands there and counts.
        text: String,
    },
    /// This beginning may be there, and nothing more is added.
    Unknown { text: String },
}

impl<'a> Showing<'a> {
    /// An answer to what was said, which was noted in the event; `known` says that an earlier attempt began to show it.
    pub(super) fn new(
        app: &'a App,
        lease: &Lease,
        event: &'a InboundEvent,
        workspace: &'a Workspace,
        said: &'a Addressed,
        known: bool,
    ) -> Self {
        let can = matches!(
            said.to,
            Outgoing::To {
                destination: Destination::Place { .. }
            }
        );
        Self {
            app,
            permit: lease.permit(),
            event,
            workspace,
            api: workspace.api.clone().with_patience(Patience::NONE),
            said,
            began: app.environment().now(),
            is_known: known,
            state: if can && !known {
                State::Waiting { text: String::new() }
            } else {
                State::Whole
            },
            is_stopped: false,
        }
    }

    /// Waits for the outcome, and shows meanwhile what there is of it; `None` once the reader wants no more.
    pub(super) async fn follow(
        &mut self,
        mut asking: Asking,
        conversation: ConversationId,
    ) -> Result<Option<Settled>> {
        let mut looks = looks();
        let mut settled = None;
        while settled.is_none() && !self.is_stopped {
            tokio::select! {
                biased;
                _ = looks.tick() => self.look(conversation).await?,
                event = asking.next() => match event {
                    Some(AskEvent::Token(text)) => self.add(&text, conversation).await?,
                    Some(AskEvent::Restart) => self.restart().await,
                    Some(AskEvent::Sources(_)) => {}
                    Some(AskEvent::Settled(outcome)) => {
                        self.look(conversation).await?;
                        settled = Some(*outcome);
                    }
                    None => return Err(Error::Unavailable("the database")),
                },
            }
        }
        if self.is_stopped {
            asking.stop();
            return Ok(None);
        }
        Ok(settled)
    }

    /// What is said when the reader wanted no more: what stands there, marked, or only that it was stopped.
    pub(super) fn stopped(&self) -> Reply {
        match &self.state {
            State::Shown { text, .. } | State::Unknown { text } if !text.trim().is_empty() => {
                let mut reply = Reply::new(Form::Notice, text.trim_end());
                reply.notice = Some(reply::STOPPED_HERE.to_owned());
                reply
            }
            _ => Reply::new(Form::Notice, reply::STOPPED),
        }
    }

    /// Looks whether the reader asked to stop, where they can.
    async fn look(&mut self, conversation: ConversationId) -> Result<()> {
        let place = &self.said.place;
        let can = self.said.in_assistant || audience::is_private(place) || self.is_known;
        if can || matches!(self.state, State::Shown { .. }) {
            let mut tx = self.app.store.begin(&self.permit).await?;
            let since = self.event.created_at;
            self.is_stopped |= tx.conversations().is_to_stop(conversation, since).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// What remains to be appended where the reply goes on from what stands there.
    pub(super) fn closing(&self, reply: &Reply, parts: usize) -> Option<Closing> {
        let State::Shown {
            pacer,
            is_stream: true,
            is_sound: true,
            text,
            ..
        } = &self.state
        else {
            return None;
        };
        if self.is_stopped {
            let stays = parts == 1 && same_words(text, &reply.text);
            return stays.then(|| Closing {
                markdown: String::new(),
                below: render_below(reply, &CAPABILITIES),
            });
        }
        let goes_on = reply.form == Form::Answer && reply.asked.is_none() && parts == 1;
        (goes_on && same_words(pacer.text(), &reply.text)).then(|| Closing {
            markdown: pacer.rest(),
            below: render_below(reply, &CAPABILITIES),
        })
    }

    async fn add(&mut self, piece: &str, conversation: ConversationId) -> Result<()> {
        let now = self.app.environment().now();
        match &mut self.state {
            State::Waiting { text } => {
                text.push_str(piece);
                if now - self.began >= GRACE {
                    let text = std::mem::take(text);
                    self.state = self.begin(&text, conversation).await?;
                }
            }
            State::Shown { pacer, .. } => {
                if let Some(step) = pacer.push(piece, now) {
                    self.step(step).await;
                }
            }
            State::Whole | State::Unknown { .. } => {}
        }
        Ok(())
    }

    async fn restart(&mut self) {
        match &mut self.state {
            State::Waiting { text } => text.clear(),
            State::Shown {
                pacer,
                is_sound,
                text,
                ..
            } => {
                *is_sound = false;
                text.clear();
                if let Some(step) = pacer.restart() {
                    self.step(step).await;
                }
            }
            State::Whole | State::Unknown { .. } => {}
        }
    }

    async fn begin(&self, text: &str, conversation: ConversationId) -> Result<State> {
        let Outgoing::To {
            destination: Destination::Place { place, thread },
        } = &self.said.to
        else {
            return Ok(State::Whole);
        };
        let pace = Pace::choose(&CAPABILITIES, self.api.may_stream(), thread.is_some(), false);
        let mut pacer = Pacer::new(pace);
        let Some(Step::Start(first)) = pacer.push(text, self.app.environment().now()) else {
            return Ok(State::Waiting {
                text: text.to_owned(),
            });
        };
        let is_stream = matches!(pace, Pace::Stream(_));
        let mut tx = self.app.store.begin(&self.permit).await?;
        let may = tx
            .delivery_drafts()
            .begin(self.event.id, conversation, (place, thread.as_deref()), is_stream)
            .await?;
        tx.commit().await?;
        if !may {
            return Ok(State::Whole);
        }
        if let (true, Some(thread)) = (is_stream, thread) {
            match self.api.start_stream(&self.target(place, thread), &first).await {
                Ok(posted) => return self.shown(pacer, posted, true, first).await,
                Err(error) if perhaps_done(&error) => return Ok(State::Unknown { text: first }),
                // Not to be had there, or not now.
                Err(error) => tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "an answer appears by changes instead of a stream"
                ),
            }
        }
        self.note(false, None).await?;
        let posted = self
            .api
            .post(
                place,
                thread.as_deref(),
                &unfinished(&first),
                Some(&key(self.event.id)),
            )
            .await;
        match posted {
            Ok(posted) => self.shown(pacer.by_edits(), posted, false, first).await,
            Err(_) => Ok(State::Unknown { text: first }),
        }
    }

    async fn shown(&self, pacer: Pacer, posted: Posted, is_stream: bool, text: String) -> Result<State> {
        self.note(is_stream, Some(&posted.message)).await?;
        Ok(State::Shown {
            pacer,
            posted,
            is_stream,
            is_sound: true,
            text,
        })
    }

    async fn note(&self, is_stream: bool, message: Option<&str>) -> Result<()> {
        let mut tx = self.app.store.begin(&self.permit).await?;
        tx.delivery_drafts()
            .note(self.event.id, is_stream, message)
            .await?;
        Ok(tx.commit().await?)
    }

    /// Shows what is due. What is not taken is left to the end.
    async fn step(&mut self, step: Step) {
        let State::Shown {
            posted,
            is_sound,
            text,
            ..
        } = &mut self.state
        else {
            return;
        };
        let done = match step {
            Step::Append(piece) if *is_sound => {
                let done = self.api.append_stream(posted, &piece).await;
                done.map(|()| text.push_str(&piece))
            }
            Step::Replace(whole) => {
                *is_sound = false;
                let key = key(self.event.id);
                let done = self
                    .api
                    .update(&posted.place, &posted.message, &unfinished(&whole), Some(&key))
                    .await;
                done.map(|_| *text = whole)
            }
            Step::Stop => self.api.stop_stream(posted, "", &[], None).await,
            Step::Start(_) | Step::Append(_) => return,
        };
        let Err(error) = done else { return };
        *is_sound = false;
        if error.code() == Some("stopped_by_user") {
            self.is_stopped = true;
        } else {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "a piece of an answer was not shown"
            );
        }
    }

    fn target(&self, place: &str, thread: &str) -> StreamTarget {
        let team = self
            .said
            .author
            .team
            .clone()
            .unwrap_or_else(|| self.workspace.account.clone());
        StreamTarget {
            place: place.to_owned(),
            thread: thread.to_owned(),
            recipient: self.said.author.id.clone().map(|person| (person, team)),
        }
    }
}

/// Where the outcome goes: what was begun, by this user of the app, or where it was to go.
pub(super) fn outgoing(
    to: &Outgoing,
    draft: Option<DeliveryDraft>,
    event: InboundEventId,
    author: Option<String>,
    closing: Option<Closing>,
) -> Outgoing {
    let Some(draft) = draft else { return to.clone() };
    Outgoing::To {
        destination: Destination::Draft(Draft {
            place: draft.place,
            thread: draft.thread,
            message: draft.message,
            key: key(event),
            author,
            since: draft.created_at,
            is_stream: draft.is_stream,
            closing,
        }),
    }
}

/// When to look whether the reader wants more; not at once, since most answers are complete by then.
fn looks() -> Interval {
    let mut looks = interval_at(Instant::now() + LOOK, LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks
}

/// The id of ours that a draft bears where it can.
fn key(event: InboundEventId) -> String {
    format!("draft:{event}")
}

fn unfinished(markdown: &str) -> OutboundPayload {
    OutboundPayload {
        text: markdown.to_owned(),
        body: json!({ "markdown_text": markdown }),
    }
}

fn perhaps_done(error: &CallError) -> bool {
    use amebo_channels::outcome::Outcome;
    matches!(
        error.outcome,
        Outcome::Temporary {
            perhaps_done: true,
            ..
        }
    )
}

/// Whether two texts have the same words, whatever lies between them.
fn same_words(one: &str, other: &str) -> bool {
    one.split_whitespace().eq(other.split_whitespace())
}
