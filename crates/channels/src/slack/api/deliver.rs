//! The one executor that sends: wherever a message is to go, it ends in one judgement.

use amebo_core::channel::DeliveryStatus;
use amebo_outbound::Request;
use chrono::{DateTime, Utc};
use url::Url;

use super::Workspace;
use super::call::CallError;
use super::flight::Full;
use super::messages::{Posted, callback_body};
use crate::Outcome;
use crate::outbound::{Destination, Draft, OutboundPayload};
use crate::outcome::Failure;

/// What Slack says of a message that can be changed no more.
const GONE: [&str; 3] = ["message_not_found", "cant_update_message", "edit_window_closed"];

/// A message on its way.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// Our id of it, the same in every attempt.
    pub id: &'a str,
    /// Where it goes.
    pub destination: &'a Destination,
    /// What it says.
    pub payload: &'a OutboundPayload,
    /// When an earlier attempt began that may have been done all the same; `None` in the first attempt, and where all earlier
    /// ones are known to have failed.
    pub perhaps_sent_since: Option<DateTime<Utc>>,
}

/// What became of an attempt to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The judgement.
    pub outcome: Outcome,
    /// The message, where the platform named it.
    pub posted: Option<Posted>,
}

impl Delivered {
    /// How far the message has come by this attempt. To be joined to what is known with [`DeliveryStatus::advanced`].
    pub fn status(&self) -> DeliveryStatus {
        if self.outcome.is_accepted() {
            DeliveryStatus::Sent
        } else if self.outcome.is_repeatable() {
            DeliveryStatus::Queued
        } else {
            DeliveryStatus::Failed
        }
    }

    fn accepted(posted: Option<Posted>) -> Self {
        Self {
            outcome: Outcome::Accepted {
                message: posted.as_ref().map(|posted| posted.message.clone()),
                place: posted.as_ref().map(|posted| posted.place.clone()),
            },
            posted,
        }
    }
}

impl From<CallError> for Delivered {
    fn from(error: CallError) -> Self {
        Self {
            outcome: error.outcome,
            posted: None,
        }
    }
}

impl Workspace {
    /// Sends a message, once. What may have been sent before is looked for first; where it cannot be looked for, it is sent
    /// again, since twice is better than never.
    pub async fn deliver(&self, delivery: Delivery<'_>) -> Delivered {
        self.attempt(delivery).await.unwrap_or_else(Delivered::from)
    }

    async fn attempt(&self, delivery: Delivery<'_>) -> Result<Delivered, CallError> {
        let payload = delivery.payload;
        match delivery.destination {
            Destination::Place { place, thread } => self.post_once(place, thread.as_deref(), delivery).await,
            Destination::Person { person } => {
                let place = self.open_direct(person).await?;
                self.post_once(&place, None, delivery).await
            }
            Destination::Ephemeral {
                place,
                person,
                thread,
            } => {
                self.post_ephemeral(place, person, thread.as_deref(), payload)
                    .await?;
                Ok(Delivered::accepted(None))
            }
            Destination::Draft(draft) => self.complete(draft, delivery).await,
            Destination::Message { place, message } => {
                let posted = self.update(place, message, payload, Some(delivery.id)).await?;
                Ok(Delivered::accepted(Some(posted)))
            }
            Destination::Callback { url, public, replace } => {
                self.answer_callback(url, payload, *public, *replace).await?;
                Ok(Delivered::accepted(None))
            }
        }
    }

    /// Completes a draft, or puts the message in its place. Done twice, it comes to the same.
    async fn complete(&self, draft: &Draft, delivery: Delivery<'_>) -> Result<Delivered, CallError> {
        let message = match &draft.message {
            Some(message) => Some(message.clone()),
            None => match self.find_draft(draft).await {
                Err(error) if error.outcome.is_repeatable() => return Err(error),
                // Without the permission to read it will never be known.
                found => found.unwrap_or_default(),
            },
        };
        let Some(message) = message else {
            return self
                .post_once(&draft.place, draft.thread.as_deref(), delivery)
                .await;
        };
        let posted = Posted {
            place: draft.place.clone(),
            message,
        };
        if draft.is_stream && self.end_stream(draft, &posted, delivery).await? {
            return Ok(Delivered::accepted(Some(posted)));
        }
        match self
            .update(
                &posted.place,
                &posted.message,
                delivery.payload,
                Some(delivery.id),
            )
            .await
        {
            Ok(posted) => Ok(Delivered::accepted(Some(posted))),
            // Somebody deleted it, or it may not be changed any more.
            Err(error) if GONE.iter().any(|code| error.code() == Some(code)) => {
                self.post_once(&draft.place, draft.thread.as_deref(), delivery)
                    .await
            }
            Err(error) => Err(error),
        }
    }

    /// Ends a stream; true when it is complete with that.
    async fn end_stream(
        &self,
        draft: &Draft,
        posted: &Posted,
        delivery: Delivery<'_>,
    ) -> Result<bool, CallError> {
        // Whether the end was appended in an attempt that broke off does not show, so the whole then takes its place.
        let closing = draft
            .closing
            .as_ref()
            .filter(|_| delivery.perhaps_sent_since.is_none());
        let ended = match closing {
            Some(closing) => {
                self.stop_stream(posted, &closing.markdown, &closing.below, Some(delivery.id))
                    .await
            }
            None => self.stop_stream(posted, "", &[], None).await,
        };
        match ended {
            Ok(()) => Ok(closing.is_some()),
            Err(error) if error.outcome.is_repeatable() => Err(error),
            // The reader or Slack ended it before, or it is gone; changing it will show.
            Err(_) => Ok(false),
        }
    }

    async fn post_once(
        &self,
        place: &str,
        thread: Option<&str>,
        delivery: Delivery<'_>,
    ) -> Result<Delivered, CallError> {
        if let Some(since) = delivery.perhaps_sent_since {
            match self.find_delivery(place, thread, delivery.id, since).await {
                Ok(Some(message)) => {
                    let place = place.to_owned();
                    return Ok(Delivered::accepted(Some(Posted { place, message })));
                }
                Ok(None) => {}
                // Without the permission to read it will never be known.
                Err(error) if !error.outcome.is_repeatable() => {
                    tracing::warn!(
                        code = error.code(),
                        "sends again without knowing whether it was sent"
                    );
                }
                Err(error) => return Err(error),
            }
        }
        let posted = self
            .post(place, thread, delivery.payload, Some(delivery.id))
            .await?;
        Ok(Delivered::accepted(Some(posted)))
    }

    /// Answers at the address that came with a command or a button. No token goes there.
    pub async fn answer_callback(
        &self,
        url: &Url,
        payload: &OutboundPayload,
        public: bool,
        replace: bool,
    ) -> Result<(), CallError> {
        let failed = |outcome| CallError {
            method: "response_url",
            outcome,
        };
        if !self.api.settings.is_slack(url) {
            return Err(failed(Outcome::Refused(Failure {
                code: "foreign_address".to_owned(),
                details: Vec::new(),
            })));
        }
        let request = Request::post(url.clone(), "slack").json(&callback_body(payload, public, replace));
        let pass = match self.api.flights.enter(&self.account, self.api.environment.now()) {
            Ok(pass) => pass,
            Err(Full::Crowded(wait) | Full::Silent(wait)) => {
                return Err(failed(Outcome::RetryAfter(self.api.spread(wait))));
            }
        };
        let sent = self.api.send_request(request).await;
        pass.ended(sent.answered);
        if sent.outcome.is_accepted() {
            Ok(())
        } else {
            Err(failed(sent.outcome))
        }
    }
}
