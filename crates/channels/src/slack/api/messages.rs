//! Saying something: messages, streams, views, and the small signs around them.

use serde_json::{Value, json};

use super::Workspace;
use super::call::{Arguments, CallError};
use super::conversations::{delivery_metadata, unexpected};
use super::method::Method;
use crate::outbound::OutboundPayload;
use crate::slack::inbound::Read as _;

/// The type of the metadata that marks messages as ours.
pub(super) const DELIVERY_EVENT: &str = "amebo_delivery";

/// A message that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// Where it is.
    pub place: String,
    /// Its id.
    pub message: String,
}

/// Where a stream is to appear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamTarget {
    /// The place.
    pub place: String,
    /// The message that the thread hangs on; streams stand in threads.
    pub thread: String,
    /// The person it is for and their workspace, which streams in channels need.
    pub recipient: Option<(String, String)>,
}

impl Workspace {
    /// Posts a message. `delivery` is an id of ours by which it can be found again when it is not known whether it was posted.
    pub async fn post(
        &self,
        place: &str,
        thread: Option<&str>,
        payload: &OutboundPayload,
        delivery: Option<&str>,
    ) -> Result<Posted, CallError> {
        let arguments = Arguments::from_object(&payload.body)
            .with("channel", place)
            .with("unfurl_links", false)
            .with("unfurl_media", false)
            .with_some("thread_ts", thread)
            .with_some("metadata", delivery.map(delivery_metadata));
        self.posted(Method::PostMessage, arguments).await
    }

    /// Shows a message to one person in a place. Slack neither keeps it nor says whether it was seen.
    pub async fn post_ephemeral(
        &self,
        place: &str,
        person: &str,
        thread: Option<&str>,
        payload: &OutboundPayload,
    ) -> Result<(), CallError> {
        let arguments = Arguments::from_object(&payload.body)
            .with("channel", place)
            .with("user", person)
            .with_some("thread_ts", thread);
        self.call_raw(Method::PostEphemeral, &arguments).await.map(drop)
    }

    /// Replaces a message's content.
    pub async fn update(
        &self,
        place: &str,
        message: &str,
        payload: &OutboundPayload,
        delivery: Option<&str>,
    ) -> Result<Posted, CallError> {
        let arguments = Arguments::from_object(&payload.body)
            .with("channel", place)
            .with("ts", message)
            .with_some("metadata", delivery.map(delivery_metadata));
        self.posted(Method::ChatUpdate, arguments).await
    }

    /// Deletes a message of ours. That it is gone already is as good.
    pub async fn delete(&self, place: &str, message: &str) -> Result<(), CallError> {
        let arguments = Arguments::new().with("channel", place).with("ts", message);
        match self.call_raw(Method::ChatDelete, &arguments).await {
            Err(error) if error.code() == Some("message_not_found") => Ok(()),
            done => done.map(drop),
        }
    }

    /// Begins a stream with Markdown.
    pub async fn start_stream(&self, target: &StreamTarget, markdown: &str) -> Result<Posted, CallError> {
        let (person, team) = target.recipient.as_ref().map_or((None, None), |(person, team)| {
            (Some(person.as_str()), Some(team.as_str()))
        });
        let arguments = Arguments::new()
            .with("channel", target.place.as_str())
            .with("thread_ts", target.thread.as_str())
            .with_some("markdown_text", Some(markdown).filter(|text| !text.is_empty()))
            .with_some("recipient_user_id", person)
            .with_some("recipient_team_id", team);
        self.posted(Method::StartStream, arguments).await
    }

    /// Whether another stream may begin now, as far as the rates show. Takes nothing.
    pub fn may_stream(&self) -> bool {
        self.api
            .budgets
            .has(&self.account, Method::StartStream, self.api.environment.now())
    }

    /// Appends Markdown to a stream. The code `stopped_by_user` says that the reader wants no more.
    pub async fn append_stream(&self, stream: &Posted, markdown: &str) -> Result<(), CallError> {
        let arguments = Arguments::new()
            .with("channel", stream.place.as_str())
            .with("ts", stream.message.as_str())
            .with("markdown_text", markdown);
        self.call_raw(Method::AppendStream, &arguments).await.map(drop)
    }

    /// Ends a stream with the last of its Markdown and what stands below it.
    pub async fn stop_stream(
        &self,
        stream: &Posted,
        markdown: &str,
        blocks: &[Value],
        delivery: Option<&str>,
    ) -> Result<(), CallError> {
        let arguments = Arguments::new()
            .with("channel", stream.place.as_str())
            .with("ts", stream.message.as_str())
            .with_some("markdown_text", Some(markdown).filter(|text| !text.is_empty()))
            .with_some(
                "blocks",
                (!blocks.is_empty()).then(|| Value::from(blocks.to_vec())),
            )
            .with_some("metadata", delivery.map(delivery_metadata));
        self.call_raw(Method::StopStream, &arguments).await.map(drop)
    }

    /// Where people read a message.
    pub async fn permalink(&self, place: &str, message: &str) -> Result<url::Url, CallError> {
        let arguments = Arguments::new()
            .with("channel", place)
            .with("message_ts", message);
        let answer: Value = self.call(Method::GetPermalink, arguments).await?;
        answer
            .text("/permalink")
            .and_then(|url| url.parse().ok())
            .ok_or_else(|| unexpected(Method::GetPermalink, "a permalink"))
    }

    /// Shows that Amebo is at work; an empty status shows nothing. It ends by itself with the next message, or after two minutes.
    pub async fn set_status(&self, place: &str, thread: &str, status: &str) -> Result<(), CallError> {
        let arguments = Arguments::new()
            .with("channel_id", place)
            .with("thread_ts", thread)
            .with("status", status);
        self.call_raw(Method::SetStatus, &arguments).await.map(drop)
    }

    /// Names a conversation in the assistant's container.
    pub async fn set_title(&self, place: &str, thread: &str, title: &str) -> Result<(), CallError> {
        let arguments = Arguments::new()
            .with("channel_id", place)
            .with("thread_ts", thread)
            .with("title", title);
        self.call_raw(Method::SetTitle, &arguments).await.map(drop)
    }

    /// Suggests questions where a conversation begins. `prompts` comes from [`crate::slack::outbound::suggested_prompts`].
    pub async fn set_suggested_prompts(
        &self,
        place: &str,
        thread: Option<&str>,
        title: Option<&str>,
        prompts: &Value,
    ) -> Result<(), CallError> {
        let arguments = Arguments::new()
            .with("channel_id", place)
            .with("prompts", prompts.clone())
            .with_some("thread_ts", thread)
            .with_some("title", title);
        self.call_raw(Method::SetSuggestedPrompts, &arguments)
            .await
            .map(drop)
    }

    /// Shows a person Amebo's own page. With the `revision` of what is there, a newer one is not replaced (`hash_conflict`).
    pub async fn publish_home(
        &self,
        person: &str,
        view: &Value,
        revision: Option<&str>,
    ) -> Result<(), CallError> {
        let arguments = Arguments::new()
            .with("user_id", person)
            .with("view", view.clone())
            .with_some("hash", revision);
        self.call_raw(Method::ViewsPublish, &arguments).await.map(drop)
    }

    /// Opens a form. The trigger is good for three seconds and one form.
    pub async fn open_form(&self, trigger: &str, view: &Value) -> Result<(), CallError> {
        let arguments = Arguments::new()
            .with("trigger_id", trigger)
            .with("view", view.clone());
        self.call_raw(Method::ViewsOpen, &arguments).await.map(drop)
    }

    async fn posted(&self, method: Method, arguments: Arguments) -> Result<Posted, CallError> {
        let answer: Value = self.call(method, arguments).await?;
        match (answer.string("/channel"), answer.string("/ts")) {
            (Some(place), Some(message)) => Ok(Posted { place, message }),
            _ => Err(unexpected(method, "channel and ts")),
        }
    }
}

/// The body for an address that came with a command or a button.
pub(super) fn callback_body(payload: &OutboundPayload, public: bool, replace: bool) -> Value {
    let mut body = payload.body.clone();
    body["response_type"] = json!(if public { "in_channel" } else { "ephemeral" });
    body["replace_original"] = json!(replace);
    body
}
